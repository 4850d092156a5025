#!/usr/bin/env bash
# Runs the consumer with its arguments; with --install it only installs what that needs. The pinned packages are kept once per
# user, outside the tree, under ${XDG_CACHE_HOME:-~/.cache}/kaizen/venv.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
pins=$here/requirements.txt
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kaizen/venv
installed=$cache/bench-$(sha256sum <"$pins" | cut -c1-16)

if [[ ${1:-} == --install ]]; then
  command -v python3 >/dev/null || { echo "bench: python3 is missing; install the Debian package python3" >&2; exit 1; }
  mkdir -p "$cache"
  exec 9>"$cache/bench.lock"
  flock 9
  if [[ ! -f $installed/complete ]]; then
    echo "bench: installing the pinned Python packages ..." >&2
    rm -rf "$installed"
    python3 -m venv "$installed"
    "$installed/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$pins"
    touch "$installed/complete"
  fi
  exit
fi
[[ -f $installed/complete ]] || { echo "bench: $installed is missing: run \`make bench\`" >&2; exit 1; }
exec "$installed/bin/python" -B "$here/consumer.py" "$@"
