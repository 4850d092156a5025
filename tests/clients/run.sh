#!/usr/bin/env bash
# Runs a ClickHouse client nobody here wrote against a server: run.sh python|node URL [USER PASSWORD]
# The pinned packages are installed once per user, outside the tree, under ${XDG_CACHE_HOME:-~/.cache}/kaizen/clients.
set -euo pipefail

usage="usage: run.sh python|node URL [USER PASSWORD]"
client=${1:?$usage}
export CLICKHOUSE_URL=${2:?$usage} CLICKHOUSE_USER=${3:-default} CLICKHOUSE_PASSWORD=${4:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/$client" && pwd)
case $client in
  python) pins=requirements.txt tool=python3 ;;
  node) pins=package-lock.json tool=npm ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
command -v $tool >/dev/null || { echo "clients: $tool is missing; install the Debian package $tool" >&2; exit 1; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/kaizen/clients
installed=$cache/$client-$(sha256sum <"$here/$pins" | cut -c1-16)
mkdir -p "$cache"
exec 9>"$cache/$client.lock"
flock 9
if [[ ! -f $installed/complete ]]; then
  echo "clients: installing the pinned $client client ..." >&2
  rm -rf "$installed"
  if [[ $client == python ]]; then
    python3 -m venv "$installed"
    "$installed/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$here/$pins"
  else
    mkdir "$installed"
    cp "$here/package.json" "$here/$pins" "$installed/"
    npm ci --prefix "$installed" --no-audit --no-fund --ignore-scripts --loglevel=error >&2
  fi
  touch "$installed/complete"
fi
flock -u 9

if [[ $client == python ]]; then
  cd "$here"
  exec "$installed/bin/python" -B -m unittest -v check_clickhouse_connect
fi
NODE_PATH=$installed/node_modules exec node --test --test-reporter=spec "$here/check_clickhouse_client.cjs"
