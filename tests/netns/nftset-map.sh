#!/bin/bash
# shellcheck disable=SC2317 # functions are called by name
# SPDX-License-Identifier: GPL-2.0-or-later
# Maps: many classes in one, the earliest action wins, data changes without a
# gap; lingering; comments and counters. On this kernel, and on older ones.
. tests/netns/lib.sh

ns_new gw
ns gw nft -f - <<-'NFT' || skip "no nftables in this kernel"
	table inet t {
		map q.v4 { type ipv4_addr . inet_service : mark; flags timeout; }
		map v.v4 { type ipv4_addr : verdict; flags timeout; }
		map c.v4 { type ipv4_addr : classid; flags timeout; }
		map lm.v4 { type ipv4_addr : mark; flags timeout; }
		set l.v4 { type ipv4_addr; flags timeout; }
		set n.v4 { type ipv4_addr; flags timeout; counter; }
	}
NFT
value() { ask "status $1" | sed -n "s/.* $2=\([^ ]*\).*/\1/p"; }
list() { # MAP: its elements, without times
	ns gw nft list "${2:-map}" inet t "$1" | tr -d '\n\t' | sed -n 's/.*elements = { \(.*\) }}}.*/\1/p' |
		sed 's/ timeout [0-9a-z]* expires [0-9a-z]*//g' | tr , '\n' | sed 's/^ *//' | sort | paste -sd, -
}
cat >"$TMP/c.json" <<-'JSON'
	{ "target_defaults": { "nftset": { "table_name": "t", "set_family": "ipv4", "ttl": 2 } },
	  "targets": {
		"q": { "target_type": "nftset", "set_name": "q", "type": ["other_addr", "other_port"], "data": { "mark": "0x1" } },
		"v": { "target_type": "nftset", "set_name": "v", "type": ["other_addr"], "data": { "verdict": "drop" } },
		"c": { "target_type": "nftset", "set_name": "c", "type": ["other_addr"], "data": { "classid": "1:10" } },
		"l": { "target_type": "nftset", "set_name": "l", "type": ["other_addr"], "linger": 3 },
		"lm": { "target_type": "nftset", "set_name": "lm", "type": ["other_addr"], "linger": 2, "ttl": 60, "data": { "mark": "0x1" } },
		"n": { "target_type": "nftset", "set_name": "n", "type": ["other_addr"], "comment": true, "counter": true } },
	  "actions": {
		"voice": { "criteria": "*", "targets": [ { "target": "q", "data": { "mark": 16 } }, { "target": "c", "data": { "classid": "1:a0" } } ] },
		"video": { "criteria": "*", "targets": [ { "target": "q", "data": { "mark": "0x20" } }, { "target": "lm", "data": { "mark": "0x20" } }, { "target": "v", "data": { "verdict": "accept" } } ] },
		"rest": { "criteria": "*", "targets": ["q", "lm"] } } }
JSON

