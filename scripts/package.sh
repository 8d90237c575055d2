#!/usr/bin/env bash
# Makes the Debian package, and with --try installs it on a clean root and runs the main job there.
#
#   ./scripts/package.sh             build/release/reticle_VERSION_ARCH.deb
#   ./scripts/package.sh --try       also in a root of its own (debootstrap, as root, some 3 minutes; removed
#                                    again); MIRROR: a Debian mirror to use
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
reticle_build release
say "making the package"
(cd build/release && cpack -G DEB >cpack.log) || { tail build/release/cpack.log >&2; exit 1; }
package=$(ls -t build/release/reticle_*.deb | head -n 1)
dpkg-deb --info "$package" | sed -n '/^ Package/,$p'
[ "${1:-}" = --try ] || exit 0

command -v debootstrap >/dev/null || { echo "debootstrap is not here: apt-get install debootstrap" >&2; exit 1; }
root=$(mktemp -d)
trap 'umount "$root/proc" 2>/dev/null || true; rm -rf "$root"' EXIT
say "a clean root in $root"
debootstrap --variant=minbase bookworm "$root" ${MIRROR:-} >"$root.log" 2>&1 || { tail "$root.log" >&2; exit 1; }
rm -f "$root.log"
rm -f "$root/etc/apt/sources.list"
for file in /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/apt.conf.d/* /etc/resolv.conf; do
  [ ! -f "$file" ] || { mkdir -p "$root$(dirname "$file")"; cp "$file" "$root$file"; }  # this machine's mirrors
done
cp "$package" "$root/tmp/"
mount -t proc proc "$root/proc"
say "installing"
chroot "$root" apt-get update -qq
chroot "$root" apt-get install -y -qq --no-install-recommends "/tmp/$(basename "$package")" >/dev/null
say "the main job"
chroot "$root" reticle --version
chroot "$root" reticle run --platform ref-asic --llm claude-class-mid --workload steady-64 --out /tmp/out
chroot "$root" test -s /tmp/out/report.json
chroot "$root" test -s /usr/share/man/man1/reticle.1.gz || chroot "$root" test -s /usr/share/man/man1/reticle.1
chroot "$root" apt-get purge -y -qq reticle >/dev/null
chroot "$root" test ! -e /usr/share/reticle
say "installed, run and removed"
