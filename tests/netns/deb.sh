#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian packages, for real: built, looked at by lintian, installed into a
# system of their own that systemd has booted, used, and purged again. That
# system is a copy-on-write one of this machine; with FG_SLOW=1 it is a new
# Debian, which takes a minute more and has nothing but what the packages ask for.
set -eu
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

for tool in dpkg-buildpackage dh systemd-nspawn; do
	command -v $tool >/dev/null || skip "no $tool (Debian: dpkg-dev debhelper systemd-container)"
done
grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || skip "this kernel has no overlay file system"
missing=$(dpkg-checkbuilddeps common/dist/debian/control 2>&1) || skip "$missing"

# ----------------------------------------------------------------- packages

out=$TMP/build
mkdir "$out"
# the tests of the build are those that run besides this one
DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" make -s deb B="$out" >"$TMP/log" 2>&1 ||
	{ cat "$TMP/log"; exit 1; }
if command -v lintian >/dev/null; then
	lintian --allow-root --pedantic --fail-on error,warning,info,pedantic "$out"/*.changes ||
		{ echo "lintian is not content"; exit 1; }
else
	echo "not looked at by lintian, which is not installed"
fi

# ------------------------------------------------------------------- system

# Everything from here on is in namespaces that end with this test; mounts too.
cat >"$TMP/boot" <<'END'
set -eu
mount -t tmpfs none "$TMP/root"
mkdir "$TMP/root/upper" "$TMP/root/work" "$TMP/root/system"
system=$TMP/root/system
mount -t overlay overlay -o "lowerdir=$TMP/lower,upperdir=$TMP/root/upper,workdir=$TMP/root/work" "$system"
mkdir -p "$system/test"
cp "$TMP"/build/flowgate_*.deb "$TMP"/build/flowgate-dev_*.deb "$B/tests/tools/play-agent" \
	tests/data/v4.stream tests/tools/in-service.sh "$system/test"
# a container's way to keep services from being started
rm -f "$system/usr/sbin/policy-rc.d"
cat >"$system/etc/systemd/system/in-service.service" <<'UNIT'
[Unit]
Wants=systemd-journald.service basic.target
After=systemd-journald.service basic.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c '/test/in-service.sh >/test/log 2>&1; echo $? >/test/status'
ExecStopPost=/bin/systemctl --no-block exit
UNIT
mount -t cgroup2 none /sys/fs/cgroup
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
systemd-nspawn --quiet --register=no --keep-unit --private-network --machine=flowgate-test \
	--directory="$system" --boot systemd.unit=in-service.service >"$TMP/console" 2>&1 </dev/null || true
cp "$system"/test/log "$system"/test/status "$TMP" || cat "$TMP/console"
END
mkdir "$TMP/root"
lower=/
if [ -n "${FG_SLOW:-}" ] && command -v debootstrap >/dev/null; then
	lower=$TMP/debian
	depends=$(for p in "$out"/flowgate_*.deb; do dpkg-deb -f "$p" Depends; done | tr ',' '\n' |
		sed -E 's/^ *([^ (|]+).*/\1/' | paste -sd ,)
	debootstrap --variant=minbase --include="systemd,systemd-sysv,dbus,passwd,util-linux,nftables,iproute2,$depends" \
		"$(. /etc/os-release && echo "$VERSION_CODENAME")" "$lower" >"$TMP/log" 2>&1 ||
		skip "no new Debian: $(tail -n 1 "$TMP/log")"
fi
ln -sfn "$lower" "$TMP/lower"
export TMP
unshare --mount --pid --fork --mount-proc --uts --ipc --cgroup --kill-child bash "$TMP/boot"
cat "$TMP/log"
[ "$(cat "$TMP/status")" = 0 ]
