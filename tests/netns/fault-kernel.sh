#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a kernel, or somebody else at it, may do to us: answers that are lost, no
# memory, no permission, a table that goes in the middle of a batch, news that
# is lost. See README.md.
# shellcheck disable=SC2317,SC2119 # functions are called by name, some without arguments
. tests/netns/lib.sh
. tests/tools/agent.sh

FLOWS=250
fresh='table inet t { set s.v4 { type ipv4_addr . inet_service; flags timeout; }; set big { type ipv4_addr; }; }'
ns_new gw
ns gw nft "$fresh" || skip "no nftables in this kernel"
config() { # TTL
	cat >"$TMP/c.json" <<-JSON
		{ "sources": ["unix://$TMP/a.sock"],
		  "actions": { "films": { "criteria": "app == 'netify.netflix'", "targets": ["s"] } },
		  "targets": { "s": { "target_type": "nftset", "table_name": "t", "set_name": "s", "set_family": "ipv4",
			"type": ["other_addr", "other_port"], "ttl": $1 } } }
	JSON
}
target() { value ".targets[0] | $1"; }
flows() { # FIRST LAST: of them, each is in force then
	local n
	for ((n = $1; n <= $2; n++)); do
		flow a "$n" "10.0.0.2:$n" "198.51.100.$((n % 250)):$n" "$netflix"
	done
}
count_is() { [ "$(elements | wc -l)" = "$1" ]; }
until_count() {
	wait_for 30 count_is "$2"
	is "$1" "$(elements | wc -l)" "$2"
}
fault() { echo "$*" >"$TMP/fault"; }

fault none
lib=$(shim netlink) || skip "$lib"
config 2
agent a
export FAULT=$TMP/fault
LD_PRELOAD=$lib flowgated
flows 1 50
until_count "in force" 50

# number of errno, and what people see of it
for f in "recv 105 2:every second answer is lost (ENOBUFS)" "send 12 2:every second batch finds no memory (ENOMEM)" \
	"send 11 3:every third finds no room (EAGAIN)" "send 105 1:none is taken (ENOBUFS)" "send 1 1:none is allowed (EPERM)"; do
	echo "# ${f#*:}"
	fault "${f%%:*}"
	flows 51 $FLOWS
	for n in {1..25}; do about a purge "$n"; done
	until_value "all is heard" .flows.live $((FLOWS - 25))
	sleep 0.5
	is "flowgated goes on" "$(ctl version | wc -l)" 1
	case $f in
	*" 1:"*)
		is "and says that not all is well" "$(target '.state != "ok" or .pending > 0')" true
		;;
	esac
	fault none
	until_count "when it is over, all is in force that should be" $((FLOWS - 25))
	until_value "and is said to be" '.targets[0] | [.state, .elements, .pending] | join(" ")' "ok $((FLOWS - 25)) 0"
	sleep 2.2
	is "and stays" "$(elements | wc -l)" $((FLOWS - 25))
	for ((n = 51; n <= FLOWS; n++)); do about a purge "$n"; done
	for n in {1..25}; do flow a "$n" "10.0.0.2:$n" "198.51.100.$((n % 250)):$n" "$netflix"; done
	until_count "all that began ends" 50
done
said "no memory" 'takes nothing now: the kernel is out of memory'
said "no permission" 'not permitted|CAP_NET_ADMIN'
is "said, and not once for each element" "$(test "$(wc -l <"$TMP/c.err")" -lt 60 && echo few)" few
fault "send 1 1"
sleep 3
is "when nothing can be renewed, it runs out: nothing outlives its time" "$(elements | wc -l)" 0
fault none
until_count "and is put back when it can" 50
kill "$gate"
wait_for 10 test ! -e "/proc/$gate"

echo "# a table that goes in mid-batch"
config 600
agent_dies a forgets
ns gw nft "flush ruleset; $fresh"
agent a
flowgated
flows 1 50
until_count "in force" 50
(for _ in {1..40}; do ns gw nft "delete table inet t; $fresh"; done) &
reloads=$!
for ((i = 100; i < 2000; i += 20)); do flows $i $((i + 19)); done
for ((n = 100; n < 1000; n++)); do about a purge "$n"; done
wait "$reloads"
until_value "all is heard" .flows.live 1050
until_count "after forty reloads, in force is what should be" 1050
until_value "and is said to be" '.targets[0] | [.state, .elements, .pending] | join(" ")' "ok 1050 0"
is "that was not its fault" "$(target .errors)" 0

echo "# notifications that are lost"
kill -STOP "$gate"
ns gw nft flush set inet t s.v4
for r in 1 2 3 4 5 6; do
	awk -v r=$r 'BEGIN { printf "add element inet t big {"; for (i = 0; i < 30000; i++) printf "%s10.%d.%d.%d", i ? "," : "", r, i / 250, i % 250; print "}" }'
done >"$TMP/many"
ns gw nft -f "$TMP/many"
kill -CONT "$gate"
until_count "what was flushed meanwhile is back" 1050
kill -STOP "$gate"
ns gw nft delete table inet t
kill -CONT "$gate"
until_value "a table that is gone is said to be missing" '.targets[0].state' missing
kill -TERM "$gate"
ok "stops all the same" wait_for 10 test ! -e "/proc/$gate"

echo "# an older kernel"
ns gw nft "$fresh"
status_has() { # WHAT TEXT
	ok "status says: $1" wait_for 10 sh -c "'$B/flowgatectl' -S '$TMP/c.ctl' status | grep -q '$2'"
}
for k in "all:destroys elements, updates their timeouts" "update:destroys elements, but does not update" \
	"destroy:updates timeouts, but does not destroy" "destroy update:neither destroys elements nor updates"; do
	FLOWGATE_WITHOUT=${k%%:*} flowgated
	status_has "${k%%:*}" "^  nftset *${k#*:}"
	is "and what was tried is gone" "$(ns gw nft list tables)" "table inet t"
	kill -TERM "$gate"
	wait_for 10 test ! -e "/proc/$gate"
done
ns gw nft delete table inet t

echo "# not allowed from the start"
ns gw nft "$fresh"
bg gw setpriv --bounding-set -net_admin --inh-caps -net_admin "$B/flowgated" -c "$TMP/c.json" -S "$TMP/c.ctl" 2>"$TMP/c.err"
said "which capability is needed" 'CAP_NET_ADMIN|ot permitted'
kill $! 2>/dev/null
finish
