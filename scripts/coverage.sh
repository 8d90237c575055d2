#!/usr/bin/env bash
# Lines of sim, models and workloads that the default tests run: builds build/coverage with GCC's
# --coverage, runs the tests and prints a table by library, each beside the goal. Needs gcovr (apt-get
# install gcovr). Exit 1 where a test fails or fewer lines than GOAL percent are run in all.
#
#   ./scripts/coverage.sh [--html DIR] [-R REGEX]     -R: these tests alone, held against nothing
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
GOAL=90
html=()
select=(-LE anchor)
while [ $# -gt 0 ]; do
  case $1 in
    --html) html=(--html-details "$2/index.html"); mkdir -p "$2"; shift ;;
    -R) select=(-LE anchor -R "$2"); GOAL=0; shift ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
command -v gcovr >/dev/null || { echo "gcovr is not here: apt-get install gcovr" >&2; exit 2; }
reticle_build coverage
find build/coverage -name '*.gcda' -delete
say "running the tests"
ctest --test-dir build/coverage -j "$(nproc)" "${select[@]}" >build/coverage/tests.log || {
  sed -n '/The following tests FAILED/,$p' build/coverage/tests.log >&2
  say "tests failed, so that their lines count for nothing: build/coverage/tests.log" >&2
  exit 1
}
say "adding up"
gcovr --root . --filter sim/ --filter models/ --filter workloads/ --exclude-throw-branches \
  --csv build/coverage/lines.csv "${html[@]}" build/coverage >/dev/null
awk -F, -v goal="$GOAL" '
  function row(name, of, run) {
    share = 100 * run / of
    return sprintf("%-22s %7d lines %6.1f %%%s", name, of, share, share < goal ? "  below " goal " %" : "")
  }
  NR == 1 { next }
  { split($1, part, "/"); folder = part[1] == "sim" || part[1] == "workloads" ? part[1] "/" part[2] : part[1]
    lines[folder] += $2; hit[folder] += $3; all += $2; reached += $3 }
  END {
    for (f in lines) print row(f, lines[f], hit[f]) | "sort"
    close("sort")
    if (all == 0) { print "no line is counted"; exit 1 }
    print row("all", all, reached)
    exit 100 * reached < goal * all
  }' build/coverage/lines.csv
