#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rules/steer with real packets: a connection that is identified over the first
# uplink starts again over the second, later ones go there at once, the rest stays;
# IPv4 and IPv6, with and without address translation.
# shellcheck disable=SC2119
set -eu
# shellcheck source=tests/tools/gateway.sh
. "$(dirname "$0")/../tools/gateway.sh"
private "$@"

R=rules/steer
T=flowgate_steer

# The same servers behind both uplinks; what they serve says which it was.
provider() { # MACHINE V4GATEWAY V6GATEWAY
	for n in 10 20; do
		inside "$1" ip addr add 192.0.2.$n/32 dev lo
		inside "$1" ip addr add 2001:db8:99::$n/128 dev lo nodad
	done
	web "$1" 192.0.2.10 192.0.2.20 2001:db8:99::10 2001:db8:99::20
}

over() { # DEVICE NAME ADDRESS: the uplink that it takes
	OUT=- visit "$1" "$2" "$3" index.html || say "nothing: $?"
}

steered() { # DEVICE STREAMING_ADDRESS OTHER_ADDRESS SET
	local rc=0 late steered

	step "$1: www.netflix.com on $2 moves to the second uplink"
	late=$(packets inet $T late) steered=$(packets inet $T steered)
	[ "$(over "$1" www.example.org "$3")" = first ] || fail "not over the first"
	visit "$1" www.netflix.com "$2" large --limit-rate 2M || rc=$?
	[ $rc = 56 ] || fail "the late one was not made to start again: curl says $rc"
	more_packets "$late" inet $T late || fail "no reset was counted"
	has_elements 1 inet $T "$4" || fail "its endpoint is not in $4"
	[ "$(over "$1" www.netflix.com "$2")" = second ] || fail "not over the second"
	more_packets "$steered" inet $T steered || fail "it was not counted"
	[ "$(over "$1" www.example.org "$3")" = first ] || fail "the other one moved"
	step "$1: and runs there"
	visit "$1" www.netflix.com "$2" large || fail "curl says $?"
}

step "the recipe passes its checks"
device laptop 11
device phone 12
uplink first wan0 198.51.100 2001:db8:64
uplink second wan1 203.0.113 2001:db8:cb
provider first
provider second
ip route add default via 198.51.100.10
ip -6 route add default via 2001:db8:64::10
nft -c -f $R/steer.nft
nft -f $R/steer.nft
$R/routes.sh wan1 203.0.113.10 2001:db8:cb::10
"$B/flowgated" -t -P "$B/plugins" -c $R/steer.json
agent
flowgate $R/steer.json

steered laptop 192.0.2.10 192.0.2.20 second.v4
steered laptop 2001:db8:99::10 2001:db8:99::20 second.v6
step "with address translation"
masquerade first second
steered phone 192.0.2.10 192.0.2.20 second.v4
steered phone 2001:db8:99::10 2001:db8:99::20 second.v6

step "undo"
$R/routes.sh off
[ -z "$(ip rule list fwmark 0x100)" ] || fail "the rule is still there"
