#!/bin/bash
# shellcheck disable=SC2317 # functions are called by name
# SPDX-License-Identifier: GPL-2.0-or-later
# A reload of flowgated: what goes on being wanted stays in the set all the
# while, whatever of its target changed; what is not wanted any more goes.
. tests/netns/lib.sh

ns_new gw
ns gw nft 'table inet t { set b.v4 { type ipv4_addr . ipv4_addr; flags timeout; }; }' || skip "no nftables in this kernel"
cat >"$TMP/agent.py" <<-'PY'
	import json, socket, sys
	s = socket.socket(socket.AF_UNIX)
	s.bind(sys.argv[1])
	s.listen(5)
	keep = []
	while True:
	    c, _ = s.accept()
	    keep.append(c)
	    for i in range(1, 6):
	        flow = {"digest": "%040x" % i, "ip_version": 4, "ip_protocol": 6, "other_type": "remote",
	                "local_origin": True, "local_ip": "10.0.0.%d" % i, "local_port": 4000,
	                "other_ip": "198.51.100.%d" % i, "other_port": 443, "detected_protocol": 196,
	                "detected_protocol_name": "TLS", "detected_application": 133,
	                "detected_application_name": "netify.netflix", "first_seen_at": 1, "last_seen_at": 2}
	        c.sendall((json.dumps({"flow": flow, "interface": "lan", "internal": True, "type": "flow"}) + "\n").encode())
PY
command -v python3 >/dev/null || skip "needs python3"
bg gw python3 "$TMP/agent.py" "$TMP/agent.sock"
wait_for 5 test -S "$TMP/agent.sock"

config() { # TARGET TTL CRITERIA NEVER
	cat >"$TMP/c.json" <<-JSON
		{ "sources": ["unix://$TMP/agent.sock"], "never": [${4:-}],
		  "targets": { "$1": { "target_type": "nftset", "table_name": "t", "set_name": "b", "set_family": "ipv4",
		               "ttl": $2, "type": ["local_addr", "other_addr"] } },
		  "actions": { "x": { "criteria": "$3", "targets": ["$1"] } } }
	JSON
}
mkdir "$TMP/run"
reloads=0
reload() {
	kill -HUP "$flowgated"
	reloads=$((reloads + 1))
	wait_for 5 bash -c "[ \$(grep -c ': reloaded:' '$TMP/log') = $reloads ]"
}
in_set() { ns gw nft list set inet t b.v4 | grep -o '198.51.100.[0-9]' | sort | tr -d '\n' | sed 's/198.51.100.//g'; }
has_in_set() { [ "$(in_set)" = "$1" ]; }
holds() { # WHAT WANTED
	wait_for 5 has_in_set "$2"
	is "$1" "$(in_set)" "$2"
}

config block 900 '*'
ns gw "$B/flowgated" -c "$TMP/c.json" -P "$B/plugins" -S "$TMP/run/s" 2>"$TMP/log" &
wait_for 5 grep -q connected "$TMP/log"
flowgated=$(ip netns pids "$NS-gw" | while read -r p; do grep -q flowgated "/proc/$p/comm" && echo "$p"; done)
holds "five flows" 12345
ns gw nft monitor elements >"$TMP/monitor" &
# it says nothing when it is ready: but then two listen to group 7, bit 0x40
# shellcheck disable=SC2016 # awk's own
listeners() { [ "$(ns gw awk '$2 == 12 && $4 == "00000040"' /proc/net/netlink | wc -l)" = 2 ]; }
wait_for 5 listeners

config block 600 '*'
reload
holds "another ttl" 12345
config renamed 600 '*'
reload
holds "another name" 12345
is "no element was touched" "$(cat "$TMP/monitor")" ""
config renamed 600 'local_ip == 10.0.0.2 || local_ip == 10.0.0.3'
reload
holds "other criteria" 23
config renamed 600 '*' '"198.51.100.3"'
reload
holds "criteria for all, but one is never listed" 1245
config renamed 600 '*' '"198.51.100.4"'
reload
holds "another never list, the target unchanged" 1235
config renamed 600 '*'
reload
holds "none" 12345
ok "what was wanted all the while was never deleted" sh -c "! grep 'delete.*198.51.100.2 ' '$TMP/monitor'"
config other 600 '*'
sed -i 's/"set_name": "b"/"set_name": "nope"/' "$TMP/c.json"
kill -HUP "$flowgated"
wait_for 5 grep -q 'nope.v4" is missing' "$TMP/log"
holds "another set: the old one is left" ""

