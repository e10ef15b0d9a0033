#!/bin/bash
# shellcheck disable=SC2317 # functions are called by name
# SPDX-License-Identifier: GPL-2.0-or-later
# A set fed by flows: what is in it when, that the same ruleset comes out of a
# dry run, and that real packets match every field of a key.
. tests/netns/lib.sh

ns_new gw
ns gw nft list ruleset >/dev/null 2>&1 || skip "no nftables in this kernel"
value() { ask "status $1" | tr ' ' '\n' | sed -n "s/^$2=//p"; }
elements() { # SET: its elements without their times, one a line
	ns gw nft -j list set inet fw "$1" | python3 -c '
import json, sys
for o in json.load(sys.stdin)["nftables"]:
    for e in o.get("set", {}).get("elem", []):
        v = e["elem"]["val"] if isinstance(e, dict) and "elem" in e else e
        print(" . ".join(map(str, v["concat"])) if isinstance(v, dict) else v)
' | sort
}

ruleset='table inet fw {
	set b.v4 { type ipv4_addr . inet_proto . inet_service . ipv4_addr; flags timeout; }
	set b.v6 { type ipv6_addr . inet_proto . inet_service . ipv6_addr; flags timeout; }
	set one.v4 { type inet_service; }
}'
ns gw nft -f - <<<"$ruleset"
cat >"$TMP/c.json" <<-'JSON'
	{ "targets": {
		"b": { "target_type": "nftset", "table_name": "fw", "set_name": "b", "ttl": 2,
		       "type": ["local_addr", "ip_proto", "other_port", "other_addr"] },
		"one": { "target_type": "nftset", "table_name": "fw", "set_name": "one", "set_family": "ipv4",
			 "type": ["other_port"] } } }
JSON

flows=(
	"flow f1 local=10.0.0.2:4000 other=198.51.100.9:443 proto=tcp"
	"flow f2 local=10.0.0.2:4001 other=198.51.100.9:443 proto=tcp"
	"flow f3 local=10.0.0.3:4000 other=198.51.100.9:53 proto=udp"
	"flow f6 local=[fd00::2]:4000 other=[fd00:2::9]:443 proto=tcp"
	"flow wan local=10.0.0.4:4000 other=198.51.100.9:443 internal=0"
	"flow lan local=10.0.0.5:4000 other=10.0.0.6:443 other_type=1"
)
for a in "" -a; do
	echo "# jobs run ${a:+not }at once"
	driver_start nftset "$TMP/c.json" $a || exit 1
	drive "${flows[@]}" "enter b f1" "enter b f2" "enter b f3" "enter b f6" \
		"enter b wan" "enter b lan" "enter one f1" flush "until b elements 3" "until one elements 1"
	is "IPv4" "$(elements b.v4)" "$(printf '10.0.0.2 . tcp . 443 . 198.51.100.9\n10.0.0.3 . udp . 53 . 198.51.100.9')"
	is "IPv6" "$(elements b.v6)" "fd00::2 . tcp . 443 . fd00:2::9"
	is "a key of one field" "$(elements one.v4)" 443
	is "WAN flows are left out" "$(value b left_out_side)" 1
	is "local ones, too" "$(value b left_out_other_type)" 1
	drive "leave b f1" flush "until b pending 0"
	is "of two flows with one key, one leaves" "$(elements b.v4 | wc -l)" 2
	drive "run 3000"
	is "renewed beyond its time" "$(elements b.v4 | wc -l)" 2
	has "in the kernel, too" "$(ns gw nft list set inet fw b.v4)" "timeout 2s expires"
	drive "leave b f2" "leave b f3" "leave b f6" "leave one f1" "leave b wan" flush "until b elements 0" "until one elements 0"
	is "all left" "$(elements b.v4)$(elements b.v6)$(elements one.v4)" ""
	drive "enter b f1" "leave b f1" flush "until b pending 0"
	is "an add and a delete in a burst cancel out" "$(value b adds) $(value b deletes)" "3 3"
	ok "stops" driver_stop
	ns gw nft flush set inet fw b.v4
