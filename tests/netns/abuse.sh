#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Somebody behind the gateway opens whatever connections he likes, as many as he
# likes: what he cannot do with that.
# shellcheck disable=SC2317,SC2119 # functions are called by name, some without arguments
. tests/netns/lib.sh
. tests/tools/agent.sh

# flood NAME FIRST LAST LOCAL-PREFIX APPLICATION: flows of LOCAL-PREFIX.0-255
flood() {
	awk -v a="$2" -v b="$3" -v p="$4" -v id="${5%%:*}" -v name="${5#*:}" 'BEGIN {
		url = sprintf("%900s", ""); gsub(/ /, "u", url)
		for (i = a; i <= b; i++)
			printf "{\"flow\":{\"digest\":\"%040x\",\"ip_version\":4,\"ip_protocol\":6,\"local_ip\":\"%s\",\"local_port\":%d,\"local_origin\":true,\"other_ip\":\"203.0.%d.%d\",\"other_port\":443,\"other_type\":\"remote\",\"detected_application\":%d,\"detected_application_name\":\"%s\",\"detected_protocol\":196,\"detected_protocol_name\":\"HTTP/S\",\"host_server_name\":\"h%d.example\",\"http\":{\"url\":\"%s%d\"},\"first_seen_at\":1,\"last_seen_at\":1},\"interface\":\"lan%d\",\"internal\":true,\"established\":false,\"type\":\"flow\"}\n",
				i, p, i % 60000 + 1, i / 256 % 256, i % 256, id ? id : 10000 + i, id ? name : "netify.app" i, i, url, i, i
	}' >>"$TMP/$1.said"
}
announced() { [ "$(value '.flows.announced + .flows.refused')" -ge "$1" ]; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$gate/status"; }

ns_new gw
ns gw ip addr add 10.0.0.1/24 dev lo
ns gw nft add table inet t || skip "no nftables in this kernel"
cat >"$TMP/c.json" <<-JSON
	{ "sources": ["unix://$TMP/a.sock", "unix://$TMP/b.sock"], "grace": 2,
	  "never": ["203.0.113.77", "2001:db8:7::/48"],
	  "limits": { "max_flows": 2000 },
	  "target_defaults": { "nftset": { "table_name": "t", "managed": true, "ttl": 600, "other_types": "*" } },
	  "actions": { "films": { "criteria": "app == 'netify.netflix'", "targets": ["s", "hosts", "locals"] } },
	  "targets": {
		"s": { "target_type": "nftset", "set_name": "s", "type": ["local_addr", "other_addr"] },
		"hosts": { "target_type": "nftset", "set_name": "hosts", "type": ["other_addr"] },
		"locals": { "target_type": "nftset", "set_name": "locals", "set_family": "ipv4", "type": ["src_addr"] },
		"stats": { "target_type": "stats" } } }
JSON
agent a
agent b
flowgated
flow a 1 10.0.0.2:1000 198.51.100.9:443 "$netflix"
flow a 2 10.0.0.2:1001 198.51.100.10:443 "$other"
flow a 3 10.0.0.3:1000 198.51.100.11:443 "$netflix"
until_in_force "two members" "10.0.0.2 . 198.51.100.9 10.0.0.3 . 198.51.100.11"

echo "# memory, and others' flows"
flood a 1001 21000 10.0.0.66 0
ok "a flood of flows, names, interfaces and long texts is read" wait_for 60 announced 20003
before=$(rss)
flood a 21001 61000 10.0.0.66 0
ok "three times as many" wait_for 120 announced 60003
after=$(rss)
ok "take no more memory: $before, then $after KiB" test "$after" -le $((before + 1024))
is "no more flows than there may be" "$(value .flows.live)" 2000
in_set="10.0.0.2 . 198.51.100.9 10.0.0.3 . 198.51.100.11"
until_in_force "members stay members" "$in_set"
is "not one of them was refused or evicted" "$(value '.flows.refused, .targets[0].members' | paste -sd' ')" "0 2"
is "what others have and is no member stays, too" "$(ctl flows 'local_ip == 10.0.0.2' | wc -l)" 2
flow a 2 10.0.0.2:1001 198.51.100.10:443 "$netflix"
until_in_force "so that it is known when it becomes one" "10.0.0.2 . 198.51.100.10 $in_set"
about a purge 2
until_in_force "and leaves" "$in_set"

echo "# members only"
flood a 100001 102500 10.0.0.66 "$netflix"
ok "a flood of members" wait_for 60 announced 62503
is "fills the table" "$(value .flows.live)" 2000
is "and is counted when it is full" "$(value '.flows.refused > 0')" true
elements >"$TMP/elements"
is "without putting any other member out" "$(grep -c '10.0.0.[23] ' "$TMP/elements")" 2
seq 100001 102500 | while read -r n; do about a purge "$n"; done
until_in_force "all leave when they end" "$in_set"

echo "# addresses"
n=200000
for other in 10.0.0.1 127.0.0.1 127.9.9.9 0.0.0.0 255.255.255.255 224.0.0.251 169.254.1.1 203.0.113.77; do
	n=$((n + 1))
	flow a $n 10.0.0.66:1 "$other:443" "$netflix"
	n=$((n + 1))
	flow a $n "$other:1" "198.51.100.66:443" "$netflix"
done
for other in ::1 :: fe80::1 ff02::fb 2001:db8:7::1; do
	n=$((n + 1))
	flow a $n "2001:db8::66:1" "$other:443" "$netflix"
done
# an IPv4 address that would be one of these, written otherwise
for other in ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::10.0.0.1 010.0.0.1 10.0.0.01 10.1 167772161 0x0a000001; do
	n=$((n + 1))
	say a "$(flow_json $n 10.0.0.66:1 "$other:443" "$netflix" | sed 's/"ip_version":6/"ip_version":4/')"
done
n=$((n + 1))
flow a $n 10.0.0.66:1 198.51.100.67:443 "$netflix"
until_in_force "an address as any other, and none that is never to be" "198.51.100.11 198.51.100.66 198.51.100.67 198.51.100.9" hosts.v4
is "nor in IPv6" "$(elements hosts.v6)" ""
is "nor alone, as who began it" "$(elements locals.v4 | paste -sd' ')" "10.0.0.2 10.0.0.3 10.0.0.66"
is "nor as the far end of a pair, or listed, at either" "$(elements | grep -E '( (10.0.0.1|127|0\.|255|224|169)|203.0.113.77)( |$)')" ""
ns gw ip addr add 198.51.100.67/32 dev lo
until_in_force "one that becomes the gateway's leaves" "198.51.100.11 198.51.100.66 198.51.100.9" hosts.v4
ns gw ip addr del 198.51.100.67/32 dev lo
until_in_force "and comes back when it is not any more" "198.51.100.11 198.51.100.66 198.51.100.67 198.51.100.9" hosts.v4
sed -i 's/"203.0.113.77"/"203.0.113.77", "198.51.100.66\/31"/' "$TMP/c.json"
ok "reload, with more that is never to be" ctl reload
until_in_force "they leave" "198.51.100.11 198.51.100.9" hosts.v4
sed -i 's/, "198.51.100.66\/31"//' "$TMP/c.json"
ok "reload, with less" ctl reload
until_in_force "they are back" "198.51.100.11 198.51.100.66 198.51.100.67 198.51.100.9" hosts.v4

echo "# one digest, two sources"
flow b 1 10.0.0.9:1000 198.51.100.99:443 "$netflix"
ok "the same digest is another flow" wait_for 10 sh -c "ip netns exec $NS-gw nft list set inet t hosts.v4 | grep -q 198.51.100.99"
about b purge 1
ok "its end" wait_for 10 sh -c "! ip netns exec $NS-gw nft list set inet t hosts.v4 | grep -q 198.51.100.99"
has "is not that of the first" "$(elements hosts.v4)" 198.51.100.9
agent_dies a forgets
said "that a source was lost" 'source a: connection lost'
replay() { # b says that flow 1 lives, over and over
	about b stats 1 ',"local_bytes":10'
	about b dpi_complete 1
	sleep 0.2
	[ -z "$(elements hosts.v4)" ]
}
ok "a source that goes takes its flows along, whatever another one replays" wait_for 10 replay
is "that is counted" "$(value '.flows.unknown > 0')" true
finish
