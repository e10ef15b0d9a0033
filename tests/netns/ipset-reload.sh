#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A file with an error changes nothing of an ipset, nor what is wanted of it;
# targets that share one want the same of it.
# shellcheck disable=SC2317,SC2119 # functions are called by name, some without arguments
. tests/netns/lib.sh
. tests/tools/agent.sh
command -v ipset >/dev/null || skip "needs the ipset tool"
ns_new gw
ns gw ipset create probe hash:ip 2>/dev/null || skip "no ipset in this kernel (ip_set)"
ns gw ipset destroy probe

target() { # NAME SETTINGS: of the same set
	printf '"%s": { "target_type": "ipset", "set_name": "b", "set_family": "ipv4", "type": "hash:ip", "managed": true, %s }' "$1" "$2"
}
config() { # TARGETS
	printf '{ "sources": ["unix://%s"], "targets": { %s }, "actions": { "all": { "criteria": "*", "targets": ["a"] } } }\n' \
		"$TMP/a.sock" "$1" >"$TMP/c.json"
}
own='"own": { "target_type": "ipset", "set_name": "own", "set_family": "ipv4", "type": "hash:ip", "managed": true }'
ttl() { ns gw ipset list b.v4 | sed -n "s/^$1 timeout //p"; }
there() { [ -n "$(ttl "$1")" ]; }

config "$(target a '"ttl": 900')"
agent a
flowgated
flow a 1 10.0.0.2:4001 198.51.100.1:443 "$netflix"
ok "in force" wait_for 10 there 198.51.100.1

n=1
refused() { # WHAT TARGETS SAID
	config "$2"
	: >"$TMP/c.err"
	kill -HUP "$gate"
	said "$1: refused" 'not reloaded'
	has "$1: and why" "$(cat "$TMP/c.err")" "$3"
	is "$1: no set is made" "$(ns gw ipset list -n | paste -sd' ')" b.v4
	ok "$1: no element is touched" there 198.51.100.1
	n=$((n + 1))
	flow a $n 10.0.0.2:4001 198.51.100.$n:443 "$netflix"
	ok "$1: others come" wait_for 10 there 198.51.100.$n
	ok "$1: with the time in force" test "$(ttl 198.51.100.$n)" -gt 800
}
refused "an unknown key" "$(target a '"ttl": 60, "flush_on_create": true'), $own, $(target more '"lingr": 1')" 'unknown key "lingr"'
refused "another ttl for one set" "$(target a '"ttl": 60'), $own, $(target more '"ttl": 70')" \
	'target "more" has the same set as "a", but another "ttl"'
refused "another type for one set" "$(target a '"ttl": 60'), $own, $(target more '"ttl": 60' | sed 's/hash:ip/hash:ip,port/')" 'other "type"'

config "$(target a '"ttl": 60'), $own, $(target more '"ttl": 60')"
kill -HUP "$gate"
said "one that is right" ': reloaded:'
is "its set is made" "$(ns gw ipset list -n | LC_ALL=C sort | paste -sd' ')" "b.v4 own.v4"
ok "elements stay" there 198.51.100.1
finish
