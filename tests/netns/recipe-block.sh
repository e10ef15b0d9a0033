#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rules/block with real packets: the forbidden application is cut off and then
# refused at once, the permitted one is not disturbed; IPv4 and IPv6, with and
# without address translation, and past a flowtable.
# shellcheck disable=SC2119
set -eu
# shellcheck source=tests/tools/gateway.sh
. "$(dirname "$0")/../tools/gateway.sh"
private "$@"

R=rules/block
T=flowgate_block
FORBIDDEN=www.netflix.com
PERMITTED=www.example.org

expect() { # RC WHAT COMMAND...: curl's exit status
	local want=$1 what=$2 rc=0

	shift 2
	"$@" || rc=$?
	[ $rc = "$want" ] || fail "$what: curl says $rc, not $want"
}

# The forbidden application for this device, which no-one blocked before.
cut_and_refused() { # DEVICE FORBIDDEN_ADDRESS PERMITTED_ADDRESS SET
	step "$1: $PERMITTED on $3 passes, $FORBIDDEN on $2 is cut off"
	expect 0 "permitted" visit "$1" $PERMITTED "$3" index.html
	expect 56 "not cut off" visit "$1" $FORBIDDEN "$2" large --limit-rate 2M
	has_elements 1 inet $T "$4" || fail "no element in $4"
	expect 7 "second try not refused" visit "$1" $FORBIDDEN "$2" index.html \
		--max-time 1
	expect 0 "permitted, then" visit "$1" $PERMITTED "$3" index.html
}

step "the recipe passes its checks"
device laptop 11
device phone 12
device tablet 13
device tv 14
server
web server 198.51.100.10 198.51.100.20 2001:db8:64::10 2001:db8:64::20
nft -c -f $R/block.nft
nft -f $R/block.nft
"$B/flowgated" -t -P "$B/plugins" -c $R/block.json
agent
flowgate $R/block.json

cut_and_refused laptop 198.51.100.10 198.51.100.20 block.v4
cut_and_refused laptop 2001:db8:64::10 2001:db8:64::20 block.v6
more_packets 0 inet $T blocked || fail "nothing counted from the device"
more_packets 0 inet $T blocked_back || fail "nothing counted towards it"

step "loading the rules again keeps the sets"
nft -f $R/block.nft
has_elements 1 inet $T block.v4 || fail "the set was emptied"
expect 7 "not refused" visit laptop $FORBIDDEN 198.51.100.10 index.html

step "what is on the never list passes"
nft add element inet $T never.v4 '{ 198.51.100.10 }'
expect 0 "never" visit laptop $FORBIDDEN 198.51.100.10 index.html
nft delete element inet $T never.v4 '{ 198.51.100.10 }'

step "what is not TCP is answered with ICMP, so that it fails at once"
nft add element inet $T block.v4 '{ 10.20.0.11 . udp . 9 . 198.51.100.10 }'
inside laptop python3 - <<'P'
import errno, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.connect(("198.51.100.10", 9))
s.send(b"x")
try:
    s.recv(1)
except OSError as e:
    sys.exit(e.errno != errno.EHOSTUNREACH)
sys.exit(1)
P

masquerade server
step "with address translation"
cut_and_refused phone 198.51.100.10 198.51.100.20 block.v4
cut_and_refused phone 2001:db8:64::10 2001:db8:64::20 block.v6

step "connections in a flowtable are cut off, too"
nft -f - <<'N'
table inet offload {
	flowtable fast {
		hook ingress priority 0
		devices = { lan0, wan0 }
	}
	counter slow { }
	chain forward {
		type filter hook forward priority 0
		ip saddr 10.20.0.14 counter name slow
		ct state established flow add @fast
	}
}
N
expect 0 "offloaded" visit tv $PERMITTED 198.51.100.20 large
# 50 MB are some 1,000 ACKs and more
[ "$(packets inet offload slow)" -lt 100 ] || fail "nothing was offloaded"
cut_and_refused tv 198.51.100.10 198.51.100.20 block.v4
cut_and_refused tv 2001:db8:64::10 2001:db8:64::20 block.v6

step "observe: counted, not refused"
kill "$FLOWGATED"
wait_for 5 "the end of flowgated" gone "$FLOWGATED"
sed 's,// \("mode": "observe"\,\).*,\1,' $R/block.json >"$D/observe.json"
grep -q '^[^/]*"mode": "observe"' "$D/observe.json"
flowgate "$D/observe.json"
expect 0 "observed" visit tablet $FORBIDDEN 198.51.100.10 index.html
expect 0 "observed" visit tablet $FORBIDDEN 2001:db8:64::10 index.html
! elements inet $T block.v4 | grep -q 10.20.0.13 || fail "it is in the set"
