#!/bin/bash
# shellcheck disable=SC2317 # functions are called by name
# SPDX-License-Identifier: GPL-2.0-or-later
# A set that is full, elements that the kernel refuses, and deletions of what is
# gone already: on this kernel, and as older ones need it.
. tests/netns/lib.sh

ns_new gw
ns gw nft list ruleset >/dev/null 2>&1 || skip "no nftables in this kernel"
value() { ask "status $1" | sed -n "s/.* $2=\([^ ]*\).*/\1/p"; }
reason() { ask "status $1" | sed -n 's/.* reason="\(.*\)"$/\1/p'; }
list() {
	ns gw nft list set inet t "$1" | tr -d '\n\t' | sed -n 's/.*elements = { \(.*\) }}}.*/\1/p' |
		sed 's/ timeout [0-9a-z]* expires [0-9a-z]*//g' | tr , '\n' | sed 's/^ *//' | sort | paste -sd' ' -
}
cat >"$TMP/c.json" <<-'JSON'
	{ "target_defaults": { "nftset": { "table_name": "t", "set_family": "ipv4", "ttl": 3, "type": ["other_addr"] } },
	  "targets": {
		"s": { "target_type": "nftset", "set_name": "s" },
		"e": { "target_type": "nftset", "set_name": "e", "on_full": "evict" },
		"d": { "target_type": "nftset", "set_name": "d" } } }
JSON
flows=()
for i in 1 2 3 4 5 6; do flows+=("flow f$i local=10.0.0.2:$i other=198.51.100.$i:443"); done

for without in "" "destroy update"; do
	echo "# a kernel without: ${without:-nothing}"
	export FLOWGATE_WITHOUT=$without
	ns gw nft -f - <<-'NFT'
		flush ruleset
		table inet t {
			set s.v4 { type ipv4_addr; flags timeout; size 3; }
			set e.v4 { type ipv4_addr; flags timeout; size 3; }
			set d.v4 { type ipv4_addr; flags timeout; }
		}
	NFT
	driver_start nftset "$TMP/c.json" || exit 1
	is "what was found out" "$(value s kernel_destroys)$(value s kernel_updates_timeouts)" "$([ -n "$without" ] && echo 00 || echo 11)"
	is "nothing of that is left" "$(ns gw nft list tables)" "table inet t"
	drive "${flows[@]}" "enter s f1" "enter s f2" "enter s f3" "enter s f4" "enter s f5" flush "until s elements 3" "until s state full"
	is "those that came first are in" "$(list s.v4)" "198.51.100.1 198.51.100.2 198.51.100.3"
	is "the others wait" "$(value s waiting)" 2
	has "and it is said" "$(reason s)" 'set "inet t s.v4" is full, without room for 2 elements: raise its "size" (3)'
	drive "run 6500"
	is "and those that are in stay in, renewed while others try" "$(list s.v4) $(value s elements) $(value s waiting)" "198.51.100.1 198.51.100.2 198.51.100.3 3 2"
	drive "leave s f2" flush "until s waiting 1 2500" "until s elements 3 1000"
	is "one goes, another comes" "$(list s.v4 | wc -w)" 3
	drive "leave s f4" "leave s f5" "enter s f6" flush "until s state ok 2500"
	is "all that is wanted is in" "$(list s.v4)" "198.51.100.1 198.51.100.3 198.51.100.6"
	drive "run 3200"
	is "and stays in" "$(list s.v4)" "198.51.100.1 198.51.100.3 198.51.100.6"

	drive "enter e f1" flush "run 300" "enter e f2" "enter e f3" flush "until e elements 3" "run 200" "enter e f4" flush "until e set_evicted 1" "until e elements 3"
	is "the next to expire makes room" "$(list e.v4)" "198.51.100.2 198.51.100.3 198.51.100.4"
	is "its flow waits" "$(value e state) $(value e waiting)" "full 1"
	drive "leave e f4" flush "until e state ok 2500"
	is "and comes back when there is room" "$(list e.v4)" "198.51.100.1 198.51.100.2 198.51.100.3"

	# deleting what someone else deleted, or what has expired
	drive "enter d f1" "enter d f2" flush "until d elements 2"
	ns gw nft flush set inet t d.v4
	drive "leave d f1" flush "run 300" "until d pending 0"
	is "deleting what is gone disturbs nothing" "$(list d.v4)" "198.51.100.2"
	is "and is no error" "$(value d errors)" 0
	ok "stops" driver_stop
done
unset FLOWGATE_WITHOUT

# another limit: more flows than the configuration has room for
driver_start nftset "$TMP/c.json" -m 8 || exit 1
drive "crowd d enter 0 200" flush "until d pending 0"
is "beyond limits.max_flows holders are turned away and counted" "$(($(value d elements) + $(value d no_room)))" 200
drive "crowd d leave 0 200" flush "until d elements 0"
is "and nothing is left of it" "$(value d leases)" 0
ok "stops" driver_stop
finish
