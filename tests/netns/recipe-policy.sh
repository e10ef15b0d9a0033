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

# A WireGuard handshake, which is known by its form alone: three tries, while
# each is answered.
tunnel() { # DEVICE ADDRESS
	inside "$1" python3 - "$2" <<-'P'
		import os, socket, sys, time
		a = sys.argv[1]
		s = socket.socket(socket.AF_INET6 if ":" in a else socket.AF_INET,
		                  socket.SOCK_DGRAM)
		s.settimeout(3)
		s.connect((a, 51820))
		for n in range(3):
		    s.send(b"\1\0\0\0" + os.urandom(144))
		    s.recv(200)
		    time.sleep(0.5)
	P
}
answer_tunnels() { # ADDRESS
	background tunnel inside server python3 -c '
import os, socket, sys
a = sys.argv[1]
s = socket.socket(socket.AF_INET6 if ":" in a else socket.AF_INET,
                  socket.SOCK_DGRAM)
s.bind((a, 51820))
while True:
    d, peer = s.recvfrom(500)
    s.sendto(b"\2\0\0\0" + os.urandom(4) + d[4:8] + os.urandom(80), peer)
' "$1"
	wait_for 5 "who answers tunnels" inside server sh -c "ss -Hlun sport = 51820 | grep -qF '$1'"
}

office() {
	step "office on ${1}x: tunnels and remote desktops are for administrators"
	at_time "2026-03-04 12:00:00" $R/office.json
	refused guest $VPN "${1}10"
	refused guest $DESKTOP "${1}20"
	! tunnel guest "${1}20" 2>"$D/refused" || fail "a guest's tunnel is not refused"
	grep -qE 'No route to host|Permission denied' "$D/refused" ||
		fail "not told at once: $(tail -n 1 "$D/refused")"
	tunnel parent "${1}20" || fail "an administrator's tunnel is refused"
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
answer_tunnels 198.51.100.20
answer_tunnels 2001:db8:64::20
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
