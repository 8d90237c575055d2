#!/usr/bin/env bash
# Fuzzes the readers of everything that comes from outside: builds the targets of tests/fuzz (clang,
# address and undefined-behaviour sanitizers), runs each for a while and prints a table.
#
#   ./scripts/fuzz.sh                          every target for 60 seconds
#   ./scripts/fuzz.sh --seconds 600 texts      one target for ten minutes
#   ./scripts/fuzz.sh --runs 20000             every target, so many executions
#   ./scripts/fuzz.sh --runs 20000 --seed 1    and from an empty results/fuzz the same ones
#   ./scripts/fuzz.sh --programs DIR           the programs fuzz_* of DIR as they are, unbuilt
#   ./scripts/fuzz.sh --results DIR            in place of results/fuzz
#   ./scripts/fuzz.sh --table                  what all calls so far came to, and nothing else
#   ./scripts/fuzz.sh --merge                  the least inputs that reach what was reached, into
#                                              results/fuzz/merged
#
# Inputs that reached something new are kept in results/fuzz/corpus, what each call came to in
# results/fuzz/runs.csv, inputs that crash in results/fuzz/crashes. Ends with 1 when there is one, and
# where a target did not run to its end.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

programs=
here=results/fuzz
targets=(texts configs registry reports store tables models traces)
limit=(-max_total_time=60)
seeded=()
mode=run
picked=()
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) limit=(-max_total_time="$2"); shift ;;
    --runs) limit=(-runs="$2"); shift ;;
    --seed) seeded=(-seed="$2"); shift ;;
    --programs) programs=$2; shift ;;
    --results) here=$2; shift ;;
    --table) mode=table ;;
    --merge) mode=merge ;;
    -*) sed -n '2,19s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    *) picked+=("$1") ;;
  esac
  shift
done
[ "${#picked[@]}" -eq 0 ] || targets=("${picked[@]}")

log=$here/runs.csv
build=${programs:-build/release}
mkdir -p "$here/corpus" "$here/crashes"
[ -f "$log" ] || echo "target,executions,seconds,corpus,peak_rss_mb,crashes" >"$log"

# The longest input of each: as long as a small file of its kind, as time goes with length, and never
# shorter than a file it begins with, which libFuzzer would cut.
longest() {
  local least seed
  case $1 in
    texts) least=64 ;;
    tables | traces) least=512 ;;
    store | reports) least=4096 ;;
    *) least=1024 ;;
  esac
  seed=$(find "tests/fuzz/$1" -type f -printf '%s\n' | sort -n | tail -1)
  echo $((seed > least ? seed : least))
}

# As many words as the sanitizers have for what is wrong, and bounds on time and memory.
export ASAN_OPTIONS=detect_leaks=0:malloc_context_size=8:quarantine_size_mb=16
bounds=(-timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256)

value() { sed -n "s/^stat::$2: *//p" "$1" | tail -1; }

faults=0
fault() {
  faults=$((faults + 1))
  echo "$1" >&2
}

fuzz() {
  local target=$1 out seconds begun before after crashes runs status=0
  out=$here/$target.log
  mkdir -p "$here/corpus/$target"
  local dictionary=()
  [ ! -f "tests/fuzz/$target.dict" ] || dictionary=(-dict="tests/fuzz/$target.dict")
  before=$(find "$here/crashes" -name "$target-*" | wc -l)
  begun=$SECONDS
  "$build/fuzz_$target" "${limit[@]}" "${seeded[@]}" "${bounds[@]}" "${dictionary[@]}" \
    -max_len="$(longest "$target")" -entropic=0 -print_final_stats=1 \
    -artifact_prefix="$here/crashes/$target-" \
    "$here/corpus/$target" "tests/fuzz/$target" >"$out" 2>&1 || status=$?
  seconds=$((SECONDS - begun))
  after=$(find "$here/crashes" -name "$target-*" | wc -l)
  crashes=$((after - before))
  runs=$(value "$out" number_of_executed_units)
  echo "$target,${runs:-0},$seconds,$(find "$here/corpus/$target" -type f | wc -l),$(value "$out" peak_rss_mb),$crashes" >>"$log"
  [ "$crashes" -eq 0 ] || return 0  # told at the end
  if [ "$status" -ne 0 ] || [ "${runs:-0}" -eq 0 ]; then
    fault "fuzz_$target ended with $status after ${runs:-no} executions: $(tail -n 1 "$out")"
  fi
}

# All calls together: executions, seconds and crashes are sums, the memory is the most of any; the
# corpus is what lies there now.
table() {
  awk -F, -v folder="$here/corpus" '
    NR == 1 { next }
    { if (!($1 in runs)) order[++n] = $1
      runs[$1] += $2; time[$1] += $3; crashes[$1] += $6
      if ($5 > rss[$1]) rss[$1] = $5 }
    END {
      form = "%-10s %14s %9s %9s %8s %9s %8s\n"
      printf form, "target", "executions", "per s", "seconds", "corpus", "RSS, MB", "crashes"
      for (i = 1; i <= n; ++i) {
        t = order[i]; all += runs[t]; total += time[t]; bad += crashes[t]
        count = "find " folder "/" t " -type f 2>/dev/null | wc -l"; count | getline corpus; close(count)
        printf form, t, runs[t], time[t] ? int(runs[t] / time[t]) : "-", time[t], corpus, rss[t], crashes[t]
      }
      printf form, "all", all, total ? int(all / total) : "-", total, "", "", bad + 0
    }' "$log"
}

if [ "$mode" != table ]; then
  [ -n "$programs" ] || reticle_build release "${targets[@]/#/fuzz_}"
  for target in "${targets[@]}"; do
    if [ "$mode" = merge ]; then
      mkdir -p "$here/merged/$target"
      "$build/fuzz_$target" -merge=1 "${bounds[@]}" -max_len="$(longest "$target")" \
        "$here/merged/$target" "tests/fuzz/$target" "$here/corpus/$target" >"$here/$target.log" 2>&1 ||
        fault "fuzz_$target: the merge ended with $?: $(tail -n 1 "$here/$target.log")"
    else
      fuzz "$target"
    fi
  done
fi
table
[ -z "$(ls "$here/crashes")" ] || {
  echo "inputs that crash are in $here/crashes: run build/release/fuzz_TARGET on one" >&2
  exit 1
}
[ "$faults" -eq 0 ]
