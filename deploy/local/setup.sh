#!/usr/bin/env bash
# Fetches what building and running need, once per user, into ${XDG_CACHE_HOME:-~/.cache}/kaizen: setup.sh [--tests]
# Everything is pinned and its checksum verified: the broker's jars, the engine's library, the packages of the dashboard.
# With --tests also what only tests need: Chromium, shellcheck, cargo-deny.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kaizen
deny_version=0.20.2

# One set-up at a time; a second waits and finds all done.
mkdir -p "$cache"
exec 9>"$cache/setup.lock"
flock 9

"$here/check-tools.sh" "$@"
"$root/deploy/kafka/install.sh" >/dev/null
"$root/deploy/chdb/install.sh" >/dev/null

lock=$(sha256sum "$root/web/package-lock.json" | cut -c1-16)
if [[ $(cat "$root/web/node_modules/.kaizen-lock" 2>/dev/null) != "$lock" ]]; then
  echo "web: installing the dashboard's packages ..." >&2
  npm ci --prefix "$root/web" --no-audit --no-fund --loglevel=error >&2
  echo "$lock" >"$root/web/node_modules/.kaizen-lock"
fi

deny=$cache/tools/cargo-deny-$deny_version
if [[ ${1:-} == --tests && ! -x $deny/bin/cargo-deny ]]; then
  echo "lint: building cargo-deny $deny_version (about 3 minutes) ..." >&2
  # Unoptimised: it runs for a second and would compile for many more.
  CARGO_TARGET_DIR=$cache/tools/build cargo install --quiet --locked --debug --root "$deny" "cargo-deny@$deny_version"
  rm -rf "$cache/tools/build"
fi
