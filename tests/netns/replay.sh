#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A recording gives the same ruleset whether it is played for real or dry and
# piped into nft; and, for the project's own recordings, the one in golden/.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.." || exit 1
golden=tests/netns/golden
streams=${FG_STREAMS:-../shared/streams}

# what is the same at any time: no expiry
listing() {
	ns "$1" nft -s list ruleset | sed -E 's/ expires [0-9a-z]+//g'
}

# replay STREAM CONFIG: sets $real and $dry
replay() {
	local n
	for n in real dry; do
		ip netns del "$NS-$n" 2>/dev/null
		ns_new $n
	done
	ns real "$B/flowgated" -S "$TMP/real.sock" -c "$2" -s "file:$1" \
		2>"$TMP/real.log" || return
	"$B/flowgated" -n -c "$2" -s "file:$1" >"$TMP/dry.nft" 2>"$TMP/dry.log" || return
	ns dry nft -f "$TMP/dry.nft" 2>"$TMP/nft.log" || return
	real=$(listing real)
	dry=$(listing dry)
}

# config FILE TYPE...: everything, from every side, into one managed set
config() {
	local file=$1 type
	shift
	type=$(printf '"%s",' "$@")
	cat >"$TMP/$file" <<-EOF
		{ "actions": { "all": { "criteria": "*", "targets": [ "t" ] } },
		  "targets": { "t": { "target_type": "nftset", "table_name": "replay",
		    "set_name": "s", "managed": true, "ttl": 900, "sides": "both",
		    "other_types": "*", "type": [ ${type%,} ] } } }
	EOF
}

config tuple.json local_addr ip_proto other_port other_addr
config sources.json src_addr src_port dst_addr dst_port ip_proto
config devices.json local_mac interface
config endpoint.json other_addr

for stream in tests/data/{demo,v3,v4,v5}.stream; do
	name=$(basename "$stream" .stream)
	for c in tuple sources devices endpoint; do
		if ! replay "$stream" "$TMP/$c.json"; then
			is "$name, $c: can be played" \
				"$(cat "$TMP"/*.log)" "played for real and dry"
			continue
		fi
		is "$name, $c: dry is as for real" "$dry" "$real"
		[ -z "${FG_GOLDEN:-}" ] || echo "$real" >"$golden/replay-$name-$c.nft"
		is "$name, $c: as it was before" "$real" \
			"$(cat "$golden/replay-$name-$c.nft")"
	done
done

if [ -d "$streams" ]; then
	for stream in "$streams"/*.stream; do
		name=$(basename "$stream" .stream)
		if replay "$stream" "$TMP/tuple.json"; then
			is "recording $name: dry is as for real" "$dry" "$real"
		else
			is "recording $name: can be played" \
				"$(cat "$TMP"/*.log)" "played for real and dry"
		fi
	done
else
	echo "recordings skipped: no $streams"
fi
finish
