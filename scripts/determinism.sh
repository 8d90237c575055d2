#!/usr/bin/env bash
# The same bytes from every compiler, level of optimisation, sanitizer, order of elaboration and number
# of jobs: builds the program in variants, lets each work out the same runs, compares every file.
#
#   scripts/determinism.sh [--quick] [VARIANT...]    all variants; --quick: gcc-O3 and clang-O0
#
# Variants: gcc-O3 gcc-O0 gcc-san clang-O3 clang-O0 clang-san. Each is built in build/det-VARIANT, but
# gcc-O3, which is build/release, and gcc-san, which is build/asan where that is built. Results lie in
# build/determinism/VARIANT. Prints a matrix; exit 1 where a file differs.
set -euo pipefail
cd "$(dirname "$0")/.."

variants=()
for argument in "$@"; do
  case $argument in
    --quick) variants+=(gcc-O3 clang-O0) ;;
    gcc-O3 | gcc-O0 | gcc-san | clang-O3 | clang-O0 | clang-san) variants+=("$argument") ;;
    *)
      echo "usage: scripts/determinism.sh [--quick] [VARIANT...]" >&2
      exit 2
      ;;
  esac
done
[ "${#variants[@]}" -gt 0 ] || variants=(gcc-O3 gcc-O0 gcc-san clang-O3 clang-O0 clang-san)

jobs=${RETICLE_BUILD_JOBS:-$(nproc)}
clang=$(command -v clang++-14 || command -v clang++ || true)
export RETICLE_HOME=$PWD ASAN_OPTIONS=detect_leaks=0

# build VARIANT: puts the program's path in $program.
build() {
  local variant=$1 level="-O${1##*-O}" options=()
  case $variant in
    gcc-O3)
      program=build/release/reticle
      [ -x "$program" ] && return
      cmake --preset release >/dev/null
      cmake --build build/release --target reticle -j "$jobs" >/dev/null
      return
      ;;
    gcc-san)
      program=build/asan/reticle
      [ -x "$program" ] && return
      ;;
  esac
  case $variant in
    clang-*)
      # clang before 15 lacks a class that messages of our own mistakes use.
      options+=(-DCMAKE_CXX_COMPILER="$clang")
      level+=" -include $PWD/tests/fuzz/clang_shim.hpp -Wno-everything"
      ;;
  esac
  case $variant in
    *-san)
      options+=(-DRETICLE_SANITIZE=ON)
      level="-O1 ${level#-O*san}"
      ;;
  esac
  program=build/det-$variant/reticle
  cmake -S . -B "build/det-$variant" -G Ninja -DCMAKE_BUILD_TYPE=None "${options[@]}" \
    -DCMAKE_CXX_FLAGS="$level" >/dev/null
  cmake --build "build/det-$variant" --target reticle -j "$jobs" >"build/det-$variant/log" 2>&1 ||
    { tail -n 30 "build/det-$variant/log" >&2; return 1; }
}

# The runs: a mixture of experts on many dies, a trace on GPUs with instances, a wafer, a machine of far
# tiers by command and flit, the inside of a run, a sweep with one job and with two.
moe=(--platform ref-asic --llm claude-class-low --workload sample-chat --set workload.limit=4
     --set workload.max_output=12)
gpus=(--platform h100-8 --llm llama-3-70b --workload sample-agent --serving vllm
      --set workload.limit=10 --set workload.max_output=32 --set serving.instances=2)
wafer=(--platform cerebras-wse3 --llm llama-3-8b --workload steady-decode --set workload.steps=1)
cycle=(--platform h100-8 --llm llama-3.2-1b --workload steady-decode --set workload.steps=1
       --fidelity cycle)

work() {  # work PROGRAM DIRECTORY
  local run=$1 out=$2
  rm -rf "$out"
  mkdir -p "$out"
  "$run" run "${moe[@]}" --steps --out "$out/moe-trace" >/dev/null
  "$run" run "${gpus[@]}" --steps --out "$out/gpu-trace" >/dev/null
  "$run" run "${wafer[@]}" --out "$out/wafer" >/dev/null
  "$run" run "${cycle[@]}" --out "$out/by-cycle" --timeline "$out/by-cycle.json" \
    --vcd "$out/by-cycle.vcd" >/dev/null
  RETICLE_ELABORATION=1 "$run" run "${moe[@]}" --steps --out "$out/moe-shuffled" >/dev/null
  RETICLE_ELABORATION=1 "$run" run "${gpus[@]}" --steps --out "$out/gpu-shuffled" >/dev/null
  cat >"$out/sweep.yaml" <<'YAML'
sweep: determinism
run: {platform: h100-8, llm: llama-3-8b, workload: steady-decode}
set: [workload.steps=1]
axes:
  - {key: workload.batch, values: [1, 4, 16]}
  - {key: workload.context, values: [128, 4096]}
objectives: [throughput]
YAML
  for n in 1 2; do
    "$run" sweep "$out/sweep.yaml" --jobs $n --quiet --out "$out/store-$n" >/dev/null
    "$run" sweep report "$out/store-$n" --out "$out/sweep-jobs-$n" >/dev/null
    rm -r "$out/store-$n"
  done
  rm "$out/sweep.yaml"
}

mkdir -p build/determinism
for variant in "${variants[@]}"; do
  case $variant in
    clang-*)
      if [ -z "$clang" ]; then
        echo "$variant: skipped, clang++ is not here (apt-get install clang-14)"
        continue
      fi
      ;;
  esac
  build "$variant"
  SECONDS=0
  work "$PWD/$program" "build/determinism/$variant"
  echo "$variant: runs took $SECONDS s"
done
exec python3 scripts/determinism_matrix.py build/determinism "${variants[@]}"
