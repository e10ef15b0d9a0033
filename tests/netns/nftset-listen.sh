#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# To listen to nftables makes each commit of one element cost twice as much: who
# is alone does not, with a thousand new flows a second; among others it does.
# shellcheck disable=SC2317 # functions are called by name
. tests/netns/lib.sh

ns_new gw
ns gw nft 'table inet t { set s.v4 { type ipv4_addr . inet_service . ipv4_addr . inet_service; size 262144; flags timeout; }; }; table inet other { set mine { type ipv4_addr; }; }' ||
	skip "no nftables in this kernel"
cat >"$TMP/c.json" <<-JSON
	{ "sources": ["unix://$TMP/agent.sock"],
	  "actions": { "all": { "criteria": "*", "targets": ["s"] } },
	  "targets": { "s": { "target_type": "nftset", "table_name": "t", "set_name": "s", "set_family": "ipv4",
		"type": ["local_addr", "local_port", "other_addr", "other_port"], "other_types": "*", "ttl": 600 } } }
JSON
listeners() { ns gw awk '$2 == 12 && $4 == "00000040"' /proc/net/netlink | wc -l; }
listens() { [ "$(listeners)" = 1 ]; }
listens_not() { [ "$(listeners)" = 0 ]; }

bg gw "$B/flowgated" -c "$TMP/c.json" -S "$TMP/control.sock" 2>"$TMP/err"
ok "listens when it has nothing to do" wait_for 10 listens
bg gw "$B/tests/tools/gen-stream" -f 0 -r 1000 -l 10000 -U "unix://$TMP/agent.sock" tests/data/v4.stream
ok "does not while a thousand flows a second are new" wait_for 30 listens_not
ns gw nft add element inet other mine '{ 192.0.2.1 }'
ok "but does when others are at work" wait_for 10 listens
ok "is well" grep -q '"state": *"ok"' <<<"$("$B/flowgatectl" -S "$TMP/control.sock" -j status)"
finish
