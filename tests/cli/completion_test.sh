#!/usr/bin/env bash
# What a TAB gives, and that the name of a file is never run. completion_test.sh PROGRAM SOURCES
set -euo pipefail
program=$1
export RETICLE_HOME
RETICLE_HOME=$(mktemp -d)
trap 'rm -rf "$RETICLE_HOME"' EXIT
cp -r "$2/configs" "$RETICLE_HOME/"
cd "$RETICLE_HOME"
# shellcheck disable=SC2016
for name in '$(touch PWNED)x' '`touch PWNED`x' '${x:=$(touch PWNED)}x' 'zz a b' 'zz*'; do
  cp configs/platforms/h100-8.yaml "configs/platforms/$name.yaml"
done
# shellcheck source=/dev/null
. <("$program" manual bash)

completes() {  # completes EXPECTED WORD...: one per line
  local expected=$1
  shift
  COMP_WORDS=("$program" "$@") COMP_CWORD=$# COMPREPLY=()
  _reticle || true
  local got
  got=$(IFS=$'\n'; echo "${COMPREPLY[*]}")
  [ "$got" = "$expected" ] || { echo "completion of '$*': '$got', not '$expected'"; exit 1; }
}
completes $'registry\nreprice' re
completes '--platform' run --pl
completes 'groq-lpu' run --platform gr
completes 'groq-lpu' run --platform = gr
completes 'h100-8,b200-8' compare --platforms h100-8,b
completes 'llama-3-70b' describe llm llama-3-7
completes $'roofline\ntransaction\ncycle' run --fidelity ''
completes $'roofline\ntransaction\ncycle' run --fidelity =
completes 'optimistic-sram' reprice results/a --prices optimistic-s
completes 'sram-fraction-x-dies' sweep sram-fraction-x
completes '--engine' sweep --eng
completes 'report' sweep rep
completes $'B1\nB10\nB11\nB12\nB13\nB14\nB15\nB16\nB17\nB18' registry show B1
completes 'B7' registry validate B7
completes 'coding-agent-measured' workload generate --preset coding-agent-
completes $'empirical\nmixture' workload generate --lengths ''
completes '' run --out ''
completes "zz\\ a\\ b"$'\n'"zz\\*" run --platform zz
completes '\$\(touch\ PWNED\)x' run --platform '$('
completes '' run --platform '*'
COMP_WORDS=("$program" run --platform '') COMP_CWORD=3
_reticle
[ "${#COMPREPLY[@]}" -eq "$(find configs/platforms -name '*.yaml' | wc -l)" ]
[ ! -e PWNED ] || { echo "a file's name was run"; exit 1; }
echo "all completions are as expected"
