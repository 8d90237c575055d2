#!/usr/bin/env bash
# Every platform with llama-3-70b and claude-class-mid: one stream and 64 of 1k context, and the sample
# chat trace; or why it does not fit and what would hold it. Two Markdown tables; four minutes on two
# cores. As many at a time as there are cores (JOBS); of all platforms or those that PLATFORMS names.
# What is no product of today has its status beside it.
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
  timeout 300 "$reticle" run "$@" --json 2>"$work/error.$$" | python3 -c '
import json, sys
try:
    r = json.load(sys.stdin)
except ValueError:
    sys.exit(1)
if not r["feasible"]["fits"]:
    text = r["feasible"]["limits"][0]["text"]
    more = text.split("(--set ")[1].split(")")[0] if "(--set " in text else text
    print("refused; holds it: `%s` | | |" % more, end=" ")
    sys.exit()
parts = sorted(r["time_breakdown"].items(), key=lambda kv: -kv[1])[:2]
rate, bound = r["throughput"]["output_tokens_per_s"], r["roofline"]["tokens_per_s"]
broken = {"power": "power", "heat_flux": "heat", "die_area": "area", "price": "price"}
marks = sorted({broken[l["limit"]] for l in r["feasible"]["limits"] if l["limit"] in broken})
print("%s%s | %.0f %% | %s |" % (f"{rate:,.4g}" if rate < 1e4 else f"{rate:,.0f}",
      " (breaks: %s)" % ", ".join(marks) if marks else "", 100 * rate / bound,
      ", ".join("%s %.0f %%" % (k.replace("_", " "), 100 * v) for k, v in parts)), end=" ")' || {
    echo "$*: no answer: $(tail -1 "$work/error.$$")" | tee -a "$work/failed" >&2
    printf -- '- | - | - | '
  }
}

row() {
  local llm=$1 platform=$2 status
  status=$("$reticle" describe platform "$platform" --json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["platform"]["status"])')
  [ "$status" = shipping ] && status='' || status=", $status"
  printf '| `%s`%s | ' "$platform" "$status"
  cell --platform "$platform" --llm "$llm" --workload steady-decode --set workload.steps=2
  cell --platform "$platform" --llm "$llm" --workload steady-decode --set workload.steps=2 --set workload.batch=64
  cell --platform "$platform" --llm "$llm" --workload sample-chat --set workload.limit=20
  echo
}
export -f cell row
work=$(mktemp -d)
export reticle work
trap 'rm -rf "$work"' EXIT
platforms=${PLATFORMS:-$("$reticle" list platforms)}
for llm in llama-3-70b claude-class-mid; do
  for platform in $platforms; do echo "$llm $platform"; done
done | xargs -P "${JOBS:-$(nproc)}" -L 1 bash -c 'row "$0" "$1" >"'"$work"'/$0.$1"'
for llm in llama-3-70b claude-class-mid; do
  echo "| platform, $llm | 1 stream | of the plan's roofline | mostly | 64 streams | of it | mostly | sample-chat | of it | mostly |"
  echo "|---|---|---|---|---|---|---|---|---|---|"
  for platform in $platforms; do cat "$work/$llm.$platform"; done
  echo
done
[ ! -s "$work/failed" ]
