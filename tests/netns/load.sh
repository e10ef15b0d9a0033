#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An agent at its top speed: new flows, a fifth of them detected anew, purges in
# bursts, while the firewall is reloaded and clients ask. Nothing is lost, the
# set is what a dry run of the same stream makes of it, memory does not grow, and
# the agent never has to wait. FG_LOAD=SECONDS (20) for how long.
# shellcheck disable=SC2317 # functions are called by name
. tests/netns/lib.sh

seconds=${FG_LOAD:-20}
rate=15000
live=60000
burst=50000
every=$((seconds / 4 < 20 ? seconds / 4 : 20)) # seconds, to the next reload of the firewall
queue=1048576
# other tests run beside the short one: a second or two without a processor
[ "$seconds" -ge 300 ] || queue=$((48 << 20))
stream=(-s 7 -f "$((rate * seconds))" -l "$live" -b "$burst" -u 20 -r "$rate" -R 100000)

fresh='table inet t { set films.v4 { type ipv4_addr . inet_service . ipv4_addr . inet_service; size 262144; flags timeout; }; set all.v4 { type ipv4_addr . inet_service . ipv4_addr . inet_service; size 262144; flags timeout; }; }'
ns_new gw
ns gw nft "$fresh" || skip "no nftables in this kernel"
type='"set_family": "ipv4", "type": ["local_addr", "local_port", "other_addr", "other_port"], "other_types": "*", "sides": "both", "ttl": 600'
cat >"$TMP/c.json" <<-JSON
	{ "sources": ["unix://$TMP/agent.sock"], "limits": { "max_flows": 131072 },
	  "actions": { "all": { "criteria": "*", "targets": ["all"] },
		"films": { "criteria": "app == 'netify.netflix'", "targets": ["films"] } },
	  "targets": { "films": { "target_type": "nftset", "table_name": "t", "set_name": "films", $type },
		"all": { "target_type": "nftset", "table_name": "t", "set_name": "all", $type } } }
JSON
ctl() { "$B/flowgatectl" -S "$TMP/control.sock" "$@"; }
value() { ctl -j status | jq -r "$1"; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$gate/status"; }

bg gw "$B/tests/tools/gen-stream" "${stream[@]}" -U "unix://$TMP/agent.sock" tests/data/v4.stream 2>"$TMP/sent"
ok "an agent" wait_for 10 test -S "$TMP/agent.sock"
bg gw "$B/flowgated" -c "$TMP/c.json" -S "$TMP/control.sock" 2>"$TMP/err"
gate=$!
ok "flowgated" wait_for 10 ctl version
start=$SECONDS
middle=
while [ ! -s "$TMP/sent" ] && [ $((SECONDS - start)) -lt $((seconds * 3 + 60)) ]; do
	ns gw nft "delete table inet t; $fresh"
	for ((i = 0; i < every * 2; i++)); do
		ctl status >"$TMP/polled"
		ctl metrics >>"$TMP/polled"
		ctl flows "local_port == 10000" >>"$TMP/polled"
		sleep 0.5
	done
	# by then everything has had its turn
	[ $((SECONDS - start)) -lt $((seconds / 2)) ] || middle=${middle:-$(rss)}
done
read -r _ messages _ bytes _ ms _ longest _ _ <"$TMP/sent"
echo "# $messages messages, $bytes bytes in $ms ms; the agent's longest queue: $longest bytes"
read_all() { [ "$(value .sources[0].messages)" = "$messages" ]; }
wait_for 30 read_all
is "all that was sent was read" "$(value '.sources[0] | [.messages, .bytes, .skipped, .reconnects] | join(" ")')" \
	"$messages $bytes 0 0"
is "and handled: each flow came, and went or is there" "$(value '.flows | .announced - .purged - .live')" 0
is "none was put out or refused" "$(value '.flows | [.evicted, .refused, .unknown] | join(" ")')" "0 0 0"
settled() { [ "$(value '[.targets[] | .pending] | add')" = 0 ]; }
wait_for 30 settled
after=$(rss)
ok "memory is flat: $middle KiB half way, $after at the end" test "$after" -le $((middle + middle / 20 + 512))
ok "the agent's queue is never longer than $queue" test "$longest" -le "$queue"
is "both targets are well" "$(value '[.targets[] | .state] | join(" ")')" "ok ok"

# before its flows are void, since their agent is gone
ns gw nft -j list set inet t films.v4 | jq -r '.nftables[] | .set // empty | .elem[] | .elem.val.concat | map(tostring) | join(" . ")' |
	sort >"$TMP/is"
all=$(value '.targets[] | select(.name == "all") | .elements')
# the same stream, dry: what is left of its commands is what there should be
"$B/tests/tools/gen-stream" "${stream[@]}" tests/data/v4.stream | "$B/flowgated" -n -c "$TMP/c.json" -s - 2>/dev/null |
	awk '/ films.v4 / { key = $7 " " $8 " " $9 " " $10 " " $11 " " $12 " " $13
		if ($1 == "add") there[key] = 1; else delete there[key] }
	/ all.v4 / { all += $1 == "add" ? 1 : -1 }
	END { for (key in there) print key; print all >"/dev/stderr" }' 2>"$TMP/all" | sort >"$TMP/should"
is "the set is what it should be" "$(diff "$TMP/should" "$TMP/is" | head -n 3)" ""
ok "with many elements: $(wc -l <"$TMP/is")" test "$(wc -l <"$TMP/is")" -gt 1000
is "as many in the other one as there should be" "$all" "$(cat "$TMP/all")"
finish
