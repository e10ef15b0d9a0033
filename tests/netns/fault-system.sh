#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the machine may do to us: full disks, no descriptors, clocks that are set,
# a process that is stopped, or ended at any moment, or there twice. See
# README.md.
# shellcheck disable=SC2317,SC2119 # functions are called by name, some without arguments
if [ "${1:-}" != inside ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "needs root, for file systems of its own"
		exit 77
	fi
	exec unshare -m --propagation private "$0" inside
fi
. tests/netns/lib.sh
. tests/tools/agent.sh

fresh='table inet t { set s.v4 { type ipv4_addr . inet_service; flags timeout; }; set r.v4 { type ipv4_addr; flags timeout; }; }'
ns_new gw
ns gw nft "$fresh" || skip "no nftables in this kernel"
config() { # TTL [MORE TARGETS]: $TMP/c.json, of agent a
	cat >"$TMP/${NAME:-c}.json" <<-JSON
		{ "sources": ["unix://$TMP/a.sock"], "timezone": "UTC",
		  "actions": { "films": { "criteria": "app == 'netify.netflix'", "targets": ["s"] ${3:-} } },
		  "targets": { "s": { "target_type": "nftset", "table_name": "t", "set_name": "s", "set_family": "ipv4",
			"type": ["other_addr", "other_port"], "ttl": $1 } ${2:-} } }
	JSON
}
target() { value ".targets[] | select(.name == \"$1\") | $2"; }
flows() { # FIRST LAST
	local n
	for ((n = $1; n <= $2; n++)); do
		flow a "$n" "10.0.0.2:$n" "198.51.100.$((n % 250)):$n" "$netflix"
	done
}
count_is() { [ "$(elements | wc -l)" = "$1" ]; }
until_count() {
	wait_for 20 count_is "$2"
	is "$1" "$(elements | wc -l)" "$2"
}
ends() { # SIGNAL: flowgated; $status
	kill "-$1" "$gate"
	wait_for 10 test ! -e "/proc/$gate"
	is "ends when told to ($1)" "$(test -e "/proc/$gate" || echo gone)" gone
}
one="198.51.100.1 . 1"
agent a

echo "# disks that are full"
mkdir "$TMP/disk" "$TMP/run"
mount -t tmpfs -o size=512k none "$TMP/disk"
mount -t tmpfs -o size=32k none "$TMP/run"
config 60 ', "log": { "target_type": "log", "file": "'"$TMP"'/disk/log" }' # of which nothing is a member yet
sed -i 's/"targets": \["s"\]/"targets": ["s", "log"]/' "$TMP/c.json"
ln -s "$TMP/run/c.ctl" "$TMP/c.ctl"
bg gw "$B/flowgated" -c "$TMP/c.json" -S "$TMP/run/c.ctl" 2>"$TMP/c.err"
gate=$!
wait_for 10 ctl version
dd if=/dev/zero of="$TMP/disk/fill" bs=1k 2>/dev/null
dd if=/dev/zero of="$TMP/run/fill" bs=1k 2>/dev/null
flows 1 200
until_count "elements do not wait for a log that can't be written" 200
said "that the log can't" 'target "log": .*/disk/log: No space left on device; records wait'
is "status has it" "$(target log .state)" "$(target log 'if .state != "ok" then .state else "not ok" end')"
rm "$TMP/disk/fill"
said "that it can again" 'is written to again; records lost: 0'
logged() { [ "$(jq -c .event <"$TMP/disk/log" | wc -l)" = 200 ]; }
ok "and has all of it, in whole lines" wait_for 10 logged
ends TERM
said "that nothing could be handed over" 'is not handed over to the next run: No space left on device'
is "elements stay, each with its end" "$(ns gw nft list set inet t s.v4 | grep -o expires | wc -l)" 200
umount "$TMP/disk"
umount -l "$TMP/run"
rm "$TMP/c.ctl"

echo "# out of descriptors"
agent_dies a forgets
ns gw nft "flush ruleset; $fresh"
agent a
flows 1 1
config 60
: >"$TMP/c.err"
bg gw prlimit --nofile=22 "$B/flowgated" -c "$TMP/c.json" -S "$TMP/c.ctl" 2>"$TMP/c.err"
gate=$!
until_in_force "enough to start" "$one"
for _ in {1..30}; do
	sleep 15 | socat - "UNIX-CONNECT:$TMP/c.ctl" >/dev/null 2>&1 &
	crowd+=($!)
done
said "that there are none" 'control socket: Too many open files'
flows 2 50
until_count "what is connected goes on" 50
agent_dies a
agent a
kill "${crowd[@]}" 2>/dev/null
ok "and what is not is served when there are some again" wait_for 20 ctl version
until_value "a source, too" .sources[0].state connected
flows 51 60
until_count "as before" 60
ends TERM

echo "# clocks that are set"
agent_dies a forgets
ns gw nft "flush ruleset; $fresh"
agent a
flows 1 1
config 60
sed -i 's/"actions": {/"actions": { "noon": { "criteria": "*", "targets": ["r"], "time_of_day": [ { "day": ["mon","tue","wed","thu","fri","sat","sun"], "time_start": "12:00", "time_end": "13:00", "policy": "inclusive" } ] },/; s/"targets": { "s"/"targets": { "r": { "target_type": "nftset", "table_name": "t", "set_name": "r", "set_family": "ipv4", "type": ["other_addr"], "ttl": 60 }, "s"/' "$TMP/c.json"
if lib=$(shim wall); then
	echo 0 >"$TMP/moved"
	WALL=$((20000 * 86400 + 45000)) WALL_MOVED=$TMP/moved LD_PRELOAD=$lib flowgated
	until_in_force "at half past twelve, what is for noon" 198.51.100.1 r.v4
	until_in_force "and what is for always" "$one"
	before=$(target s '[.adds, .deletes] | join(" ")')
	about a stats 1
	for move in "3600::an hour later" "0:198.51.100.1:an hour back" "-3600::another one back" "86400:198.51.100.1:a day on"; do
		echo "${move%%:*}" >"$TMP/moved"
		about a stats 1
		rest=${move#*:}
		until_in_force "${rest#*:}, as the clock has it" "${rest%%:*}" r.v4
	done
	is "nothing else has moved" "$(target s '[.adds, .deletes] | join(" ")')" "$before"
	is "nor has time" "$(value '.uptime_s < 60')" true
	ends TERM
else
	echo "clocks are not set: $lib"
fi

echo "# stopped for a while"
agent_dies a forgets
ns gw nft "flush ruleset; $fresh"
agent a
flows 1 5
config 2
flowgated
until_count "in force" 5
kill -STOP "$gate"
about a purge 1
flows 6 7
wait_for 10 count_is 0
is "what is stopped renews nothing: nothing outlives its time" "$(elements | wc -l)" 0
kill -CONT "$gate"
until_count "afterwards in force is what should be" 6
until_value "as status has it" '.targets[0] | [.state, .elements] | join(" ")' "ok 6"
sleep 2.5
is "and renewed" "$(elements | wc -l)" 6
ends TERM

echo "# ended at any moment"
agent_dies a forgets
mkdir "$TMP/handed"
ended=0 killed=0
config 600
sed -i "s|a.sock|many.sock|; s/app == 'netify.netflix'/*/; s/\"ttl\"/\"other_types\": \"*\", \"sides\": \"both\", \"ttl\"/" "$TMP/c.json"
for i in {1..12}; do
	signal=TERM
	[ $((i % 3)) != 0 ] || signal=KILL
	ns gw nft "flush ruleset; $fresh"
	rm -rf "$TMP/handed"/* "$TMP/many.sock"
	"$B/tests/tools/gen-stream" -f 0 -r 20000 -l 3000 -b 500 -u 20 -U "unix://$TMP/many.sock" >/dev/null 2>&1 &
	stream=$!
	wait_for 5 test -S "$TMP/many.sock"
	ip netns exec "$NS-gw" "$B/flowgated" -c "$TMP/c.json" -S "$TMP/handed/c.ctl" 2>"$TMP/c.err" &
	gate=$!
	wait_for 10 test -S "$TMP/handed/c.ctl"
	sleep "0.$((RANDOM % 9))$((RANDOM % 10))"
	kill -$signal "$gate"
	wait "$gate" 2>/dev/null
	status=$?
	kill "$stream" 2>/dev/null
	wait "$stream" 2>/dev/null
	now=$(elements | wc -l)
	is "$i, $signal after $now elements: each has an end" "$(ns gw nft list set inet t s.v4 | grep -o expires | wc -l)" "$now"
	if [ $signal = KILL ]; then
		killed=$((killed + now))
		continue
	fi
	is "ends well" "$status" 0
	is "what it hands over is what there is" "$(od -An -tu4 -j12 -N4 "$TMP/handed"/*.leases 2>/dev/null | tr -d ' ')" \
		"$(test "$now" = 0 || echo "$now")"
	ended=$((ended + now))
done
ok "some had elements" test "$ended" -gt 1000 -a "$killed" -gt 1000
sed -i 's/"ttl"/"flush_on_destroy": true, "ttl"/' "$TMP/c.json"
"$B/tests/tools/gen-stream" -f 0 -r 20000 -l 3000 -b 500 -u 20 -U "unix://$TMP/many.sock" >/dev/null 2>&1 &
stream=$!
wait_for 5 test -S "$TMP/many.sock"
rm -f "$TMP/handed"/*
ip netns exec "$NS-gw" "$B/flowgated" -c "$TMP/c.json" -S "$TMP/handed/c.ctl" 2>"$TMP/c.err" &
gate=$!
wait_for 10 sh -c "[ \$(ip netns exec $NS-gw nft list set inet t s.v4 | wc -l) -gt 100 ]"
kill "$gate"
wait "$gate"
is "with flush_on_destroy nothing stays" "$? $(elements | wc -l)" "0 0"
kill "$stream" 2>/dev/null
wait "$stream" 2>/dev/null

echo "# two of them"
ns gw nft "flush ruleset; $fresh"
agent a
flows 1 1
config 60
mkdir "$TMP/two"
bg gw "$B/flowgated" -c "$TMP/c.json" -S "$TMP/two/c.ctl" 2>"$TMP/c.err"
gate=$!
until_in_force "the first" "$one"
ns gw "$B/flowgated" -c "$TMP/c.json" -S "$TMP/two/d.ctl" 2>"$TMP/d.err"
is "another one of the same set does not start" $? 1
NAME=d said "whose it is" "set \"inet t s.v4\" is kept by another flowgated \(process $gate\)"
ns gw "$B/flowgated" -c "$TMP/c.json" -S "$TMP/two/c.ctl" 2>"$TMP/d.err"
ok "nor one of the same control socket" test $? != 0
config 60
sed 's/"set_name": "s"/"set_name": "r"/; s/"type": \["other_addr", "other_port"\]/"type": ["other_addr"]/' "$TMP/c.json" >"$TMP/d.json"
bg gw "$B/flowgated" -c "$TMP/d.json" -S "$TMP/two/d.ctl" 2>"$TMP/d.err"
other=$!
until_in_force "one of another set does" 198.51.100.1 r.v4
cp "$TMP/c.json" "$TMP/d.json"
kill -HUP "$other"
NAME=d said "that it does not take the first one's set at a reload either" 'not reloaded: the old configuration stays in force'
is "and both stay in force" "$(elements; elements r.v4)" "$one
198.51.100.1"
kill "$other"
ends TERM
finish
