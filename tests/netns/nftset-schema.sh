#!/bin/bash
# shellcheck disable=SC2317 # functions are called by name
# SPDX-License-Identifier: GPL-2.0-or-later
# What a target says of sets that fit, and of those that do not; and sets that
# it makes itself, as nft shows them.
. tests/netns/lib.sh

ns_new gw
ns gw nft -f - <<-'NFT' || skip "no nftables in this kernel"
	table inet t {
		set plain.v4 { type ipv4_addr . inet_service; flags timeout; }
		set typeof.v4 { typeof ip saddr . ip protocol . th dport; flags timeout; }
		set typeof.v6 { typeof ip6 saddr . meta l4proto . th dport; flags timeout; }
		set ct.v4 { typeof ct original ip saddr . ct original proto-dst; flags timeout; }
		set six.v4 { type ether_addr . ipv4_addr . inet_proto . inet_service . ipv4_addr . mark; flags timeout; }
		set never.v4 { type ipv4_addr; }
		set range.v4 { type ipv4_addr; flags interval, timeout; }
		set const.v4 { type ipv4_addr; flags constant; elements = { 1.2.3.4 } }
		map mark.v4 { type ipv4_addr : mark; flags timeout; }
		map verdict.v4 { type ipv4_addr : verdict; flags timeout; }
		map class.v4 { type ipv4_addr : classid; flags timeout; }
		set bare { type ipv4_addr; flags timeout; }
		map prio.v4 { typeof ip saddr : meta priority; flags timeout; }
	}
NFT

# NAME FIELDS SETTINGS: what -t says, "" when it has nothing to say
check() {
	printf '{"target_defaults":{"nftset":{"table_name":"t","set_family":"ipv4"}},
		"targets":{"x":{"target_type":"nftset",%s"type":[%s]%s}}}' \
		"${1:+\"set_name\":\"$1\",}" "$2" "${3:+, $3}" >"$TMP/t.json"
	ns gw "$B/tests/tools/target-driver" -t "$B/plugins/nftset.so" "$TMP/t.json" 2>&1 </dev/null |
		sed -n "s|^<[0-9]>$TMP/t.json:||p"
}
fits() { is "fits: $1" "$(check "${@:2}")" ""; }
says() { has "$1" "$(check "${@:3}")" "$2"; }

A='"other_addr"' AP='"other_addr","other_port"' T='"ttl":60'
fits "fields in the set's order" plain "$AP" "$T"
fits "a typeof set" typeof '"local_addr","ip_proto","other_port"' "$T"
fits "typeof and IPv6" typeof '"local_addr","ip_proto","other_port"' "$T,\"set_family\":\"ipv6\""
fits "typeof ct, whose port has no type that nft keeps" ct '"src_addr","dst_port"' "$T"
fits "six fields, of which the kernel keeps five types" six \
	'"local_mac","local_addr","ip_proto","other_port","other_addr","mark"' "$T"
fits "no timeouts, ttl 0" never "$A"
fits "a map to marks" mark "$A" '"data":{"mark":"0x10"}'
fits "a map to verdicts" verdict "$A" '"data":{"verdict":"drop"}'
fits "a map to classes" class "$A" '"data":{"classid":"1:10"}'
fits "priorities are classes" prio "$A" '"data":{"classid":"1:10"}'

