#!/usr/bin/env bash
# Every test, in the order in which failures are cheapest to find; the time each step took is printed at the end.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
times=()
trap 'printf "\n"; printf "%s\n" "${times[@]}"' EXIT

step() {
  local title=$1 began=$SECONDS
  shift
  printf '\n== %s\n' "$title"
  "$@" || { times+=("$(printf '%5d s  %s: FAILED' $((SECONDS - began)) "$title")"); exit 1; }
  times+=("$(printf '%5d s  %s' $((SECONDS - began)) "$title")")
}

instruments_are_documented() {
  local before
  before=$(cat docs/instruments.md)
  docs/generate-instruments.sh || return 1
  [[ $(cat docs/instruments.md) == "$before" ]] || { echo "docs/instruments.md was out of date and is made anew: commit it" >&2; return 1; }
}

dashboard_in_a_browser() {
  (cd web && node e2e/overview.mjs >/dev/null && node e2e/behaviour.mjs && node e2e/tickets.mjs)
}

step "set up" deploy/local/setup.sh --tests
step "dashboard: build" make web
step "programs: build" make build
step "dashboard: unit tests" npm run --prefix web --silent test
step "dashboard: in a browser" dashboard_in_a_browser
step "lint" make lint
step "instruments are documented" instruments_are_documented
step "local stack" tests/stack.sh
step "reference values of the statistics" make reference
step "Python logger" sdk/python/test.sh
# Two at once: each whole-system test has a broker, an engine and services of its own on these cores.
step "Rust tests" cargo test --release --locked --workspace --no-fail-fast -- --test-threads=2
