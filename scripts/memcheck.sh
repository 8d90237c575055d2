#!/usr/bin/env bash
# One run from end to end under valgrind: a model of one layer, two steps, all files written. What
# it says of memory that is read before it is written, or after it was given back, is an error.
# Needs valgrind (apt-get install valgrind) and the program as built.
#
#   ./scripts/memcheck.sh [build/release/reticle]
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-build/release/reticle}
command -v valgrind >/dev/null || { echo "valgrind is not here: apt-get install valgrind" >&2; exit 77; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# SystemC's threads have stacks of their own, which valgrind takes for a large jump of one.
valgrind --error-exitcode=9 --quiet --leak-check=no --max-stackframe=16000000 \
  --suppressions=scripts/memcheck.supp "$program" run --platform h100-8 --llm llama-3.2-1b --workload steady-decode \
  --set llm.layers=1 --set llm.dense_layers=1 --set workload.steps=2 --set workload.batch=2 --out "$out/run" >/dev/null
echo "valgrind found nothing in a run from end to end ($(ls "$out/run" | wc -l) files written)"
