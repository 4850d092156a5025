# Kaizen. `make demo` shows it, `make test` proves it, `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

# Dependencies are compiled once a user, for every clone; programs land in this clone's target/release. The wrapper
# keeps the clones' own programs apart.
cache := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kaizen
export CARGO_BUILD_BUILD_DIR := $(cache)/build
export RUSTC_WORKSPACE_WRAPPER := $(CURDIR)/deploy/tools/rustc.sh
export CARGO_TERM_PROGRESS_WHEN ?= auto
deny := $(cache)/tools/cargo-deny-0.20.2/bin/cargo-deny
buf := web/node_modules/.bin/buf
# What the contracts must not break.
against ?= HEAD~1

.PHONY: help demo test up down clean-state setup build web lint verify score bench profile chaos fuzz reference docs env

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s $$'\t'

demo: ## Everything from nothing: simulate, import, analyse, dashboard (DEMO_EXIT=1 ends it)
	@deploy/local/demo.sh

test: ## Set up and run every test
	@deploy/local/test.sh

up: setup web build ## Start broker, engine and services in the background (SERVICES=0: no services)
	@deploy/local/stack.sh up

down: ## Stop what `make up` started, and what a demonstration cut short has left
	@KAIZEN_STATE=$(CURDIR)/.local/demo deploy/local/stack.sh down
	@deploy/local/stack.sh down

clean-state: ## Remove the state of the local stack and the demonstration
	@KAIZEN_STATE=$(CURDIR)/.local/demo deploy/local/stack.sh clean
	@deploy/local/stack.sh clean

setup: ## Fetch the pinned parts that building and running need
	@deploy/local/setup.sh

build: ## Build every program into target/release
	cargo build --release --locked --workspace --bins

web: web/dist/index.html ## Build the dashboard into web/dist

# Only when something changed: `reporting` embeds the files and would be compiled anew.
web/dist/index.html: $(shell find proto web/src web/public web/index.html web/*.json web/*.ts web/*.yaml -type f -not -path 'web/src/gen/*')
	npm run --prefix web --silent build

lint: ## Format, clippy, cargo-deny, contracts, shell scripts
	@deploy/local/setup.sh --tests
	cargo fmt --all --check
	CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__ RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/deploy/tools/clippy.sh \
	  cargo check --release --locked --workspace --all-targets
	$(deny) --log-level error check bans licenses sources
	$(buf) lint
	@if git rev-parse --quiet --verify $(against) >/dev/null; then \
	  echo "$(buf) breaking --against $(against)"; \
	  $(buf) breaking --against ".git#ref=$$(git rev-parse $(against))"; \
	else echo "buf breaking: there is no $(against) to compare with"; fi
	npm run --prefix web --silent check
	shellcheck --severity=warning deploy/*/*.sh docs/*.sh sdk/python/test.sh crates/stats/tests/*/*.sh crates/score/*/*.sh fuzz/run.sh benches/run.sh benches/peers/python/run.sh tests/*.sh tests/clients/run.sh .ci/run

verify: test ## What must hold before a commit lands: every test, lint first, and the scores of the analysis
	@$(MAKE) score QUICK=1

score: ## How often the analysis is right, into docs/statistics.md (ROWS=1,2,8; QUICK=1: 100 seeds, writes nothing)
	cargo build --release --locked --package kaizen-score
	@target/release/kaizen-score $(if $(QUICK),--quick) $(if $(ROWS),--rows=$(ROWS))

# Options of the benchmark: `make bench RUNS=3` is `benches/run.sh --runs=3`.
bench_option = $(if $($(1)),--$(2)=$($(1)))
bench: setup ## Kaizen beside its peers, into docs/benchmarks.md (RUNS=5 ONLY=throughput,freshness,backlog,outage,http,tickets,history BACKLOG=2000000 OUTAGE_MINUTES=2 TICKETS=100000 HISTORY=1000000,10000000)
	@benches/run.sh $(call bench_option,ONLY,only) $(call bench_option,RUNS,runs) $(call bench_option,EVENTS,events) \
	  $(call bench_option,BACKLOG,backlog) $(call bench_option,OUTAGE_MINUTES,outage-minutes) $(call bench_option,TICKETS,tickets) \
	  $(call bench_option,HISTORY,history-events)

profile: setup ## Where collector and engine spend their time, as flame graphs in .local/profile (EVENTS=400000)
	@benches/run.sh --profile=.local/profile $(call bench_option,EVENTS,events)

chaos: setup build ## Break parts by seeded chance and check that each record counts once (SEED=1 ROUNDS=50 ONLY="disk full")
	KAIZEN_CHAOS_SEED=$(or $(SEED),1) KAIZEN_CHAOS_ROUNDS=$(or $(ROUNDS),50) KAIZEN_CHAOS_ONLY="$(ONLY)" \
	  cargo test --release --locked --workspace --test system -- --nocapture chaos

fuzz: ## Fuzz everything that reads what others wrote, guided by coverage (SECONDS=60 INPUTS=-1 a target; TARGETS="decode ...")
	@fuzz/run.sh $(or $(SECONDS),60) $(or $(INPUTS),-1) $(TARGETS)

reference: ## Make the reference values of crates/stats anew from SciPy and its kin; fails if they drifted
	@crates/stats/tests/reference/make.sh

docs: build ## Generate docs/instruments.md
	@docs/generate-instruments.sh

env: ## What `eval "$(make env)"` sets, so that cargo by hand shares make's builds
	@echo 'export CARGO_BUILD_BUILD_DIR="$(CARGO_BUILD_BUILD_DIR)" RUSTC_WORKSPACE_WRAPPER="$(RUSTC_WORKSPACE_WRAPPER)"'
