#!/usr/bin/env bash
# The git revision in --version: revision_test.sh SOURCE. Of a repository its own; of a source tree unpacked
# inside another repository none.
set -euo pipefail
script=$1/cmake/Revision.cmake
command -v git >/dev/null || exit 77
outer=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$outer"' EXIT
git -C "$outer" init -q
git -C "$outer" -c user.name=a -c user.email=a@b commit -q --allow-empty -m first
mkdir "$outer/unpacked"
revision() {
  cmake -DSOURCE="$1" -DVERSION=1 -DOUTPUT="$outer/out.hpp" -P "$script"
  sed -n 's/.*kRevision = "\(.*\)";/\1/p' "$outer/out.hpp"
}
[ "$(revision "$outer/unpacked")" = unknown ] || { echo "another repository's revision: $(revision "$outer/unpacked")"; exit 1; }
own=$(git -C "$outer" rev-parse --short=12 HEAD)
[[ "$(revision "$outer")" = "$own"* ]] || { echo "not its own revision: $(revision "$outer")"; exit 1; }
