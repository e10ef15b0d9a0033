#!/bin/bash
# shellcheck disable=SC2317 # functions are called by name
# SPDX-License-Identifier: GPL-2.0-or-later
# What others do to the firewall: whatever they take away is back within a
# second of the set being fit again, and the state says what is wrong until then.
. tests/netns/lib.sh

ns_new gw
ns gw nft list ruleset >/dev/null 2>&1 || skip "no nftables in this kernel"
value() { ask "status $1" | sed -n "s/.* $2=\([^ ]*\).*/\1/p"; }
reason() { ask "status $1" | sed -n 's/.* reason="\(.*\)"$/\1/p'; }
count() { ns gw nft list set inet "$1" "$2" 2>/dev/null | grep -o 'expires' | wc -l; }

cat >"$TMP/fw.nft" <<-'NFT'
	table inet fw {
		set b.v4 { type ipv4_addr; flags timeout; }
		chain out { type filter hook output priority 0; ip daddr @b.v4 counter drop; }
	}
NFT
{ echo "flush ruleset"; cat "$TMP/fw.nft"; } >"$TMP/reload.nft"
cat >"$TMP/c.json" <<-'JSON'
	{ "target_defaults": { "nftset": { "ttl": 900, "type": ["other_addr"] } },
	  "targets": {
		"b": { "target_type": "nftset", "table_name": "fw", "set_name": "b", "set_family": "ipv4" },
		"own": { "target_type": "nftset", "table_name": "own", "set_name": "o", "managed": true } } }
JSON
driver_start nftset "$TMP/c.json" -m 200000 || exit 1
within() { drive "until $1 $2 $3 1000"; } # a second

# the firewall is loaded later than flowgated
is "missing at start" "$(value b state)" missing
has "and why" "$(reason b)" 'set "inet fw b.v4" is missing, and so is its table: load the firewall that declares it'
drive "flow f1 local=10.0.0.2:1 other=198.51.100.9:443" "flow f2 local=10.0.0.2:2 other=127.0.0.9:9" \
	"flow f6 local=[fd00::2]:1 other=[fd00::9]:443" \
	"enter b f1" "enter b f2" "enter own f1" "enter own f6" flush "until own elements 2"
ns gw nft -f "$TMP/fw.nft"
within b state ok
within b elements 2
is "loaded later than flowgated" "$(count fw b.v4)" 2

ns gw nft flush set inet fw b.v4
within b taken 2
within b pending 0
is "after nft flush set" "$(count fw b.v4)" 2

ns gw nft delete element inet fw b.v4 '{ 198.51.100.9 }'
within b taken 3
within b pending 0
is "after nft delete element" "$(count fw b.v4)" 2

ns gw nft flush ruleset
within b state missing
is "after nft flush ruleset, it is said to be missing" "$(value b elements)" 0
within own elements 2
is "what is managed is made again" "$(count own o.v4)$(count own o.v6)" 11

ns gw nft 'table inet fw { set b.v4 { type ipv4_addr . inet_service; flags timeout; }; }'
within b state unfit
has "another key type" "$(reason b)" 'has key ipv4_addr . inet_service, "type" [other_addr] makes ipv4_addr'
ns gw nft delete table inet fw
ns gw nft -f "$TMP/fw.nft"
within b state ok
within b elements 2
is "and the right one again" "$(count fw b.v4)" 2

before=$(value b rebuilds)
ns gw nft -f "$TMP/reload.nft"
within b rebuilds $((before + 1))
within b pending 0
within own elements 2
is "after a reload of all of it in one transaction" "$(count fw b.v4)$(count own o.v4)" 21

# traffic while the firewall is reloaded, again and again
blocked() { ! ns gw bash -c 'echo x >/dev/udp/127.0.0.9/9' 2>/dev/null; }
ok "the rule drops" blocked
for i in 1 2 3 4 5; do
	before=$(value b rebuilds)
	ns gw nft -f "$TMP/reload.nft"
	within b rebuilds $((before + 1))
	within b pending 0
	ok "and again after reload $i" blocked
done

# 100,000 of them
drive "crowd b enter 0 100000" flush "until b elements 100002 10000" "until b pending 0 10000"
is "a crowd" "$(value b elements)" 100002
before=$(value b rebuilds)
ns gw nft -f "$TMP/reload.nft"
start=$(date +%s%N)
drive "until b rebuilds $((before + 1)) 3000" "until b pending 0 3000"
took=$((($(date +%s%N) - start) / 1000000))
echo "# 100,000 elements put back in $took ms"
ok "all are back within three seconds" test "$took" -lt 3000
there() { ns gw nft get element inet fw b.v4 "{ $1 }"; }
for a in 100.64.0.0 100.64.39.16 100.65.134.159; do ok "$a is one of them" there $a; done

# more news than there is room for: 100,000 deletions while nobody listens
pid=$(ip netns pids "$NS-gw")
lose_news() {
	kill -STOP "$pid"
	ns gw nft flush set inet fw b.v4
	kill -CONT "$pid"
	drive "run 100"
}
# the first time all are sent again at once, from then on not before a while
for _ in {1..5}; do
	lose_news
	[ "$(value b state)" != checking ] || break
done
is "while nobody knows what is in it, it is said" "$(value b state)" checking
has "and why" "$(reason b)" 'others changed nftables faster than could be followed: all elements of set "inet fw b.v4"'
some=(198.51.100.9 100.64.0.0 100.64.39.16 100.65.134.159)
all_there() { for a in "${some[@]}"; do there "$a" >/dev/null 2>&1 || return; done; }
for _ in {1..60}; do
	drive "run 100" "until b pending 0 5000"
	all_there && break
done
for a in "${some[@]}"; do ok "$a is back after news was lost" there "$a"; done

# under load nobody listens; what others do is noticed all the same
drive "crowd b leave 0 50000"
ns gw nft delete element inet fw b.v4 '{ 198.51.100.9 }'
drive "crowd b leave 50000 50000" flush
drive "run 2500" "until b pending 0"
ok "what is taken under load is back" there 198.51.100.9
is "nothing else is" "$(count fw b.v4)" 2
ok "stops" driver_stop

# a set is never read: that takes the kernel a time that grows with its square
ns gw nft -f "$TMP/reload.nft"
export FLOWGATE_DEBUG=netlink
driver_start nftset "$TMP/c.json" || exit 1
drive "flow f1 local=10.0.0.2:1 other=198.51.100.9:443" "enter b f1" "enter own f1" flush "until b elements 1"
ns gw nft flush set inet fw b.v4
within b taken 1
within b state ok
ns gw nft flush ruleset
within b state missing
ns gw nft -f "$TMP/fw.nft"
within b state ok
within b elements 1
ok "stops" driver_stop
is "one element was asked for: the probe's" "$(grep -c '^| 02573 |' "$TMP/driver.log")" 1
finish
