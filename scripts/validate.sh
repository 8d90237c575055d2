#!/bin/sh
# Measured components beside simulated ones: figures and a scatter plot into docs/validation.
# All rows are looked for in ../shared/measured; without them the published figures that come with
# the project are taken, and nothing is written over.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/release}
rows=../shared/measured/components.csv
if [ ! -f "$rows" ]; then
  echo "../shared/measured is not here: only published figures are compared"
  exec "$build"/reticle validate components --worst
fi
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
"$build"/reticle validate components --rows "$rows" --csv "$lines" --worst --jobs 2 \
  | tee docs/validation/components.txt
/usr/bin/python3 scripts/plot_components.py "$lines" docs/validation/components
