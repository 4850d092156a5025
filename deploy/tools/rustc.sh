#!/bin/bash
# RUSTC_WORKSPACE_WRAPPER of every build by make. Clones share one build folder, and cargo names what it builds of the
# workspace by paths relative to it: one clone would take the other's programs for its own. The path of this file, the
# clone's, becomes part of those names. Dependencies are not wrapped, so they stay shared.
# Bash, since Debian's sh drops variables that no shell could name, such as CARGO_BIN_EXE_kaizen-analysis.
exec "$@"
