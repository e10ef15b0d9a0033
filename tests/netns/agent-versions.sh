#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The closed loop with an agent that speaks as each version of netifyd does: a
# connection is identified and refused, and forgotten when it has ended.
# shellcheck disable=SC2119
set -eu
# shellcheck source=tests/tools/gateway.sh
. "$(dirname "$0")/../tools/gateway.sh"
private "$@"

T=flowgate_block

closed_loop() { # DEVICE AGENT_OPTIONS...
	local device=$1 rc=0

	shift
	step "dpi-agent $*"
	agent "$@"
	AGENT=$LAST
	flowgate "$D/block.json"
	visit "$device" www.netflix.com 198.51.100.10 large --limit-rate 2M || rc=$?
	case $rc in
	35 | 55 | 56) ;;
	*) fail "it was not cut off: curl says $rc" ;;
	esac
	wait_for 15 "the end of the element" is_empty inet $T block.v4
	status >"$D/status"
	jq -e '.sources[0].skipped == 0 and .flows.announced > 0 and .flows.purged > 0' \
		<"$D/status" >/dev/null || fail "$(cat "$D/status")"
	kill "$FLOWGATED" "$AGENT"
	wait_for 5 "the end of flowgated" gone "$FLOWGATED"
	wait_for 5 "the end of the agent" gone "$AGENT"
}

step "a gateway with rules/block"
device laptop 11
server
web server 198.51.100.10
nft -f rules/block/block.nft
sed 's/"linger": [0-9]*/"linger": 0/' rules/block/block.json >"$D/block.json"

closed_loop laptop --protocol 3
closed_loop laptop --protocol 3 --established
closed_loop laptop --protocol 4
closed_loop laptop --protocol 5
closed_loop laptop --protocol 5 --drift
closed_loop laptop --protocol 5 --framing bare
closed_loop laptop --protocol 5 --framing lines
