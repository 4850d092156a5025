#!/usr/bin/env bash
# Runs the fuzz targets one after the other, guided by coverage, each for so many seconds or inputs, whichever ends first:
# run.sh [SECONDS=60] [INPUTS=-1] [TARGET...]. What reaches something new is kept in .local/fuzz; an input that breaks a promise
# is kept there too, told, and ends the run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
seconds=${1:-60} inputs=${2:--1}
targets=("${@:3}")
((${#targets[@]})) || targets=(decode validate mapping bodies intent)

cd "$root"
RUSTC_WORKSPACE_WRAPPER=$root/deploy/tools/fuzz.sh \
  cargo build --release --locked --workspace --features kaizen-fuzz/libfuzzer --bin fuzz
for target in "${targets[@]}"; do
  kept=.local/fuzz/$target
  mkdir -p "$kept"
  printf '%s: ' "$target"
  if ! KAIZEN_FUZZ_TARGET=$target nice -n 19 "${CARGO_TARGET_DIR:-target}/release/fuzz" "$kept" "fuzz/corpus/$target" \
    -max_total_time="$seconds" -runs="$inputs" -max_len=16384 -timeout=25 -rss_limit_mb=2048 -dict=fuzz/json.dict \
    -artifact_prefix=".local/fuzz/$target-" -print_final_stats=1 >".local/fuzz/$target.log" 2>&1; then
    tail -n 40 ".local/fuzz/$target.log" >&2
    exit 1
  fi
  grep -E '^Done|number_of_executed_units' ".local/fuzz/$target.log" | tr '\n' ' '
  echo
done
