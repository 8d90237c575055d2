#!/usr/bin/env bash
# Installs a build into a fresh folder and uses what is there: catalogue, a run, manual page, completion,
# Python module. install_test.sh BUILD
set -euo pipefail
build=$1
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
cmake --install "$build" --prefix "$fresh/usr" >/dev/null
unset RETICLE_HOME
cd "$fresh"
PATH=$fresh/usr/bin:$PATH
[ "$(command -v reticle)" = "$fresh/usr/bin/reticle" ]

# The catalogue is the installed one, not that of the source tree.
sed -i 's/^title: .*/title: Changed where it is installed/' usr/share/reticle/configs/platforms/h100-8.yaml
[[ $(reticle describe platform h100-8) == *'Changed where it is installed'* ]]
# In configs/ of a package nothing is left out.
for kind in platforms llms workloads prices servings sweeps; do [ "$(reticle list "$kind" | wc -l)" -gt 0 ]; done
reticle registry lint >/dev/null
reticle run --platform h100-8 --llm llama-3-8b --workload sample-chat --set workload.limit=4 \
  --set engine.fidelity=roofline --out out >/dev/null
grep -q '"output_tokens"' out/report.json

# What editors ask for.
for kind in platform llm workload serving sweep; do
  grep -q '"properties"' "usr/share/reticle/schemas/$kind.schema.json"
done

# Every subcommand is in the manual page, which troff takes without a word.
page=usr/share/man/man1/reticle.1
for name in run compare sweep validate "registry lint" "describe platform"; do grep -q "^.SS reticle $name" "$page"; done
grep -q '^.SS reticle sweep$' "$page"
grep -q '\\-\\-engine' "$page"
if command -v groff >/dev/null; then
  said=$(groff -man -Tutf8 -ww "$page" 2>&1 >/dev/null || true)
  [ -z "$said" ] || { echo "troff: $said"; exit 1; }
fi

completes() {  # completes EXPECTED WORD...
  local expected=$1
  shift
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _reticle || true
  [ "${COMPREPLY[*]}" = "$expected" ] || { echo "completion of '$*': '${COMPREPLY[*]}', not '$expected'"; exit 1; }
}
. usr/share/bash-completion/completions/reticle
completes 'registry reprice' reticle re
completes '--platform' reticle run --pl
completes 'groq-lpu' reticle run --platform gr
completes 'h100-8,b200-8' reticle compare --platforms h100-8,b
completes 'llama-3-70b' reticle describe llm llama-3-7
completes 'roofline transaction cycle' reticle run --fidelity ''
completes '' reticle run --out ''

PYTHONPATH=usr/lib/python3/dist-packages python3 -c '
import reticle
report = reticle.run("h100-8", "llama-3-8b", "sample-chat", {"workload.limit": 4}, fidelity="roofline")
assert report.throughput.output_tokens_per_s > 0
assert reticle.program() == reticle.shutil.which("reticle")'
echo "all of it works from $fresh/usr"
