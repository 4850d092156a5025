#!/usr/bin/env bash
# Runs the methods from PyPI on the series in a folder: run.sh FOLDER. kaizen-score calls it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=$("$here/../../stats/tests/reference/python.sh")
# One thread for each process: score.py starts as many as there are cores.
export PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
exec "$python" "$here/score.py" "$1"
