#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# flowgated ends, or is killed, at each point of its talk with the kernel: before
# the first message of it, between that and its answer, and so on to the last.
# shellcheck disable=SC2317 # functions are called by name
. tests/netns/lib.sh
. tests/tools/agent.sh

fresh='table inet t { set s.v4 { type ipv4_addr . inet_service; flags timeout; }; }'
ns_new gw
ns gw nft "$fresh" || skip "no nftables in this kernel"
owners=$(ns gw nft 'table inet o { flags owner; }' 2>/dev/null && echo yes)
lib=$(shim netlink) || skip "$lib"
cat >"$TMP/c.json" <<-JSON
	{ "sources": ["unix://$TMP/a.sock"],
	  "actions": { "films": { "criteria": "app == 'netify.netflix'", "targets": ["s"] } },
	  "targets": { "s": { "target_type": "nftset", "table_name": "t", "set_name": "s", "set_family": "ipv4",
		"type": ["other_addr", "other_port"], "ttl": 60 } } }
JSON
flows() { # FIRST LAST
	local n
	for ((n = $1; n <= $2; n++)); do flow a "$n" "10.0.0.2:$n" "198.51.100.$n:$n" "$netflix"; done
}
count_is() { [ "$(elements | wc -l)" = "$1" ]; }
gone() { ! kill -0 "$gate" 2>/dev/null; }
handed() { od -An -tu4 -j12 -N4 "$TMP"/run/*.leases 2>/dev/null | tr -d ' '; }

mkdir "$TMP/run"
points=0
for signal in 15 9; do
	for call in send recv; do
		for ((n = 1; n <= 40; n++)); do
			agent_dies a forgets
			rm -rf "$TMP"/run/* "$TMP"/run/.[!.]*
			ns gw nft "flush ruleset; $fresh"
			flows 1 20
			agent a
			echo "$call -$signal $n" >"$TMP/fault"
			: >"$TMP/c.err"
			FAULT=$TMP/fault LD_PRELOAD=$lib ip netns exec "$NS-gw" "$B/flowgated" -c "$TMP/c.json" -S "$TMP/run/c.ctl" 2>>"$TMP/c.err" &
			gate=$!
			# some come, some go, until it is over or the point is never reached
			if ! wait_for 2 gone && count_is 20; then
				for ((i = 1; i <= 5; i++)); do about a purge "$i"; done
				flows 21 25
				wait_for 1 gone
			fi
			reached=yes
			gone || { reached= && kill -$signal "$gate"; }
			wait "$gate" 2>/dev/null
			status=$?
			there=$(elements | wc -l)
			where="signal $signal at $call $n, $there elements"
			if [ -n "$owners" ] && ns gw nft list tables | grep -q flowgate-probe; then
				is "$where: the probe's table is gone" no yes
			fi
			[ "$(ns gw nft list set inet t s.v4 | grep -o expires | wc -l)" = "$there" ] ||
				is "$where: each has an end" no yes
			if [ $signal = 15 ]; then
				[ $status = 0 ] || is "$where: status" $status 0
				[ "$(handed)" = "$(test "$there" = 0 || echo "$there")" ] || is "$where: handed over" "$(handed)" "$there"
			fi
			[ -n "$reached" ] || break
			points=$((points + 1))
			# whatever it left, the next one makes of it what should be
			if ((n % 4 == 1)); then
				flows 26 27
				want=$(grep -c '"type":"flow"' "$TMP/a.said")
				want=$((want - $(grep -c flow_purge "$TMP/a.said")))
				bg gw "$B/flowgated" -c "$TMP/c.json" -S "$TMP/run/c.ctl" 2>>"$TMP/c.err"
				gate=$!
				wait_for 20 count_is "$want" || is "$where: afterwards" "$(elements | wc -l)" "$want"
				kill "$gate"
				wait_for 10 gone || is "$where: the next one ends" no yes
			fi
		done
		echo "ok: signal $signal: at each $call of $((n - 1))"
	done
done
ok "there were some: $points" test "$points" -ge 12
finish
