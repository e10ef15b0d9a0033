#!/bin/bash
# shellcheck disable=SC2317 # functions are called by name
# SPDX-License-Identifier: GPL-2.0-or-later
# Others at work on the same ruleset, all the time: adding to and deleting from
# our set, changing other tables, and many tables and rules besides.
. tests/netns/lib.sh

ns_new gw
ns gw nft 'table inet t { set b.v4 { type ipv4_addr; flags timeout; }; }' || skip "no nftables in this kernel"
value() { ask "status $1" | sed -n "s/.* $2=\([^ ]*\).*/\1/p"; }
there() { ns gw nft get element inet t b.v4 "{ $1 }"; }
gone() { ! there "$1"; }
count() { ns gw nft list set inet t b.v4 | grep -o expires | wc -l; }
printf '{"targets":{"b":{"target_type":"nftset","table_name":"t","set_name":"b","set_family":"ipv4","type":["other_addr"],"ttl":60}}}' >"$TMP/c.json"

# 500 tables and 20,000 rules
{
	for t in $(seq 500); do
		echo "add table ip x$t"
		echo "add chain ip x$t c"
		for _ in $(seq 40); do echo "add rule ip x$t c ip saddr 192.0.2.1 counter"; done
	done
} >"$TMP/many.nft"
crowd() { # in ms, to put 50,000 in and take them out
	local start
	start=$(date +%s%N)
	drive "crowd b enter 0 50000" flush "until b elements 50000 20000" "until b pending 0"
	drive "crowd b leave 0 50000" flush "until b elements 0 20000" "until b pending 0"
	echo $((($(date +%s%N) - start) / 1000000))
}
driver_start nftset "$TMP/c.json" -m 100000 || exit 1
echo "# 50,000 in and out, alone: $(crowd) ms"
ns gw nft -f "$TMP/many.nft"
is "20,000 rules of others do not matter" "$(value b state)" ok
echo "# 50,000 in and out, with 500 tables and 20,000 rules: $(crowd) ms"

# they would keep nft itself busy, which is to be the other writer now
seq 500 | sed 's/^/delete table ip x/' | ns gw nft -f -

# another writer: adds its own, takes ours, at the same time as we work
busy() {
	local i=0
	while [ -e "$TMP/busy" ]; do
		i=$((i % 200 + 1))
		nft "add element inet t b.v4 { 203.0.113.$i timeout 1h }; add element inet t b.v4 { 100.64.0.$i timeout 1m }; delete element inet t b.v4 { 100.64.0.$i }" 2>/dev/null
		nft "add table ip y; add chain ip y c; add rule ip y c counter; delete table ip y" 2>/dev/null
	done
	:
}
export -f busy
export TMP
touch "$TMP/busy"
ns gw bash -c busy &
busy=$!
for i in 1 2 3; do
	drive "crowd b enter 0 20000" "run 300" "crowd b leave 1000 19000" flush "run 300"
	drive "crowd b leave 0 1000" flush "run 200"
done
drive "crowd b enter 0 3000" flush "run 500"
rm "$TMP/busy"
wait $busy
drive "run 2500" "until b pending 0 5000"
is "all that is wanted is there, for us" "$(value b elements)" 3000
missing=0
for i in 0 1 50 100 199 200 201 255; do there "100.64.0.$i" >/dev/null 2>&1 || missing=$((missing + 1)); done
ns gw nft list set inet t b.v4 | grep -o '100\.64\.[0-9.]*' | sort -u | wc -l >"$TMP/ours"
is "and in the kernel, whatever was taken" "$(cat "$TMP/ours") $missing" "3000 0"
ok "what is theirs is left alone" test "$(ns gw nft list set inet t b.v4 | grep -o '203\.0\.113\.[0-9]*' | sort -u | wc -l)" -gt 3
ok "something was taken" test "$(value b taken)" -gt 0
is "and no error was made of it" "$(value b errors)" 0
drive "crowd b leave 0 3000" flush "until b elements 0" "until b pending 0"
is "ours leave" "$(ns gw nft list set inet t b.v4 | grep -c '100\.64')" 0
ok "stops" driver_stop
finish
