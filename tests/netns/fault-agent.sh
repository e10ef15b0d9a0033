#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What an agent may do to us: die, hang, restart, become another, say things
# twice, late, early, against each other, or without an end. See README.md.
# shellcheck disable=SC2317,SC2119 # functions are called by name, some without arguments
. tests/netns/lib.sh
. tests/tools/agent.sh

ns_new gw
ns gw nft 'add table inet t; add set inet t s.v4 { type ipv4_addr . inet_service; flags timeout; }' ||
	skip "no nftables in this kernel"
config() { # FLOW_IDLE GRACE TTL
	cat >"$TMP/c.json" <<-JSON
		{ "sources": ["unix://$TMP/a.sock"], "grace": $2, "limits": { "flow_idle": $1 },
		  "actions": { "films": { "criteria": "app == 'netify.netflix'", "targets": ["s"] } },
		  "targets": { "s": { "target_type": "nftset", "table_name": "t", "set_name": "s", "set_family": "ipv4",
			"type": ["other_addr", "other_port"], "ttl": $3 } } }
	JSON
}
target() { value ".targets[0] | $1"; }
one="198.51.100.1 . 443" two="198.51.100.2 . 443"
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$gate/status"; }

echo "# dies, and restarts"
config 3600 3 2
agent a
flow a 1 10.0.0.2:1 198.51.100.1:443 "$netflix"
flow a 2 10.0.0.2:2 198.51.100.2:443 "$netflix"
flowgated
until_in_force "two in force" "$one $two"
adds=$(target .adds)
agent_dies a forgets
said "that it is gone, and what follows" 'connection lost: the agent closed it; its flows stay in force for 3 s'
is "what is in force stays in force" "$(elements | paste -sd' ')" "$one $two"
agent a
flow a 1 10.0.0.2:1 198.51.100.1:443 "$netflix"
said "that it is back" 'connected to unix://'
until_in_force "what it does not announce again is left, after grace" "$one"
is "what it does has never been away" "$(target '[.adds, .deletes] | join(" ")')" "$adds 1"
sleep 2.5
until_in_force "and is renewed" "$one"
agent_dies a forgets
until_in_force "when it stays away all are left" ""

echo "# comes back as another version"
for v in v3 v4 v5; do
	agent_dies a forgets
	cat "tests/data/$v.stream" >"$TMP/a.said"
	agent a
	version=$(grep -ao '"agent_version":[^,]*' "$TMP/a.said" | head -n 1 | tr -dc 0-9.)
	until_value "$v is known for what it is" .sources[0].agent "$version"
done
is "nothing of them was skipped" "$(value .sources[0].skipped)" 0

echo "# twice, early, late, and against each other"
agent_dies a forgets
until_in_force "none left" ""
agent a
for _ in {1..50}; do flow a 1 10.0.0.2:1 198.51.100.1:443 "$netflix"; done
until_in_force "said fifty times, one element" "$one"
for _ in {1..5}; do about a purge 1; done
until_in_force "ended five times, it is gone once" ""
about a stats 3 ',"local_bytes":5'
about a purge 2
about a dpi_complete 2
flow a 2 10.0.0.2:2 198.51.100.2:443 "$netflix"
until_in_force "after an end of what was not begun, it begins" "$two"
flow a 2 10.0.0.2:2 198.51.100.1:443 "$netflix"
until_in_force "the same flow, other addresses: as said last" "$one"
flow a 2 10.0.0.2:2 198.51.100.1:443 "$other"
until_in_force "no more of that application" ""
flow a 2 10.0.0.2:2 198.51.100.1:443 "$netflix" ',"ip_version":6'
flow a 3 10.0.0.2:2 198.51.100.1:443 "$netflix" ',"ip_version":9,"ip_protocol":999,"local_port":-1'
flow a 1 10.0.0.2:1 198.51.100.1:443 "$netflix"
say a '{"flow":null,"type":"flow"}'
say a '{"flow":{"digest":null,"local_ip":[]},"type":"flow_purge"}'
say a '{"type":["flow"],"flow":{"digest":"xyz"}}'
say a '[{"type":"flow"}]'
say a '{"flow":{"digest":"0000000000000000000000000000000000000001","local_ip":7,"other_port":"x","detected_application":{}},"type":"flow_dpi_update"}'
flow a 4 10.0.0.2:4 198.51.100.2:443 "$netflix"
until_in_force "of what makes no sense only what does" "$one $two"
for n in 1 2 3 4; do about a purge $n; done
until_in_force "and all of it ends" ""
until_value "as status has it" '.targets[0] | [.members, .elements, .state] | join(" ")' "0 0 ok"

echo "# 1 GB without a newline"
before=$(rss)
agent_dies a forgets
rm -f "$TMP/a.sock"
cat >"$TMP/giant.sh" <<-SH
	printf '{"flow": "'
	head -c 1000000000 /dev/zero
	printf '\n%s\n' '$(flow_json 1 10.0.0.2:1 198.51.100.1:443 "$netflix")'
	exec sleep 1000
SH
setsid socat -b 262144 "UNIX-LISTEN:$TMP/a.sock,unlink-close=0" "EXEC:sh $TMP/giant.sh" 2>/dev/null &
echo $! >"$TMP/a.pid"
disown
wait_for 60 in_force "$one"
until_in_force "is read past" "$one"
after=$(rss)
ok "in as much memory as before: $before, then $after KiB" test "$after" -le $((before + 256))
said "that it was skipped" 'skipped [0-9]+ bytes'
kill "$gate"
agent_dies a forgets
wait_for 10 test ! -e "/proc/$gate"

echo "# hangs"
config 3 3 2
ns gw nft flush set inet t s.v4
agent a
: >"$TMP/a.said"
flow a 1 10.0.0.2:1 198.51.100.1:443 "$netflix"
flow a 2 10.0.0.2:2 198.51.100.2:443 "$netflix"
flowgated
until_in_force "two in force" "$one $two"
alive() { about a stats 1 ',"local_bytes":1'; in_force "$one"; }
wait_for 15 alive
is "what is mentioned stays, what is not is left in time" "$(elements | paste -sd' ')" "$one"
until_in_force "and when nothing is mentioned, all is" ""
is "the connection is as it was" "$(value '.sources[0] | [.state, .reconnects] | join(" ")')" "connected 0"
is "and it is counted" "$(ctl metrics | sed -n 's/^flowgate_flows_idle_total //p')" 2
finish
