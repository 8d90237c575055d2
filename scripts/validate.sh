#!/bin/sh
# Measured components and serving beside simulated ones: figures, scatter plots and the tables of
# docs/validation, some ten minutes. All rows are looked for in ../shared/measured; without them the
# published figures that come with the project are taken, and nothing is written over.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/release}
measured=../shared/measured
if [ ! -f "$measured/components.csv" ]; then
  echo "../shared/measured is not here: only published figures are compared"
  exec "$build"/reticle validate components --worst
fi
lines=$(mktemp)
serving=$(mktemp)
text=$(mktemp)
trap 'rm -f "$lines" "$serving" "$text"' EXIT
keep() {  # what a run printed, if it came to its end
  cp "$text" "docs/validation/$1.txt"
  cat "$text"
}
"$build"/reticle validate components --rows "$measured/components.csv" --csv "$lines" --worst --jobs 2 > "$text"
keep components
/usr/bin/python3 scripts/plot_components.py "$lines" docs/validation/components
"$build"/reticle validate systems --rows "$measured/systems.csv" --csv "$serving" --worst --jobs 2 > "$text"
keep systems
/usr/bin/python3 scripts/plot_systems.py "$serving" docs/validation/systems
/usr/bin/python3 scripts/validation_tables.py docs/validation "$lines" "$measured"
