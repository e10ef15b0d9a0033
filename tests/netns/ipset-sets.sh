#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Members of ipsets: each type, holders, times, a set that is flushed,
# destroyed or missing, one that is full, and what is refused.
# shellcheck disable=SC2317 # functions are called by name
. tests/netns/lib.sh
command -v ipset >/dev/null || skip "needs the ipset tool"

ns_new gw
ns gw ipset create probe hash:ip 2>/dev/null || skip "no ipset in this kernel (ip_set)"
ns gw ipset destroy probe

members() { # the set's elements without their times, sorted, on a line
	ns gw ipset list "$1" 2>/dev/null | sed '1,/^Members:/d; s/ timeout [0-9]*//' | LC_ALL=C sort | paste -sd' '
}
timeout_of() { # timeout_of SET ELEMENT
	ns gw ipset list "$1" | sed -n "s/^$2 timeout \([0-9]*\).*/\1/p"
}

cat >"$TMP/c.json" <<-JSON
	{ "target_defaults": { "ipset": { "managed": true } },
	  "targets": {
		"block": { "target_type": "ipset", "set_name": "block", "type": "hash:ip,port,ip", "ttl": 600 },
		"hosts": { "target_type": "ipset", "set_name": "hosts", "type": "hash:ip", "fields": [ "local_addr" ], "set_family": "ipv4" },
		"ports": { "target_type": "ipset", "set_name": "ports", "type": "hash:ip,port", "set_family": "ipv4", "linger": 1 },
		"marks": { "target_type": "ipset", "set_name": "marks", "type": "hash:ip", "set_family": "ipv4",
			   "skb_mark": "0x1f0", "skb_mask": "0xff0", "skb_prio": "1:1a", "skb_queue": 3 },
		"small": { "target_type": "ipset", "set_name": "small", "type": "hash:ip", "set_family": "ipv4", "max_elements": 1 },
		"gone": { "target_type": "ipset", "set_name": "later", "type": "hash:ip", "set_family": "ipv4", "managed": false, "ttl": 60, "flush_on_destroy": true }
	} }
JSON
driver_start ipset "$TMP/c.json" || exit 1
is "managed sets are made" "$(ns gw ipset list -n | LC_ALL=C sort | paste -sd' ')" \
	"block.v4 block.v6 hosts.v4 marks.v4 ports.v4 small.v4"
has "with their types" "$(ns gw ipset list block.v6)" "hash:ip,port,ip"
has "and family" "$(ns gw ipset list block.v6)" "family inet6"

drive "flow a proto=tcp local=10.0.0.2:4001 other=198.51.100.9:443" \
	"flow b proto=tcp local=10.0.0.2:4002 other=198.51.100.9:443" \
	"flow six proto=udp local=[fd00:1::2]:4001 other=[fd00:2::9]:443" \
	"flow esp proto=50 local=10.0.0.3 other=198.51.100.9" \
	"flow c proto=tcp local=10.0.0.4:4002 other=198.51.100.10:443"
drive "enter block a" "enter block b" "enter block six" "enter hosts a" "enter ports a" "enter marks a" flush
is "address, port, address" "$(members block.v4)" "198.51.100.9,tcp:443,10.0.0.2"
is "IPv6" "$(members block.v6)" "fd00:2::9,udp:443,fd00:1::2"
is "fields of one's own" "$(members hosts.v4)" "10.0.0.2"
is "address and port" "$(members ports.v4)" "198.51.100.9,tcp:443"
is "mark, class and queue" "$(members marks.v4)" "198.51.100.9 skbmark 0x1f0/0xff0 skbprio 1:1a skbqueue 3"
t=$(timeout_of block.v4 198.51.100.9,tcp:443,10.0.0.2)
ok "with a time to live" test "${t:-0}" -gt 590 -a "${t:-0}" -le 600
drive "leave block a" flush
is "held by another flow it stays" "$(members block.v4)" "198.51.100.9,tcp:443,10.0.0.2"
is "each counter once, for both sets" "$(ask "status block" | grep -o ' leases=[0-9]*')" " leases=2"
has "explain asks the kernel" "$(ask "explain block b")" "in the set, held by 1 flow"
drive "leave block b" flush
is "without a holder it goes" "$(members block.v4)" ""
has "as explain says" "$(ask "explain block b")" "not in the set"
drive "enter block esp" flush
is "a protocol without ports" "$(members block.v4)" "198.51.100.9,esp:0,10.0.0.3"