done

# the same ruleset from a dry run
events=("${flows[@]}" "enter b f1" "enter b f3" "enter b f6" "enter one f1" flush
	"leave b f1" flush "enter b f2" flush)
printf '%s\n' "${events[@]}" | ns gw "$B/tests/tools/target-driver" "$B/plugins/nftset.so" "$TMP/c.json" >/dev/null
ns gw nft list ruleset | sed 's/expires [0-9a-z]*/expires/' >"$TMP/real"
ns_new dry
ns dry nft -f - <<<"$ruleset"
printf '%s\n' "${events[@]}" | ns dry "$B/tests/tools/target-driver" -n "$B/plugins/nftset.so" "$TMP/c.json" |
	grep -v '^ready' >"$TMP/commands"
is "a dry run changes nothing" "$(ns dry nft list ruleset | grep -c elements)" 0
ok "nft takes what it prints" ns dry nft -f "$TMP/commands"
ns dry nft list ruleset | sed 's/expires [0-9a-z]*/expires/' >"$TMP/dry"
ok "the same ruleset" diff "$TMP/real" "$TMP/dry"
has "in the promised form" "$(cat "$TMP/commands")" "add element inet fw b.v4 { 10.0.0.3 . udp . 53 . 198.51.100.9 timeout 2s }"

# every field against real packets: host order for marks, names of 16 bytes
router_fields='table inet k {
	set mark.v4 { type mark; }
	set ifname.v4 { type ifname . ipv4_addr; }
	set mac.v4 { type ether_addr . inet_service; }
	set src.v4 { type ipv4_addr . ipv4_addr . inet_service; }
	chain in {
		type filter hook input priority 0;
		meta mark set 0x12
		meta mark @mark.v4 counter comment "mark"
		iifname . ip saddr @ifname.v4 counter comment "ifname"
		ether saddr . udp dport @mac.v4 counter comment "mac"
		ip saddr . ip daddr . udp dport @src.v4 counter comment "src"
	}
}'
ns_new peer
ip link add fgk0 netns "$NS-gw" type veth peer name eth0 netns "$NS-peer"
ns gw ip addr add 10.9.0.1/24 dev fgk0
ns peer ip addr add 10.9.0.2/24 dev eth0
ns peer ip link set eth0 address 02:00:00:00:00:07
ns gw ip link set fgk0 up
ns peer ip link set eth0 up
ns gw nft -f - <<<"$router_fields"
cat >"$TMP/k.json" <<-'JSON'
	{ "target_defaults": { "nftset": { "table_name": "k", "set_family": "ipv4" } },
	  "targets": {
		"mark": { "target_type": "nftset", "set_name": "mark", "type": ["mark"] },
		"ifname": { "target_type": "nftset", "set_name": "ifname", "type": ["interface", "local_addr"] },
		"mac": { "target_type": "nftset", "set_name": "mac", "type": ["local_mac", "other_port"] },
		"src": { "target_type": "nftset", "set_name": "src", "type": ["src_addr", "dst_addr", "dst_port"] } } }
JSON
driver_start nftset "$TMP/k.json" || exit 1
drive "flow p local=10.9.0.2:4000 other=10.9.0.1:9 proto=udp origin=local local_mac=02:00:00:00:00:07 mark=0x12 iface=fgk0" \
	"enter mark p" "enter ifname p" "enter mac p" "enter src p" flush \
	"until mark elements 1" "until ifname elements 1" "until mac elements 1" "until src elements 1"
arrived() { # RULE: its packets
	ns peer bash -c 'echo x >/dev/udp/10.9.0.1/9' 2>/dev/null
	[ "$(ns gw nft list chain inet k in | sed -n "s/.*packets \([0-9]*\).*comment \"$1\".*/\1/p")" -gt 0 ]
}
for f in mark ifname mac src; do ok "a packet matches $f" wait_for 5 arrived $f; done
ok "stops" driver_stop
finish
