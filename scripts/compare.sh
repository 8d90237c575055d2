#!/usr/bin/env bash
# The whole comparison: every platform, a Claude-class model, one stream and 64, a trace, frontiers;
# ranges of prices; tables, figures and a page of its own in DIR. 15 minutes of one core in all; killed and started
# again, it goes on.
#
#   ./scripts/compare.sh [DIR [OPTION...]]     DIR: results/compare when absent; OPTIONs as of
#                                              `reticle compare`, e.g. --workload trace.csv:azure
#                                              --set workload.limit=200, --platforms h100-8,ref-asic
#
# Without --workload: the first 40 requests of sample-chat, since steps on 72 and more chips are slow.
# RETICLE: a program to use instead of building one.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-results/compare}
[ $# -eq 0 ] || shift
export RETICLE_HOME=$PWD
reticle=${RETICLE:-}
if [ -z "$reticle" ]; then
  . scripts/setup.sh
  reticle_build release reticle >/dev/null
  reticle=$PWD/build/release/reticle
fi
case " $* " in *' --llm'[=\ ]*) ;; *) set -- --llm claude-class-mid "$@" ;; esac
case " $* " in *' --workload'[=\ ]*) ;; *) set -- --workload sample-chat --set workload.limit=40 "$@" ;; esac
case " $* " in *' --uncertainty'*) ;; *) set -- --uncertainty 1000 "$@" ;; esac
"$reticle" compare --frontier --out "$out" "$@"
/usr/bin/python3 scripts/plot_compare.py "$out"
echo "Page: $out/compare.html"
