#!/usr/bin/env bash
# What can be checked without compiling: format, layers, the recomputed claims and, with a built
# program, every shipped configuration. Says what it skips. Exit 1 when a check fails; all of them run.
#
#   ./scripts/check.sh [PROGRAM]      PROGRAM: a reticle to use instead of the newest in build/*/
set -euo pipefail
cd "$(dirname "$0")/.."

failed=0
verdict() {  # verdict NAME STATUS
  if [ "$2" -eq 0 ]; then printf '== %s: ok\n' "$1"; else printf '== %s: FAILED\n' "$1"; failed=1; fi
}

check_format() {
  # Another major version formats differently, so only the pinned one counts.
  if ! command -v clang-format-14 >/dev/null; then
    echo '== format: skipped, clang-format-14 is not here (apt-get install clang-format-14)'
    return
  fi
  local different=0 file
  while IFS= read -r file; do
    [ -f "$file" ] || continue  # deleted, not yet committed
    clang-format-14 --style=file "$file" | cmp -s - "$file" && continue
    echo "$file: not as clang-format-14 would write it (clang-format-14 -i $file)"
    different=1
  done < <(git ls-files --cached --others --exclude-standard '*.cpp' '*.hpp')
  verdict format "$different"
}

check_layers() {
  local status=0
  python3 scripts/check_layers.py || status=$?
  verdict layers "$status"
}

check_configs() {
  local program=${1:-} status=0 files
  [ -n "$program" ] || program=$(ls -t build/*/reticle 2>/dev/null | head -n 1 || true)
  if [ -z "$program" ]; then
    echo '== configurations: skipped, no build/*/reticle (./scripts/quickstart.sh builds one)'
    return
  fi
  mapfile -t files < <(find configs -name '*.yaml' -not -path 'configs/registry/*' \
    -not -path 'configs/experiments/*' | sort)
  RETICLE_HOME=$PWD "$program" check "${files[@]}" >/dev/null || status=$?
  verdict "configurations (${#files[@]} files)" "$status"
  status=0
  RETICLE_HOME=$PWD "$program" registry lint >/dev/null || status=$?
  RETICLE_HOME=$PWD "$program" registry validate --all --cells >/dev/null || status=$?
  verdict "registry and its experiments" "$status"
}

# What the seeds state is recomputed, and the tables of the findings are those of the data.
check_claims() {
  if ! python3 -c 'import yaml' 2>/dev/null; then
    echo '== claims: skipped, PyYAML is not here (apt-get install python3-yaml)'
    return
  fi
  local status=0
  python3 scripts/claims_check.py --figures >/dev/null || status=$?
  python3 scripts/claims_check.py --markdown |
    diff - <(sed '1,/^<!-- scripts\/claims_check.py --markdown -->$/d' docs/findings-platforms.md) || status=1
  verdict claims "$status"
}

check_format
check_layers
check_configs "$@"
check_claims
exit "$failed"
