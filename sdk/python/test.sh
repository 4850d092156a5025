#!/usr/bin/env bash
# Checks the Python package: types, style, tests with a real broker. Arguments go to pytest.
# The pinned tools are installed once per user, outside the tree, under ${XDG_CACHE_HOME:-~/.cache}/kaizen/venv.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
pins=tests/requirements.txt
command -v python3 >/dev/null || { echo "sdk: python3 is missing; install the Debian package python3" >&2; exit 1; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/kaizen/venv
installed=$cache/sdk-python-$(sha256sum <"$pins" | cut -c1-16)
mkdir -p "$cache"
exec 9>"$cache/sdk-python.lock"
flock 9
if [[ ! -f $installed/complete ]]; then
  echo "sdk: installing the pinned Python tools ..." >&2
  rm -rf "$installed"
  python3 -m venv "$installed"
  "$installed/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$pins"
  touch "$installed/complete"
fi
flock -u 9
exec 9>&-

export PYTHONDONTWRITEBYTECODE=1
export MYPY_CACHE_DIR=$installed/mypy RUFF_CACHE_DIR=$installed/ruff HYPOTHESIS_STORAGE_DIRECTORY=$installed/hypothesis
"$installed/bin/mypy"
"$installed/bin/ruff" check --quiet .
"$installed/bin/ruff" format --quiet --check .
"$installed/bin/python" -m pytest -p no:cacheprovider "$@"
