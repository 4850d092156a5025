#!/usr/bin/env bash
# Installs the pinned ClickHouse engine library once per user, outside the tree:
#   ${XDG_CACHE_HOME:-~/.cache}/kaizen/chdb/VERSION/libchdb.so
# npm refuses a download whose SHA-512 differs from package-lock.json. The folder appears by one rename,
# so a library that is there is whole, and two installs at once do no harm. Prints the path last.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
package=@chdb/lib-linux-x64-gnu
lock_field() {
  node -p "require('$here/package-lock.json').packages['node_modules/$package'].$1"
}

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "chdb: $tool is missing; install the Debian package $tool (apt-get install nodejs npm)" >&2; exit 1; }
done
case "$(uname -sm)" in
  "Linux x86_64") ;;
  *) echo "chdb: the pinned library is for Linux x86_64, not $(uname -sm)" >&2; exit 1 ;;
esac

version=$(lock_field version)
integrity=$(lock_field integrity)
root=${XDG_CACHE_HOME:-$HOME/.cache}/kaizen/chdb
target=$root/$version

if [[ -f $target/libchdb.so && $(cat "$target/integrity" 2>/dev/null) == "$integrity" ]]; then
  echo "chdb: engine library $version is installed" >&2
  echo "$target/libchdb.so"
  exit 0
fi

echo "chdb: installing the engine library $version (about 150 MB to fetch, 560 MB on disk) ..." >&2
mkdir -p "$root"
staging=$(mktemp -d "$root/.install-XXXXXX")
trap 'rm -rf "$staging"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$staging/"
npm ci --prefix "$staging" --no-audit --no-fund --ignore-scripts --loglevel=error >&2

mkdir "$staging/ready"
mv "$staging/node_modules/$package/libchdb.so" "$staging/ready/libchdb.so"
echo "$integrity" >"$staging/ready/integrity"
# A folder left by another version of this script, or damaged, makes room; one just installed by a
# concurrent run is as good as ours.
if [[ -e $target && $(cat "$target/integrity" 2>/dev/null) != "$integrity" ]]; then
  mv "$target" "$staging/replaced"
fi
mv -T "$staging/ready" "$target" 2>/dev/null || [[ $(cat "$target/integrity") == "$integrity" ]]
echo "chdb: installed $target/libchdb.so" >&2
echo "$target/libchdb.so"
