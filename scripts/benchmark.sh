#!/usr/bin/env bash
# How fast the simulator is, on one core: median of three runs each. Quote ratios and medians; other
# load on the machine shows.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
reticle_build release reticle >/dev/null

# measure NAME OPTIONS...
measure() {
  local name=$1
  shift
  for _ in 1 2 3; do
    taskset -c 0 build/release/reticle run "$@" --json 2>/dev/null
  done | python3 -c '
import json, statistics, sys
decoder, text, runs = json.JSONDecoder(), sys.stdin.read(), []
while text.strip():
    document, end = decoder.raw_decode(text.lstrip())
    runs.append(document)
    text = text.lstrip()[end:]
facts = [r["simulator"] for r in runs]
rate = statistics.median(f["steps_per_wall_s"] for f in facts)
wall = statistics.median(f["wall_s"] for f in facts)
rss = max(f["peak_rss_bytes"] for f in facts) / 1e6
recall = runs[0]["recall"]
print("%-44s %8.1f steps/s %8.1f s %7.0f MB   %d steps, %d simulated" % (
    sys.argv[1], rate, wall, rss, runs[0]["steps"], recall["simulated_steps"]))' "$name"
}

measure "48 dies, claude-class-mid, batch 64" \
  --platform ref-asic --llm claude-class-mid --workload steady-64 --set workload.steps=300
measure "48 dies, claude-class-mid, batch 1" \
  --platform ref-asic --llm claude-class-mid --workload steady-decode --set workload.steps=100
measure "8 GPUs, llama-3-70b, batch 64" \
  --platform h100-8 --llm llama-3-70b --workload steady-64 --set workload.context=2048 --set workload.steps=200
measure "8 GPUs, llama-3-70b, chat trace (recall)" \
  --platform h100-8 --llm llama-3-70b --workload sample-chat
if [ -d ../shared/traces ]; then
  measure "48 dies, claude-class-mid, Mooncake, 1,000" \
    --platform ref-asic --llm claude-class-mid --set workload.limit=1000 \
    --workload ../shared/traces/prefix/mooncake_conversation_first3500.jsonl:mooncake
  measure "8 GPUs, llama-3-70b, Azure, 1,000" \
    --platform h100-8 --llm llama-3-70b --set workload.limit=1000 \
    --workload ../shared/traces/arrivals/AzureLLMInferenceTrace_conv.csv:azure
fi
