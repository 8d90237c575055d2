#!/usr/bin/env bash
# The simulations behind docs/findings-platforms.md, one Markdown row each: what was run, tokens/s,
# joules per token, power and USD per million tokens (3 years, 80 % used, electricity), or
# why it does not fit. About a minute.
#
#   ./scripts/findings_runs.sh [PROGRAM]      PROGRAM: a reticle to use instead of building one
set -euo pipefail
cd "$(dirname "$0")/.."
export RETICLE_HOME=$PWD
reticle=${1:-}
if [ -z "$reticle" ]; then
  . scripts/setup.sh
  reticle_build release reticle >/dev/null
  reticle=$PWD/build/release/reticle
fi

run() {  # run PLATFORM LLM WORKLOAD [KEY=VALUE]...
  local platform=$1 llm=$2 workload=$3 set
  shift 3
  local sets=(--set platform.cost.utilisation=0.8)  # the same for all; the files have 0.7 for GPUs
  for set in "$@"; do sets+=(--set "$set"); done
  { "$reticle" run --platform "$platform" --llm "$llm" --workload "$workload" "${sets[@]}" --json 2>/dev/null || true; } |
    python3 -c '
import json, sys
r = json.load(sys.stdin)
def show(x):
    return "-" if x is None else f"{x:,.0f}" if x >= 1e4 else f"{x:,.4g}"
what = "| `%s` | %s, %s%s | " % (sys.argv[1], sys.argv[2], sys.argv[3], "".join(", `%s`" % s for s in sys.argv[4:]))
if not r["feasible"]["fits"]:
    print(what + "refused: " + r["feasible"]["limits"][0]["text"] + " | | | | |")
    sys.exit()
energy, cost, ttft = r["energy"], r["cost"], r["latency"]["ttft_ms"]
note = "; ".join(l["limit"].replace("_", " ") for l in r["feasible"]["limits"]) or "-"
parts = sorted(r["time_breakdown"].items(), key=lambda kv: -kv[1])[:2]
rate = show(r["throughput"]["output_tokens_per_s"]) + ("" if ttft is None else ", first token %s ms" % show(ttft["mean"]))
print(what + " | ".join([rate, show(energy["per_token_j"]), show(energy["busy_power_w"] / 1e3), show(cost["usd_per_m_tokens"]),
      ", ".join("%s %.0f %%" % (k.replace("_", " "), 100 * v) for k, v in parts) + ("" if note == "-" else "; over: " + note)]) + " |")
' "$platform" "$llm" "$workload" "$@"
}

one() { run "$1" "$2" steady-decode workload.steps=2 "${@:3}"; }
many() { one "$1" "$2" workload.batch=64 "${@:3}"; }
fp8=(llm.weights=fp8 llm.embedding=fp8 llm.activations=fp8 llm.kv=fp8)
fp4=(llm.weights=nvfp4 llm.embedding=fp8 llm.activations=fp8 llm.kv=fp8)
bf16=(llm.weights=bf16 llm.embedding=bf16 llm.activations=bf16 llm.kv=bf16)
# Three nodes, no stages.
flat=(placement.pipeline_parallel=1 placement.expert_parallel=4)
int8=(llm.weights=int8 llm.embedding=int8 llm.activations=fp16 llm.kv=fp16)

