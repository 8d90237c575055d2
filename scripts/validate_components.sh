#!/bin/sh
# Every component beside the models the field trusts: prints each row with its error and keeps the
# tables in docs/validation. Reference figures are looked for in ../shared/reference.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/release}
ninja -C "$build" test_hbm_cycle test_hbm_agreement test_fabric_booksim test_fabric_forms
export RETICLE_VALIDATION="$PWD/docs/validation"
mkdir -p "$RETICLE_VALIDATION"
"$build"/tests/reference/test_hbm_cycle
"$build"/tests/reference/test_hbm_agreement
"$build"/tests/reference/test_fabric_booksim
"$build"/tests/models/test_fabric_forms
