#!/usr/bin/env bash
# How fast a sweep is (docs/sweeps.md, "How fast"): one table of points by status, jobs, CPU and wall
# time, how much faster two jobs are than one, and the largest process.
#
#   scripts/sweep_speed.sh [--quick] [fixed] [chosen] [transaction]
#
# fixed, chosen: 10,000 rooflines under one cut, and with a plan chosen for each; transaction: the
# shipped sram-fraction-x-dies; without a name all three. --quick: fewer points of each, in half a
# minute, to see that it works. JOBS="1 2" picks the numbers of jobs; RETICLE=FILE measures another
# program. Wall times need a machine with nothing else to do; all of it takes some six minutes there.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=false
wanted=""
for word in "$@"; do
  case $word in
    --quick) quick=true ;;
    fixed | chosen | transaction) wanted+=" $word" ;;
    *) echo "usage: $0 [--quick] [fixed] [chosen] [transaction]" >&2; exit 2 ;;
  esac
done
wanted=${wanted:- fixed chosen transaction}

if [ -z "${RETICLE:-}" ]; then
  . scripts/setup.sh
  reticle_build release reticle >/dev/null
fi
reticle=${RETICLE:-build/release/reticle}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# All of them have room, so that each is worked out: 100 streams of 30,000 tokens are 393 GB of keys
# and values on 640 GB.
steps=100
$quick && steps=20
cat >"$work/rooflines.yaml" <<END
sweep: rooflines
run: {platform: h100-8, llm: llama-3-8b, workload: steady-decode, fidelity: roofline}
set: [workload.steps=1]
axes:
  - {key: workload.batch, range: {from: 1, to: 100, steps: $steps, whole: true}}
  - {key: workload.context, range: {from: 300, to: 30000, steps: $steps, whole: true}}
END

transactions=sram-fraction-x-dies
if $quick; then
  transactions=$work/transactions.yaml
  sed -e 's/values: \[8, 12, .*\]/values: [8, 12]/' -e 's/to: 1, steps: 11/to: 0.2, steps: 2/' \
    configs/sweeps/sram-fraction-x-dies.yaml >"$transactions"
fi

# measure LABEL SWEEP OPTIONS...: a row per number of jobs.
measure() {
  local label=$1 sweep=$2 jobs times user system wall first="" tally
  shift 2
  for jobs in ${JOBS:-1 2}; do
    rm -rf "$work/out"
    if ! times=$( { TIMEFORMAT='%U %S %R'; time "$reticle" sweep "$sweep" --jobs "$jobs" --quiet --out "$work/out" "$@" >"$work/tally" 2>"$work/errors"; } 2>&1); then
      cat "$work/tally" "$work/errors" >&2
      exit 1
    fi
    read -r user system wall <<<"$times"
    [ "$jobs" != 1 ] || first=$wall
    tally=$(head -1 "$work/tally")  # "N points in S s, N ok, N infeasible; largest process N MB"
    awk -v label="$label" -v jobs="$jobs" -v user="$user" -v system_s="$system" -v wall="$wall" \
      -v first="$first" -v tally="$tally" 'BEGIN {
        points = tally; sub(/ .*/, "", points)
        by = tally; sub(/^[^,]*, /, "", by); sub(/;.*/, "", by)
        peak = tally; sub(/.*largest process /, "", peak)
        printf "| %s | %s | %s | %d | %.1f | %.2f | %.1f | %s | %s |\n", label, points, by, jobs,
          user + system_s, (user + system_s) / points * 1e3, wall, first == "" ? "-" : sprintf("%.2f", first / wall), peak }'
  done
}

echo "| sweep | points | came to | jobs | CPU [s] | CPU per point [ms] | wall [s] | against one job | largest process |"
echo "|---|---|---|---|---|---|---|---|---|"
for which in $wanted; do
  case $which in
    fixed) measure "rooflines, one cut (TP8)" "$work/rooflines.yaml" --set placement.tensor_parallel=8 ;;
    chosen) measure "rooflines, a plan chosen for each" "$work/rooflines.yaml" ;;
    transaction) measure "sram-fraction-x-dies, transactions" "$transactions" ;;
  esac
done
