#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A kernel that holds a transaction up for seconds, as it does while somebody
# loads a large ruleset: the agent is heard all the while, it is said, and then
# everything is in force.
# shellcheck disable=SC2317,SC2119 # functions are called by name, some without arguments
. tests/netns/lib.sh
. tests/tools/agent.sh

COUNT=5000
ns_new gw
ns gw nft 'table inet t { set s.v4 { type ipv4_addr; flags timeout; }; }' || skip "no nftables in this kernel"
lib=$(shim hold-commit) || skip "$lib"
cat >"$TMP/c.json" <<-JSON
	{ "sources": ["unix://$TMP/a.sock"],
	  "targets": { "s": { "target_type": "nftset", "table_name": "t", "set_name": "s", "set_family": "ipv4",
	               "ttl": 900, "type": ["local_addr"] } },
	  "actions": { "all": { "criteria": "*", "targets": ["s"] } } }
JSON
agent a
export HOLD=$TMP/hold HOLD_MS=8000
LD_PRELOAD=$lib flowgated
until_value "connected" '.sources[0].state' connected

touch "$HOLD"
for ((n = 0; n < COUNT; n++)); do
	flow_json $n "10.1.$((n >> 8)).$((n & 255)):4000" "198.51.100.1:443" "$netflix"
	echo
done >"$TMP/flows"
cat "$TMP/flows" >>"$TMP/a.said"
until_value "all that the agent says is heard" .flows.live $COUNT
is "and none of it in force" "$(value '.targets[0].elements')" 0
until_value "which is said" '.targets[0].state' delayed
has "with what waits" "$(value '.targets[0].reason')" "with $COUNT changes waiting"
until_value "then all is" '.targets[0].elements' $COUNT
until_value "and is well" '.targets[0].state' ok
is "in the kernel, too" "$(elements | wc -l)" $COUNT

touch "$HOLD"
ns gw nft delete element inet t s.v4 '{ 10.1.0.7 }'
until_value "what others took and is not back yet" '.targets[0].state' rebuilding
has "is said" "$(value '.targets[0].reason')" 'others took elements out of set "inet t s.v4":'
until_value "and then it is back" '.targets[0].state' ok
is "all of it" "$(elements | wc -l)" $COUNT
finish