drive "leave ports a" flush
is "with linger it stays for a while" "$(members ports.v4)" "198.51.100.9,tcp:443"
has "and explain tells" "$(ask "lingering ports 198.51.100.9")" "198.51.100.9,tcp:443: in the set, held by 0 flows, lingers for "
is "for its address only" "$(ask "lingering ports 198.51.100.8
echo none")" none
drive "until ports elements 0"
is "and then goes" "$(members ports.v4)" ""

drive "enter small a" "enter small c" flush
is "a set that is full" "$(members small.v4)" "198.51.100.9"
has "is not ok" "$(ask "status small")" " state=full "
has "and says so" "$(cat "$TMP/driver.log")" "raise its maxelem"
drive "leave small a" flush "until small state ok"
is "when there is room, the one that waited is put in" "$(members small.v4)" "198.51.100.10"

ns gw ipset flush block.v4
drive "until block rebuilds 1"
is "flushed by others, it is filled again" "$(members block.v4)" "198.51.100.9,esp:0,10.0.0.3"
ns gw ipset destroy block.v4
drive "until block rebuilds 2" "until block pending 0"
is "destroyed by others, it is made again" "$(members block.v4)" "198.51.100.9,esp:0,10.0.0.3"
ns gw ipset del block.v4 198.51.100.9,esp:0,10.0.0.3
drive "leave block esp" flush
has "deleting what is gone is no error" "$(ask "status block")" " errors=0 "

has "a set that is missing" "$(ask "status gone")" " state=missing "
has "what to do" "$(ask "status gone")" 'set "managed": true'
drive "enter gone a" flush
ns gw ipset create later.v4 hash:ip
drive "until gone state unfit"
has "one that does not fit" "$(ask "status gone")" "has no timeouts"
ns gw ipset destroy later.v4
ns gw ipset create later.v4 hash:ip timeout 5
drive "until gone elements 1"
is "when it comes, it is filled" "$(members later.v4)" "198.51.100.9"
t=$(timeout_of later.v4 198.51.100.9)
ok "with the target's time, not the set's" test "${t:-0}" -gt 50

drive "never 198.51.100.10" "flow e proto=tcp local=10.0.0.2:5 other=198.51.100.10:443" "enter block e" flush
is "nothing on the never list" "$(members block.v4)" ""

drive "flow w internal=0 proto=tcp local=10.0.0.2:5 other=198.51.100.11:443" "enter block w" \
	"flow m other_type=3 proto=udp local=10.0.0.2:5 other=224.0.0.1:443" "enter block m" flush
is "nor what is seen on the WAN, or is multicast" "$(members block.v4)" ""
has "which is counted" "$(ask "status block")" " left_out_side=1 left_out_other_type=1 "

# a burst of several batches, with its end in the same breath
for ((i = 1; i <= 300; i++)); do
	echo "flow n$i proto=tcp local=10.0.0.2:1 other=203.0.$((i / 250)).$((i % 250 + 1)):443"
	echo "enter hosts n$i"
	echo "enter marks n$i"
done >"$TMP/lines"
mapfile -t lines <"$TMP/lines"
drive "${lines[@]}" flush
is "many" "$(members marks.v4 | wc -w)" $((301 * 7))
for ((i = 1; i <= 300; i++)); do echo "leave marks n$i"; done >"$TMP/lines"
mapfile -t lines <"$TMP/lines"
drive "${lines[@]}" flush
is "and gone" "$(members marks.v4 | wc -w)" 7
driver_stop
is "the driver has nothing to complain about" $? 0
is "at stop, elements stay" "$(members hosts.v4)" "10.0.0.2"
is "unless they are to be flushed" "$(members later.v4)" ""

