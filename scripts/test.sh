#!/usr/bin/env bash
# Installs what is missing, builds everything and runs the tests. May be run again at no cost.
#
#   ./scripts/test.sh            what one waits for: unit, timing, law and golden tests
#   ./scripts/test.sh --all      also `anchor`: replays of real traces and other slow ones
#   ./scripts/test.sh --asan     the default tests under address and undefined-behaviour sanitizers
#   ./scripts/test.sh --quick    unit, timing and golden tests alone; with --asan, as `law` takes long there
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

preset=release
select=(-LE anchor)
targets=()
for argument in "$@"; do
  case $argument in
    --all) select=() ;;
    --asan) preset=asan ;;
    --quick)
      select=(-L '^(unit|timing|golden)$')
      targets=(tests_unit tests_timing tests_golden)
      ;;
    *)
      echo "usage: scripts/test.sh [--all | --quick] [--asan]" >&2
      exit 2
      ;;
  esac
done

reticle_setup
reticle_build "$preset" "${targets[@]}"
[ -d ../shared/traces ] || say "../shared/traces is not here: tests that replay public traces skip"
say "running the tests"
# LeakSanitizer does not understand SystemC's coroutine stacks.
ASAN_OPTIONS=detect_leaks=0 ctest --test-dir "build/$preset" --output-on-failure -j "$(nproc)" \
  "${select[@]}"
