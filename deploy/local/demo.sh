#!/usr/bin/env bash
# The demonstration, from nothing to a dashboard; state lies under .local/demo and is empty at the start.
# DEMO_EXIT=1 ends it when all is shown, with exit code 0 only if every step worked; else it stays until Ctrl-C.
# shellcheck disable=SC2317 # the functions are reached through step
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
export KAIZEN_STATE=$root/.local/demo
export KAIZEN__CATALOGUE__PATH=$KAIZEN_STATE/catalogue.yaml
stack=deploy/local/stack.sh kaizen=target/release/kaizen
reporting=http://127.0.0.1:${REPORTING_PORT:-8080}
export KAIZEN__KAFKA__BROKERS=127.0.0.1:${KAFKA_PORT:-9092} KAIZEN_REPORTING=$reporting
export KAIZEN__CLICKHOUSE__URL=http://127.0.0.1:${CLICKHOUSE_PORT:-8123}
export KAIZEN_ANALYSIS=http://127.0.0.1:${ANALYSIS_PORT:-50052}
export KAIZEN_COLLECTOR=http://127.0.0.1:${COLLECTOR_OPERATIONS_PORT:-9101}
number=0 times=() mended=2026-03-16T00:00:00Z

# A step is a condition here, so that within it each command has to say `&&` for what follows.
step() {
  local title=$1 began=$SECONDS
  shift
  number=$((number + 1))
  printf '\n[%2d/14] %4d s  %s\n' "$number" "$SECONDS" "$title"
  "$@" || { echo "demo: step $number failed: $title" >&2; exit 1; }
  times+=("$(printf '%4d s  %s' $((SECONDS - began)) "$title")")
}

# The catalogue does not know what anything is worth to whoever runs this; here an enriched lead is worth 1.50 EUR.
clean_start() {
  $stack down && $stack clean && mkdir -p "$KAIZEN_STATE" &&
    sed '/- name: lead_enrichment/,/- name: website_analysis/ s/^\( *\)- name: success_rate$/&\n\1  value_per_unit: {amount: 1.5, currency: EUR}/' \
      config/catalogue.yaml >"$KAIZEN__CATALOGUE__PATH" && grep -q value_per_unit: "$KAIZEN__CATALOGUE__PATH"
}

simulated_fleet() {
  $kaizen simulate --scenario config/scenarios/fleet-8-weeks.yaml --seed 1 \
    --topic kaizen.decisions.backfill --truth "$KAIZEN_STATE/truth.json"
}

real_outreach() {
  $kaizen import tests/fixtures/outreach/outreach.csv.gz --mapping config/mappings/outreach.yaml --strict
}

analysed() {
  $kaizen analyze --from 2009-11-01 --to 2010-11-01 &&
    $kaizen analyze --from 2026-02-23 --to 2026-03-02 &&
    echo && $kaizen recommendations list
}

# 200,000 of the simulated fleet and 41,188 of the outreach, each once.
counted() {
  local stored
  stored=$(curl -sf "$KAIZEN__CLICKHOUSE__URL/?database=kaizen" \
    --data-binary "SELECT count(), uniqExact(event_id) FROM decisions") || true
  [[ $stored == $'241188\t241188' ]] || { echo "demo: 241,188 decisions were published; stored and distinct: $stored" >&2; return 1; }
  echo "241,188 decisions are stored, each once"
}

# The most urgent recommendation becomes a ticket, done two weeks after the analysis.
accepted() {
  local recommendation
  recommendation=$($kaizen recommendations list --output json |
    node -e 'process.stdout.write(JSON.parse(require("fs").readFileSync(0))[0].id)') &&
    $kaizen recommendations accept "$recommendation" --ticket --actor demo &&
    $kaizen tickets start T-1 --actor demo &&
    $kaizen tickets implement T-1 --actor demo --at "$mended" --hours 16 --description "The web search has its index back"
}

fleet_goes_on() {
  $kaizen simulate --scenario config/scenarios/fleet-mended.yaml --seed 9 \
    --topic kaizen.decisions.backfill --truth "$KAIZEN_STATE/mended.json"
}

# Reporting measures by itself; the verdict comes when the four weeks after the change are stored.
verdict() {
  local tries
  for tries in {1..120}; do
    $kaizen tickets show T-1 --output json | grep -q '"state": *"verified"' && break
    ((tries < 120)) || { echo "demo: T-1 has no verdict after two minutes" >&2; return 1; }
    sleep 1
  done
  $kaizen impact T-1 --days 28 && $kaizen impact T-1 --days 28 --output json >"$KAIZEN_STATE/impact.json" &&
    node deploy/local/planted.mjs "$KAIZEN_STATE/mended.json" "$KAIZEN_STATE/impact.json"
}

returned() {
  $kaizen roi T-1 && echo && $kaizen roi && echo && $kaizen calibration
}

serving() {
  $kaizen health || return 1
  curl -sf "$reporting/" | grep -q '<title>' || { echo "demo: the dashboard does not answer at $reporting" >&2; return 1; }
  echo "dashboard: $reporting"
}

trap '$stack down >/dev/null' EXIT
trap 'exit 130' INT TERM

step "Set up tools and parts" deploy/local/setup.sh
step "Build the dashboard" make --no-print-directory web
step "Build the programs (the first time takes minutes)" make --no-print-directory build
step "Empty the demonstration's state" clean_start
step "Start broker, engine and services" $stack up
step "Simulate eight weeks of a fleet with planted faults" simulated_fleet
step "Import 41,188 real outreach decisions of 2008 to 2010" real_outreach
step "Count what is stored" counted
step "Analyse the last year of the real outreach, and the fleet's last week" analysed
step "Accept the most urgent recommendation: its ticket is done on 16 March" accepted
step "Simulate the six weeks that follow, mended on 16 March" fleet_goes_on
step "Wait for the verdict, and compare it with what was planted" verdict
step "What it returned, what all returned, how forecasts came true" returned
step "Check that everything serves" serving

printf '\nAll %d steps worked, in %d s:\n' "$number" "$SECONDS"
printf '  %s\n' "${times[@]}"
if [[ ${DEMO_EXIT:-0} == 1 ]]; then exit 0; fi
trap 'exit 0' INT TERM
printf '\nThe dashboard is open at %s until Ctrl-C.\n' "$reporting"
while $stack status | grep -q 'reporting runs'; do sleep 1; done
echo "demo: reporting ended by itself; its log is $KAIZEN_STATE/log/reporting.log" >&2
exit 1
