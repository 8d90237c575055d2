#!/usr/bin/env bash
# How fast it is: simulated output tokens per second of CPU, memory, and whether time is linear in
# requests, for the cases of docs/performance.md. Names pick some: seven full steady azure moe.
# The last two need the Azure trace beside the checkout (../shared/traces). RETICLE=FILE measures
# another program. Takes some four minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${RETICLE:-}" ]; then
  . scripts/setup.sh
  reticle_build release reticle >/dev/null
fi
reticle=${RETICLE:-build/release/reticle}
azure=../shared/traces/arrivals/AzureLLMInferenceTrace_conv.csv:azure
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chosen=" $* "

wanted() { [ "$chosen" = "  " ] || [[ $chosen == *" $1 "* ]]; }

# measure LABEL OPTIONS...: one run on one core.
measure() {
  local label=$1
  shift
  local cpu
  cpu=$( { TIMEFORMAT='%U %S'; time taskset -c 0 "$reticle" run "$@" --json >"$work/report.json" 2>/dev/null; } 2>&1)
  python3 - "$label" "$cpu" "$work/report.json" <<'END'
import json, sys
r = json.load(open(sys.argv[3]))
cpu = sum(float(t) for t in sys.argv[2].split())
tokens, recall = r["output_tokens"], r["recall"]
text = "%-34s %9d tokens, %6.1f a step, %6.2f s of CPU, %9.0f tokens/s, %3.0f MB" % (
    sys.argv[1], tokens, tokens / r["steps"], cpu, tokens / cpu, r["simulator"]["peak_rss_bytes"] / 1e6)
if recall["enabled"]:
    text += "; %d steps simulated, %d of them to audit: off by %+.3f +- %.3f %%" % (
        recall["simulated_steps"] + recall["audited_steps"], recall["audited_steps"],
        100 * recall["mean_error"], 200 * recall["standard_error"])
print(text, flush=True)
END
}

chat() { "$reticle" workload generate --preset chat --requests "$1" --rate "$2" --seed 1 --out "$work/chat.jsonl" >/dev/null; }
roofline=(--platform h100-8 --llm llama-3-70b --fidelity roofline)

if wanted seven; then
  for requests in 500 5000 50000; do
    chat "$requests" 6
    measure "roofline, chat, $requests requests" "${roofline[@]}" --workload "$work/chat.jsonl"
  done
fi
if wanted full; then
  for requests in 500 5000 50000; do
    chat "$requests" 1000
    measure "roofline, full batch, $requests" "${roofline[@]}" --workload "$work/chat.jsonl" --set serving.max_batch=250
  done
fi
if wanted steady; then
  measure "roofline, 250 streams, 4000 steps" "${roofline[@]}" --workload steady-decode --set workload.batch=250 \
    --set workload.context=1024 --set workload.steps=4000
fi
if [ -f "${azure%:azure}" ]; then
  if wanted azure; then
    measure "azure, h100-8, llama-3-70b" --platform h100-8 --llm llama-3-70b --workload "$azure"
  fi
  if wanted moe; then
    measure "azure, ref-asic, claude-class-mid" --platform ref-asic --llm claude-class-mid --workload "$azure"
  fi
fi
