#!/usr/bin/env bash
# Every platform with llama-3-70b and claude-class-mid: one stream and 64 of 1k context, and the sample
# chat trace; or why it does not fit and what would hold it. Two Markdown tables; some minutes. As many
# at a time as there are cores (JOBS).
#
#   ./scripts/platforms.sh [PROGRAM]      PROGRAM: a reticle to use instead of building one
set -euo pipefail
cd "$(dirname "$0")/.."
reticle=${1:-}
if [ -z "$reticle" ]; then
  . scripts/setup.sh
  reticle_build release reticle >/dev/null
  reticle=$PWD/build/release/reticle
fi
export RETICLE_HOME=$PWD

cell() {
  timeout 300 "$reticle" run "$@" --json 2>/dev/null | python3 -c '
import json, sys
try:
    r = json.load(sys.stdin)
except ValueError:
    print("- | - | - |", end=" ")
    sys.exit()
if not r["feasible"]["fits"]:
    text = r["feasible"]["limits"][0]["text"]
    more = text.split("(--set ")[1].split(")")[0] if "(--set " in text else "more"
    print("refused: `%s` | | |" % more, end=" ")
    sys.exit()
parts = sorted(r["time_breakdown"].items(), key=lambda kv: -kv[1])[:2]
rate, bound = r["throughput"]["output_tokens_per_s"], r["roofline"]["tokens_per_s"]
print("%s | %.0f %% | %s |" % (f"{rate:,.4g}" if rate < 1e4 else f"{rate:,.0f}", 100 * rate / bound,
      ", ".join("%s %.0f %%" % (k.replace("_", " "), 100 * v) for k, v in parts)), end=" ")' || true
}

row() {
  local llm=$1 platform=$2
  printf '| `%s` | ' "$platform"
  cell --platform "$platform" --llm "$llm" --workload steady-decode --set workload.steps=2
  cell --platform "$platform" --llm "$llm" --workload steady-decode --set workload.steps=2 --set workload.batch=64
  cell --platform "$platform" --llm "$llm" --workload sample-chat --set workload.limit=20
  echo
}
export -f cell row
export reticle

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
platforms=$("$reticle" list platforms)
for llm in llama-3-70b claude-class-mid; do
  for platform in $platforms; do echo "$llm $platform"; done
done | xargs -P "${JOBS:-$(nproc)}" -L 1 bash -c 'row "$0" "$1" >"'"$work"'/$0.$1"'
for llm in llama-3-70b claude-class-mid; do
  echo "| platform, $llm | 1 stream | of roofline | mostly | 64 streams | of roofline | mostly | sample-chat | of roofline | mostly |"
  echo "|---|---|---|---|---|---|---|---|---|---|"
  for platform in $platforms; do cat "$work/$llm.$platform"; done
  echo
done
