#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Reload: by SIGHUP and by the control socket; what changed is opened anew, the
# rest goes on; an error leaves the old configuration in force. And what the
# service manager is told.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
have socat
have jq
have "${CC:-cc}"

"$B/tests/tools/play-agent" -s 0 -H tests/data/v4.stream "unix://$T/agent.sock" >/dev/null 2>&1 &
pids+=($!)
settings() { # TARGETS ACTIONS [MORE]
	config '{"sources": ["unix://'"$T"'/agent.sock"'"${4:-}"'],
  "targets": {'"$1"'}, "actions": {'"$2"'}'"${3:-}"'}'
}
target() { # NAME
	printf '"%s": {"target_type": "sample", "path": "%s/%s"}' "$1" "$T" "$1"
}
all() { # TARGET...
	local IFS=,
	printf '"all": {"criteria": "*", "targets": [%s]}' "$(printf '"%s",' "$@" | sed 's/,$//')"
}
reload() { # WHAT REGEX
	ctl reload >"$T/reply"
	if grep -Eq -- "$2" "$T/reply"; then
		echo "ok: $1"
	else
		failed "$1: does not say: $2" "$T/reply" "$T/err"
	fi
}

# --------------------------------------------- with a service manager to tell
socat -u "UNIX-RECV:$T/notify.sock" "OPEN:$T/notified,creat,append" &
pids+=($!)
wait_for 5 test -S "$T/notify.sock"
settings "$(target a)" "$(all a)"
NOTIFY_SOCKET=$T/notify.sock WATCHDOG_USEC=400000 start -c "$T/config.json"
ok "READY is told" wait_for 5 grep -q '^READY=1' "$T/notified"
ok "the watchdog is fed" wait_for 5 grep -q '^WATCHDOG=1' "$T/notified"
ok "reads" wait_for 20 is_value '.sources[0].messages' 81
ok "the target has it" wait_for 5 grep -q . "$T/a"

# ------------------------------------------------------------- the same again
before=$(stat -c %Y.%i "$T/a")
reload "nothing changed" '^reloaded: 1 source, 1 target \(1 unchanged\), 1 action$'
ok "RELOADING is told" wait_for 5 grep -q '^RELOADING=1' "$T/notified"
ok "with the time" grep -q '^MONOTONIC_USEC=[0-9]' "$T/notified"
ok "the target did not notice" test "$before" = "$(stat -c %Y.%i "$T/a")"
ok "nor the source" is_value '.sources[0] | [.state, .reconnects, .messages] | join(" ")' 'connected 0 81'

# ------------------------------------------------ another target, one no more
settings "$(target a),$(target b)" "$(all a b)"
reload "a second target" '^reloaded: 1 source, 2 targets \(1 unchanged\)'
ok "live flows enter it" wait_for 5 grep -q . "$T/b"
ok "members of both" wait_for 5 is_value '[.targets[].members] | join(" ")' '2 2'
settings "$(target b)" "$(all b)"
reload "the first is no more" '^reloaded: 1 source, 1 target \(1 unchanged\)'
ok "its members left it" wait_for 5 test ! -s "$T/a"
ok "only the second is there" wait_for 5 is_value '[.targets[].name] | join(" ")' b

# ------------------------------------------------------------- another action
settings "$(target b)" '"some": {"criteria": "application == \"youtube\"", "targets": ["b"]}'
reload "another criterion" '^reloaded'
ok "only the difference left" wait_for 5 is_value '.targets[0].members' 1
settings "$(target b)" '"none": {"criteria": "application == \"netflix\"", "targets": ["b"]}'
kill -HUP "$gate"
ok "SIGHUP, too" wait_for 5 is_value '.targets[0].members' 0
settings "$(target b)" "$(all b)"
reload "all again" '^reloaded'
ok "all are members" wait_for 5 is_value '.targets[0].members' 2

