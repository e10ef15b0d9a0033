#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rules/qos with real packets: DSCP both ways, HTB classes, and rates that show
# bulk yielding to voice; with the map and with connection marks, IPv4 and IPv6,
# with and without address translation.
# shellcheck disable=SC2119
set -eu
# shellcheck source=tests/tools/gateway.sh
. "$(dirname "$0")/../tools/gateway.sh"
private "$@"

R=rules/qos
KBIT=20000
SECONDS_EACH=3

class_bytes() { # INTERFACE CLASS
	tc -s class show dev "$1" |
		awk -v class="1:$2" '/^class/ { mine = $3 == class }
			/Sent/ && mine { print $2 }'
}

# What arrives, by DSCP, on the device and on the server.
watch_dscp() { # MACHINE
	inside "$1" nft -f - <<-'N'
		table inet watch {
			counter ef { }
			counter cs1 { }
			chain input {
				type filter hook input priority 0
				ip dscp ef counter name ef
				ip6 dscp ef counter name ef
				ip dscp cs1 counter name cs1
				ip6 dscp cs1 counter name cs1
			}
		}
	N
}
arrived() { # MACHINE COUNTER
	inside "$1" nft -j list counter inet watch "$2" |
		jq '.nftables[] | .counter // empty | .packets'
}

# Voice and bulk at once, each as fast as it can.
compete() { # VOICE_ADDRESS BULK_ADDRESS
	local voice bulk v0 b0 m c

	step "voice on $1 against bulk on $2"
	for m in laptop server; do
		inside "$m" nft reset counters table inet watch >/dev/null
	done
	v0=$(class_bytes lan0 10) b0=$(class_bytes lan0 40)
	visit laptop meet.zoom.us "$1" large --max-time $SECONDS_EACH \
		-w '%{size_download}' >"$D/voice" &
	visit laptop au.windowsupdate.com "$2" large --max-time $SECONDS_EACH \
		-w '%{size_download}' >"$D/bulk" || true
	wait $! || true
	voice=$(cat "$D/voice") bulk=$(cat "$D/bulk")
	say "  voice $((voice * 8 / SECONDS_EACH / 1000)) kbit/s," \
		"bulk $((bulk * 8 / SECONDS_EACH / 1000)) kbit/s of $KBIT"
	v0=$(($(class_bytes lan0 10) - v0)) b0=$(($(class_bytes lan0 40) - b0))
	say "  class 1:10 $v0 bytes, class 1:40 $b0 bytes"
	[ "$v0" -gt 1000000 ] || fail "voice is not in its class"
	[ "$b0" -gt 50000 ] || fail "bulk is not in its class"
	[ "$voice" -gt $((bulk * 4)) ] || fail "bulk did not yield"
	for m in laptop server; do
		for c in ef cs1; do
			# few: what yields comes in large pieces (GRO)
			[ "$(arrived "$m" $c)" -gt 3 ] || fail "no DSCP $c on $m"
		done
	done
}

run() { # CONFIGURATION
	step "$1"
	"$B/flowgated" -t -P "$B/plugins" -c "$1"
	flowgate "$1"
	compete 198.51.100.10 198.51.100.20
	compete 2001:db8:64::10 2001:db8:64::20
	kill "$FLOWGATED"
	wait_for 5 "the end of flowgated" gone "$FLOWGATED"
}

step "the recipe passes its checks"
device laptop 11
server
web server 198.51.100.10 198.51.100.20 2001:db8:64::10 2001:db8:64::20
watch_dscp laptop
watch_dscp server
nft -c -f $R/qos.nft
nft -f $R/qos.nft
sed 's/"0x20"/"0x2g"/' $R/qos.json >"$D/wrong.json"
! "$B/flowgated" -t -P "$B/plugins" -c "$D/wrong.json" >"$D/said" 2>&1 ||
	fail "a wrong class passes the check"
grep -q 'wrong.json:10:.*0x2g' "$D/said" || fail "$(cat "$D/said")"
tc qdisc add dev lan0 root handle 1: htb 2>/dev/null ||
	skip "this kernel has no HTB"
$R/shape.sh lan0 $KBIT
$R/shape.sh wan0 $KBIT
agent

run $R/qos.json
run $R/qos-ctmark.json
step "with address translation"
masquerade server
run $R/qos.json
run $R/qos-ctmark.json

step "undo"
$R/shape.sh lan0 0
[ "$(tc -j qdisc show dev lan0 | jq -r '.[0].kind')" != htb ] || fail "HTB is still there"
