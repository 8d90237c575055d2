#!/usr/bin/env bash
# Lines of sim, models and workloads that the default tests run: builds build/coverage with GCC's
# --coverage, runs the tests and prints a table by library. Needs gcovr (apt-get install gcovr).
#
#   ./scripts/coverage.sh [--html DIR] [-R REGEX]     -R: these tests alone
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
html=()
select=(-LE anchor)
while [ $# -gt 0 ]; do
  case $1 in
    --html) html=(--html-details "$2/index.html"); mkdir -p "$2"; shift ;;
    -R) select=(-LE anchor -R "$2"); shift ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
command -v gcovr >/dev/null || { echo "gcovr is not here: apt-get install gcovr" >&2; exit 2; }
reticle_build coverage
find build/coverage -name '*.gcda' -delete
say "running the tests"
ctest --test-dir build/coverage -j "$(nproc)" "${select[@]}" >build/coverage/tests.log ||
  say "some tests failed: build/coverage/tests.log"
say "adding up"
gcovr --root . --filter sim/ --filter models/ --filter workloads/ --exclude-throw-branches \
  --csv build/coverage/lines.csv "${html[@]}" build/coverage >/dev/null
awk -F, '
  NR == 1 { next }
  { split($1, part, "/"); folder = part[1] == "sim" || part[1] == "workloads" ? part[1] "/" part[2] : part[1]
    lines[folder] += $2; hit[folder] += $3; lines["all"] += $2; hit["all"] += $3 }
  END { for (f in lines) printf "%-22s %7d lines %6.1f %%\n", f, lines[f], 100 * hit[f] / lines[f] }
' build/coverage/lines.csv | sort
