#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rules/policy with real packets: a family's school night begins and ends, and an
# office's tunnels are for administrators; IPv4 and IPv6, with and without address
# translation.
# shellcheck disable=SC2119
set -eu
# shellcheck source=tests/tools/gateway.sh
. "$(dirname "$0")/../tools/gateway.sh"
private "$@"

R=rules/policy
T=flowgate_policy
# of each application, an address of its own: keys are by server and port
VIDEO=www.youtube.com
SCHOOL=www.khanacademy.org
CHAT=discord.com
VPN=vpn.softether.net
DESKTOP=www.gotomypc.com

# passes|refused DEVICE NAME ADDRESS
passes() { visit "$1" "$2" "$3" index.html || fail "$2 on $3 from $1: curl says $?"; }
refused() {
	local rc=0

	visit "$1" "$2" "$3" large --limit-rate 5M || rc=$?
	case $rc in
	7 | 35 | 55 | 56) ;;
	*) fail "$2 on $3 from $1 is not refused: curl says $rc" ;;
	esac
}

# flowgated, started at a time of Zurich
at_time() { # TIME CONFIGURATION
	local config=$2

	[ -z "${FLOWGATED:-}" ] || kill "$FLOWGATED"
	[ -z "${FLOWGATED:-}" ] || wait_for 5 "the end of flowgated" gone "$FLOWGATED"
	rm -f /run/flowgate/* # another time: nothing is handed over
	nft flush set inet $T refused.v4
	nft flush set inet $T refused.v6
	export WALL
	WALL=$(date -d "TZ=\"Europe/Zurich\" $1" +%s)
	LD_PRELOAD=$D/wall.so ASAN_OPTIONS=verify_asan_link_order=0 \
		flowgate "$config"
}

evening() { # V4ADDRESS_PREFIX, as in "198.51.100." or "2001:db8:64::"
	local video rc=0

	step "school night on ${1}x: before 20:30"
	at_time "2026-03-04 20:29:56" $R/family.json
	passes kid $VIDEO "${1}10"
	visit kid $VIDEO "${1}10" large --limit-rate 3M &
	video=$!
	step "school night on ${1}x: from 20:30 on"
	wait $video || rc=$?
	case $rc in
	35 | 55 | 56) ;;
	*) fail "the running video was not cut off: curl says $rc" ;;
	esac
	refused kid $VIDEO "${1}10"
	refused kid www.roblox.com "${1}10"
	passes kid $SCHOOL "${1}20"
	passes kid www.example.org "${1}20"
	passes parent $VIDEO "${1}10"
	passes guest $VIDEO "${1}10"
	step "school night on ${1}x: messaging is observed"
	passes kid $CHAT "${1}20"
	case $1 in *:*) KID=fd20::12 ;; *) KID=10.20.0.12 ;; esac
	wait_for 3 "an observed flow" observed
}
observed() {
	"$B/flowgatectl" -S "$D/control.sock" explain "$KID" |
		grep -q 'kids-messaging: only observed'
}

morning() {
	step "school night on ${1}x: before 06:30"
	at_time "2026-03-05 06:29:57" $R/family.json
	refused kid $VIDEO "${1}10"
	step "school night on ${1}x: from 06:30 on"
	wait_for 8 "the end of the elements" is_empty inet $T "$2"
	passes kid $VIDEO "${1}10"
}

weekend() {
	step "no school night on a Friday"
	at_time "2026-03-06 22:00:00" $R/family.json
	passes kid $VIDEO "${1}10"
	[ "$(count_elements inet $T "$2")" = 0 ] || fail "it was put into the set"
}

office() {
	step "office on ${1}x: tunnels and remote desktops are for administrators"
	at_time "2026-03-04 12:00:00" $R/office.json
	refused guest $VPN "${1}10"
	refused guest $DESKTOP "${1}20"
	passes parent $VPN "${1}10"
	passes parent $DESKTOP "${1}20"
	passes kid $VIDEO "${1}20"
}

step "the recipe passes its checks"
${CC:-cc} -shared -fPIC -o "$D/wall.so" tests/tools/shim/wall.c
device parent 10
device guest 11
device kid 12
server
web server 198.51.100.10 198.51.100.20 2001:db8:64::10 2001:db8:64::20
nft -c -f $R/policy.nft
nft -f $R/policy.nft
"$B/flowgated" -t -P "$B/plugins" -c $R/family.json
"$B/flowgated" -t -P "$B/plugins" -c $R/office.json
agent

evening 198.51.100.
morning 198.51.100. refused.v4
weekend 198.51.100. refused.v4
office 198.51.100.
evening 2001:db8:64::
morning 2001:db8:64:: refused.v6
office 2001:db8:64::
masquerade server
step "with address translation"
evening 198.51.100.
evening 2001:db8:64::
office 198.51.100.
office 2001:db8:64::
