#!/usr/bin/env bash
# The local stack: stack.sh up|down|status|clean
# up      starts what does not run yet: broker, engine, topics and tables, then the services (SERVICES=0: none)
# down    ends everything it started, services first
# status  says what runs
# clean   removes all state; refuses while anything runs
# State, logs and process ids lie under KAIZEN_STATE (.local). Everything listens on loopback. Ports, with defaults:
# KAFKA_PORT 9092, KAFKA_CONTROLLER_PORT 9093, CLICKHOUSE_PORT 8123, COLLECTOR_HTTP_PORT 8081, COLLECTOR_GRPC_PORT 50051,
# ANALYSIS_PORT 50052, REPORTING_PORT 8080, and COLLECTOR_OPERATIONS_PORT 9101, ANALYSIS_OPERATIONS_PORT 9102, REPORTING_OPERATIONS_PORT 9103.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
self=$root/deploy/local/stack.sh
cd "$root"
export KAIZEN_STATE=${KAIZEN_STATE:-$root/.local}
state=$KAIZEN_STATE
bin=$root/target/release
deadline=60

kafka=${KAFKA_PORT:-9092} controller=${KAFKA_CONTROLLER_PORT:-9093} clickhouse=${CLICKHOUSE_PORT:-8123}
collector_http=${COLLECTOR_HTTP_PORT:-8081} collector_grpc=${COLLECTOR_GRPC_PORT:-50051}
analysis=${ANALYSIS_PORT:-50052} reporting=${REPORTING_PORT:-8080}
declare -A operations=(
  [collector]=${COLLECTOR_OPERATIONS_PORT:-9101}
  [analysis]=${ANALYSIS_OPERATIONS_PORT:-9102}
  [reporting]=${REPORTING_OPERATIONS_PORT:-9103}
)
declare -A ports=(
  [kafka]="$kafka $controller"
  [clickhouse]="$clickhouse"
  [collector]="$collector_http $collector_grpc ${operations[collector]}"
  [analysis]="$analysis ${operations[analysis]}"
  [reporting]="$reporting ${operations[reporting]}"
)
services=(collector analysis reporting)
parts=(kafka clickhouse "${services[@]}")

say() { echo "stack: $*"; }
fail() { echo "stack: $*" >&2; exit 1; }

