#!/usr/bin/env bash
# The figures and plots of docs/findings.md: runs every experiment of the registry.
#   scripts/findings.sh [OUT]      default results/registry; a second run goes on from there
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-results/registry}
configs=()
[ -d ../shared/traces/hf_configs ] && configs=(--model-configs ../shared/traces/hf_configs)
build/release/reticle registry validate --all --out "$out" "${configs[@]}"
python3 scripts/plot_registry.py "$out"
