#!/usr/bin/env bash
# The figures of README.md "What it says, at a glance", as a Markdown table.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
reticle_build release reticle >/dev/null

echo "| platform, model | workload | tokens/s | per chip | J/token | USD per 1M | roofline | mostly |"
echo "|---|---|---|---|---|---|---|---|"
# row LABEL WORKLOAD-LABEL OPTIONS...
row() {
  local label=$1 workload=$2
  shift 2
  build/release/reticle run "$@" --json 2>/dev/null | python3 -c '
import json, sys
r = json.load(sys.stdin)
t, e, c = r["throughput"], r["energy"], r["cost"]
parts = sorted(r["time_breakdown"].items(), key=lambda kv: -kv[1])[:2]
bound = r["roofline"]["tokens_per_s"]
print("| %s | %s | %.4g | %.4g | %.3g | %.3g | %.0f %% | %s |" % (
    sys.argv[1], sys.argv[2], t["output_tokens_per_s"], t["per_chip"], e["per_token_j"],
    c["usd_per_m_tokens"], 100 * t["output_tokens_per_s"] / bound,
    ", ".join("%s %.0f %%" % (k.replace("_", " "), 100 * v) for k, v in parts)))' "$label" "$workload"
}
asic=(--platform ref-asic --llm claude-class-mid)
gpu=(--platform h100-8 --llm llama-3-70b)
row "ref-asic, claude-class-mid" "1 stream, 1k context" "${asic[@]}" --workload steady-decode
row "ref-asic, claude-class-mid" "64 streams, 8k context" "${asic[@]}" --workload steady-64
row "ref-asic-paper (claim) x 3 nodes, claude-class-mid" "1 stream, 1k context" --platform ref-asic-paper \
  --llm claude-class-mid --workload steady-decode --set platform.nodes=3
row "h100-8, llama-3-70b" "1 stream, 1k context" "${gpu[@]}" --workload steady-decode
row "h100-8, llama-3-70b" "64 streams, 2k context" "${gpu[@]}" --workload steady-64 --set workload.context=2048
if [ -d ../shared/traces ]; then
  row "h100-8, llama-3-70b" "Azure 2023 conversation, whole" "${gpu[@]}" \
    --workload ../shared/traces/arrivals/AzureLLMInferenceTrace_conv.csv:azure
  row "ref-asic, claude-class-mid" "Mooncake conversation, 3,500" "${asic[@]}" \
    --workload ../shared/traces/prefix/mooncake_conversation_first3500.jsonl:mooncake
fi
