#!/usr/bin/env bash
# Installs what is missing, builds everything and runs the tests. May be run again at no cost.
#
#   ./scripts/test.sh            what one waits for: unit, timing, law and golden tests
#   ./scripts/test.sh --all      also `anchor`: replays of real traces and other slow ones
#   ./scripts/test.sh --asan     the default tests under address and undefined-behaviour sanitizers
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

preset=release
exclude=(-LE anchor)
for argument in "$@"; do
  case $argument in
    --all) exclude=() ;;
    --asan) preset=asan ;;
    *)
      echo "usage: scripts/test.sh [--all] [--asan]" >&2
      exit 2
      ;;
  esac
done

reticle_setup
reticle_build "$preset"
[ -d ../shared/traces ] || say "../shared/traces is not here: tests that replay public traces skip"
say "running the tests"
# LeakSanitizer does not understand SystemC's coroutine stacks.
ASAN_OPTIONS=detect_leaks=0 ctest --test-dir "build/$preset" --output-on-failure -j "$(nproc)" \
  "${exclude[@]}"