echo "| platform | run | tokens/s | J/token | kW | USD/Mtokens | mostly |"
echo "|---|---|---|---|---|---|---|"
one h100-8 llama-3-70b platform.packages_per_node=1
one h100-8 llama-3-70b platform.packages_per_node=2
one h100-8 llama-3-70b
many h100-8 llama-3-70b
many h100-8 llama-3-70b "${fp8[@]}"
one b200-8 llama-3-70b platform.packages_per_node=1 llm.weights=fp8
one b200-8 llama-3-70b "${fp8[@]}"
one b200-8 llama-3-70b "${fp4[@]}"
many b200-8 llama-3-70b "${fp8[@]}"
many b200-8 llama-3-70b "${fp4[@]}"
one groq-lpu llama-3-70b
one groq-lpu llama-3-70b "${int8[@]}"
many groq-lpu llama-3-70b "${int8[@]}"
one cerebras-wse3 llama-3-70b platform.packages_per_node=1
one cerebras-wse3 llama-3-70b platform.packages_per_node=1 llm.weights=mxfp4 llm.embedding=fp8 llm.kv=fp8
one cerebras-wse3 llama-3-70b
one cerebras-wse3 llama-3.1-405b platform.nodes=6
one sohu llama-3-70b "${fp8[@]}" workload.batch=256 workload.context=1024
one sohu llama-3-70b "${fp8[@]}" workload.batch=2048 workload.context=128 serving.max_batch=2048
one sn40l llama-4-maverick
one sn40l llama-4-scout
one cerebras-wse3 llama-4-scout platform.nodes=2
one cerebras-wse3 llama-4-scout platform.packages_per_node=2 llm.weights=mxfp4 llm.embedding=fp8 llm.kv=fp8
one h100-8 claude-class-mid "${bf16[@]}"
one h100-8 claude-class-mid "${bf16[@]}" platform.nodes=5
many h100-8 claude-class-mid "${bf16[@]}" platform.nodes=5
many h100-8 claude-class-mid "${bf16[@]}" platform.nodes=6
one h100-8 claude-class-mid platform.nodes=2
many h100-8 claude-class-mid platform.nodes=2
one ref-asic-paper claude-class-low
one ref-asic-paper claude-class-mid
one ref-asic-paper claude-class-mid platform.nodes=3
many ref-asic-paper claude-class-mid platform.nodes=3 "${flat[@]}"
many ref-asic-paper claude-class-mid platform.nodes=4
one ref-asic-paper claude-class-mid platform.nodes=3 workload.context=199000
one ref-asic-paper claude-class-mid platform.nodes=4 workload.context=199000
one ref-asic-paper llama-3-70b llm.weights=mxfp4 llm.embedding=fp8 llm.activations=fp8 llm.kv=fp8
one ref-asic claude-class-mid
many ref-asic claude-class-mid
one h100-8 claude-class-mid platform.nodes=2 workload.context=199000
many ref-asic claude-class-mid workload.context=199000
# One markup on what both cost to make: twice, and the H100's own (350,000 over 8 x 3,728 and 60,000 of parts).
cost_to_make=(platform.cost.node_price_usd=0 platform.cost.node_parts_usd=60000)
one h100-8 claude-class-mid platform.nodes=2 platform.cost.markup=2 "${cost_to_make[@]}"
many h100-8 claude-class-mid platform.nodes=2 platform.cost.markup=2 "${cost_to_make[@]}"
one ref-asic claude-class-mid platform.cost.markup=3.9
many ref-asic claude-class-mid platform.cost.markup=3.9
one ref-asic claude-class-mid llm.weights=fp8
many ref-asic claude-class-mid llm.weights=fp8
run h100-8 claude-class-mid sample-chat workload.limit=1 platform.nodes=2
run ref-asic claude-class-mid sample-chat workload.limit=1
run ref-asic-paper claude-class-mid sample-chat workload.limit=1 platform.nodes=3 "${flat[@]}"
one h200-8 deepseek-r1 workload.batch=11
one gb300-nvl72 deepseek-r1 workload.batch=2048 serving.max_batch=2048
one h100-8 llama-3-70b "${fp8[@]}" workload.batch=512 serving.max_batch=512 workload.context=1024
one b200-8 llama-3-70b "${fp4[@]}" workload.batch=512 serving.max_batch=512 workload.context=1024
for preset in balanced skewed; do
  one h200-8 deepseek-v3 workload.batch=256 placement.expert_parallel=8 "llm.moe.routing.preset=$preset"
done
