#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154 # lib.sh sets driver_in
# A socket that takes no large transactions, as in a container without rights
# outside: how large they may be is found out once.
. tests/netns/lib.sh
. tests/tools/agent.sh

COUNT=1000
ns_new gw
ns gw nft 'table inet fw { set b.v4 { type ipv4_addr; flags timeout; }; }' || skip "no nftables in this kernel"
lib=$(shim small-buffer) || skip "$lib"
aborted() { ask "status b" | tr ' ' '\n' | sed -n "s/^aborted=//p"; }
all() { # enter|leave
	for ((n = 0; n < COUNT; n++)); do echo "$1 b f$n"; done >&"$driver_in"
	drive flush "until b pending 0"
}
cat >"$TMP/c.json" <<-'JSON'
	{ "targets": { "b": { "target_type": "nftset", "table_name": "fw", "set_name": "b", "set_family": "ipv4",
	               "ttl": 900, "type": ["local_addr"] } } }
JSON
LD_PRELOAD=$lib driver_start nftset "$TMP/c.json" || exit 1
for ((n = 0; n < COUNT; n++)); do
	echo "flow f$n local=10.1.$((n >> 8)).$((n & 255)):4000 other=198.51.100.9:443 proto=tcp"
done >&"$driver_in"

all enter
is "all are in the kernel" "$(ns gw nft list set inet fw b.v4 | grep -o expires | wc -l)" $COUNT
before=$(aborted)
ok "some were too large" test "$before" -gt 0
all leave
all enter
is "but no more" "$(aborted)" "$before"
ok "stops" driver_stop
finish
