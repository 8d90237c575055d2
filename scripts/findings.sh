#!/usr/bin/env bash
# docs/findings.md, its figures and plots: runs every experiment of the registry.
#   scripts/findings.sh [OUT]      default results/registry; a second run goes on from there
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-results/registry}
configs=()
[ -d ../shared/traces/hf_configs ] && configs=(--model-configs ../shared/traces/hf_configs)
build/release/reticle registry validate --all --out "$out" "${configs[@]}"
python3 scripts/plot_registry.py "$out" docs/findings
python3 scripts/write_findings.py "$out"