# ---------------------------------------------------- a file with an error
elements() { ns gw nft list set inet t b.v4 | tr -d '\n\t' | grep -o '10[.0-9]* . 198[.0-9]* timeout [0-9a-z]*' | sort; }
config block 600 'local_ip == 10.0.0.2 || local_ip == 10.0.0.3'
reload
holds "two again" 23
elements >"$TMP/before"
refused() { # WHAT TARGETS SAID: they are not taken over, and change nothing
	printf '{ "sources": ["unix://%s"], "targets": { %s }, "actions": { "x": { "criteria": "*", "targets": ["block"] } } }\n' \
		"$TMP/agent.sock" "$2" >"$TMP/c.json"
	: >"$TMP/log"
	kill -HUP "$flowgated"
	ok "$1: refused" wait_for 5 grep -q 'not reloaded' "$TMP/log"
	ok "$1: said" grep -qF "$3" "$TMP/log"
	ok "$1: no set is made" sh -c "! ip netns exec $NS-gw nft list table inet own"
	is "$1: no element is touched" "$(elements)" "$(cat "$TMP/before")"
	ns gw nft flush set inet t b.v4
	holds "$1: flushed, they come back" 23
	is "$1: with the settings in force" "$(elements)" "$(cat "$TMP/before")"
}
target() { # NAME SETTINGS: in the same set
	printf '"%s": { "target_type": "nftset", "table_name": "t", "set_name": "b", "set_family": "ipv4", "type": ["local_addr", "other_addr"], %s }' "$1" "$2"
}
own='"own": { "target_type": "nftset", "table_name": "own", "set_name": "o", "managed": true, "type": ["other_addr"] }'
refused "an unknown key" "$(target block '"ttl": 60'), $own, $(target more '"ttl": 60, "lingr": 5')" 'unknown key "lingr"'
refused "another ttl for one set" "$(target block '"ttl": 60, "flush_on_create": true'), $own, $(target more '"ttl": 70, "flush_on_create": true')" \
	'target "more" has the same set as "block", but another "ttl"'
refused "another key for one set" "$(target block '"ttl": 60'), $own, $(target more '"ttl": 60' | sed 's/"other_addr"/"other_port"/')" \
	'set "inet t b.v4" has key ipv4_addr . ipv4_addr'

# --------------------------------------------------- one of two sets is left
config block 600 '*'
sed -i 's/"set_family": "ipv4"/"set_family": "*", "managed": true/' "$TMP/c.json"
reloads=$(grep -c ': reloaded:' "$TMP/log")
reload
ok "a set for IPv6 is made" ns gw nft list set inet t b.v6
config block 600 '*'
reload
ns gw nft flush set inet t b.v4
holds "without IPv6 again: flushed, they come back" 12345

# ------------------------------- two targets, one set; a key the other way round
twice() { # SETTINGS OF block: it and more in one set
	printf '{ "sources": ["unix://%s"], "targets": { %s, %s }, "actions": { "x": { "criteria": "*", "targets": ["block"] }, "y": { "criteria": "%s", "targets": ["more"] } } }\n' \
		"$TMP/agent.sock" "$(target block '"ttl": 600' | sed "$1")" "$(target more '"ttl": 600')" "$2" >"$TMP/c.json"
	reloads=$(grep -c ': reloaded:' "$TMP/log")
	reload
}
count_is() { [ "$(ns gw nft list set inet t b.v4 | grep -o "$1" | wc -l)" = "$2" ]; }
twice '' 'local_ip == 10.0.0.3'
holds "two targets in one set" 12345
twice 's/"local_addr", "other_addr"/"other_addr", "local_addr"/' 'local_ip == 10.0.0.3'
ok "each has keys of its own" wait_for 5 count_is '198.51.100.[1-5] . 10.0.0.[1-5]' 5
ok "the other, too; what nobody wants any more is gone" wait_for 5 count_is '10.0.0.[1-5] . 198.51.100.[1-5]' 1
twice '' 'local_ip == 10.0.0.4'
ok "and back again" wait_for 5 count_is '198.51.100.[1-5] . 10.0.0.[1-5]' 0
holds "all of them" 12345
kill "$flowgated"
wait_for 5 grep -q stopping "$TMP/log"
finish
