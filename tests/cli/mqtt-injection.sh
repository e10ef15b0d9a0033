#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Names that would like to be something else, over a broker: in messages, from a
# probe to a gateway; in topics, of probes that anybody may claim to be.
# shellcheck disable=SC2317,SC2119 # functions are called by name
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
[ -e "$B/plugins/mqtt.so" ] || skip "built without the plugin mqtt"
# shellcheck source=tests/tools/broker.sh
. "$(dirname "$0")/../tools/broker.sh"
have python3
have socat

hostile=tests/tools/hostile.py
clean() { # WHAT KIND FILE: and how much of it there is
	local n
	if n=$(python3 $hostile check "$2" "$3" 2>&1); then
		echo "ok: $1 ($n)"
	else
		failed "$1: $n"
	fi
}
python3 $hostile stream >"$T/hostile.stream"
socat "UNIX-LISTEN:$T/agent.sock,fork" "SYSTEM:cat $T/hostile.stream; sleep 1000" 2>/dev/null &
pids+=($!)
wait_for 10 test -S "$T/agent.sock"
broker
listen

# ------------------------------------------------------------------- a gateway
config '{"sources": [{"url": "mqtt://127.0.0.1:'"$mqtt"'", "name": "hq"}],
  "targets": {"list": {"target_type": "sample", "path": "'"$T"'/list"}, "log": {"target_type": "log", "file": "'"$T"'/log.json"}},
  "actions": {"all": {"criteria": "*", "targets": ["list", "log"]}}}'
start -l debug -c "$T/config.json"
ok "the gateway listens" wait_for 40 is_value '.sources[0].state' connected

# ------------------------------------------------------------------- a probe
printf '%s\n' '{"sources": [{"url": "unix://'"$T"'/agent.sock", "name": "la n/+/#"}],
  "targets": {"tell": {"target_type": "mqtt", "url": "mqtt://127.0.0.1:'"$mqtt"'", "site": "a/b #+"}},
  "actions": {"all": {"criteria": "*", "targets": ["tell"]}}}' >"$T/probe.json"
"$B/flowgated" -S "$T/probe.sock" -c "$T/probe.json" >"$T/probe" 2>&1 &
pids+=($!)
live() { "$B/flowgatectl" -S "$1" -j status | jq .flows.live; }
same() { [ "$(live "$T/probe.sock")" -gt 50 ] && [ "$(live "$T/probe.sock")" = "$(live "$T/control.sock")" ]; }
ok "what the probe knows, the gateway does" wait_for 40 same

# a name of our own is one level; one message or more in a publish, each in its line
topic='flowgate/a_b __/la n____/flows'
sed -n "s|^$topic {|{|; /^{/p" "$T/heard" >"$T/payloads"
clean "what is published is JSON, one a line" lines "$T/payloads"
ok "and nothing on other topics" test -z "$(grep -v "^$topic {\|^{\|^flowgate/a_b __/state online$\|^flowgate/test here$\|^$" "$T/heard")"

# topics of whoever may publish
for name in $'\u202egnp' $'\u2028x' '"} 1 flowgate_flows 666' '<script>' '@SUM(1)' '`reboot`' '$(reboot)' '%s%n'; do
	head -n 1 "$T/payloads" | mosquitto_pub -h 127.0.0.1 -p "$mqtt" -q 1 -t "flowgate/$name/lan/flows" -s 2>/dev/null
done
# of eight, the first two are no names
ok "probes of odd names" wait_for 20 is_value '.sources | length' 8

out() { "$B/flowgatectl" -S "$T/control.sock" "$@" >"$T/reply" 2>&1; }
for c in status targets flows "explain 198.51.100.9" "top -b -n 1"; do
	# shellcheck disable=SC2086 # words
	out $c
	clean "flowgatectl $c" text "$T/reply"
done
out -j status
clean "flowgatectl -j status" json "$T/reply"
out -j flows
clean "flowgatectl -j flows" lines "$T/reply"
out metrics
clean "flowgatectl metrics" prometheus "$T/reply"
ok "has the odd ones" grep -qF 'source="hq/\"} 1 flowgate_flows 666/lan"' "$T/reply"
clean "log" lines "$T/log.json"
clean "standard error" text "$T/err"
clean "the probe's" text "$T/probe"

"$B/flowgated" -n -c "$T/probe.json" -s "file://$T/hostile.stream" >"$T/dry" 2>"$T/dry.err"
clean "-n" text "$T/dry"
ok "are comments to nft" test -z "$(grep -v '^#' "$T/dry")"
finish
