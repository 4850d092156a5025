#!/usr/bin/env bash
# Prints the path of a Python that has the pinned libraries of requirements.txt. They are installed once per user, outside the tree,
# under ${XDG_CACHE_HOME:-~/.cache}/kaizen/venv.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
command -v python3 >/dev/null || { echo "reference: python3 is missing; install the Debian package python3" >&2; exit 1; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/kaizen/venv
installed=$cache/reference-$(sha256sum <requirements.txt | cut -c1-16)
mkdir -p "$cache"
exec 9>"$cache/reference.lock"
flock 9
if [[ ! -f $installed/complete ]]; then
  echo "reference: installing the pinned Python libraries ..." >&2
  rm -rf "$installed"
  python3 -m venv "$installed"
  "$installed/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r requirements.txt >&2
  touch "$installed/complete"
fi
echo "$installed/bin/python"
