#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk that is full: files of statistics keep what they had, it is said once,
# nothing else is held up, and it is over when there is room again.
# shellcheck disable=SC2317,SC2016 # functions are called by name, text evaluated
if [ "${1:-}" != inside ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "needs root, for a file system of its own"
		exit 77
	fi
	exec unshare -mn "$0" inside
fi
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/tools/stats.sh
. "$(dirname "$0")/../tools/stats.sh"
mkdir "$T/disk"
mount -t tmpfs -o size=64k,mode=700 tmpfs "$T/disk"
trap 'umount -l "$T/disk"; cleanup' EXIT

config '{"sources": ["unix://'"$T"'/agent.sock"],
  "targets": {"count": {"target_type": "stats", "textfile": "'"$T"'/disk/a.prom", "textfile_interval": 1,
                        "state": "'"$T"'/disk/state"}}, "actions": {}}'
state_is() {
	is_value '.targets[0].state' "$1"
}
start -c "$T/config.json"
flow 1 02:00:00:00:00:01 133 netify.netflix
counted stats 1 100 200
ok "counts" heard
ok "writes" wait_for 10 grep -q 'flowgate_application_bytes_total{application="netify.netflix",direction="down"} 200' "$T/disk/a.prom"
dd if=/dev/zero of="$T/disk/fill" bs=1k 2>/dev/null
counted stats 1 100 200
ok "full" wait_for 10 state_is unwritten
ok "says why" test "$(value '.targets[0].reason')" = "$T/disk/a.prom cannot be written: No space left on device"
ok "keeps the old one, whole" grep -q '^flowgate_stats_crowded_total{dimension="target"} 0$' "$T/disk/a.prom"
ok "leaves nothing half done" test -z "$(find "$T/disk" -name '*~' -size +0)"
ok "goes on counting" wait_for 10 grep -q 'netflix",direction="down"} 400' <(ctl metrics)
ok "tries again and again" wait_for 10 eval 'test "$(value ".targets[0].errors")" -ge 3'
ok "said once" test "$(grep -c 'a.prom: cannot be written: No space left' "$T/err")" = 1
rm "$T/disk/fill"
ok "over" wait_for 10 state_is ok
ok "written" wait_for 10 grep -q 'netflix",direction="down"} 400' "$T/disk/a.prom"
dd if=/dev/zero of="$T/disk/fill" bs=1k 2>/dev/null
stop
ok "a full disk at the end is no failure" test "$status" = 0
ok "but said" grep -q "$T/disk/state: cannot be written: No space left" "$T/err"
finish
