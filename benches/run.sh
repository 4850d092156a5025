#!/usr/bin/env bash
# Builds what is measured, then measures it: run.sh [OPTIONS OF kaizen-bench], each as --NAME=VALUE. `make bench` and `make profile`
# call it. The peers are a workspace of their own (benches/peers), compiled here alone, and only if they are measured.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kaizen
inferno=$cache/tools/inferno-0.12.8
only='' profile=false
for option in "$@"; do
  case $option in
    --only=*) only=${option#*=} ;;
    --profile=*) profile=true ;;
  esac
done

build_peers() {
  local build=(cargo build --release --locked --manifest-path=benches/peers/Cargo.toml)
  "${build[@]}" --bins
  # Spate's decoder is chosen for a whole program.
  "${build[@]}" --bin=peer-spate --features=simd --target-dir=benches/peers/target/simd
  benches/peers/python/run.sh --install
}

install_inferno() {
  [[ -x $inferno/bin/inferno-flamegraph ]] && return
  echo "bench: building inferno 0.12.8 (about a minute) ..." >&2
  CARGO_TARGET_DIR=$cache/tools/build cargo install --quiet --locked --root "$inferno" inferno@0.12.8
  rm -rf "$cache/tools/build"
}

cargo build --release --locked --workspace --bins
if [[ $profile == true ]]; then
  install_inferno
  export PATH=$inferno/bin:$PATH
elif [[ -z $only || $only =~ throughput|arroyo|spate|python ]]; then
  build_peers
fi
exec target/release/kaizen-bench "$@"
