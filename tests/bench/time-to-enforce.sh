#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# From the packet with the TLS hello to the first packet that is refused: how long
# it takes, which share is the agent's and which Flowgate's, and how much of a
# download passes before the cut. With rules/block and the DPI stand-in, for
# several of the agent's capture delays (500 ms is netifyd's default).
# shellcheck disable=SC2119
set -eu
# shellcheck source=tests/tools/gateway.sh
. "$(dirname "$0")/../tools/gateway.sh"
private "$@"

ROUNDS=${ROUNDS:-50}
P=$PWD/tests/bench/enforce.py
PORT=20000

stop() {
	kill "$1"
	wait_for 5 "the end of process $1" gone "$1"
}

measure() { # DELAY ADDRESS
	at "measuring with a capture delay of $1 ms, $2"
	agent -o "$1"
	AGENT=$LAST
	rm -f /run/flowgate/* "$D/notes"
	flowgate rules/block/block.json
	background watch python3 "$P" watch "$D/agent.sock" "$D/notes"
	WATCH=$LAST
	wait_for 5 "the watcher" test -e "$D/notes"
	printf '%5s  %-16s' "$1" "$2"
	inside laptop python3 "$P" probe "$2" $PORT "$ROUNDS" "$D/notes" |
		tr -d '\n'
	# each device is blocked once
	for n in 21 22 23 24 25; do
		visit d$n www.netflix.com "$2" large --limit-rate 2M \
			-w '%{size_download}\n' || true
	done | sort -n | awk '{ got[NR] = $1 } END { printf "%9d\n", got[3] / 1000 }'
	stop "$WATCH"
	stop "$FLOWGATED"
	stop "$AGENT"
	nft flush set inet flowgate_block block.v4
	nft flush set inet flowgate_block block.v6
	PORT=$((PORT + ROUNDS))
}

at "building the private network"
device laptop 11
for n in 21 22 23 24 25; do device d$n $n; done
server
web server 198.51.100.10 2001:db8:64::10
nft -f rules/block/block.nft
for a in 198.51.100.10 2001:db8:64::10; do
	(inside server python3 "$P" sink $a $PORT $((ROUNDS * 6))) \
		>>"$D/sink.log" 2>&1 </dev/null &
done

cat <<END
from TLS hello to first packet refused, ms; $ROUNDS connections each
capture                    agent's share   Flowgate's      in all          kB of a 2 MB/s
delay  server                p50     p99     p50     p99     p50     p99   download (p50)
END
for delay in 0 5 500; do
	measure $delay 198.51.100.10
	measure $delay 2001:db8:64::10
done
