#!/usr/bin/env bash
# What recall adds in error: each trace with it, at the default of engine.recall_error and at looser
# ones, and with every step simulated (--exact), compared. Fails where throughput is off by more than
# 1 % or the 99th percentile of the time per output token by more than 2 %. The exact runs take
# minutes; names as arguments pick some of the traces. RETICLE=FILE measures another program.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${RETICLE:-}" ]; then
  . scripts/setup.sh
  reticle_build release reticle >/dev/null
fi
reticle=${RETICLE:-$PWD/build/release/reticle}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$reticle" workload generate --preset coding-agent --requests 60 --seed 1 --out "$work/agent.jsonl" >/dev/null

chosen=" $* "
failed=0

# compare NAME OPTIONS...
compare() {
  local name=$1
  shift
  [ "$chosen" = "  " ] || [[ $chosen == *" $name "* ]] || return 0
  "$reticle" run "$@" --exact --json >"$work/exact.json"
  for error in 0.005 0.01 0.02; do
    "$reticle" run "$@" --set "engine.recall_error=$error" --json >"$work/recalled.json"
    compared "$name at $error" || failed=1
  done
}

# compared LABEL: recalled.json against exact.json
compared() {
  python3 - "$1" "$work/recalled.json" "$work/exact.json" <<'END'
import json, sys
name, on, off = sys.argv[1], *(json.load(open(path)) for path in sys.argv[2:])
def off_by(*path):
    a, b = on, off
    for key in path:
        a, b = a[key], b[key]
    return (a / b - 1) * 100
rate = off_by("throughput", "output_tokens_per_s")
tail = off_by("latency", "tpot_ms", "p99")
audits = on["recall"]
print("%-17s %6d steps, %4d simulated: throughput %+.3f %%, TPOT p50 %+.3f %%, p99 %+.3f %%, TTFT p50 "
      "%+.3f %%, p99 %+.3f %%, energy %+.3f %%, vector operations %+.3f %%; audits said %+.3f +- %.3f %%; "
      "%.1f s in place of %.0f s" % (
    name, on["steps"], audits["simulated_steps"] + audits["audited_steps"], rate,
    off_by("latency", "tpot_ms", "p50"), tail, off_by("latency", "ttft_ms", "p50"),
    off_by("latency", "ttft_ms", "p99"), off_by("energy", "total_j"), off_by("counts", "vector_ops"),
    100 * audits["mean_error"],
    200 * audits["standard_error"], on["simulator"]["wall_s"], off["simulator"]["wall_s"]))
sys.exit(abs(rate) > 1 or abs(tail) > 2)
END
}

compare agent --platform h100-8 --llm gpt-oss-120b --workload "$work/agent.jsonl"
if [ -d ../shared/traces ]; then
  compare azure --platform h100-8 --llm llama-3-70b --set workload.limit=1000 \
    --workload ../shared/traces/arrivals/AzureLLMInferenceTrace_conv.csv:azure
  compare mooncake --platform ref-asic --llm claude-class-mid --set workload.limit=100 \
    --workload ../shared/traces/prefix/mooncake_conversation_first3500.jsonl:mooncake
fi
exit "$failed"
