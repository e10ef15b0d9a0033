#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The target type stats: what it counts, where it shows it, and what becomes of
# it at a reload, at a restart, with bad files and with rude clients.
# shellcheck disable=SC2317,SC2016 # functions are called by name, text evaluated
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/tools/stats.sh
. "$(dirname "$0")/../tools/stats.sh"
port=$(free_port)

stats_config() { # KEYS: of the target
	config '{"sources": ["unix://'"$T"'/agent.sock"],
	  "targets": {"count": {"target_type": "stats" '"$1"'},
	              "list": {"target_type": "sample", "path": "'"$T"'/list"},
	              "more": {"target_type": "sample", "path": "'"$T"'/more"}},
	  "actions": {"no-video": {"criteria": "application == \"netflix\"", "targets": ["list", "more"]},
	              "try": {"criteria": "application == \"zoom\"", "mode": "observe", "targets": ["count"]}}}'
}
scrape() {
	curl -sf "http://127.0.0.1:$port/metrics" >"$T/metrics"
}
line() { # WHAT REGEX
	if metrics "$2"; then
		echo "ok: $1"
	else
		failed "$1: no line $2" "$T/metrics"
	fi
}

# ------------------------------------------------------------ configuration
wrong() { # WHAT REGEX KEYS
	stats_config "$3"
	says "$1" 1 "$2" -t -c "$T/config.json"
}
wrong "listen: a name" 'config.json:2.*"listen" is "localhost:1": write unix:///path' ', "listen": "localhost:1"'
wrong "listen: no port" '"listen" is "127.0.0.1"' ', "listen": "127.0.0.1"'
wrong "listen: a port too high" '"listen" is' ', "listen": "127.0.0.1:65536"'
wrong "listen: IPv6 without brackets" '"listen" is' ', "listen": "::1:80"'
wrong "listen: a relative path" 'absolute path' ', "listen": "unix://metrics"'
wrong "textfile: a relative path" 'give an absolute path' ', "textfile": "a.prom"'
wrong "textfile: one that nobody reads" 'names end in .prom' ', "textfile": "/a.txt"'
wrong "state: a relative path" 'give an absolute path' ', "state": "a"'
wrong "sides: a typing error" 'did you mean "both"' ', "sides": "boht"'
wrong "top: none" 'top' ', "top": 0'
wrong "an unknown key" 'did you mean "listen"' ', "listn": "127.0.0.1:1"'
wrong "two of them" '"count2?" is of type stats, too' '}, "count2": {"target_type": "stats"'
stats_config ', "listen": "127.0.0.1:'"$port"'", "textfile": "/nowhere/a.prom", "state": "/nowhere/state"'
says "a check opens and writes nothing" 0 'ok: 1 source, 3 targets' -t -c "$T/config.json"

# ------------------------------------------------------------------ counting
keys=', "listen": "127.0.0.1:'"$port"'", "textfile": "'"$T"'/a.prom", "textfile_interval": 1, "state": "'"$T"'/state", "top": 4'
stats_config "$keys"
now=$(date +%s%3N)
flow 1 02:00:00:00:00:01 133 netify.netflix 29 "$((now - 40))"
start -c "$T/config.json"
flow 2 02:00:00:00:00:02 0 Unknown 1
flow 3 02:00:00:00:00:02 189 netify.zoom 32
counted stats 1 100 2000
flow 2 02:00:00:00:00:02 133 netify.netflix 29 # found out later
counted purge 2 10 20
counted purge 3 7 8
ok "all is read" heard
ok "is served" scrape
line "flows by application" 'flowgate_application_flows_total\{application="netify.netflix"\} 2'
line "one that was found out later counts as both" 'flowgate_application_flows_total\{application="unknown"\} 1'
line "bytes up" 'flowgate_application_bytes_total\{application="netify.netflix",direction="up"\} 110'
line "bytes down" 'flowgate_application_bytes_total\{application="netify.netflix",direction="down"\} 2020'
line "packets" 'flowgate_application_packets_total\{application="netify.netflix",direction="up"\} 2'
line "by category" 'flowgate_category_bytes_total\{category="streaming-media",direction="down"\} 2020'
line "by device" 'flowgate_device_bytes_total\{device="02:00:00:00:00:02",direction="down"\} 28'
line "one flow is one, whatever it is found to be" 'flowgate_device_flows_total\{device="02:00:00:00:00:02"\} 2'
line "by action, once for two targets" 'flowgate_action_flows_total\{action="no-video"\} 2'
line "bytes by action, likewise" 'flowgate_action_bytes_total\{action="no-video",direction="down"\} 2020'
line "by target" 'flowgate_target_flows_total\{target="more"\} 2'
line "bytes by target" 'flowgate_target_bytes_total\{target="list",direction="up"\} 110'
line "what is only observed" 'flowgate_observed_flows_total\{action="try"\} 1'
line "bytes of it" 'flowgate_observed_bytes_total\{action="try",direction="down"\} 8'
ok "nothing is in the target that is only named to observe" test -z "$(grep 'target="count"' "$T/metrics" | grep flowgate_target_flows)"
line "how long detection took" 'flowgate_detection_delay_seconds_count 1'
line "not of what the clocks cannot tell" 'flowgate_detection_delay_ignored_total 2'
line "the host's own" 'flowgate_flows 1'
ok "each family once, with help" test "$(grep -c '^# TYPE' "$T/metrics")" = "$(grep '^# TYPE' "$T/metrics" | sort -u | wc -l)"
ok "each line once" test -z "$(grep -v '^#' "$T/metrics" | sed 's/ [^ ]*$//' | sort | uniq -d)"

