#!/usr/bin/env bash
# Checks that the tools are there that set-up cannot fetch itself. Stops with one line that names the first missing tool
# and the Debian package that has it. With --tests, what only tests need is asked for too, and installed where that is allowed.
set -euo pipefail

need() {
  local tool=$1 package=$2
  command -v "$tool" >/dev/null || { echo "setup: $tool is missing; install the Debian package $package" >&2; exit 1; }
}

if ! command -v cargo >/dev/null; then
  echo "setup: cargo is missing; install Rust by rustup (https://rustup.rs), the version is rust-toolchain.toml's" >&2
  exit 1
fi
need java default-jdk-headless
need mvn maven
need node nodejs
need npm npm
need python3 python3-venv
need cmake cmake
need g++ g++
need make make
need curl curl
need git git

node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' || {
  echo "setup: node $(node --version) is too old; version 20 or newer is needed" >&2
  exit 1
}

# What only the tests need.
if [[ ${1:-} == --tests ]]; then
  missing=()
  for tool in chromium shellcheck; do command -v "$tool" >/dev/null || missing+=("$tool"); done
  # PostgreSQL's programs are on no path in Debian; the tests make clusters of their own, so the package need not make one.
  postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }
  postgres || missing+=(postgresql)
  if ((${#missing[@]})) && [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    echo "setup: installing for the tests, from Debian: ${missing[*]} ..." >&2
    if ! postgres; then
      mkdir -p /etc/postgresql-common
      [[ -e /etc/postgresql-common/createcluster.conf ]] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    fi
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null 2>&1 || true
  fi
  need chromium chromium
  need shellcheck shellcheck
  postgres || { echo "setup: PostgreSQL 15 or newer is missing; install the Debian package postgresql" >&2; exit 1; }
fi
