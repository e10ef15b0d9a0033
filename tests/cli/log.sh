#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Target type log, through the driver: formats, events, the rate limit, a dry
# run, a full disk, a rotation, and what its configuration refuses.
set -u
B=${B:-$PWD/build}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
failures=0

is() { # is "what" GOT WANTED
	[ "$2" = "$3" ] && return
	printf 'FAILED: %s\n    got    %s\n    wanted %s\n' "$1" "$2" "$3"
	failures=$((failures + 1))
}
has() { # has "what" TEXT PART
	case $2 in
	*"$3"*) return ;;
	esac
	printf 'FAILED: %s\n    got %s\n    without %s\n' "$1" "$2" "$3"
	failures=$((failures + 1))
}
driver() { "$B/tests/tools/target-driver" "$@"; }
flows='name application 133 netify.netflix
name protocol 196 HTTP/S
flow a local=10.0.0.2:1000 other=198.51.100.9:443 app=133 protocol=196 iface=lan flow.host_server_name=films.example
flow b local=10.0.0.3:1000 other=198.51.100.9:443 flow.host_server_name==cmd~x0a"x"'

cat >"$T/c.json" <<-JSON
	{ "targets": {
		"csv": { "target_type": "log", "format": "csv", "file": "$T/csv", "header": true },
		"json": { "target_type": "log", "file": "$T/json" },
		"ends": { "target_type": "log", "file": "$T/ends", "events": [ "leave" ] },
		"few": { "target_type": "log", "file": "$T/few", "rate": 1, "burst": 2 },
		"files": { "target_type": "log", "path": "$T/files", "prefix": "flows", "interval": 3600 }
	} }
JSON
mkdir "$T/files"
out=$(driver "$B/plugins/log.so" "$T/c.json" <<-LINES
	$flows
	enter csv a
	enter csv b
	enter json a
	enter json b observe=1
	rekey json a mark=7
	rekey json a app=0
	leave json a
	enter ends a
	leave ends a reason=schedule
	flow a app=133
	enter few a
	leave few a
	enter few b
	leave few b
	enter files a
	flush
	status few
	sh mv $T/json $T/json.1
	reload
	leave json b
	flush
LINES
)
is "nothing to complain about" $? 0
is "csv, columns and escapes" "$(sed 's/^20[^,]*Z,[0-9a-f]*,/TIME,DIGEST,/' "$T/csv")" \
	'time,digest,local,other,protocol,application,host_name
TIME,DIGEST,10.0.0.2:1000,198.51.100.9:443,HTTP/S,netify.netflix,films.example
TIME,DIGEST,10.0.0.3:1000,198.51.100.9:443,unknown,unknown,"'\''=cmd\x0a""x"""'
is "json, one object a line" "$(jq -r '[.event, .mode, .reason, .application, .host_name] | join(" ")' "$T/json.1")" \
	'enter enforce detected netify.netflix films.example
enter observe detected unknown =cmd\x0a"x"
update enforce rekeyed unknown films.example
leave enforce purged unknown films.example'
is "renamed and reloaded: a new file" "$(jq -r '.event + .local_ip' "$T/json")" "leave10.0.0.3"
is "only what was asked for, with its reason" "$(jq -r '.event + " " + .reason' "$T/ends")" "leave schedule"
is "no more than the rate" "$(wc -l <"$T/few")" 2
has "what is left out is counted" "$out" " limited=2 "
is "a file for the interval" "$(cat "$T"/files/flows-*.json | jq -r .application)" netify.netflix

echo '{ "targets": { "x": { "target_type": "log", "format": "csv", "file": "'"$T/dry"'" } } }' >"$T/dry.json"
out=$(driver -n "$B/plugins/log.so" "$T/dry.json" <<<"$flows
enter x a
flush")
has "a dry run prints it, as a comment" "$out" "# log x: 20"
[ ! -e "$T/dry" ] || is "a dry run writes no file" "$T/dry" ""

# a disk that is full, for which there is a device; it must be said just once
echo '{ "targets": { "x": { "target_type": "log", "file": "-" } } }' >"$T/full.json"
{ driver "$B/plugins/log.so" "$T/full.json" >/dev/full 2>"$T/err" <<-LINES; }
	$flows
	enter x a
	flush
	leave x a
	flush
	run 1200
LINES
is "a full disk is said once" "$(grep -c 'No space left on device' "$T/err")" 1

echo '{ "targets": { "x": { "target_type": "log", "format": "syslog", "file": "'"$T/logger"'" } } }' >"$T/syslog.json"
socat -u "UNIX-RECV:$T/logger" "OPEN:$T/syslog,creat" &
socat=$!
end=$((SECONDS + 5))
until [ -S "$T/logger" ] || [ $SECONDS -ge $end ]; do sleep 0.05; done
driver "$B/plugins/log.so" "$T/syslog.json" >/dev/null <<<"$flows
enter x b
flush"
until [ -s "$T/syslog" ] || [ $SECONDS -ge $end ]; do sleep 0.05; done
kill $socat
has "syslog: one datagram, keys and values" "$(cat "$T/syslog")" 'local_ip=10.0.0.3 local_port=1000 other_ip=198.51.100.9 other_port=443 protocol=unknown application=unknown host_name="=cmd\\x0a\"x\""'
has "syslog: a header" "$(cat "$T/syslog")" "<30>"

refused() { # refused "what" TARGET_JSON PART
	printf '{ "targets": { "x": %s } }\n' "$2" >"$T/bad.json"
	has "$1" "$(driver "$B/plugins/log.so" "$T/bad.json" 2>&1 </dev/null)" "$3"
}
refused "a format with a typo" '{ "target_type": "log", "format": "jsno" }' 'did you mean "json"?'
refused "an event that is none" '{ "target_type": "log", "events": [ "begin" ] }' '"begin" is not an event, one of "enter", "leave", "update"'
refused "a prefix that leads elsewhere" '{ "target_type": "log", "prefix": "../x" }' "can't have a '/'"
refused "no such folder" '{ "target_type": "log", "file": "/nonexistent/x" }' '/nonexistent/x: there is no such folder'
refused "a header for json" '{ "target_type": "log", "header": true }' '"header" is for "format": "csv"'
ln -s /etc/passwd "$T/link"
refused "a symbolic link" '{ "target_type": "log", "file": "'"$T/link"'" }' 'a symbolic link: name the file itself'

[ $failures = 0 ] || exit 1
