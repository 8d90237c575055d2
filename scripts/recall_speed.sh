#!/usr/bin/env bash
# Whether time is linear in requests: traces like Mooncake's conversation, made by the fitted
# generator, on ref-asic with claude-class-mid, on one core. Lengths as arguments: 500 5000 50000.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
reticle_build release reticle >/dev/null
excerpt=../shared/traces/prefix/mooncake_conversation_first3500.jsonl:mooncake
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for requests in "${@:-12000}"; do
  build/release/reticle workload generate --fit "$excerpt" --requests "$requests" --seed 1 \
    --out "$work/trace.jsonl" >/dev/null
  times=$( { TIMEFORMAT='%U'; time taskset -c 0 build/release/reticle run --platform ref-asic \
    --llm claude-class-mid --workload "$work/trace.jsonl" --json >"$work/report.json" 2>/dev/null; } 2>&1)
  python3 - "$requests" "$times" "$work/report.json" <<'END'
import json, sys
r = json.load(open(sys.argv[3]))
cpu, facts, recall = float(sys.argv[2]), r["simulator"], r["recall"]
print("%6s requests %9d tokens %7d steps %5d simulated %5d audited: %.1f s, %.1f s of CPU, %.0f tokens/s "
      "of CPU, %.0f MB, off by %+.3f +- %.3f %%" % (
    sys.argv[1], r["output_tokens"], r["steps"], recall["simulated_steps"], recall["audited_steps"],
    facts["wall_s"], cpu, r["output_tokens"] / cpu, facts["peak_rss_bytes"] / 1e6,
    100 * recall["mean_error"], 200 * recall["standard_error"]))
END
done
