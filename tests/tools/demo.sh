#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Shows Flowgate at work: a device, a gateway and servers in private network
# namespaces; first with a recording of an agent, then with real connections
# that a stand-in agent looks into. Leaves nothing behind.
# shellcheck disable=SC2119
set -eu
# shellcheck source=tests/tools/gateway.sh
. "$(dirname "$0")/gateway.sh"
private "$@"

BLUE='' BOLD='' PLAIN=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	BLUE=$'\e[36m' BOLD=$'\e[1m' PLAIN=$'\e[0m'
fi
BEGAN=$(date +%s%N)
title() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
tell() { # with the seconds since the start
	local ms=$((($(date +%s%N) - BEGAN) / 1000000))

	printf '%s%4d.%d s%s  %s\n' "$BLUE" $((ms / 1000)) $((ms % 1000 / 100)) \
		"$PLAIN" "$*"
}
show() { printf '          %s%s%s\n' "$BLUE" "$*" "$PLAIN"; }

TABLE=flowgate_block
in_set() { # SET: its elements as nft prints them
	nft list set inet $TABLE "$1" | tr '\n' ' ' |
		sed -n 's/.*elements = { *\([^}]*[^} ]\) *}.*/\1/p'
}
blocked() { packets inet $TABLE blocked; }

# try NAME ADDRESS [FILE]: what a browser on the laptop would see
try() {
	local rc=0 time size ms

	visit laptop "$1" "$2" "${3:-index.html}" \
		-w '%{time_total} %{size_download}' >"$D/tried" || rc=$?
	read -r time size <"$D/tried" || true
	ms=$((10#${time/./} / 100)) ms="$((ms / 10)).$((ms % 10)) ms"
	case $rc in
	0) REPLY="works" ;;
	7) REPLY="refused after $ms" ;;
	35 | 55 | 56) REPLY="cut off after $ms and $((size / 1000)) kB" ;;
	*) REPLY="fails (curl says $rc)" ;;
	esac
	return $rc
}

# ----------------------------------------------------------------- the stage

at "building the private network"
device laptop 11
server
content server
for address in 198.51.100.10 198.51.100.20 2001:db8:64::10; do
	(cd "$D/server" && inside server openssl s_server -WWW -quiet \
		-accept "[$address]:443" -key ../key.pem -cert ../cert.pem) \
		>>"$D/server.log" 2>&1 </dev/null &
	listens server $address
done
cat <<END
${BOLD}Flowgate: what the DPI agent detects becomes elements of nftables sets.$PLAIN

    laptop 10.20.0.11 ---- gateway ---- servers 198.51.100.10 and .20
                           stand-in for netifyd, flowgated, nftables

All of it lives in private network namespaces: your network is not touched.
END

at "loading rules/block/block.nft on the gateway"
nft -f rules/block/block.nft
# the recipe remembers an endpoint for a while; here, its end is to be seen
sed 's/"linger": [0-9]*/"linger": 0/' rules/block/block.json >"$D/demo.json"

# ------------------------------------------------------------- a recording

title "1. A recording: an agent says what it saw"
at "starting the stand-in agent and flowgated"
background agent "$B/tests/tools/play-agent" --hang tests/data/demo.stream \
	"unix://$D/agent.sock"
PLAYER=$LAST
wait_for 5 "the agent's socket" test -S "$D/agent.sock"
try www.netflix.com 198.51.100.10 || fail "the server: $REPLY"
tell "Nothing is blocked yet: from the laptop, www.netflix.com $REPLY."
flowgate "$D/demo.json"
tell "flowgated has connected to the agent. Its policy: block Netflix."

at "waiting for the element of the recorded flow"
wait_for 8 "an element in the set block.v4" has_elements 1 inet $TABLE block.v4
tell "The agent says: laptop to 198.51.100.10, tcp port 443, is netify.netflix."
tell "Now the nftables set block.v4 has it, with the time that it has left:"
show "$(in_set block.v4)"

at "sending a packet to it"
before=$(blocked)
try www.netflix.com 198.51.100.10 && fail "the server is still reachable"
[ "$(blocked)" -gt "$before" ] || fail "the rule's counter did not move"
tell "The laptop tries www.netflix.com: $REPLY."
tell "The rule's counter: $before packets before, $(blocked) now."

at "waiting for the agent to say that the flow is gone"
wait_for 12 "the end of the element" is_empty inet $TABLE block.v4
tell "The agent says that the flow has ended, so the set is empty again."
try www.netflix.com 198.51.100.10 || fail "still blocked: $REPLY"
tell "From the laptop, www.netflix.com $REPLY."
kill "$PLAYER"
# or the connection to this one would be taken for that to the next
lost() { ! connected; }
wait_for 15 "the end of the connection to that agent" lost

# -------------------------------------------------------------- real packets

title "2. Real packets: identified, cut off, refused; others untouched"
at "starting the stand-in that looks into packets"
agent
wait_for 15 "flowgated's connection to the new agent" connected
tell "A stand-in for netifyd watches the gateway's LAN, with nDPI."

at "a permitted application"
visit laptop www.example.org 198.51.100.20 large --limit-rate 10M \
	-w '%{size_download}' >"$D/permitted" &
PERMITTED=$!
tell "The laptop starts a long download from www.example.org: permitted."

at "a forbidden application"
try www.netflix.com 198.51.100.10 large && fail "it was not cut off"
tell "It starts one from www.netflix.com: identified by the name in its TLS"
tell "hello, put into the set, $REPLY:"
show "$(in_set block.v4)"
try www.netflix.com 198.51.100.10 && fail "it was not refused"
tell "It tries again: $REPLY."
try www.netflix.com 2001:db8:64::10 large && fail "not cut off over IPv6"
tell "The same over IPv6: $REPLY."

at "waiting for the flows to end"
wait_for 15 "the end of the elements" is_empty inet $TABLE block.v4
wait_for 15 "the end of the elements" is_empty inet $TABLE block.v6
tell "The agent has seen these flows end; the sets are empty again."

at "looking after the permitted download"
wait $PERMITTED || fail "the permitted download failed"
tell "www.example.org was not disturbed: all $(($(cat "$D/permitted") / 1000000)) MB arrived."

title "That was it; nothing is left behind."
cat <<END
Your own: rules/block/README.md (what was used here), README.md (with netifyd).
END
