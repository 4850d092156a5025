#!/bin/bash
# RUSTC_WORKSPACE_WRAPPER of `make fuzz`: this repository's crates are compiled with counters at every branch, which LLVM's
# fuzzer reads to tell which inputs reach something new. Stable Rust has the pass. Not for what runs while building.
case " $* " in
  *" --crate-name build_script_build "* | *" --crate-type proc-macro "*) exec "$@" ;;
esac
exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1
