#!/bin/sh
# HBM and fabric beside the models the field trusts, and their forms beside each other: prints each
# row with its error and keeps tables in docs/validation. Reference figures are looked for in
# ../shared/reference; without them the rows against other tools are skipped, and it says so.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/release}
ninja -C "$build" test_hbm_cycle test_hbm_agreement test_fabric_booksim test_fabric_agreement test_fabric_forms
export RETICLE_VALIDATION="$PWD/docs/validation"
mkdir -p "$RETICLE_VALIDATION"
[ -d ../shared/reference ] || echo "../shared/reference is not here: nothing is compared with other tools"
"$build"/tests/reference/test_hbm_cycle
"$build"/tests/reference/test_hbm_agreement
"$build"/tests/reference/test_fabric_booksim
"$build"/tests/reference/test_fabric_agreement
ctest --test-dir "$build" -R "law:Fabric:" -V
