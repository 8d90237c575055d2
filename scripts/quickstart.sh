#!/usr/bin/env bash
# From a fresh clone on Debian 12 to a first result: installs what is missing, builds, and replays a
# sample request trace on the reference ASIC. May be run again at no cost.
#
#   ./scripts/quickstart.sh [reticle run options, e.g. --platform h100-8 --llm llama-3-70b]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

reticle_setup
reticle_build release reticle
out=results/quickstart
say "replaying workloads/samples/chat-200.jsonl on ref-asic with claude-class-mid"
build/release/reticle run --platform ref-asic --llm claude-class-mid --workload sample-chat \
  --out "$out" "$@"
say "all files are in $out; try: build/release/reticle run --help"
