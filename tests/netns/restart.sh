#!/bin/bash
# shellcheck disable=SC2317,SC2154,SC2119 # functions are called by name, variables are of agent.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A restart of flowgated, while flows go on and their agent says nothing of them
# again: no packet passes that should not, for longer than elements live by
# themselves; and what ends, ends.
. tests/netns/lib.sh
. tests/tools/agent.sh
for c in jq ping python3; do command -v $c >/dev/null || skip "needs $c"; done

router
ns gw nft list ruleset >/dev/null 2>&1 || skip "no nftables in this kernel"
fresh() {
	ns gw nft -f - <<-'NFT'
		flush ruleset
		table inet t {
			set s.v4 { type ipv4_addr . ipv4_addr; flags timeout; }
			chain f {
				type filter hook forward priority filter;
				ip saddr . ip daddr @s.v4 counter name held accept
				ip protocol icmp ip daddr 198.51.100.9 counter name missed accept
			}
			counter held {}
			counter missed {}
		}
	NFT
}
counter() { ns gw nft list counter inet t "$1" | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
counted() { [ "$(counter "$1")" -gt "$2" ]; }
config() { # TTL GRACE [MORE]
	printf '{"sources":[{"name":"a","url":"unix://%s/a.sock"}],"grace":%s,"targets":{"s":{"target_type":"nftset","table_name":"t","set_name":"s","set_family":"ipv4","type":["local_addr","other_addr"],"ttl":%s}},"actions":{"x":{"criteria":"app == \\"netify.netflix\\";","targets":["s"]}}%s}' \
		"$TMP" "$2" "$1" "${3:-}" >"$TMP/c.json"
}
# an agent that has run for so many seconds, when it says so
hello() { say a "{\"type\":\"agent_hello\",\"agent_version\":\"4.4.7\"}"; say a "{\"type\":\"agent_status\",\"agent_version\":\"4.4.7\",\"flow_count\":1,\"uptime\":$1}"; }
# what it said is not said again to whoever connects
forget() { : >"$TMP/a.said"; }
gate_ends() { # SIGNAL
	kill "-$1" "$gate"
	wait_for 20 bash -c "! kill -0 $gate"
}
flow_there() { ctl flows "${1:-true}" | grep -q 198.51.100.9; }
live() { [ "$(value .flows.live)" = "$1" ]; }
state_file() { [ -s "$TMP/c.ctl.flows" ]; }
held='10.0.0.2 . 198.51.100.9'

# begin TTL GRACE [MORE]: one flow in force, as its agent told it
begin() {
	fresh
	config "$@"
	forget
	: >"$TMP/c.err"
	hello 1000
	flow a 1 10.0.0.2:40000 198.51.100.9:443 "$netflix" ',"host_server_name":"www.netflix.com","local_bytes":10,"other_bytes":20,"total_bytes":30'
	flow a 2 10.0.0.3:40000 198.51.100.8:443 "$other"
	[ -e "$TMP/a.pid" ] || agent a
	flowgated
	until_in_force "$what: in force" "$held"
	wait_for 10 live 2
	forget
	hello 1000
}
over() {
	gate_ends TERM
	rm -f "$TMP"/c.ctl.*
}

what="the agent goes on"
begin 4 20
ns client ping -i 0.02 -q 198.51.100.9 >/dev/null 2>&1 &
ping=$!
ok "$what: its packets are held" wait_for 10 counted held 20
ns gw nft reset counter inet t missed >/dev/null
gate_ends TERM
ok "$what: flows are left to the next run" state_file
is "$what: for its eyes only" "$(stat -c %a "$TMP/c.ctl.flows")" 600
flowgated
said "$what: taken over" 'source a: 2 flows of the run before go on'
ok "$what: the file is used once" test ! -e "$TMP/c.ctl.flows"
ok "$what: known before the agent is heard" wait_for 10 flow_there "app == \"netify.netflix\""
said "$what: the agent's age" 'its agent was running all the while'
before=$(counter held)
ends=$((SECONDS + 9)) # more than two lives of an element
samples=0 gaps=0
while [ $SECONDS -lt $ends ]; do
	ns gw nft get element inet t s.v4 "{ $held }" >/dev/null 2>&1 || gaps=$((gaps + 1))
	samples=$((samples + 1))
done
is "$what: the element was there whenever it was looked for" "$gaps" 0
ok "$what: ($samples times)" test "$samples" -gt 5
ok "$what: packets went on" counted held "$before"
is "$what: none was missed" "$(counter missed)" 0
has "$what: explain knows it" "$(ctl explain 10.0.0.2)" www.netflix.com
is "$what: its counters are what they were" "$(ctl -j flows 'app == "netify.netflix"' | head -n 1 | jq -r '"\(.local_bytes) \(.other_bytes)"')" "10 20"
about a purge 1 ',"total_bytes":30'
until_in_force "$what: its purge takes it out" ""
is "$what: which is no purge of an unknown flow" "$(value .flows.unknown)" 0
kill $ping
wait $ping 2>/dev/null
over

what="the agent goes on, beyond grace"
begin 4 2
gate_ends TERM
flowgated
said "$what" 'its agent was running all the while'
ok "$what: a moment" sleep 3
is "$what: in force" "$(elements)" "$held"
# a connection that is lost, of an agent that is not
agent_dies a
said "the connection is lost" 'connection lost'
agent a
wait_for 20 is_value '.sources[0].state' connected
ok "a lost connection: a moment" sleep 3
is "a lost connection of an agent that goes on: in force" "$(elements)" "$held"
over

what="the agent began anew"
begin 60 3
gate_ends TERM
forget
hello 0
flowgated
said "$what: taken over" 'source a: 2 flows of the run before go on'
is "$what: in force within grace" "$(elements)" "$held"
until_in_force "$what: left after it" ""
wait_for 10 live 0
is "$what: nor known" "$(value .flows.live)" 0
over

what="announced again by an agent that began anew"
begin 60 3
gate_ends TERM
forget
hello 0
flow a 1 10.0.0.2:40000 198.51.100.9:443 "$netflix"
flowgated
wait_for 20 live 1
is "$what: in force" "$(elements)" "$held"
over

what="an agent that does not say how old it is"
begin 60 2
gate_ends TERM
forget
say a '{"type":"agent_hello","agent_version":"4.4.7"}'
flowgated
is "$what: in force within grace" "$(elements)" "$held"
until_in_force "$what: left after it" ""
over

what="the agent never comes"
begin 60 2
agent_dies a
gate_ends TERM
flowgated
is "$what: in force within grace" "$(elements)" "$held"
until_in_force "$what: left after it" ""
over

# what is not of any member after the restart, though its flow goes on
what="another configuration"
begin 60 3
gate_ends TERM
sed -i 's/netify.netflix/netify.none/' "$TMP/c.json"
flowgated
said "$what" 'its agent was running all the while'
is "$what: the flows are there" "$(value .flows.live)" 2
until_in_force "$what: the element leaves" ""
over

what="another configuration, stopped before grace was over"
begin 60 20
gate_ends TERM
sed -i 's/netify.netflix/netify.none/; s/"grace":20/"grace":2/' "$TMP/c.json"
flowgated
gate_ends TERM
flowgated
until_in_force "$what" ""
over

what="another configuration, and not all flows are known"
begin 60 2
gate_ends TERM
sed -i 's/netify.netflix/netify.none/' "$TMP/c.json"
printf x | dd of="$TMP/c.ctl.flows" bs=1 seek=400 conv=notrunc 2>/dev/null
flowgated
ok "$what: a moment" sleep 4
is "$what: the element stays" "$(elements)" "$held"
over

# no later than it would have left
what="what lingers"
begin 60 20
gate_ends TERM
sed -i 's/"ttl":60/"ttl":60,"linger":5/' "$TMP/c.json"
flowgated
about a purge 1
wait_for 10 live 1
is "$what: is there" "$(elements)" "$held"
gate_ends TERM
flowgated
is "$what: is there" "$(elements)" "$held"
until_in_force "$what: leaves in its time, not that of elements" ""
over

what="what was done once"
begin 60 20
gate_ends TERM
sed -i 's|"targets":{|&"k":{"target_type":"ctkill"},"l":{"target_type":"log","format":"csv","file":"'"$TMP"'/l"},|; s|"targets":."s".|"targets":["s","k","l"]|' "$TMP/c.json"
rm -f "$TMP/c.ctl.flows"
forget
hello 1000
flow a 1 10.0.0.2:40000 198.51.100.9:443 "$netflix"
flowgated
kill_value() { value '.targets[] | select(.name == "k") | '"$1"; }
killed() { [ "$(kill_value .counters.gone)" = 1 ]; }
ok "$what: ctkill looked for its connection" wait_for 20 killed
gate_ends TERM
forget
hello 1001
flowgated
said "$what" 'source a: 1 flow of the run before goes on'
is "$what: a member of ctkill, whose connection is not looked for again" \
	"$(kill_value '"\(.members) \(.counters.gone) \(.pending)"')" "1 0 0"
is "$what: one line for one flow" "$(wc -l <"$TMP/l")" 1
# as by a reload: for those that were not its members before
what="what another configuration adds is done"
gate_ends TERM
sed -i 's|"targets":{|&"k2":{"target_type":"ctkill"},|; s|"targets":."s",|&"k2",|' "$TMP/c.json"
flowgated
killed2() { [ "$(value '.targets[] | select(.name == "k2") | .counters.gone')" = "$1" ]; }
ok "$what: by a target that is new" wait_for 20 killed2 1
is "$what: and by no other" "$(kill_value '"\(.members) \(.counters.gone) \(.pending)"')" "1 0 0"
is "$what: nor is there another line" "$(wc -l <"$TMP/l")" 1
gate_ends TERM
sed -i 's|"actions":{|&"y":{"criteria":"app == \\"netify.netflix\\";","targets":["k3"]},|; s|"targets":{|&"k3":{"target_type":"ctkill"},|; s|netify.netflix|netify.none|' "$TMP/c.json"
flowgated
ok "$what: a moment" sleep 1
is "$what: no member, nothing done" "$(value '[.targets[] | select(.type == "ctkill") | .counters.gone] | add')" 0
gate_ends TERM
sed -i 's|netify.none|netify.netflix|' "$TMP/c.json"
flowgated
killed3() { [ "$(value '.targets[] | select(.name == "k3") | .counters.gone')" = 1 ]; }
ok "$what: by an action that lets more in" wait_for 20 killed3
over

what="killed"
begin 3 20
gate_ends KILL
ok "$what: nothing is left behind" test ! -e "$TMP/c.ctl.flows"
flowgated
until_in_force "$what: it runs out" ""
over

# not_used WHAT COMMAND REGEX: done to the file, it is not used, and that is said
not_used() {
	what=$1
	begin 60 20 "${4:-}"
	gate_ends TERM
	# shellcheck disable=SC2034 # used by what is evaluated
	f=$TMP/c.ctl.flows
	eval "$2"
	flowgated
	said "$what" "$3"
	is "$what: not known" "$(value .flows.live)" 0
	ok "$what: and gone" test ! -e "$f"
	over
}
# shellcheck disable=SC2016 # expanded in not_used()
{
	not_used "a byte of a flow changed" 'printf x | dd of="$f" bs=1 seek=400 conv=notrunc 2>/dev/null' 'not used: it is damaged'
	not_used "a number changed" 'sed -i "1s/^\(FGFLOWS 1 [0-9a-f]* 0*\)[1-9]/\14/" "$f"' 'not used: it is damaged'
	not_used "a time changed" 'sed -i "1s/^\(FGFLOWS 1 [0-9a-f]* [0-9]* [0-9]* 0*\)[1-9]/\1/" "$f"' 'not used: it is damaged'
	not_used "cut short" 'truncate -s -3 "$f"' 'not used: it is damaged'
	not_used "no such file" 'echo hello >"$f"' 'not used: it is damaged'
	not_used "another version" 'sed -i "1s/^FGFLOWS 1/FGFLOWS 2/" "$f"' 'another version'
	not_used "empty" ': >"$f"' 'no file of ours'
	not_used "a link" 'mv "$f" "$TMP/x" && ln -s "$TMP/x" "$f"' 'no file of ours'
	not_used "a hard link" 'ln "$f" "$TMP/y"' 'no file of ours'
	not_used "a FIFO" 'rm "$f" && mkfifo "$f"' 'no file of ours'
	not_used "another's" 'chown 12345 "$f"' 'no file of ours'
	not_used "others may write" 'chmod 666 "$f"' 'no file of ours'
	not_used "another source" 'sed -i s/\"a\"/\"b\"/ "$TMP/c.json"' 'no such source'
	not_used "another URL" 'sed -i s/a.sock/b.sock/ "$TMP/c.json"' 'no such source'
	not_used "old" 'sleep 3' 'older than limits.flow_idle' ',"limits":{"flow_idle":2}'
}

what="a link in the way"
begin 60 20
echo mine >"$TMP/victim"
ln -s "$TMP/victim" "$TMP/c.ctl.flows.new"
gate_ends TERM
is "$what: is not followed" "$(cat "$TMP/victim")" mine
ok "$what: nor minded" state_file
over

what="nowhere to write"
begin 60 20
mkdir "$TMP/c.ctl.flows.new"
gate_ends TERM
said "$what" 'flows are not left to the next run: .*c.ctl.flows'
rmdir "$TMP/c.ctl.flows.new"
agent_dies a

# FG_FLOWS=N: with so many
flows=${FG_FLOWS:-10000}
what="with $flows flows"
ns gw nft 'flush ruleset; table inet t { set s.v4 { type ipv4_addr . inet_service . ipv4_addr . inet_service; flags timeout; size 262144; }; }'
cat >"$TMP/c.json" <<-JSON
	{ "sources": [{ "name": "a", "url": "unix://$TMP/many.sock" }], "grace": 300, "limits": { "max_flows": 131072 },
	  "actions": { "all": { "criteria": "*", "targets": ["s"] } },
	  "targets": { "s": { "target_type": "nftset", "table_name": "t", "set_name": "s", "set_family": "ipv4", "sides": "both",
		"type": ["local_addr", "local_port", "other_addr", "other_port"], "other_types": "*", "ttl": 600 } } }
JSON
bg gw "$B/tests/tools/gen-stream" -f "$flows" -U "unix://$TMP/many.sock" tests/data/v4.stream >/dev/null 2>&1
wait_for 10 test -S "$TMP/many.sock"
flowgated
many() { wait_for 60 live "$flows" && wait_for 60 is_value '[.targets[] | .pending] | add' 0; }
ok "$what: known, and in force" many
in_force=$(value '.targets[0].elements')
ok "$what: many elements ($in_force)" test "$in_force" -gt $((flows / 4))
from=$(date +%s%N)
gate_ends TERM
stopped=$(date +%s%N)
size=$(stat -c %s "$TMP/c.ctl.flows")
flowgated
from2=$stopped
ok "$what: known again" many
echo "# stop $(((stopped - from) / 1000000)) ms, start $((($(date +%s%N) - from2) / 1000000)) ms, $((size / flows)) bytes a flow"
is "$what: all of their elements" "$(value '.targets[0].elements')" "$in_force"
is "$what: of which the kernel was told nothing" "$(value '.targets[0] | [.adds, .deletes] | join(" ")')" "0 0"
finish
