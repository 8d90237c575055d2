#!/bin/sh
# Prints the measured figures of docs/workloads.md. [BUILD=build/release] [SHARED=../shared/traces]
set -eu
cd "$(dirname "$0")/.."
reticle=${BUILD:-build/release}/reticle
shared=${SHARED:-../shared/traces}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "== describe of 2,000,000 rows that arrive at once: peak memory"
awk 'BEGIN { print "TIMESTAMP,ContextTokens,GeneratedTokens"
  for (i = 0; i < 2000000; i++) print "2023-11-16 18:15:46.6805900,374,44" }' > "$work/same.csv"
/usr/bin/time -f "%M KB, %e s" "$reticle" workload describe "$work/same.csv" > /dev/null

for preset in chat reasoning; do
  echo "== preset $preset, 200,000 requests, seed 1"
  "$reticle" workload generate --preset "$preset" --requests 200000 --seed 1 --out "$work/t.jsonl" \
    > /dev/null
  "$reticle" workload describe "$work/t.jsonl" | tail -n +3
done
for preset in coding-agent:20000 coding-agent-measured:60000; do
  echo "== preset ${preset%:*}, ${preset#*:} calls, 0.005 sessions/s, seed 1"
  "$reticle" workload generate --preset "${preset%:*}" --requests "${preset#*:}" --rate 0.005 \
    --seed 1 --out "$work/t.jsonl" > /dev/null
  "$reticle" workload describe "$work/t.jsonl" | tail -n +3
done

if [ ! -d "$shared" ]; then
  echo "SKIPPED: no traces at $shared, so nothing is fitted"
  exit 0
fi
for trace in arrivals/AzureLLMInferenceTrace_conv.csv prefix/mooncake_conversation_first3500.jsonl \
    agent/weka_claude_code; do
  for lengths in empirical mixture; do
    for seed in 1 2 3; do
      echo "== fit of $trace, $lengths, seed $seed"
      "$reticle" workload generate --fit "$shared/$trace" --lengths "$lengths" --seed "$seed" \
        --out "$work/t.jsonl" | tail -n +2
    done
  done
done
