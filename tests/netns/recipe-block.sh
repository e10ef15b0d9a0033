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

# expect RESULT WHAT COMMAND...: how curl ends
expect() {
	local result=$1 what=$2 rc=0

	shift 2
	"$@" || rc=$?
	case $result/$rc in
	works/0 | refused/7 | cut/35 | cut/55 | cut/56) ;;
	*) fail "$what is not: $result; curl says $rc" ;;
	esac
}

# The forbidden application for this device, which no-one blocked before.
cut_and_refused() { # DEVICE FORBIDDEN_ADDRESS PERMITTED_ADDRESS SET
	step "$1: $PERMITTED on $3 passes, $FORBIDDEN on $2 is cut off"
	expect works "the permitted one" visit "$1" $PERMITTED "$3" index.html
	expect cut "the forbidden one" visit "$1" $FORBIDDEN "$2" large --limit-rate 2M
	has_elements 1 inet $T "$4" || fail "no element in $4"
	expect refused "the second try" visit "$1" $FORBIDDEN "$2" index.html \
		--max-time 1
	expect works "the permitted one" visit "$1" $PERMITTED "$3" index.html
}

step "the recipe passes its checks"
device laptop 11
device phone 12
device tablet 13
device tv 14
device console 15
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

step "loading the rules again keeps the sets"
nft -f $R/block.nft
has_elements 1 inet $T block.v4 || fail "the set was emptied"
expect refused "it" visit laptop $FORBIDDEN 198.51.100.10 index.html

step "what is on the never list passes"
nft add element inet $T never.v4 '{ 198.51.100.10 }'
expect works "it" visit laptop $FORBIDDEN 198.51.100.10 index.html
nft delete element inet $T never.v4 '{ 198.51.100.10 }'

step "the log has some of the refusals, by the name of the set"
# a packet of each place: what passes the limit, what is refused
sed 's/log prefix "flowgate block: "/& counter name logged/; s/counter blocked { }/&\ncounter logged { }/' \
	$R/block.nft >"$D/logged.nft"
[ "$(grep -c 'limit.*log prefix "flowgate block: " counter name logged$' "$D/logged.nft")" = 1 ] ||
	fail "no limited log rule"
nft -f "$D/logged.nft"
before=$(packets inet $T blocked)
inside laptop python3 - <<-'P'
	import socket
	for n in range(60):
	    with socket.socket() as s:
	        s.settimeout(3)
	        assert s.connect_ex(("198.51.100.10", 443)) != 0
P
[ "$(packets inet $T blocked)" -ge $((before + 60)) ] || fail "not refused"
logged=$(packets inet $T logged)
# 20 at once, then one each six seconds
if [ "$logged" -lt 20 ] || [ "$logged" -gt 30 ]; then
	fail "$logged logged"
fi
nft -f $R/block.nft

step "what is not TCP is answered with ICMP, both ways"
udp_refused() { # MACHINE ADDRESS PORT TO_ADDRESS TO_PORT
	inside "$1" python3 - "${@:2}" <<-'P'
		import errno, socket, sys
		addr, port, to, to_port = sys.argv[1:]
		s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET,
		                  socket.SOCK_DGRAM)
		s.settimeout(3)
		s.bind((addr, int(port)))
		s.connect((to, int(to_port)))
		s.send(b"x")
		try:
		    s.recv(1)
		except OSError as e:
		    sys.exit(e.errno not in (errno.EHOSTUNREACH, errno.EACCES))
		sys.exit(1)
	P
}
nft add element inet $T block.v4 '{ 10.20.0.11 . udp . 9 . 198.51.100.10 }'
nft add element inet $T block.v6 '{ fd20::11 . udp . 9 . 2001:db8:64::10 }'
udp_refused laptop 10.20.0.11 5000 198.51.100.10 9
udp_refused server 198.51.100.10 9 10.20.0.11 5000
udp_refused laptop fd20::11 5000 2001:db8:64::10 9
udp_refused server 2001:db8:64::10 9 fd20::11 5000
[ "$(packets inet $T blocked_back)" -ge 2 ] || fail "nothing counted to the device"

masquerade server
step "with address translation"
cut_and_refused phone 198.51.100.10 198.51.100.20 block.v4
cut_and_refused phone 2001:db8:64::10 2001:db8:64::20 block.v6

