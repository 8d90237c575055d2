#!/usr/bin/env bash
# Tokens/s and the share of routed experts that SRAM had, by policy and by how much of the active
# weight bytes is SRAM for routed experts (docs/models/expert_cache.md). Usage: scripts/expert_cache_sweep.sh [PROGRAM]
set -euo pipefail
program=${1:-build/release/reticle}
fractions=${FRACTIONS:-"0.05 0.1 0.2 0.4"}
# 1.6 GB per die hold no more than 0.15: larger SRAM, to see the policies over their range.
sram=${SRAM:-8 GiB}
steps=${STEPS:-48}
platform=${PLATFORM:-ref-asic}
llm=${LLM:-claude-class-mid}
share=${SHARE:-1}

row() {
  "$program" run --platform "$platform" --llm "$llm" --workload steady-decode --json \
    --set workload.steps="$steps" --set placement.sram_expert_share="$share" \
    --set platform.die.sram.capacity="$sram" "$@" |
    python3 -c '
import json, sys
r = json.load(sys.stdin)
e = r["experts"]
percent = lambda x: "" if x is None else "%.1f" % (100 * x)
print(" | ".join(["%.1f" % r["throughput"]["output_tokens_per_s"],
                  percent(e["cache_hit_fraction"]),
                  "%.1f" % (e["fill_bytes"] / r["steps"] * 1e-9),
                  percent(e["prefetch"]["accuracy"]), percent(e["prefetch"]["coverage"])]))'
}

echo "| batch | sram_fraction | policy | tokens/s | hits, % | filled, GB/step | prediction right, % | needed foreseen, % |"
echo "|---|---|---|---|---|---|---|---|"
for batch in 1 16; do
  for fraction in $fractions; do
    for policy in static lru lfu lru+prefetch lfu+prefetch; do
      sets=(--set workload.batch=$batch --set placement.sram_fraction="$fraction"
        --set placement.expert_cache="${policy%+*}")
      [[ $policy == *+prefetch ]] && sets+=(--set placement.expert_prefetch=previous-layer)
      echo "| $batch | $fraction | $policy | $(row "${sets[@]}") |"
    done
  done
done
