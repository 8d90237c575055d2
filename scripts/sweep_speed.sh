#!/usr/bin/env bash
# How fast a sweep is: points, CPU and wall time with one job and two, largest process
# (docs/sweeps.md, "How fast"). Names pick some: fixed chosen transaction. STEPS=N: N x N rooflines
# in place of 100 x 100. JOBS="1 2" picks the numbers of jobs. RETICLE=FILE measures another program.
# Wall times need a machine with nothing else to do. Takes some ten minutes there.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${RETICLE:-}" ]; then
  . scripts/setup.sh
  reticle_build release reticle >/dev/null
fi
reticle=${RETICLE:-build/release/reticle}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
steps=${STEPS:-100}
chosen=" $* "

wanted() { [ "$chosen" = "  " ] || [[ $chosen == *" $1 "* ]]; }

# All of them have room, so that each is worked out: 100 streams of 30,000 tokens are 393 GB of keys
# and values on 640 GB.
cat >"$work/rooflines.yaml" <<END
sweep: rooflines
run: {platform: h100-8, llm: llama-3-8b, workload: steady-decode, fidelity: roofline}
set: [workload.steps=1]
axes:
  - {key: workload.batch, range: {from: 1, to: 100, steps: $steps, whole: true}}
  - {key: workload.context, range: {from: 300, to: 30000, steps: $steps, whole: true}}
END

# measure LABEL SWEEP OPTIONS...
measure() {
  local label=$1 sweep=$2 jobs times
  shift 2
  for jobs in ${JOBS:-1 2}; do
    rm -rf "$work/out"
    times=$( { TIMEFORMAT='%U %S %R'; time "$reticle" sweep "$sweep" --jobs "$jobs" --quiet --out "$work/out" "$@" >"$work/tally" 2>&1; } 2>&1)
    read -r user system wall <<<"$times"
    printf '%s, %s jobs: %s; CPU %s s, wall %s s\n' "$label" "$jobs" "$(head -1 "$work/tally")" \
      "$(awk -v a="$user" -v b="$system" 'BEGIN{print a+b}')" "$wall"
  done
}

if wanted fixed; then
  measure "rooflines, one cut (TP8)" "$work/rooflines.yaml" --set placement.tensor_parallel=8
fi
if wanted chosen; then
  measure "rooflines, a plan chosen for each point" "$work/rooflines.yaml"
fi
if wanted transaction; then
  measure "sram-fraction-x-dies, transactions" sram-fraction-x-dies
fi