says "a set that is not there" 'set "inet t nope.v4" is missing: declare it in table "inet t", correct "set_name", or set "managed"' nope "$A"
says "a typing error" 'set "inet t nveer.v4" is missing, but there is "never.v4": is one' nveer "$A"
says "a set without its family" 'but there is "bare": give that the name "bare.v4"' bare "$A"
says "a table that is not there" 'set "inet u plain.v4" is missing, and so is its table' plain "$AP" '"table_name":"u"'
says "where it is" '2:68: set' plain "$A"
says "a field too few: the two types" 'set "inet t plain.v4" has key ipv4_addr . inet_service, "type" [other_addr] makes ipv4_addr: add the missing field' plain "$A"
says "a field too many" 'take the field that is too many out of "type"' never "$AP"
says "another order" 'has key ipv4_addr . inet_service, "type" [other_port, other_addr] makes inet_service . ipv4_addr: put the fields in the set'"'"'s order' plain '"other_port","other_addr"'
says "another order behind the fifth field" 'has key' six '"local_mac","local_addr","ip_proto","other_addr","other_port","mark"'
says "the other IP version" 'is missing' plain "$AP" '"set_family":"ipv6"'
says "ttl without timeouts" 'has no "flags timeout", but "ttl" is 60: declare it with "flags timeout", or set "ttl" to 0' never "$A" "$T"
says "ranges" 'has "flags interval"' range "$A" "$T"
says "constant" 'has "flags constant"' const "$A"
says "data for a set" 'is a set, but "data" needs a map: declare it as "map plain.v4 { type ... : mark; }"' plain "$AP" '"data":{"mark":1}'
says "no data for a map" 'is a map: say what its elements lead to with "data"' mark "$A"
says "other data" 'is a map to verdict, "data" gives a mark' verdict "$A" '"data":{"mark":1}'
says "jump" 'would make the kernel check the whole ruleset again' verdict "$A" '"data":{"verdict":"jump x"}'
says "an unknown verdict" 'is not one of "drop", "accept"' verdict "$A" '"data":{"verdict":"deny"}'
says "no class" 'is not a class' class "$A" '"data":{"classid":"10"}'
says "an unknown field" '"other_adr" is not a field of a key: did you mean "other_addr"?' plain '"other_adr"'
says "a key too long" 'longer than the 64 bytes' plain '"local_addr","other_addr","interface","src_addr","dst_addr"' '"set_family":"ipv6"'
says "sides" '"lann" is not one of "lan", "wan", "both": did you mean "lan"?' plain "$AP" '"sides":"lann"'
says "other types" '"remot" is not a type of the other side, one of "unknown", "local", "remote", "multicast", "broadcast", "unsupported", "error": did you mean "remote"?' plain "$AP" '"other_types":["remot"]'
says "evict needs times" 'set a "ttl"' never "$A" '"on_full":"evict"'
says "mirror needs both sides" 'the key needs the addresses of both' plain "$AP" '"mirror":true'
says "shared is for keys without the local side" 'nobody else can be struck' plain '"local_addr","other_port"' '"shared":"skip"'
says "else needs shared" 'needs "shared"' plain "$AP" '"else":"x"'
says "else must exist" 'names "y", which is not another target' plain "$AP" '"shared":"skip","else":"y"'
says "a table that cannot see it" 'sees only IPv6' plain "$AP" '"table_family":"ip6"'
says "no name" '"set_name" is missing' "" "$AP"
says "counters without any" 'has no "counter"' never "$A" '"counter":true'
printf '{"targets":{"x":{"target_type":"nftset","set_name":"a"}}}' >"$TMP/t.json"
has "no type" "$(ns gw "$B/tests/tools/target-driver" -t "$B/plugins/nftset.so" "$TMP/t.json" 2>&1)" '"type" is missing'
# with capabilities it looks; without, it says that it could not
ok "without permission it is not checked, and said so" \
	sh -c "ip netns exec $NS-gw setpriv --bounding-set -net_admin --inh-caps -net_admin '$B/tests/tools/target-driver' -t '$B/plugins/nftset.so' '$TMP/t.json' 2>&1 | grep -q type"
cat >"$TMP/p.json" <<-'JSON'
	{"targets":{"x":{"target_type":"nftset","table_name":"t","set_name":"plain","set_family":"ipv4","type":["other_addr","other_port"]}}}
JSON
noadmin() { ns gw setpriv --bounding-set -net_admin --inh-caps -net_admin "$B/tests/tools/target-driver" "$@" "$B/plugins/nftset.so" "$TMP/p.json" 2>&1 </dev/null; }
has "-t without CAP_NET_ADMIN" "$(noadmin -t)" 'CAP_NET_ADMIN: not checked'
has "a run without CAP_NET_ADMIN" "$(noadmin)" 'set "inet t plain.v4" cannot be looked at: that takes root, or the capability CAP_NET_ADMIN'

