#!/bin/bash
# `cargo clippy` with a path of its own to each clone; see rustc.sh.
exec clippy-driver "$@"
