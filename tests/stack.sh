#!/usr/bin/env bash
# The local stack as its users drive it: up twice, a port in use, state over down and up, nothing left behind.
# Runs on ports of its own, beside whatever is running.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(mktemp -d)
base=$((20000 + RANDOM % 10000))
export KAIZEN_STATE=$folder/state
export KAFKA_PORT=$base KAFKA_CONTROLLER_PORT=$((base + 1)) CLICKHOUSE_PORT=$((base + 2)) ANALYSIS_PORT=$((base + 3))
export REPORTING_PORT=$((base + 4)) COLLECTOR_OPERATIONS_PORT=$((base + 5)) ANALYSIS_OPERATIONS_PORT=$((base + 6))
export REPORTING_OPERATIONS_PORT=$((base + 7)) COLLECTOR_HTTP_PORT=$((base + 8)) COLLECTOR_GRPC_PORT=$((base + 9))
stack=deploy/local/stack.sh
trap '$stack down >/dev/null 2>&1; rm -rf "$folder"' EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }
query() { curl -sf "http://127.0.0.1:$CLICKHOUSE_PORT/" --data-binary "$1"; }
processes() { pgrep -f "$folder" || true; }

$stack up
first=$(cat "$KAIZEN_STATE"/run/*)
$stack up
[[ $(cat "$KAIZEN_STATE"/run/*) == "$first" ]] || fail "the second up started something"
echo "ok: up twice is harmless"

if said=$(KAIZEN_STATE=$folder/other $stack up 2>&1); then fail "two stacks share a port"; fi
grep -q "port $KAFKA_PORT of kafka is in use by java (process " <<<"$said" || fail "the owner of the port is not named: $said"
echo "ok: a port in use is reported with its owner"

query "INSERT INTO kaizen.rejections (_ingested_at, reason) VALUES (now(), 'tombstone')"
kill -KILL "$(cut -d' ' -f1 "$KAIZEN_STATE/run/collector")"
$stack down
[[ -z $(processes) ]] || fail "processes are left: $(processes)"
for port in $(seq "$base" $((base + 9))); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then fail "port $port is still open"; fi
done
echo "ok: down leaves no process behind, also after a crash"

$stack up
[[ $(query "SELECT count() FROM kaizen.rejections") == 1 ]] || fail "state did not survive"
echo "ok: state survives down and up"

if $stack clean 2>/dev/null; then fail "state was removed under a running stack"; fi
$stack down
$stack clean
[[ ! -e $KAIZEN_STATE ]] || fail "state is left"
echo "ok: state is removed when nothing runs"