for without in "" update destroy "destroy update"; do
	echo "# a kernel without: ${without:-nothing}"
	export FLOWGATE_WITHOUT=$without
	driver_start nftset "$TMP/c.json" || exit 1
	drive "name application 133 netify.netflix" "name application 7 bad\"name~x1b" \
		"flow a local=10.0.0.2:1 other=198.51.100.9:443 app=133" "flow a2 local=10.0.0.3:1 other=198.51.100.9:443" \
		"flow a3 local=10.0.0.4:1 other=198.51.100.9:443" "flow b local=10.0.0.2:2 other=198.51.100.10:443 app=7" \
		"enter q a action=rest" "enter q b action=voice" flush "until q elements 2"
	is "one map, many classes" "$(list q.v4)" "198.51.100.10 . 443 : 0x00000010,198.51.100.9 . 443 : 0x00000001"
	drive "enter q a2 action=video" flush "until q pending 0"
	is "the earlier action wins" "$(list q.v4)" "198.51.100.10 . 443 : 0x00000010,198.51.100.9 . 443 : 0x00000020"
	drive "enter q a3 action=voice" flush "until q pending 0"
	is "and the earliest" "$(list q.v4)" "198.51.100.10 . 443 : 0x00000010,198.51.100.9 . 443 : 0x00000010"
	drive "leave q a3" flush "until q pending 0"
	is "the next takes over when it leaves" "$(list q.v4)" "198.51.100.10 . 443 : 0x00000010,198.51.100.9 . 443 : 0x00000020"
	drive "run 2500"
	is "renewed with its data" "$(list q.v4)" "198.51.100.10 . 443 : 0x00000010,198.51.100.9 . 443 : 0x00000020"
	# another's element in the way, with other data
	drive "leave q b" flush "until q elements 1"
	ns gw nft add element inet t q.v4 '{ 198.51.100.10 . 443 timeout 9s : 0x00000099 }'
	drive "enter q b action=voice" flush "until q pending 0" "until q elements 2"
	is "what is there with other data is replaced" "$(list q.v4)" "198.51.100.10 . 443 : 0x00000010,198.51.100.9 . 443 : 0x00000020"
	is "and that is no error" "$(value q errors)" 0
	drive "leave q a" "leave q a2" "leave q b" flush "until q elements 0"
	is "all left" "$(list q.v4)" ""

	drive "enter v a action=rest" "enter v b action=video" "enter c a action=rest" "enter c b action=voice" flush "until v elements 2" "until c elements 2"
	is "verdicts" "$(list v.v4)" "198.51.100.10 : accept,198.51.100.9 : drop"
	is "classes" "$(list c.v4)" "198.51.100.10 : 1:a0,198.51.100.9 : 1:10"
	drive "leave v a" "leave v b" "leave c a" "leave c b" flush "until v elements 0" "until c elements 0"

	# lingering: longer than ttl, so that it is renewed meanwhile
	drive "enter l a" flush "until l elements 1" "leave l a" flush "run 2200"
	is "it lingers" "$(list l.v4 set)" 198.51.100.9
	is "without a holder" "$(value l lingering)" 1
	before=$(value l adds),$(value l deletes)
	drive "enter l a2" flush "until l lingering 0"
	is "a new holder takes it over" "$(value l adds),$(value l deletes)" "$before"
	drive "leave l a2" flush "run 2000"
	is "it lingers again" "$(list l.v4 set)" 198.51.100.9
	drive "until l elements 0 2000"
	is "and then is gone" "$(list l.v4 set)" ""

	# in a map: what it leads to stays, until somebody wants something else
	drive "enter lm a action=rest" flush "until lm elements 1" "leave lm a" flush "enter lm a2 action=rest" flush
	is "a new holder of the same action: nothing for the kernel" "$(value lm lingering) $(value lm transactions)" "0 1"
	drive "leave lm a2" flush "enter lm a3 action=video" flush "until lm pending 0"
	is "one of another: its data, at once" "$(list lm.v4) $(value lm transactions)" "198.51.100.9 : 0x00000020 2"
	drive "leave lm a3" flush
	is "it lingers with that" "$(list lm.v4) $(value lm lingering) $(value lm transactions)" "198.51.100.9 : 0x00000020 1 2"
	drive "until lm elements 0 3000"
	is "and goes" "$(list lm.v4) $(value lm leases) $(value lm transactions)" " 0 3"

	drive "enter n a action=voice" "enter n b action=voice" flush "until n elements 2"
	is "comments say application and action; counters count" "$(list n.v4 set | sed 's/ counter packets 0 bytes 0/ C/g')" \
		'198.51.100.10 C comment "bad_name_ voice",198.51.100.9 C comment "netify.netflix voice"'
	ns gw nft list ruleset >"$TMP/saved"
	ok "and what nft lists, it loads" ns gw nft -c -f "$TMP/saved"
	drive "run 2500"
	is "renewed with its comment" "$(list n.v4 set | grep -o 'netify.netflix voice')" "netify.netflix voice"
	drive "leave n a" "leave n b" flush "until n elements 0"
	ok "stops" driver_stop
done
unset FLOWGATE_WITHOUT

printf '%s\n' "flow b local=10.0.0.2:2 other=198.51.100.10:443" "enter v b action=video" flush "explain v b" |
	ns gw "$B/tests/tools/target-driver" "$B/plugins/nftset.so" "$TMP/c.json" >"$TMP/explained" 2>&1
has "explain asks the kernel" "$(tr '\n' ' ' <"$TMP/explained")" 'inet t v.v4 { 198.51.100.10 }: in the kernel   expires in '
has "and says what it found" "$(tr '\n' ' ' <"$TMP/explained")" 's, unless renewed   leads to verdict accept   holders: 1'

# data that an action cannot give
has "data for a set" "$(printf '{"targets":{"s":{"target_type":"nftset","table_name":"t","set_name":"l","set_family":"ipv4","type":["other_addr"]}},"actions":{"x":{"targets":[{"target":"s","data":{"mark":1}}]}}}' >"$TMP/b.json"
	printf 'flow a local=10.0.0.2:1 other=198.51.100.9:443\nenter s a action=x\n' | ns gw "$B/tests/tools/target-driver" "$B/plugins/nftset.so" "$TMP/b.json" 2>&1)" "the target is a set, not a map"
finish
