#!/bin/bash
# shellcheck disable=SC2119,SC2317,SC2154 # functions are called by name, variables are of agent.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An address becomes the gateway's own, or is listed as never to be struck: what
# strikes it leaves at once, also what only lingers, or was left by the run
# before. When it is not any more, flows enter again, without a word of the agent.
. tests/netns/lib.sh
. tests/tools/agent.sh
command -v jq >/dev/null || skip "needs jq"

ns_new gw
ns gw nft 'table inet t { set s.v4 { type ipv4_addr; flags timeout; }; set l.v4 { type ipv4_addr; flags timeout; }; set p.v4 { type ipv4_addr . ipv4_addr; flags timeout; }; }' 2>/dev/null ||
	skip "no nftables in this kernel"
ipset=
if command -v ipset >/dev/null && ns gw ipset create probe hash:ip 2>/dev/null; then
	ns gw ipset destroy probe
	ipset=', "i": { "target_type": "ipset", "set_name": "i", "type": "hash:ip", "set_family": "ipv4", "managed": true, "ttl": 600 },
		"il": { "target_type": "ipset", "set_name": "il", "type": "hash:ip", "set_family": "ipv4", "managed": true, "ttl": 600, "linger": 600 }'
	more=', "i", "il"'
else
	echo "no ipset here: only nftables is tried"
fi
config() { # NEVER
	cat >"$TMP/c.json" <<-JSON
		{ "sources": ["unix://$TMP/a.sock"], "never": $1, "grace": 300,
		  "target_defaults": { "nftset": { "table_name": "t", "set_family": "ipv4", "ttl": 600, "type": ["other_addr"] } },
		  "actions": { "films": { "criteria": "app == 'netify.netflix'", "targets": ["s", "l", "p"${more:-}] } },
		  "targets": { "s": { "target_type": "nftset", "set_name": "s" },
			"l": { "target_type": "nftset", "set_name": "l", "linger": 600 },
			"p": { "target_type": "nftset", "set_name": "p", "linger": 600, "type": ["local_addr", "other_addr"] }$ipset } }
	JSON
}
members() { ns gw ipset list "$1" | sed '1,/^Members:/d; s/ timeout.*//' | LC_ALL=C sort | paste -sd' '; }
is_members() { [ "$(members "$1")" = "$2" ]; }
until_members() { # WHAT WANTED SET
	[ -n "$ipset" ] || return
	wait_for 20 is_members "$3" "$2"
	is "$1" "$(members "$3")" "$2"
}
# all WHAT HELD LINGERING PAIRS: what each of the sets has
all() {
	until_in_force "$1: without linger" "$2" s.v4
	until_in_force "$1: with" "$3" l.v4
	until_in_force "$1: pairs" "$4" p.v4
	until_members "$1: ipset, without linger" "$2" i.v4
	until_members "$1: ipset, with" "$3" il.v4
}
one=198.51.100.1 two=198.51.100.2
config '[]'
agent a
flow a 1 10.0.0.2:1 $one:443 "$netflix"
flow a 2 10.0.0.3:1 $two:443 "$netflix"
flow a 3 10.0.0.4:1 $two:444 "$netflix"
flowgated
ok "a host of its own" ns gw ip addr add 192.0.2.9/32 dev lo
all "in force" "$one $two" "$one $two" "10.0.0.2 . $one 10.0.0.3 . $two 10.0.0.4 . $two"
about a purge 1
all "one lingers" "$two" "$one $two" "10.0.0.2 . $one 10.0.0.3 . $two 10.0.0.4 . $two"

ns gw ip addr add $one/32 dev lo
all "what lingers becomes the gateway's" "$two" "$two" "10.0.0.3 . $two 10.0.0.4 . $two"
ns gw ip addr add $two/32 dev lo
all "what is held does" "" "" ""
ns gw ip addr del $two/32 dev lo
all "it is not any more" "$two" "$two" "10.0.0.3 . $two 10.0.0.4 . $two"
# the gateway's own address may be the local side of a pair, and only there
ns gw ip addr add 10.0.0.4/32 dev lo
until_in_force "a local side that becomes the gateway's" "10.0.0.3 . $two 10.0.0.4 . $two" p.v4

config "[\"$two\"]"
about a purge 2
ok "reload, with a never list" ctl reload
all "what is listed" "" "" ""
config '[]'
ok "reload, without" ctl reload
all "is back, as far as it lives" "$two" "$two" "10.0.0.4 . $two"

# from run to run
about a purge 3
until_in_force "one lingers again" "$two" l.v4
kill -TERM "$gate"
wait_for 20 test ! -e "/proc/$gate"
ns gw ip addr add $two/32 dev lo
flowgated
# of an ipset nobody knows what the run before left: it runs out
until_in_force "what lingered in the run before" "" l.v4
until_in_force "what lingered in the run before: pairs" "" p.v4
finish