step "its conntrack entry is removed, so that no flowtable carries it on"
no_entries() { ! conntrack -L -s 10.20.0.12 -d 198.51.100.10 2>/dev/null | grep -q .; }
# a reset alone leaves it there for ten seconds
wait_for 5 "the end of the conntrack entry" no_entries

flowtable() {
	nft -f - <<-'N'
		table inet fast {
			flowtable ft {
				hook ingress priority 0
				devices = { lan0, wan0 }
			}
			counter slow { }
			chain forward {
				type filter hook forward priority 0
				ip saddr 10.20.0.14 counter name slow
				ct state established flow add @ft
			}
		}
	N
}
if flowtable 2>/dev/null; then
	step "connections in a flowtable are cut off, too"
	expect works "the permitted one" visit tv $PERMITTED 198.51.100.20 large
	# 50 MB are some 1,000 ACKs and more
	[ "$(packets inet fast slow)" -lt 100 ] || fail "nothing was offloaded"
	cut_and_refused tv 198.51.100.10 198.51.100.20 block.v4
	cut_and_refused tv 2001:db8:64::10 2001:db8:64::20 block.v6
else
	say "  not tested: connections in a flowtable; this kernel has none"
fi

step "observe: counted, not refused"
kill "$FLOWGATED"
wait_for 5 "the end of flowgated" gone "$FLOWGATED"
sed 's,// \("mode": "observe"\,\).*,\1,' $R/block.json >"$D/observe.json"
grep -q '^[^/]*"mode": "observe"' "$D/observe.json"
flowgate "$D/observe.json"
expect works "it" visit tablet $FORBIDDEN 198.51.100.10 index.html
expect works "it" visit tablet $FORBIDDEN 2001:db8:64::10 index.html
! elements inet $T block.v4 | grep -q 10.20.0.13 || fail "it is in the set"

step "explain says why a first packet is refused, after the flows"
explains() { "$B/flowgatectl" -S "$D/control.sock" "$@"; }
kill "$FLOWGATED"
wait_for 5 "the end of flowgated" gone "$FLOWGATED"
flowgate $R/block.json
expect cut "the forbidden one" visit tv $FORBIDDEN 198.51.100.20 large --limit-rate 2M
ended() { ! explains flows "local_ip == 10.20.0.14" | grep -q netflix; }
wait_for 15 "the end of the flow" ended
expect refused "the second try" visit tv $FORBIDDEN 198.51.100.20 index.html
explains explain 10.20.0.14 >"$D/explained"
grep -q '^lingering in target block' "$D/explained" || fail "$(cat "$D/explained")"
grep -q '{ 10.20.0.14 . tcp . 443 . 198.51.100.20 }: in the kernel' "$D/explained" ||
	fail "$(cat "$D/explained")"
explains -j explain 10.20.0.14 443 |
	jq -e 'select(.target == "block") | .lingering | length >= 3' >/dev/null ||
	fail "not in JSON"
[ -z "$(explains -j explain 10.20.0.99)" ] || fail "JSON of nothing"

step "as a part of OpenWrt's table fw4"
kill "$FLOWGATED"
wait_for 5 "the end of flowgated" gone "$FLOWGATED"
nft delete table inet $T
T=fw4
# the README's way, and what fw4 makes of it
sed '/^table/d; /^flush/d; /^}/d' $R/block.nft >"$D/10-flowgate.nft"
cat >"$D/fw4.nft" <<N
table inet fw4
flush table inet fw4
table inet fw4 {
	include "$D/10-flowgate.nft"
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname "lan0" accept
	}
}
N
sed 's/"flowgate_block"/"fw4"/' $R/block.json >"$D/fw4.json"
nft -f "$D/fw4.nft"
"$B/flowgated" -t -P "$B/plugins" -c "$D/fw4.json"
flowgate "$D/fw4.json"
cut_and_refused console 198.51.100.10 198.51.100.20 block.v4
cut_and_refused console 2001:db8:64::10 2001:db8:64::20 block.v6
step "and after a reload and a restart of that firewall"
nft -f "$D/fw4.nft"
expect refused "it" visit console $FORBIDDEN 198.51.100.10 index.html
nft delete table inet fw4
nft -f "$D/fw4.nft"
wait_for 2 "an element" has_elements 1 inet fw4 block.v4
expect refused "it" visit console $FORBIDDEN 198.51.100.10 index.html
expect refused "it" visit console $FORBIDDEN 2001:db8:64::10 index.html