for n in 11 12 13 14 15; do
	flow $n "02:00:00:00:00:$n" $((500 + n)) "app$n"
	counted purge $n 1 1
done
heard
sleep_until_fresh() { # a scrape is made once a second
	wait_for 5 eval 'scrape; metrics "flowgate_stats_crowded_total\\{dimension=\"application\"\\} [1-9].*"'
}
ok "what has no place is other" sleep_until_fresh
line "the sum of which is right" 'flowgate_application_bytes_total\{application="other",direction="up"\} [4-5]'
ok "no more than 4 and other" test "$(grep -c '^flowgate_application_flows_total' "$T/metrics")" = 5

# -------------------------------------------------------------------- places
ok "flowgatectl has the same" grep -q 'flowgate_action_flows_total{action="no-video"} 2' <(ctl metrics)
ok "so has the file" wait_for 10 grep -q 'flowgate_action_flows_total{action="no-video"} 2' "$T/a.prom"
ok "the file is whole" grep -q '^flowgate_stats_crowded_total{dimension="target"} 0$' "$T/a.prom"
ok "and alone" test -z "$(ls "$T"/a.prom.* 2>/dev/null)"
is_status() { # CODE CURL-ARGUMENTS...
	local code=$1
	shift
	test "$(curl -s -o /dev/null -w '%{http_code}' "$@")" = "$code"
}
ok "HTTP: its type" grep -qi '^content-type: text/plain; version=0.0.4' <(curl -sI "http://127.0.0.1:$port/metrics")
ok "HTTP: /" is_status 200 "http://127.0.0.1:$port/"
ok "HTTP: elsewhere" is_status 404 "http://127.0.0.1:$port/../etc/passwd"
ok "HTTP: only reading" is_status 405 -X POST -d @"$T/config.json" "http://127.0.0.1:$port/metrics"
ok "HTTP: nonsense" eval 'head -c 20000 /dev/urandom | timeout 5 socat -t 1 - "TCP:127.0.0.1:$port" >/dev/null; scrape'

# ------------------------------------------------- clients that do not go away
idle=()
for _ in {1..30}; do
	exec {fd}<>"/dev/tcp/127.0.0.1/$port"
	idle+=("$fd")
done
ok "30 silent clients hold nobody up" wait_for 2 is_value '.sources[0].state' connected
for fd in "${idle[@]}"; do
	exec {fd}>&-
done
ok "and when they are gone, all is as before" wait_for 15 scrape