# ----------------------------------------------------- errors: the old goes on
cp "$T/config.json" "$T/good.json"
refused() { # WHAT REGEX
	reload "$1: told" "$2"
	ok "$1: first the outcome" grep -q '^error not reloaded: the old configuration stays in force' "$T/reply"
	ok "$1: the old one is in force" is_value '[.targets[] | .name, .members] | join(" ")' 'b 2'
}
settings "$(target b)," "$(all b)"
refused "a syntax error" 'config.json:2:[0-9]+: '
settings "$(target b)" "$(all c)"
refused "an unknown target" 'config.json:2:.*"c"'
settings '"b": {"target_type": "sample"}' "$(all b)"
refused "a target that cannot be opened" 'needs a "path"'
settings "$(target b),$(target c),\"d\": {\"target_type\": \"nothing\"}" "$(all b c)"
refused "a good one and a bad one" 'no plugin has the target type "nothing"'
settings "$(target b)" '"all": {"criteria": "aplication == 1", "targets": ["b"]}'
refused "a wrong expression" 'config.json:2:.*aplication'
rm "$T/config.json"
refused "no file" 'no such file'
cp "$T/good.json" "$T/config.json"
reload "the good one again" '^reloaded: 1 source, 1 target \(1 unchanged\)'

# ------------------------------------------------------------------- sources
settings "$(target b)" "$(all b)" "" ",\"file://$PWD/tests/data/v5.stream\""
reload "a second source" '^reloaded: 2 sources'
ok "is read" wait_for 5 is_value '.sources[1].messages' 84
ok "the first did not notice" is_value '.sources[0].reconnects' 0
live=$(value .flows.live)
cp "$T/good.json" "$T/config.json"
reload "it is no more" '^reloaded: 1 source,'
ok "its flows are left at once" wait_for 5 is_value .flows.live 2
ok "(there were some)" test "$live" -gt 2
settings "$(target b)" "$(all b)" ', "limits": {"max_flows": 1000}'
reload "limits" '"limits" are in force only after a restart'
cp "$T/good.json" "$T/config.json"

# -------------------------------------------------------- many, one at a time
for i in {1..8}; do
	ctl reload >"$T/many.$i" &
	many[i]=$!
done
wait "${many[@]}"
ok "many at once: each is told" test "$(cat "$T"/many.* | grep -c '^reloaded')" = 8
for i in {1..30}; do
	if [ $((i % 2)) = 0 ]; then
		settings "$(target b)" "$(all b)"
	else
		settings "$(target b),$(target e)" "$(all b e)"
	fi
	kill -HUP "$gate"
	ctl reload >/dev/null
done
ok "after many reloads" wait_for 5 is_value '[.targets[] | .name, .members] | join(" ")' 'b 2'
stop
ok "stops as asked" test "$status" = 0
ok "STOPPING is told" wait_for 5 grep -q '^STOPPING=1' "$T/notified"
ok "no sanitizer has anything to say" test -z "$(grep Sanitizer "$T/err")"

# ----------------------------------------------------------- a job that blocks
# A pipe that nobody reads holds it up.
rm -f "$T/b"
mkfifo "$T/b"
mkdir "$T/plugins"
(umask 022 && "${CC:-cc}" -shared -fPIC -Icommon/include -o "$T/plugins/blocking.so" tests/tools/bad-plugins/blocking.c)
cp "$B/plugins/netifyd.so" "$T/plugins/"
chmod 755 "$T" "$T"/plugins "$T"/plugins/*
settings '"b": {"target_type": "blocking", "path": "'"$T"'/b"}' "$(all b)" "" ",\"file://$PWD/tests/data/v5.stream\""
start -c "$T/config.json" -P "$T/plugins"
ok "reading goes on beside a job that is stuck" wait_for 10 is_value '.sources[1].messages' 84
ok "and it is seen" wait_for 5 is_value '.stuck_jobs' 1
ok "the state tells" test "$(value '.targets[0].pending')" = 1
cat "$T/b" >"$T/b.out"
ok "it goes on when it can" grep -q . "$T/b.out"
cat "$T/b" >"$T/b.out" &
reader=$!
ok "nothing pends any more" wait_for 5 is_value '.targets[0].pending' 0
stop
ok "stops as asked" test "$status" = 0
kill "$reader"
wait "$reader"
start -c "$T/config.json" -P "$T/plugins"
wait_for 10 is_value .stuck_jobs 1
stop
ok "a job that is stuck does not keep it from stopping: status" test "$status" = 2
ok "a job that is stuck: said" grep -q 'stopping, though' "$T/err"

finish