# renewed before it runs out
echo '{ "targets": { "x": { "target_type": "ipset", "set_name": "short", "type": "hash:ip", "set_family": "ipv4", "managed": true, "ttl": 2 } } }' >"$TMP/short.json"
driver_start ipset "$TMP/short.json" || exit 1
drive "flow a local=10.0.0.2:1 other=198.51.100.9:443" "enter x a" flush "until x renewals 3"
is "while it is held it is renewed" "$(members short.v4)" "198.51.100.9"
driver_stop

driver_start ipset "$TMP/short.json" -n || exit 1
echo "flow a local=10.0.0.2:1 other=198.51.100.10:443" >&"$driver_in"
echo "enter x a" >&"$driver_in"
is "a dry run prints it" "$(ask flush)" "# ipset -exist add short.v4 198.51.100.10 timeout 2"
driver_stop
is "and leaves the kernel alone" "$(members short.v4 | grep -c 198.51.100.10)" 0

refused() { # refused "what" TARGET_JSON PART
	printf '{ "targets": { "x": %s } }\n' "$2" >"$TMP/bad.json"
	has "$1" "$(ns gw "$B/tests/tools/target-driver" -t "$B/plugins/ipset.so" "$TMP/bad.json" 2>&1 </dev/null)" "$3"
}
refused "hash:net" '{ "target_type": "ipset", "set_name": "x", "type": "hash:net" }' 'a flow has single addresses: use "hash:ip"'
refused "a typo in the type" '{ "target_type": "ipset", "set_name": "x", "type": "hash:ip,prot" }' 'did you mean "hash:ip,port"?'
refused "no name" '{ "target_type": "ipset" }' '"set_name" is missing'
refused "a name that is too long" '{ "target_type": "ipset", "set_name": "abcdefghijklmnopqrstuvwxyz012" }' 'at most 28 characters'
refused "fields of another type" '{ "target_type": "ipset", "set_name": "x", "type": "hash:ip", "fields": [ "local_port" ] }' '"hash:ip" has other fields'
refused "a field with a typo" '{ "target_type": "ipset", "set_name": "x", "type": "hash:ip", "fields": [ "local_adr" ] }' 'did you mean "local_addr"?'
refused "a class that is none" '{ "target_type": "ipset", "set_name": "x", "skb_prio": "high" }' 'is not a class such as "1:10"'
refused "a mask alone" '{ "target_type": "ipset", "set_name": "x", "skb_mask": 1 }' '"skb_mask" without "skb_mark"'
refused "the wrong type in the kernel" '{ "target_type": "ipset", "set_name": "hosts", "set_family": "ipv4", "type": "hash:ip,port" }' 'ipset "hosts.v4" is hash:ip, "type" wants hash:ip,port'
refused "a set that is not there" '{ "target_type": "ipset", "set_name": "nowhere", "type": "hash:ip" }' 'there is no such set'

if ns gw ipset create m hash:mac timeout 0 2>/dev/null; then
	echo '{ "targets": { "x": { "target_type": "ipset", "set_name": "m", "type": "hash:mac" } } }' >"$TMP/mac.json"
	driver_start ipset "$TMP/mac.json" || exit 1
	drive "flow a local=10.0.0.2:1 other=198.51.100.9:443 local_mac=02:00:00:00:00:01" \
		"flow b local=[fd00:1::2]:1 other=[fd00:2::9]:443 local_mac=02:00:00:00:00:01" \
		"enter x a" "enter x b" "leave x a" flush
	is "one element for both versions" "$(members m)" "02:00:00:00:00:01"
	driver_stop
else
	echo "skipped: no hash:mac in this kernel"
	refused "a type that the kernel lacks" '{ "target_type": "ipset", "set_name": "m", "type": "hash:mac" }' 'there is no such set'
fi
out=$(ns gw setpriv --bounding-set -net_admin --inh-caps -net_admin "$B/tests/tools/target-driver" "$B/plugins/ipset.so" "$TMP/short.json" 2>&1 <<<"status x")
has "without the right to: it says so" "$out" "run flowgated with CAP_NET_ADMIN"

finish
