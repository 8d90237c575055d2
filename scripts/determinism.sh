#!/usr/bin/env bash
# The same bytes from every compiler, level of optimisation, sanitizer, order of elaboration and number
# of jobs: builds the program in variants, lets each work out the same runs, compares every file.
#
#   scripts/determinism.sh [--quick] [--strict] [VARIANT...]    all variants; --quick: gcc-O3 and clang-O0
#
# Variants: gcc-O3 gcc-O0 gcc-san clang-O3 clang-O0 clang-san. Each is built, or brought up to date, in
# build/det-VARIANT, but gcc-O3, which is build/release, and gcc-san, which is build/asan where that is
# configured. Results, and what was printed, lie in build/determinism/VARIANT. Prints a matrix; exit 1 where
# a file differs, 77 where a variant could not be built as its compiler is not here; --strict: 1 then too.
set -euo pipefail
cd "$(dirname "$0")/.."

variants=()
strict=
for argument in "$@"; do
  case $argument in
    --strict) strict=1 ;;
    --quick) variants+=(gcc-O3 clang-O0) ;;
    gcc-O3 | gcc-O0 | gcc-san | clang-O3 | clang-O0 | clang-san) variants+=("$argument") ;;
    *)
      echo "usage: scripts/determinism.sh [--quick] [--strict] [VARIANT...]" >&2
      exit 2
      ;;
  esac
done
[ "${#variants[@]}" -gt 0 ] || variants=(gcc-O3 gcc-O0 gcc-san clang-O3 clang-O0 clang-san)

jobs=${RETICLE_BUILD_JOBS:-$(nproc)}
clang=$(command -v clang++-14 || command -v clang++ || true)
export RETICLE_HOME=$PWD ASAN_OPTIONS=detect_leaks=0

# up_to_date DIRECTORY: what is built there is this source tree's, whatever lay there.
up_to_date() {
  cmake --build "$1" --target reticle -j "$jobs" >"$1/determinism.log" 2>&1 ||
    { tail -n 30 "$1/determinism.log" >&2; return 1; }
}

# build VARIANT: puts the program's path in $program.
build() {
  local variant=$1 level="-O${1##*-O}" options=()
  case $variant in
    gcc-O3)
      program=build/release/reticle
      [ -f build/release/build.ninja ] || cmake --preset release >/dev/null
      up_to_date build/release
      return
      ;;
    gcc-san)
      program=build/asan/reticle
      [ ! -f build/asan/build.ninja ] || { up_to_date build/asan; return; }
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
  up_to_date "build/det-$variant"
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

# In the directory itself, so that what is printed names no variant.
work() {  # work PROGRAM DIRECTORY
  local run=$1 out=$2
  rm -rf "$out"
  mkdir -p "$out"
  (
    cd "$out"
    said() {  # said NAME COMMAND...: what it prints, beside what it writes
      local name=$1
      shift
      mkdir -p "$name"
      "$@" >"$name/stdout.txt"
    }
    said moe-trace "$run" run "${moe[@]}" --steps --out moe-trace
    said gpu-trace "$run" run "${gpus[@]}" --steps --out gpu-trace
    said wafer "$run" run "${wafer[@]}" --out wafer
    said by-cycle "$run" run "${cycle[@]}" --out by-cycle --timeline by-cycle/timeline.json \
      --vcd by-cycle/waveform.vcd
    # The same names, so that the same is printed.
    mkdir shuffled
    cd shuffled
    export RETICLE_ELABORATION=1
    said moe-trace "$run" run "${moe[@]}" --steps --out moe-trace
    said gpu-trace "$run" run "${gpus[@]}" --steps --out gpu-trace
    unset RETICLE_ELABORATION
    cd ..
    mv shuffled/moe-trace moe-shuffled
    mv shuffled/gpu-trace gpu-shuffled
    rmdir shuffled
    cat >sweep.yaml <<'YAML'
sweep: determinism
run: {platform: h100-8, llm: llama-3-8b, workload: steady-decode}
set: [workload.steps=1]
axes:
  - {key: workload.batch, values: [1, 4, 16]}
  - {key: workload.context, values: [128, 4096]}
objectives: [throughput]
YAML
    for n in 1 2; do
      "$run" sweep sweep.yaml --jobs $n --quiet --out store >/dev/null
      said report "$run" sweep report store --out report
      mv report "sweep-jobs-$n"
      rm -r store
    done
    rm sweep.yaml
  )
}

mkdir -p build/determinism
rm -rf build/determinism/*
missing=()
programs=()
built=()
for variant in "${variants[@]}"; do
  case $variant in
    clang-*)
      if [ -z "$clang" ]; then
        echo "$variant: not compared, clang++ is not here (apt-get install clang-14)" >&2
        missing+=("$variant")
        continue
      fi
      ;;
  esac
  build "$variant"
  built+=("$variant")
  programs+=("$PWD/$program")
done
# What is compared names the revision: a commit made while the others were built would be a difference.
if [ "$(for program in "${programs[@]}"; do "$program" --version | head -1; done | sort -u | wc -l)" -ne 1 ]; then
  echo "the tree changed while the variants were built: once more" >&2
  exit 1
fi
for i in "${!built[@]}"; do
  SECONDS=0
  work "${programs[$i]}" "build/determinism/${built[$i]}"
  echo "${built[$i]}: runs took $SECONDS s"
done
python3 scripts/determinism_matrix.py build/determinism "${variants[@]}"
[ "${#missing[@]}" -gt 0 ] || exit 0
echo "not compared: ${missing[*]}" >&2
[ -z "$strict" ] || exit 1
exit 77