# When a process started, in ticks since boot: with its id, its identity.
started_at() { [[ -r /proc/$1/stat ]] && sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# The process id of a part that runs. A file left by a crash, or by a process whose id was given to another, is nothing.
running() {
  local pid began
  read -r pid began 2>/dev/null <"$state/run/$1" || return 1
  [[ -n $began && $(started_at "$pid") == "$began" && $(cut -d' ' -f3 <"/proc/$pid/stat") != Z ]] && echo "$pid"
}

# Who listens on a port: "name (process id)", or nothing.
owner() {
  local port inode pid
  port=$(printf '%04X' "$1")
  inode=$(awk -v port=":$port" '$2 ~ port "$" && $4 == "0A" { print $10; exit }' /proc/net/tcp /proc/net/tcp6)
  [[ -n $inode ]] || return 0
  for pid in /proc/[0-9]*; do
    if find "$pid/fd" -maxdepth 1 -lname "socket:\[$inode\]" 2>/dev/null | grep -q .; then
      echo "$(cat "$pid/comm") (process ${pid#/proc/})"
      return 0
    fi
  done
  echo "a process of another user"
}

# Becomes the part's program. Each service is told what its configuration has, and no more: it would refuse the rest.
run() {
  case $1 in
    kafka) exec deploy/kafka/run.sh "$state/kafka" "$kafka" "$controller" ;;
    clickhouse) exec "$bin/clickhouse-embedded" --path "$state/clickhouse" --listen "127.0.0.1:$clickhouse" ;;
    collector)
      unset "${!KAIZEN__SERVER__@}" "${!KAIZEN__LEDGER__@}" "${!KAIZEN__CHANGES__@}"
      export KAIZEN__KAFKA__BROKERS=127.0.0.1:$kafka
      export KAIZEN__INGEST__HTTP__ADDRESS=127.0.0.1:$collector_http KAIZEN__INGEST__GRPC__ADDRESS=127.0.0.1:$collector_grpc
      ;;
    *)
      unset "${!KAIZEN__KAFKA__@}" "${!KAIZEN__BATCH__@}" "${!KAIZEN__PRIVACY__@}" "${!KAIZEN__INGEST__@}"
      export KAIZEN__SERVER__ADDRESS=127.0.0.1:${!1}
      export KAIZEN__LEDGER__URL=${KAIZEN__LEDGER__URL:-sqlite://$state/ledger/ledger.db}
      if [[ $1 == reporting ]]; then
        export KAIZEN__CHANGES__URL=${KAIZEN__CHANGES__URL-http://127.0.0.1:$collector_http/v1/changes}
      else
        unset "${!KAIZEN__CHANGES__@}"
      fi
      ;;
  esac
  export KAIZEN__CLICKHOUSE__URL=http://127.0.0.1:$clickhouse KAIZEN__OPERATIONS__ADDRESS=127.0.0.1:${operations[$1]}
  exec "$bin/kaizen-$1"
}

kaizen() {
  KAIZEN__KAFKA__BROKERS=127.0.0.1:$kafka KAIZEN__CLICKHOUSE__URL=http://127.0.0.1:$clickhouse "$bin/kaizen" "$@"
}

start() {
  local part=$1 port pid
  if running "$part" >/dev/null; then
    say "$part runs already"
    return
  fi
  for port in ${ports[$part]}; do
    pid=$(owner "$port")
    [[ -z $pid ]] || fail "port $port of $part is in use by $pid"
  done
  mkdir -p "$state/run" "$state/log"
  # A session of its own: Ctrl-C in the terminal is not for it.
  setsid "$self" run "$part" >>"$state/log/$part.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid $(started_at $pid)" >"$state/run/$part"
  say "$part starts"
}

# Waits until a check succeeds; fails at once when the part ends, with the end of its log.
await() {
  local part=$1 began=$SECONDS
  shift
  until "$@" >/dev/null 2>&1; do
    if ! running "$part" >/dev/null; then
      tail -n 20 "$state/log/$part.log" >&2
      fail "$part ended; the end of $state/log/$part.log is above"
    fi
    if ((SECONDS - began > deadline)); then
      tail -n 20 "$state/log/$part.log" >&2
      fail "$part is not ready after $deadline s; the end of $state/log/$part.log is above"
    fi
    sleep 0.1
  done
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1"); }
ready() { curl -sf "http://127.0.0.1:${operations[$1]}/readyz"; }

up() {
  local part
  for part in clickhouse-embedded kaizen kaizen-collector kaizen-analysis kaizen-reporting; do
    [[ -x $bin/$part ]] || fail "$bin/$part is missing; run \`make build\`"
  done
  start kafka
  start clickhouse
  await kafka answers "$kafka"
  await clickhouse curl -sf "http://127.0.0.1:$clickhouse/ping"
  await kafka kaizen admin create-topics
  kaizen admin create-topics >/dev/null
  kaizen admin migrate >/dev/null
  say "broker and engine are ready: Kafka 127.0.0.1:$kafka, ClickHouse http://127.0.0.1:$clickhouse"
  [[ ${SERVICES:-1} != 0 ]] || return 0
  for part in "${services[@]}"; do
    start "$part"
  done
  for part in "${services[@]}"; do await "$part" ready "$part"; done
  say "services are ready: dashboard and gRPC http://127.0.0.1:$reporting, analysis 127.0.0.1:$analysis"
  say "decisions are taken at http://127.0.0.1:$collector_http/v1/decisions, gRPC 127.0.0.1:$collector_grpc"
}

stop() {
  local part=$1 pid began=$SECONDS patience=15
  pid=$(running "$part") || { rm -f "$state/run/$part"; return 0; }
  [[ $part != kafka ]] || patience=40
  kill -TERM "$pid"
  while running "$part" >/dev/null; do
    if ((SECONDS - began > patience)); then
      say "$part did not end within $patience s and is killed"
      kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
    fi
    sleep 0.1
  done
  rm -f "$state/run/$part"
  say "$part ended"
}

down() {
  local index
  for ((index = ${#parts[@]} - 1; index >= 0; index--)); do stop "${parts[index]}"; done
}

status() {
  local part pid
  for part in "${parts[@]}"; do
    if pid=$(running "$part"); then say "$part runs (process $pid)"; else say "$part does not run"; fi
  done
}

clean() {
  local part
  for part in "${parts[@]}"; do
    ! running "$part" >/dev/null || fail "$part runs; \`make down\` first"
  done
  rm -rf "$state"
  say "$state is removed"
}

case ${1:-} in
  up | down | status | clean) "$1" ;;
  run) run "$2" ;; # used by up
  *) echo "usage: stack.sh up|down|status|clean" >&2; exit 2 ;;
esac
