#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sources: connect, lose, connect again; several at once; what an agent that
# misbehaves does; and that not one byte is ever sent to an agent.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
have socat
have jq

agent=$B/tests/tools/play-agent
stream=tests/data/v4.stream
settings() { # SOURCES: a configuration that reads them
	config '{"sources": '"$1"', "grace": 1,
  "targets": {"list": {"target_type": "sample", "path": "'"$T"'/list"}},
  "actions": {"all": {"criteria": "*", "targets": ["list"]}}}'
}
play() { # URL ARGUMENTS...: an agent in the background; $agent_pid
	local url=$1
	shift
	"$agent" -s 0 -H "$@" "$stream" "$url" >/dev/null 2>&1 &
	agent_pid=$!
	pids+=("$agent_pid")
}
end_agent() {
	kill "$agent_pid"
	wait "$agent_pid" 2>/dev/null
}
count_said() { # REGEX: lines of the log
	grep -cE -- "$1" "$T/err"
}

# ------------------------------------------------- unix: before, while, after
settings '["unix://'"$T"'/agent.sock"]'
start -c "$T/config.json"
ok "said why it cannot connect" wait_for 5 grep -q 'cannot connect to .*there is no such socket' "$T/err"
ok "state while there is none" is_value '.sources[0].state' connecting
sleep 1.5 # several tries
ok "said once, not at every try" test "$(count_said 'cannot connect')" = 1
play "unix://$T/agent.sock"
ok "connects when there is one" wait_for 20 is_value '.sources[0].messages' 81
ok "state, version of the agent" is_value '.sources[0] | [.state, .agent] | join(" ")' 'connected 4.4.7'
ok "flows are live" is_value .flows.live 2
end_agent
ok "the loss is said" wait_for 5 grep -q 'connection lost: the agent closed it' "$T/err"
ok "flows stay for the grace period" is_value .flows.live 2
ok "and are left after it" wait_for 10 is_value .flows.live 0
ok "the target was told" is_value '.targets[0].elements' 0
play "unix://$T/agent.sock"
ok "connects again" wait_for 30 is_value '.sources[0].reconnects' 1
ok "and reads all of it" wait_for 5 is_value '.sources[0].messages' 162
stop
ok "stops as asked" test "$status" = 0
end_agent

# ------------------------------------- a restarted agent that announces again
settings '["unix://'"$T"'/agent.sock"]'
play "unix://$T/agent.sock"
start -c "$T/config.json"
ok "reads" wait_for 20 is_value '.sources[0].messages' 81
end_agent
play "unix://$T/agent.sock"
ok "reconnects" wait_for 30 is_value '.sources[0].messages' 162
sleep 1.5 # beyond grace
ok "flows that were announced again stay" is_value .flows.live 2
stop
end_agent

# ------------------------------------------------------------ tcp, several
port=$((20000 + $$ % 20000))
settings '["tcp://127.0.0.1:'$port'", {"url": "tcp://localhost:'$((port + 1))'", "name": "second"}]'
play "tcp://127.0.0.1:$port"
first=$agent_pid
play "tcp://127.0.0.1:$((port + 1))"
start -c "$T/config.json"
ok "both are read" wait_for 30 is_value '[.sources[].messages] | add' 162
ok "by address and by name" is_value '[.sources[].state] | unique | join(" ")' connected
ok "each has flows of its own" is_value .flows.live 4
ok "names" is_value '[.sources[].name] | join(" ")' "127.0.0.1:$port second"
stop
kill "$first" "$agent_pid"
if [ -e /proc/sys/net/ipv6/conf/lo/disable_ipv6 ] && [ "$(cat /proc/sys/net/ipv6/conf/lo/disable_ipv6)" = 0 ]; then
	settings '["tcp://[::1]:'$port'"]'
	play "tcp://[::1]:$port"
	start -c "$T/config.json"
	ok "an IPv6 literal" wait_for 20 is_value '.sources[0].messages' 81
	stop
	end_agent
else
	echo "no IPv6 on lo: the literal is not tried"
fi
settings '["tcp://no-such-host.invalid:7150"]'
start -c "$T/config.json"
ok "a name that there is not" wait_for 20 grep -q 'cannot find the address of "no-such-host.invalid"' "$T/err"
stop
settings '["tcp://127.0.0.1:'$((port + 2))'"]'
start -c "$T/config.json"
ok "a port where nobody listens" wait_for 20 grep -q 'nobody listens there' "$T/err"
stop

# ----------------------------- never a byte to the agent, never a half-close
socat -u "UNIX-LISTEN:$T/quiet.sock" "CREATE:$T/heard" &
pids+=($!)
wait_for 10 test -S "$T/quiet.sock"
settings '["unix://'"$T"'/quiet.sock"]'
start -c "$T/config.json"
ok "connected to a silent agent" wait_for 20 is_value '.sources[0].state' connected
sleep 0.5
ok "still connected" is_value '.sources[0] | [.state, .reconnects] | join(" ")' 'connected 0'
ok "not a byte was sent" test ! -s "$T/heard"
stop

# --------------------- an agent that hangs up at once is not called all the time
socat "UNIX-LISTEN:$T/rude.sock,fork" "SYSTEM:echo >>$T/calls" &
pids+=($!)
wait_for 10 test -S "$T/rude.sock"
settings '["unix://'"$T"'/rude.sock"]'
start -c "$T/config.json"
wait_for 20 test -s "$T/calls"
sleep 4
# at 0, 0.25, 0.75, 1.75 and 3.75 s, or a quarter earlier
ok "calls less and less often" test "$(wc -l <"$T/calls")" -le 6
stop

# ------------------------------------------------- bad streams: what follows
bad() { # WHAT FILE: nothing but the good stream at its end is read
	cat "$2" "$stream" >"$T/bad.stream"
	gate -c "$T/config.json" -s "file://$T/bad.stream"
	if [ "$status" = 0 ] &&
		grep -Eq 'bad.stream: (81|82) messages, [0-9]+ bytes, [1-9][0-9]* skipped' "$T/err"; then
		echo "ok: $1"
	else
		failed "$1" "$T/err"
	fi
}
printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' >"$T/b"
bad "begins with HTTP" "$T/b"
printf '{"length": 99999999999}\n' >"$T/b"
bad "a length beyond all" "$T/b"
printf '{"length": -1}\n' >"$T/b"
bad "a negative length" "$T/b"
head -c 2097152 /dev/zero | tr '\0' 'x' >"$T/b"
echo >>"$T/b"
bad "2 MiB without sense" "$T/b"
head -c 5000 /dev/zero >"$T/b"
echo >>"$T/b"
bad "NUL bytes" "$T/b"
{ printf '[%.0s' {1..10000}; echo; } >"$T/b"
bad "nested 10,000 deep" "$T/b"
{ printf '{"a":%.0s' {1..10000}; echo; } >"$T/b"
bad "objects nested 10,000 deep" "$T/b"
head -c 40000 "$stream" >"$T/half.stream"
gate -c "$T/config.json" -s "file://$T/half.stream"
ok "half a message and the end: counted" grep -Eq 'half.stream: [0-9]+ messages, 40000 bytes, 1 skipped' "$T/err"
ok "said, and once" test "$(count_said 'skipped [0-9]+ bytes')" = 1

finish
