#!/bin/bash
# shellcheck disable=SC2317 # functions are called by name
# SPDX-License-Identifier: GPL-2.0-or-later
# One address serves a blocked and an innocent application: the innocent one
# keeps working, the blocked one does not. The never list always wins. Mirrored
# tuples match both directions. All with packets.
. tests/netns/lib.sh

router
ns gw nft -f - <<-'NFT' || skip "no nftables in this kernel"
	table inet t {
		set end.v4 { type ipv4_addr . inet_service; flags timeout; }
		set tuple.v4 { type ipv4_addr . inet_service . ipv4_addr . inet_service; flags timeout; }
		set local.v4 { type ipv4_addr; flags timeout; }
		set both.v4 { type ipv4_addr . inet_service . ipv4_addr . inet_service; flags timeout; }
		map bothm.v4 { type ipv4_addr . inet_service . ipv4_addr . inet_service : mark; flags timeout; }
		set opened.v4 { type ipv4_addr . inet_proto . ipv4_addr; flags timeout; }
		set opened.v6 { type ipv6_addr . inet_proto . ipv6_addr; flags timeout; }
		chain forward {
			type filter hook forward priority 0;
			ip daddr . th dport @end.v4 counter drop
			ip saddr . th sport . ip daddr . th dport @tuple.v4 counter drop
			ip saddr @local.v4 counter drop
			ip saddr . th sport . ip daddr . th dport @both.v4 counter comment "both"
			ct original ip saddr . ip protocol . ct original ip daddr @opened.v4 counter comment "opened"
			ct original ip6 saddr . meta l4proto . ct original ip6 daddr @opened.v6 counter
			meta mark set ip saddr . th sport . ip daddr . th dport map @bothm.v4
			meta mark 0x10 counter comment "bothm"
		}
		chain nat {
			type nat hook postrouting priority srcnat;
			oifname "wan" masquerade
		}
	}
NFT
echo_server='import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("198.51.100.9", 443))
while True:
    d, a = s.recvfrom(99)
    s.sendto(d, a)'
ping_from='import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("10.0.0.2", int(sys.argv[1])))
s.settimeout(0.3)
s.sendto(b"x", ("198.51.100.9", 443))
s.recvfrom(9)'
bg server python3 -c "$echo_server"
passes() { ns client python3 -c "$ping_from" "$1"; }
drops() { ! passes "$1" 2>/dev/null; }
wait_for 5 passes 4009 || skip "no python3 for packets"
value() { ask "status $1" | sed -n "s/.* $2=\([^ ]*\).*/\1/p"; }
count() { ns gw nft list set inet t "$1" | grep -o 'expires' | wc -l; }

cat >"$TMP/c.json" <<-'JSON'
	{ "target_defaults": { "nftset": { "table_name": "t", "set_family": "ipv4", "ttl": 60 } },
	  "targets": {
		"end": { "target_type": "nftset", "set_name": "end", "type": ["other_addr", "other_port"], "shared": "skip", "else": "tuple" },
		"tuple": { "target_type": "nftset", "set_name": "tuple", "type": ["local_addr", "local_port", "other_addr", "other_port"] },
		"local": { "target_type": "nftset", "set_name": "local", "type": ["local_addr"] },
		"both": { "target_type": "nftset", "set_name": "both", "type": ["local_addr", "local_port", "other_addr", "other_port"], "mirror": true },
		"bothm": { "target_type": "nftset", "set_name": "bothm", "type": ["local_addr", "local_port", "other_addr", "other_port"], "mirror": true, "data": { "mark": "0x10" } },
		"opened": { "target_type": "nftset", "set_name": "opened", "type": ["src_addr", "ip_proto", "dst_addr"] } } }
JSON
driver_start nftset "$TMP/c.json" || exit 1
flow() { echo "flow $1 local=10.0.0.2:$2 other=198.51.100.9:443 proto=udp"; }
settled() { drive flush "run 100" "until end pending 0" "until tuple pending 0"; }

drive "$(flow bad 4001)" "event announced bad" "enter end bad"
settled
is "alone, the endpoint is struck" "$(count end.v4)$(count tuple.v4)" 10
ok "blocked" drops 4001
ok "so is the connection that nobody knows yet" drops 4003

drive "$(flow good 4002)" "event announced good"
settled
is "an innocent flow: the tuple instead" "$(count end.v4)$(count tuple.v4)" 01
ok "the blocked one still is" drops 4001
ok "the innocent one works" passes 4002
is "and it is counted" "$(value end endpoints_shared)$(value end endpoints_moved)" 11

drive "$(flow bad2 4004)" "event announced bad2" "enter end bad2"
settled
is "another one to block: its tuple, too" "$(count end.v4)$(count tuple.v4)" 02
ok "blocked" drops 4004
ok "the innocent one works" passes 4002

drive "leave end bad" "event removed bad"
settled
is "one goes" "$(count end.v4)$(count tuple.v4)" 01
drive "event removed good"
settled
is "the innocent one goes: the endpoint again" "$(count end.v4)$(count tuple.v4)" 10
ok "blocked" drops 4004
ok "blocked before it is known" drops 4005

# one that becomes innocent, and one that stops being so
drive "leave end bad2"
settled
is "reclassified as innocent" "$(count end.v4)$(count tuple.v4)" 00
drive "enter end bad2"
settled
is "and back" "$(count end.v4)$(count tuple.v4)" 10
drive "leave end bad2" "event removed bad2"
settled
is "nothing is left" "$(count end.v4)$(count tuple.v4)$(value end endpoints)" 000
# by two actions at once it is still one flow
drive "event announced bad" "event announced good" "enter end bad action=a" "event removed good"
settled
is "by way of an action" "$(count end.v4)$(count tuple.v4)" 10
drive "leave end bad" "event removed bad"
settled

# the never list
drive "never 198.51.100.9" "enter end bad" "enter tuple bad" "enter local bad"
settled
is "a never-listed server is in no set" "$(count end.v4)$(count tuple.v4)" 00
is "and it is counted" "$(value end left_out_never)$(value tuple left_out_never)" 11
ok "what is never blocked works" drops 4001
drive "leave end bad" "leave tuple bad" "leave local bad" "never 10.0.0.2" "enter tuple bad" "enter local bad"
settled
is "a never-listed host: neither by itself nor as one of a pair" "$(count local.v4)$(count tuple.v4)" 00
drive "leave tuple bad" "leave local bad" "never 0.0.0.0"
settled

# both directions, the server's side of it translated
packets() { ns gw nft list chain inet t forward | sed -n "s/.*packets \([0-9]*\) .*comment \"$1\".*/\1/p"; }
drive "flow bad origin=local" "enter both bad" "enter bothm bad" "enter opened bad" flush \
	"until both elements 2" "until bothm elements 2" "until opened elements 1"
is "mirrored" "$(count both.v4)" 2
is "in a map, with the same data" "$(ns gw nft list map inet t bothm.v4 | grep -o ' : 0x00000010' | wc -l)" 2
ok "it passes" passes 4001
is "both directions were seen: in a mirrored set, a mirrored map, and by who opened it" \
	"$(packets both) $(packets bothm) $(packets opened)" "2 2 2"
ok "another one passes" passes 4002
is "and was not, but by addresses alone" "$(packets both) $(packets bothm) $(packets opened)" "2 2 4"
drive "leave both bad" "leave bothm bad" "leave opened bad" flush "until both elements 0" "until bothm elements 0" "until opened elements 0"
is "and gone together" "$(count both.v4)$(count opened.v4)$(ns gw nft list map inet t bothm.v4 | grep -c expires)" 000
ok "stops" driver_stop
finish
