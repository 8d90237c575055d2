#!/usr/bin/env bash
# Installs what is missing to build Reticle on Debian 12. Sourced by quickstart.sh and test.sh.
# Nothing is done when nothing is missing; says clearly what it cannot do.
set -euo pipefail

reticle_packages=(
  g++ cmake ninja-build pkg-config git
  libsystemc-dev libboost-graph-dev libspdlog-dev libfmt-dev libyaml-cpp-dev
  libcli11-dev nlohmann-json3-dev doctest-dev libbenchmark-dev zlib1g-dev libsqlite3-dev libeigen3-dev python3 python3-matplotlib python3-yaml python3-jsonschema
)
# For `reticle sweep --engine slurm` and its test; installed where RETICLE_SLURM is set.
reticle_slurm_packages=(slurm-wlm munge)
[ -z "${RETICLE_SLURM:-}" ] || reticle_packages+=("${reticle_slurm_packages[@]}")

# Tests of pages need these, and are skipped without them; installed where RETICLE_BROWSER is set.
reticle_optional_packages=(chromium tidy)
[ -z "${RETICLE_BROWSER:-}" ] || reticle_packages+=("${reticle_optional_packages[@]}")

# The fuzz targets and the second compiler of scripts/determinism.sh; installed where RETICLE_CLANG is set.
[ -z "${RETICLE_CLANG:-}" ] || reticle_packages+=(clang libclang-rt-dev)

# For scripts/memcheck.sh; installed where RETICLE_VALGRIND is set.
[ -z "${RETICLE_VALGRIND:-}" ] || reticle_packages+=(valgrind)

say() { printf '== %s\n' "$*"; }

# reticle_missing PACKAGE...: those that are not installed.
reticle_missing() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] ||
      printf '%s\n' "$package"
  done
}

reticle_setup() {
  if ! command -v dpkg-query >/dev/null; then
    echo "This script installs Debian packages, and dpkg is not here. Install by other means:" >&2
    printf '  %s\n' "${reticle_packages[@]}" >&2
    return 1
  fi
  local missing optional
  mapfile -t optional < <(reticle_missing "${reticle_optional_packages[@]}")
  [ "${#optional[@]}" -eq 0 ] || say "optional, for the browser test: apt-get install ${optional[*]}"
  mapfile -t missing < <(reticle_missing "${reticle_packages[@]}")
  if [ "${#missing[@]}" -eq 0 ]; then
    say "all packages are installed"
    return 0
  fi
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "Missing packages: ${missing[*]}" >&2
      echo "Run as root, or install sudo, or ask your administrator for: apt-get install ${missing[*]}" >&2
      return 1
    fi
    sudo=(sudo)
  fi
  say "installing: ${missing[*]}"
  "${sudo[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

# reticle_build PRESET [TARGET...]: configures once, then builds what has changed.
reticle_build() {
  local preset=$1
  shift
  [ -f "build/$preset/build.ninja" ] || { say "configuring build/$preset"; cmake --preset "$preset" >/dev/null; }
  say "building in build/$preset"
  if [ "$#" -gt 0 ]; then
    cmake --build --preset "$preset" --target "$@"
  else
    cmake --build --preset "$preset"
  fi
}
