#!/usr/bin/env bash
# Runs the broker in the foreground: run.sh DATA PORT CONTROLLER_PORT [NAME=VALUE ...], further properties of the broker
# DATA is formatted at the first start and kept. KAIZEN_KAFKA_JVM replaces the JVM's options.
set -euo pipefail

usage="usage: run.sh DATA PORT CONTROLLER_PORT [NAME=VALUE ...]"
data=${1:?$usage} port=${2:?$usage} controller_port=${3:?$usage}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$here/pom.xml")
lib=${XDG_CACHE_HOME:-$HOME/.cache}/kaizen/kafka/$version
[[ -f $lib/SHA256SUMS ]] || { echo "kafka: $lib is missing; run \`make setup\`" >&2; exit 1; }

mkdir -p "$data"
data=$(cd "$data" && pwd)
sed -e "s|@PORT@|$port|g" -e "s|@CONTROLLER_PORT@|$controller_port|g" -e "s|@DATA@|$data/log|g" \
  "$here/server.properties.in" >"$data/server.properties"

java=(java -cp "$lib/*" "-Dlog4j2.configurationFile=file:$here/log4j2.properties")
# A format cut short leaves no meta.properties, and is done again.
if [[ ! -f $data/log/meta.properties ]]; then
  "${java[@]}" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC kafka.tools.StorageTool \
    format --ignore-formatted --cluster-id kaizen-local-0000000AA -c "$data/server.properties"
fi
read -ra options <<<"${KAIZEN_KAFKA_JVM:--Xms256m -Xmx768m}"
overrides=()
for property in "${@:4}"; do overrides+=(--override "$property"); done
exec "${java[@]}" "${options[@]}" kafka.Kafka "$data/server.properties" "${overrides[@]}"
