#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rules/observe with real packets: what matches is in the set, by name, and
# counted; nothing is touched. IPv4 and IPv6, with and without address translation.
# shellcheck disable=SC2119
set -eu
# shellcheck source=tests/tools/gateway.sh
. "$(dirname "$0")/../tools/gateway.sh"
private "$@"

R=rules/observe
T=flowgate_observe

observed() { # DEVICE ADDRESS SET
	local up down

	step "$1: www.youtube.com on $2 is seen, www.example.org is not"
	nft reset counters table inet $T >/dev/null
	visit "$1" www.example.org "$2" index.html || fail "it did not pass"
	[ "$(packets inet $T up)" = 0 ] || fail "counted what does not match"
	visit "$1" www.youtube.com "$2" large --limit-rate 20M ||
		fail "it was disturbed"
	has_elements 1 inet $T "$3" || fail "no element"
	nft list set inet $T "$3" | grep -q 'netify.youtube' ||
		fail "no name in the element"
	up=$(packets inet $T up) down=$(packets inet $T down)
	# once known, every packet of 50 MB
	if [ "$up" -lt 50 ] || [ "$down" -lt 100 ]; then
		fail "counted $up up, $down down"
	fi
	wait_for 10 "the end of the element" is_empty inet $T "$3"
}

step "the recipe passes its checks"
device laptop 11
server
web server 198.51.100.10 2001:db8:64::10
nft -c -f $R/observe.nft
nft -f $R/observe.nft
"$B/flowgated" -t -P "$B/plugins" -c $R/observe.json
agent
flowgate $R/observe.json

observed laptop 198.51.100.10 seen.v4
observed laptop 2001:db8:64::10 seen.v6
masquerade server
step "with address translation"
observed laptop 198.51.100.10 seen.v4
observed laptop 2001:db8:64::10 seen.v6

step "sets only: flowgated makes them"
kill "$FLOWGATED"
wait_for 5 "the end of flowgated" gone "$FLOWGATED"
nft delete table inet $T
sed 's/"ttl": 900,/"ttl": 900, "managed": true,/' $R/observe.json >"$D/managed.json"
flowgate "$D/managed.json"
visit laptop www.youtube.com 198.51.100.10 index.html
wait_for 5 "an element" has_elements 1 inet $T seen.v4
