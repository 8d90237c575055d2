#!/usr/bin/env bash
# clang-tidy with the checks of .clang-tidy over sim, models and workloads, or over files named.
#
#   ./scripts/tidy.sh                       everything: some 350 files, ten seconds each
#   ./scripts/tidy.sh sim/config/*.cpp      these
#
# Needs clang-tidy and a configured build/release. Ends with 1 when something is found.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -f build/release/compile_commands.json ] || cmake --preset release >/dev/null
files=("$@")
if [ "${#files[@]}" -eq 0 ]; then
  mapfile -t files < <(find sim models workloads -name '*.cpp' | sort)
fi
# clang before 15 has no std::source_location with libstdc++; GCC's own flags mean nothing to it.
printf '%s\n' "${files[@]}" |
  xargs -P "${JOBS:-$(nproc)}" -n 4 clang-tidy -p build/release --quiet \
    --extra-arg=-include --extra-arg="$PWD/tests/fuzz/clang_shim.hpp" \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument
