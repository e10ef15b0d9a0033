#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The control socket: every command as text and JSON, rude and slow clients,
# who may ask, and another flowgated that has it already.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
have socat
have jq

config '{"sources": ["unix://'"$T"'/agent.sock"],
  "targets": {"list": {"target_type": "sample", "path": "'"$T"'/list"}},
  "actions": {"all": {"criteria": "*", "targets": ["list"]},
              "video": {"criteria": "application == \"facebook\"", "targets": ["list"]}}}'
"$B/tests/tools/play-agent" -s 0 -H tests/data/v4.stream "unix://$T/agent.sock" >/dev/null 2>&1 &
pids+=($!)
start -c "$T/config.json"
ok "reads" wait_for 20 is_value '.sources[0].messages' 81

reply() { # WHAT REGEX REQUEST: the reply has it
	ctl "$3" >"$T/reply"
	if grep -Eq -- "$2" "$T/reply"; then
		echo "ok: $1"
	else
		failed "$1: does not say: $2" "$T/reply"
	fi
}
json() { # WHAT FILTER REQUEST: the reply's body fits
	ctl "-j $3" >"$T/reply"
	if [ "$(head -n 1 "$T/reply")" = ok ] && tail -n +2 "$T/reply" | jq -es "$2" >/dev/null; then
		echo "ok: $1"
	else
		failed "$1: $2" "$T/reply"
	fi
}

reply "status" '^flowgated .*, pid [0-9]+, up 0 d' status
json "status: the stable keys" '.[0] | has("version") and has("uptime_s") and has("pid") and
	(.sources[0] | has("name") and has("url") and .state == "connected" and .agent == "4.4.7" and
	 .messages == 81 and .bytes == 51197 and .skipped == 0 and .reconnects == 0) and
	(.flows | .live == 2 and .peak == 20 and .announced == 20 and has("updated") and
	 .purged == 18 and has("unknown") and has("evicted")) and
	(.targets[0] | .name == "list" and .type == "sample" and .members == 2 and .elements == 1 and
	 has("adds") and has("deletes") and has("renewals") and has("errors") and has("rebuilds") and
	 .state == "ok" and .reason == "")' status
json "status: the pid is right" ".[0].pid == $gate" status
json "targets" '.[0][0] | .name == "list" and has("counters")' targets
reply "targets" '^ *list +sample +ok ' targets
reply "flows" 'netify.youtube .*www.youtube.com -> list' flows
json "flows" 'length == 2 and .[0].members[0].target == "list"' flows
reply "flows by expression" 'youtube' 'flows application == "youtube"'
json "flows by expression: only those" 'length == 1' 'flows application == "youtube"'
json "flows: none" 'length == 0' 'flows application == "netflix"'
reply "flows: a wrong expression" '^error .*aplication' 'flows aplication == 1'
reply "one is one" '1 element .* 0 errors$' targets
reply "explain" 'in target list, by action all' 'explain 203.0.113.2'
reply "explain: why not" 'video: ' 'explain 203.0.113.2'
json "explain" 'length == 2 and (.[0].members[0].action == "all") and (.[0].policy | length > 1)' 'explain 203.0.113.2'
json "explain with a port" 'length == 1 and .[0].flow.local_port == 34826' 'explain 10.99.1.2 34826'
json "explain: nobody" 'length == 0' 'explain 192.0.2.9'
reply "explain what?" '^error explain what' explain
reply "explain: no address" '^error "x" is no IPv4 or IPv6 address' 'explain x'
reply "explain: no port" '^error "0" is no port' 'explain ::1 0'
reply "metrics" '^flowgate_source_messages_total\{source="agent"\} 81$' metrics
ok "metrics: each family once, with help" test "$(grep -c '^# TYPE' "$T/reply")" = "$(grep '^# TYPE' "$T/reply" | sort -u | wc -l)"
reply "version" '^flowgated [0-9]' version
json "version" '.[0].abi == "1.1"' version
reply "help" '^explain ' help
reply "reload" '^reloaded: 1 source, 1 target \(1 unchanged\), 2 actions' reload
reply "an unknown command" '^error unknown command "stats": did you mean "status"' stats
reply "an empty line" '^error no command' ''
reply "too many arguments" '^error "status" takes no arguments' 'status now'
ok "control characters are not echoed" test -z "$(ctl $'\e[31mred' | tr -d '[:print:]\n')"

# --------------------------------------------------------------- rude clients
ok "a line too long" grep -q '^error a request is one line' <(head -c 5000 /dev/zero | tr '\0' x | socat -t 5 - "UNIX-CONNECT:$T/control.sock")
printf 'status' | socat -t 1 - "UNIX-CONNECT:$T/control.sock" >"$T/reply"
ok "half a line and the end: no reply" test ! -s "$T/reply"
for i in {1..40}; do
	socat -u "UNIX-CONNECT:$T/control.sock" - >"$T/many.$i" &
	many[i]=$!
done
wait_for 10 grep -lq 'busy' "$T"/many.*
ok "many that say nothing: the rest is told" grep -q '^error busy: 32 clients ask already' "$T"/many.*
"$B/flowgatectl" -S "$T/control.sock" status >"$T/out.ctl" 2>&1
ok "and flowgatectl's status is 2" test $? = 2
ok "and it says so" grep -qx 'flowgatectl: busy: 32 clients ask already: try again' "$T/out.ctl"
ok "not for long: who says nothing has to go" wait_for 20 "$B/flowgatectl" -S "$T/control.sock" status
kill "${many[@]}" 2>/dev/null
ok "and afterwards it answers again" wait_for 10 is_value .flows.live 2
# A client that does not read: its pieces wait, nobody else does.
socat -u "UNIX-CONNECT:$T/control.sock" SYSTEM:'sleep 60' >/dev/null 2>&1 &
pids+=($!)
ok "a slow client holds up nobody" is_value .flows.live 2

# ----------------------------------------------------------------- who may ask
ok "mode 0660" test "$(stat -c %a "$T/control.sock")" = 660
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$T"
	ok "another user may not" bash -c "! echo status | setpriv --reuid 12345 --regid 12345 --clear-groups socat - UNIX-CONNECT:$T/control.sock"
	chmod 666 "$T/control.sock"
	ok "not even when the mode lets it" grep -q '^error user 12345 may not ask' \
		<(echo status | setpriv --reuid 12345 --regid 12345 --clear-groups socat -t 5 - "UNIX-CONNECT:$T/control.sock")
	chmod 660 "$T/control.sock"
	chgrp 12346 "$T/control.sock"
	ok "the group of the socket may" grep -q '^ok' \
		<(echo status | setpriv --reuid 12345 --regid 12345 --groups 12346 socat -t 5 - "UNIX-CONNECT:$T/control.sock")
fi

# ------------------------------------------------------- following, reloading
socat -t 30 - "UNIX-CONNECT:$T/control.sock" >"$T/followed" < <(echo '-j flows -f'; sleep 30) &
pids+=($!)
wait_for 5 grep -q ok "$T/followed"
kill "${pids[0]}" # the agent
wait_for 10 is_value ".sources[0].state" lost
"$B/tests/tools/play-agent" -s 0 -H tests/data/v4.stream "unix://$T/agent.sock" >/dev/null 2>&1 &
pids+=($!)
ok "followers hear of flows" wait_for 20 grep -q '"event":"announced".*facebook' "$T/followed"
for i in {1..30}; do
	"$B/flowgatectl" -S "$T/control.sock" flows -f >"$T/follow.$i" 2>&1 &
	many[i]=$!
	pids+=($!)
done
ok "many that follow: the rest is told" wait_for 10 grep -qx 'flowgatectl: busy: 24 clients follow already: end one' "$T"/follow.*
ok "and those that only ask are answered" "$B/flowgatectl" -S "$T/control.sock" status
kill "${many[@]}" 2>/dev/null
ok "and each line is an object" bash -c "tail -n +2 '$T/followed' | head -n 5 | jq -e .event"

# ----------------------------------------------------------- another flowgated
cp "$T/err" "$T/err.first"
gate -c "$T/config.json" -S "$T/control.sock"
ok "another is refused: status" test "$status" = 2
ok "another is refused: sentence" grep -q "another flowgated runs with the control socket $T/control.sock" "$T/err"
ok "the first goes on" is_value '.targets[0].name' list
stop
ok "stops as asked" test "$status" = 0
ok "its socket is gone" test ! -e "$T/control.sock"

start -c "$T/config.json"
kill -9 "$gate"
wait "$gate" 2>/dev/null
ok "a stale socket is left by kill -9" test -S "$T/control.sock"
start -c "$T/config.json"
ok "and taken over" wait_for 10 is_value '.targets[0].name' list
stop

# ------------------------------------------------------- one that takes nobody
start -c "$T/config.json"
kill -STOP "$gate"
for i in {1..24}; do
	socat -u "UNIX-CONNECT:$T/control.sock" - >/dev/null 2>&1 &
	pids+=($!)
done
wait_for 10 bash -c "[ \$(ss -xH src '$T/control.sock' | wc -l) -ge 17 ]"
"$B/flowgatectl" -S "$T/control.sock" status >"$T/out.ctl" 2>&1
ok "a queue that is full: status 2" test $? = 2
ok "a queue that is full: not for ever" grep -q 'takes no connections: is it stuck?' "$T/out.ctl"
kill -CONT "$gate"
stop

# ------------------------------------- protocols by name, with no /etc/protocols
sed 's/"ip_protocol":6,/"ip_protocol":2,/' tests/data/v4.stream >"$T/igmp.stream"
"$B/tests/tools/play-agent" -s 0 -H "$T/igmp.stream" "unix://$T/igmp.sock" >/dev/null 2>&1 &
pids+=($!)
start -c "$T/config.json" -s "unix://$T/igmp.sock"
ok "reads that, too" wait_for 20 is_value '.sources[0].messages' 81
reply "protocols have names" ' igmp netify.youtube' flows
stop

echo precious >"$T/file"
gate -c "$T/config.json" -S "$T/file"
ok "a file of that name is left alone" grep -q precious "$T/file"
ok "and said" grep -q 'there is a file of that name' "$T/err"

finish