# ------------------------------------------------------------------- reload
before=$(grep '^flowgate_application_bytes_total' "$T/metrics")
stats_config "$keys, \"sides\": \"both\""
ok "reload" grep -q '^ok' <(ctl reload)
ok "the same place is served on" wait_for 5 scrape
ok "counters go on" test "$before" = "$(grep '^flowgate_application_bytes_total' "$T/metrics")"
stats_config "${keys/127.0.0.1:$port/unix://$T/metrics.sock}"
curl -sf "http://127.0.0.1:$port/metrics" "http://127.0.0.1:$port/metrics" -o "$T/1" -o "$T/2"
ok "made once a second, however often it is asked for" cmp "$T/1" "$T/2"
ok "reload to another place" grep -q '^ok' <(ctl reload)
ok "which is served" wait_for 5 curl -sf --unix-socket "$T/metrics.sock" http://localhost/metrics -o "$T/metrics"
ok "counters go on there" test "$before" = "$(grep '^flowgate_application_bytes_total' "$T/metrics")"
ok "for owner and group" test "$(stat -c %a "$T/metrics.sock")" = 660
ok "the old place is closed" wait_for 5 eval '! scrape'
stats_config "${keys/127.0.0.1:$port/unix://$T/metrics.sock}, \"sides\": \"both\""
epolls() { # each server has one
	find "/proc/$gate/fd" -lname '*eventpoll*' | wc -l
}
before=$(epolls)
ok "reload at the same path" grep -q '^ok' <(ctl reload)
ok "the old one is closed" wait_for 10 eval 'test "$(epolls)" = "$before"'
ok "and the path is still there" curl -sf --unix-socket "$T/metrics.sock" http://localhost/metrics -o /dev/null
socat UNIX-LISTEN:"$T/taken.sock" - >/dev/null 2>&1 &
pids+=($!)
wait_for 5 test -S "$T/taken.sock"
stats_config "${keys/127.0.0.1:$port/unix://$T/taken.sock}"
ok "a place that is taken is refused" grep -q 'cannot listen on .*: another program listens there' <(ctl reload)
ok "and the old one goes on" curl -sf --unix-socket "$T/metrics.sock" http://localhost/metrics -o /dev/null

# ------------------------------------------------------------------- restart
sums='.targets[0].report | [([.applications[] | .up + .down | add] | add), ([.devices[].applications[][1]] | add), ([.actions[].flows | add] | add)]'
report() {
	ctl report | tail -n +2 | jq -c "$sums"
}
was=$(report)
ok "the report has it all" test "$was" = '[2155,2155,3]'
stop
ok "ends well" test "$status" = 0
ok "its socket is gone" test ! -e "$T/metrics.sock"
ok "the state is its owner's alone" test "$(stat -c %a "$T/state")" = 600
: >"$T/messages"
stats_config "$keys"
start -c "$T/config.json"
ok "the history is there after a restart" test "$(report)" = "$was"
stop
printf x | dd of="$T/state" bs=1 seek=30 conv=notrunc 2>/dev/null
start -c "$T/config.json"
ok "a damaged state is said" grep -q "$T/state: is not used: it is damaged" "$T/err"
ok "and the history begins anew" test "$(report)" = '[0,null,0]'
stop
head -c 30000000 /dev/zero >"$T/state"
start -c "$T/config.json"
ok "a huge one is not even read" grep -q "$T/state: cannot be read: File too large" "$T/err"
stop

# ------------------------------------------------------------- bad places
stats_config ', "listen": "unix://'"$T"'/metrics.sock"'
start -c "$T/config.json"
ok "a path of its own" test -S "$T/metrics.sock"
rm "$T/metrics.sock"
touch "$T/metrics.sock"
stop
ok "that somebody else took is left to them" test -f "$T/metrics.sock"
says "something else in the way" 1 'cannot listen on unix://.*metrics.sock: something else is in its place' -c "$T/config.json"
rm "$T/metrics.sock"
start -c "$T/config.json"
kill -9 "$gate"
wait "$gate" 2>/dev/null
start -c "$T/config.json"
ok "what a dead one left is taken over" wait_for 10 curl -sf --unix-socket "$T/metrics.sock" http://localhost/metrics -o /dev/null
stop
mkdir "$T/dir"
ln -s "$T/victim" "$T/dir/a.prom.0~"
stats_config ', "textfile": "'"$T"'/dir/a.prom", "textfile_interval": 1'
start -c "$T/config.json"
ok "a link in the way is not followed" wait_for 10 test -s "$T/dir/a.prom"
ok "nor what it leads to written" test ! -e "$T/victim"
mv "$T/dir" "$T/gone"
ok "what cannot be written is in the status" wait_for 10 is_value '.targets[] | select(.name == "count").state' unwritten
for _ in 1 2 3; do
	now=$(value '.targets[] | select(.name == "count").reason')
	ok "with the reason" test "$now" = "$T/dir/a.prom cannot be written: No such file or directory"
done
mv "$T/gone" "$T/dir"
ok "and over when it is" wait_for 10 is_value '.targets[] | select(.name == "count").state' ok
ok "said once" test "$(grep -c 'a.prom: cannot be written' "$T/err")" = 1
ok "and once when it is over" test "$(grep -c 'a.prom: is written again' "$T/err")" = 1
stop
finish