# managed: made as nft itself would
cat >"$TMP/m.json" <<-'JSON'
	{ "target_defaults": { "nftset": { "table_name": "own", "managed": true } },
	  "targets": {
		"a": { "target_type": "nftset", "set_name": "a", "ttl": 60, "size": 1000, "type": ["local_addr", "ip_proto", "other_port"] },
		"b": { "target_type": "nftset", "set_name": "b", "set_family": "ipv4", "type": ["mark"] },
		"c": { "target_type": "nftset", "set_name": "c", "set_family": "ipv4", "type": ["interface", "local_mac"], "counter": true },
		"m": { "target_type": "nftset", "set_name": "m", "set_family": "ipv4", "ttl": 60, "type": ["other_addr"], "data": { "mark": "0x10" } },
		"q": { "target_type": "nftset", "set_name": "q", "set_family": "ipv4", "ttl": 60, "type": ["other_addr"], "data": { "classid": "1:10" } },
		"v": { "target_type": "nftset", "set_name": "v", "set_family": "ipv4", "ttl": 60, "type": ["other_addr"], "data": { "verdict": "drop" } } } }
JSON
ns_new own
script='flow f local=10.0.0.2:4000 other=198.51.100.9:443 mark=0x10 iface=br-lan local_mac=02:00:00:00:00:01
enter a f
enter b f
enter c f
enter m f
enter q f
enter v f
flush
status'
ns own "$B/tests/tools/target-driver" "$B/plugins/nftset.so" "$TMP/m.json" <<<"$script" >"$TMP/own.log" 2>&1
ns own nft list ruleset | sed 's/expires [0-9a-z]*/expires/' >"$TMP/own"
# by name, since the order of making is not ours to promise
cat >"$TMP/golden" <<-'NFT'
	set a.v4 {
		type ipv4_addr . inet_proto . inet_service
		size 1000
		flags timeout
		elements = { 10.0.0.2 . tcp . 443 timeout 1m expires }
	}
	set b.v4 {
		type mark
		size 65536
		elements = { 0x00000010 }
	}
	set c.v4 {
		type ifname . ether_addr
		size 65536
		counter
		elements = { "br-lan" . 02:00:00:00:00:01 counter packets 0 bytes 0 }
	}
	map m.v4 {
		type ipv4_addr : mark
		size 65536
		flags timeout
		elements = { 198.51.100.9 timeout 1m expires : 0x00000010 }
	}
	map q.v4 {
		type ipv4_addr : classid
		size 65536
		flags timeout
		elements = { 198.51.100.9 timeout 1m expires : 1:10 }
	}
	map v.v4 {
		type ipv4_addr : verdict
		size 65536
		flags timeout
		elements = { 198.51.100.9 timeout 1m expires : drop }
	}
NFT
# shellcheck disable=SC2016 # awk's own
by_name='/^(set|map)/ { k = $2 } { l[k] = l[k] $0 "\n" }
	END { n = split("a.v4 b.v4 c.v4 m.v4 q.v4 v.v4", o, " "); for (i = 1; i <= n; i++) printf "%s", l[o[i]] }'
sed -n '/^\t\(set\|map\) [a-z]\.v4/,/^\t}/p' "$TMP/own" | sed 's/^\t*//; /^$/d' | awk "$by_name" >"$TMP/made"
ok "as nft shows it" diff "$TMP/golden" "$TMP/made"
ok "a set for IPv6, too" grep -q 'set a.v6' "$TMP/own"
# the same from a dry run in an empty namespace
ns_new owndry
ns owndry "$B/tests/tools/target-driver" -n "$B/plugins/nftset.so" "$TMP/m.json" <<<"$script" 2>/dev/null | grep '^\(add\|delete\)' >"$TMP/own.nft"
ok "nft takes what a dry run prints" ns owndry nft -f "$TMP/own.nft"
ok "the same from a dry run" diff "$TMP/own" <(ns owndry nft list ruleset | sed 's/expires [0-9a-z]*/expires/')
finish
