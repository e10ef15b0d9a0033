#!/bin/bash
# shellcheck disable=SC2317 # functions are called by name
# SPDX-License-Identifier: GPL-2.0-or-later
# From run to run: elements stay and are claimed without a gap, or run out; a
# hand-over that is damaged, old, or of another set is not believed; two
# flowgated do not share a set.
. tests/netns/lib.sh

ns_new gw
ns gw nft list ruleset >/dev/null 2>&1 || skip "no nftables in this kernel"
value() { ask "status $1" | sed -n "s/.* $2=\([^ ]*\).*/\1/p"; }
count() { ns gw nft list set inet t "$1" 2>/dev/null | grep -o 'expires' | wc -l; }
left() { ns gw nft list set inet t s.v4 | sed -n "s/.*$1[^,]* expires \([0-9a-z]*\).*/\1/p"; }
export FG_RUNTIME=$TMP/run
mkdir "$FG_RUNTIME"
fresh() {
	ns gw nft -f - <<-'NFT'
		flush ruleset
		table inet t { set s.v4 { type ipv4_addr; flags timeout; }; }
	NFT
}
config() { # SETTINGS
	printf '{"targets":{"s":{"target_type":"nftset","table_name":"t","set_name":"s","set_family":"ipv4","type":["other_addr"],"ttl":%s}}}' "$1" >"$TMP/c.json"
}
flows=("flow f1 local=10.0.0.2:1 other=198.51.100.1:443" "flow f2 local=10.0.0.2:2 other=198.51.100.2:443")

for without in "" "destroy update"; do
	echo "# a kernel without: ${without:-nothing}"
	export FLOWGATE_WITHOUT=$without
	fresh
	config 4
	driver_start nftset "$TMP/c.json" || exit 1
	drive "${flows[@]}" "enter s f1" "enter s f2" flush "until s elements 2"
	is "one owner of a set" "$(ns gw "$B/tests/tools/target-driver" "$B/plugins/nftset.so" "$TMP/c.json" 2>&1 </dev/null | grep -c 'set "inet t s.v4" is kept by another flowgated (process [0-9]*)')" 1
	ok "stops" driver_stop
	is "elements stay" "$(count s.v4)" 2
	has "handed over" "$(ls "$FG_RUNTIME")" .leases

	driver_start nftset "$TMP/c.json" || exit 1
	is "known again" "$(value s elements)" 2
	is "the file is used once" "$(find "$FG_RUNTIME" -name '*.leases' | wc -l)" 0
	drive "${flows[@]}" "enter s f1" flush "until s renewals 1"
	drive "run 4500"
	is "claimed goes on, the other has run out" "$(count s.v4) $(value s elements)" "1 1"
	drive "leave s f1" flush "until s elements 0"
	is "and leaves as any other" "$(count s.v4)" 0
	ok "stops" driver_stop

	# killed: nothing was handed over, and yet there is no gap and no end missing
	driver_start nftset "$TMP/c.json" || exit 1
	drive "${flows[@]}" "enter s f1" "enter s f2" flush "until s elements 2"
	kill -9 "$(ip netns pids "$NS-gw")"
	wait "$driver_pid" 2>/dev/null
	driver_pid=
	is "no element without an end" "$(count s.v4)" 2
	driver_start nftset "$TMP/c.json" || exit 1
	drive "${flows[@]}" "run 2500" "enter s f1" flush "until s elements 1"
	has "an announced flow takes its element over, with all of its time" "$(left 198.51.100.1)" 3s
	wait_for 5 test "$(count s.v4)" = 1
	drive "run 2500"
	is "the other runs out" "$(count s.v4)" 1
	ok "stops" driver_stop
done
unset FLOWGATE_WITHOUT

# what is not believed
again() { # WHAT: after it was done to the file, how many elements are known
	fresh
	config 60
	driver_start nftset "$TMP/c.json" || exit 1
	drive "${flows[@]}" "enter s f1" "enter s f2" flush "until s elements 2"
	driver_stop
	# shellcheck disable=SC2034 # used by what is evaluated
	f=$(find "$FG_RUNTIME" -name '*.leases')
	eval "$2"
	driver_start nftset "$TMP/c.json" || exit 1
	is "$1" "$(value s elements)" "$3"
	driver_stop
}
again "as it was" true 2
# shellcheck disable=SC2016 # expanded in again()
{
	again "a byte changed" 'printf x | dd of="$f" bs=1 seek=90 conv=notrunc 2>/dev/null' 0
	again "cut short" 'truncate -s -3 "$f"' 0
	again "empty" ': >"$f"' 0
	again "grown" 'echo >>"$f"' 0
	again "a link to it" 'mv "$f" "$TMP/x" && ln -s "$TMP/x" "$f"' 0
	again "a FIFO" 'rm "$f" && mkfifo "$f"' 0
	again "writable by others" 'chmod 666 "$f"' 0
	again "the set is another one" 'fresh' 0
	again "a shorter ttl cuts what is left" 'config 2' 2
}
# a directory that cannot be written
export FG_RUNTIME=/proc/nowhere
fresh
config 60
driver_start nftset "$TMP/c.json" || exit 1
drive "${flows[@]}" "enter s f1" flush "until s elements 1"
ok "works without it" driver_stop
has "and says so" "$(cat "$TMP/driver.log")" "cannot be locked, nor handed over"
export FG_RUNTIME=$TMP/run

# flush_on_create, flush_on_destroy
fresh
ns gw nft add element inet t s.v4 '{ 203.0.113.1 timeout 1h }'
config '60,"flush_on_create":true'
driver_start nftset "$TMP/c.json" || exit 1
is "flush_on_create" "$(count s.v4)" 0
ns gw nft add element inet t s.v4 '{ 203.0.113.1 timeout 1h }'
drive "${flows[@]}" "enter s f1" flush "until s elements 1"
driver_stop
is "what is in it stays" "$(count s.v4)" 2
config '60,"flush_on_destroy":true'
driver_start nftset "$TMP/c.json" || exit 1
driver_stop
is "flush_on_destroy" "$(count s.v4)" 0
finish
