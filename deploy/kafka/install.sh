#!/usr/bin/env bash
# Installs the pinned Apache Kafka broker once per user, outside the tree:
#   ${XDG_CACHE_HOME:-~/.cache}/kaizen/kafka/VERSION/*.jar
# The versions are pom.xml's, the checksums SHA256SUMS'. The folder appears by one rename, so one that is there is
# whole, and two installs at once do no harm. Prints the path last.
#
# After a change of pom.xml: `install.sh --update-checksums`, and read the difference.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$here/pom.xml")
root=${XDG_CACHE_HOME:-$HOME/.cache}/kaizen/kafka
target=$root/$version

complete() { cmp -s "$target/SHA256SUMS" "$here/SHA256SUMS"; }

if [[ ${1:-} != --update-checksums ]] && complete; then
  echo "kafka: Apache Kafka $version is installed" >&2
  echo "$target"
  exit 0
fi

command -v mvn >/dev/null || { echo "kafka: mvn is missing; install the Debian package maven" >&2; exit 1; }
echo "kafka: fetching Apache Kafka $version (about 45 MB) ..." >&2
mkdir -p "$root"
staging=$(mktemp -d "$root/.install-XXXXXX")
trap 'rm -rf "$staging"' EXIT
cp "$here/pom.xml" "$staging/"
mkdir "$staging/ready"
mvn -B -q -Dstyle.color=never -f "$staging/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$staging/ready" >&2

cd "$staging/ready"
sha256sum -- *.jar >SHA256SUMS
if [[ ${1:-} == --update-checksums ]]; then
  cp SHA256SUMS "$here/SHA256SUMS"
elif ! cmp -s SHA256SUMS "$here/SHA256SUMS"; then
  echo "kafka: what Maven fetched is not what deploy/kafka/SHA256SUMS names:" >&2
  diff "$here/SHA256SUMS" SHA256SUMS >&2 || true
  exit 1
fi

# A folder of other checksums makes room; one just installed by a concurrent run is as good as ours.
if [[ -e $target ]] && ! complete; then mv "$target" "$staging/replaced"; fi
mv -T "$staging/ready" "$target" 2>/dev/null || complete
echo "kafka: installed $target" >&2
echo "$target"
