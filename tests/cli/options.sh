#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every option of flowgated, its exit codes, and what it says to those who are
# new to it: no configuration, typing errors, paths that are something else.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

good='{
  "sources": ["file://'$PWD/tests/data/v4.stream'"],
  "targets": {"list": {"target_type": "sample", "path": "'$T/list'"}},
  "actions": {"all": {"criteria": "*", "targets": ["list"]}}
}'

# ---------------------------------------------------------------- usage
says "version" 0 '^flowgated [0-9]+\.[0-9]+\.[0-9]+$' -V
says "version, long" 0 '^flowgated ' --version
says "help names every option" 0 '--plugin-path' --help
for o in -c -t -n -v -s -P -S -l -V -h; do
	ok "help has $o" grep -q -e "^ *$o," "$T/out"
done
says "unknown option" 1 'usage: flowgated' -x
says "option without its argument" 1 'usage: flowgated' -c
says "an argument that is no option" 1 'no arguments but options' something
says "a source without -s" 1 '-s URL' unix:///x
says "log level" 1 '"loud" is no level: error, warning, notice, info or debug' -l loud
says "-P: a directory that is not there" 1 "^flowgated: -P: $T/nowhere: No such file or directory: name the directory that has the plugins\$" -P "$T/nowhere"
says "-P: a file" 1 "-P: $B/flowgated: Not a directory: name the directory" -t -P "$B/flowgated"
says "--explain alone" 1 'goes with -t' --explain x

# -------------------------------------------------- the configuration file
says "no configuration" 1 'nowhere.json: no such file' -c "$T/nowhere.json"
says "a directory" 1 "$T.*directory" -c "$T"
config "$good"
says "check" 0 'ok: 1 source, 1 target, 1 action' -t -c "$T/config.json"
ok "check changes nothing" test ! -e "$T/list"
config '{"targets": {},}'
says "trailing comma" 1 'config.json:1:15: ' -t -c "$T/config.json"
config '{"tragets": {}}'
says "unknown key" 1 'config.json:1:2: .*tragets.*targets' -t -c "$T/config.json"
config '{"targets": {"list": {"target_type": "sampel"}}}'
says "unknown target type" 1 'config.json:1:38: target "list": no plugin has the target type "sampel": did you mean sample\?' -t -c "$T/config.json"
config '{"targets": {"list": {"target_type": "sample"}}}'
says "a key that the plugin needs" 1 'config.json:1:22: target "list" needs a "path"' -t -c "$T/config.json"
config '{"targets": {"list": {"target_type": "sample", "path": "/x", "paht": 1}}}'
says "a key that the plugin does not know" 1 'config.json:1:62: .*paht.*path' -t -c "$T/config.json"
config '{"plugins": ["nothing"]}'
says "plugins: one that is not there" 1 'config.json:1:14: there is no plugin "nothing"' -t -c "$T/config.json"
config '{"user": "no-such-user-here"}'
says "user: one that is not there" 1 'config.json:1:10: there is no user "no-such-user-here"' -t -c "$T/config.json"
config '{"targets": {"list": {"target_type": "sampel", "target_enabled": false}}}'
says "a disabled target may be of any type" 0 '0 targets \(1 disabled\)' -t -c "$T/config.json"

config '{"plugins": ["/nowhere/x.so"]}'
says "plugins: a path that is not there" 1 'config.json:1:14: plugin /nowhere/x.so: No such file' -t -c "$T/config.json"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 711 "$T"
	chmod 600 "$T/config.json"
	cp "$B/flowgated" "$T/program" # the build may be where nobody else can go
	setpriv --reuid 12345 --regid 12345 --clear-groups "$T/program" -t -c "$T/config.json" >"$T/out" 2>&1
	ok "no right to read it" grep -q 'config.json: user 12345 may not read it: change its owner or mode, or be root' "$T/out"
	rm "$T/program"
fi
"$B/flowgatectl" statsu >"$T/out" 2>&1
ok "flowgatectl: no such command" grep -q 'no command "statsu": did you mean status?' "$T/out"

# what is not in order within a target or an action
set_of() { # KEYS...: with a target of type nftset that has them, too
	config '{"targets": {"x": {"target_type": "nftset", "set_name": "x", "managed": true,' \
		'"type": ["other_addr"], '"$*"'}}, "actions": {"a": {"criteria": "*", "targets": ["x"]}}}'
}
set_of '"data": {"mrk": 1}'
says "data: a typing error" 1 'config.json:2:41: "data" is a "mark", .* not "mrk" \(did you mean "mark"\?\)' -t -c "$T/config.json"
ok "data: and that is all that is said" test "$(wc -l <"$T/err")" = 1
set_of '"data": {"classid": "1:1:1"}'
says "data: a wrong value" 1 '"1:1:1" is not a class' -t -c "$T/config.json"
set_of '"other_types": ["*"]'
says "other_types: a list of all" 0 '1 target' -t -c "$T/config.json"
set_of '"other_types": ["remot"]'
says "other_types: a typing error" 1 'config.json:2:41: "remot".*did you mean "remote"' -t -c "$T/config.json"
config '{"actions": {' '"a": {"enabled": false, "criteria": "*"}}}'
says "a disabled action without targets" 0 'config.json:2:6: action "a" does nothing if enabled' -t -c "$T/config.json"
printf 'app:10:netify.google\n' >"$T/apps.conf"
config '{"catalog": "'"$T"'/apps.conf", "targets": {"l": {"target_type": "sample", "path": "/x"}}, "actions": {' \
	'"a": {"criteria": ["*", "port == 53 || ai:googel"], "targets": ["l"]}}}'
says "a tag that no file names" 0 'config.json:2:43: application "googel" is not known: did you mean netify.google\?' -t -c "$T/config.json"
sed -i 's|"catalog": "[^"]*"|"catalog": []|' "$T/config.json"
says "a tag where there are no names" 0 'config.json:2:43: 1 tag \("googel"\) cannot be checked yet' -t -c "$T/config.json"

# places to write to: looked at, and left as they are
place() { config '{"targets": {"x": {"target_type": '"$1"'}}}'; }
ln -s "$T/nowhere" "$T/link"
place '"log", "file": "'"$T"'/logs/flows"'
says "log: no folder" 1 "config.json:1:50: target \"x\": there is no folder $T/logs: make it \(install -d $T/logs\)" -t -c "$T/config.json"
place '"log", "file": "'"$T"'/config.json/flows"'
says "log: a file for a folder" 1 "config.json:1:50: target \"x\": $T/config.json" -t -c "$T/config.json"
place '"log", "file": "'"$T"'/link"'
says "log: a symbolic link" 1 'link: a symbolic link: name the file itself' -t -c "$T/config.json"
place '"log", "file": "'"$T"'/flows"'
says "log: a file to be made" 0 'ok: 1 source, 1 target' -t -c "$T/config.json"
ok "log: which -t does not" test ! -e "$T/flows"
place '"log", "path": "'"$T"'/logs"'
says "log: no folder for intervals, which may come" 0 "config.json:1:50: target \"x\": there is no folder $T/logs" -t -c "$T/config.json"
if [ -e "$B/plugins/stats.so" ]; then
	place '"stats", "state": "'"$T"'/state/history"'
	says "stats: no folder" 0 "config.json:1:53: \"state\" cannot be written: there is no folder $T/state: make it" -t -c "$T/config.json"
fi

# ---------------------------------------------------------------- sources
config "${good/file*stream/file://$T/none}"
says "a file that is not there" 1 'config.json:2:15: source "file://.*: cannot read it: No such file' -t -c "$T/config.json"
config "$good"
says "a directory as a source" 1 'it is a directory' -t -c "$T/config.json" -s "file://$T"
says "port 0" 1 'port' -t -c "$T/config.json" -s tcp://127.0.0.1:0
says "no port" 1 'port' -t -c "$T/config.json" -s tcp://127.0.0.1
says "an unknown scheme" 1 'source scheme "gopher"' -t -c "$T/config.json" -s gopher://x
says "a path too long for a socket" 1 'longer than 107 bytes' -t -c "$T/config.json" -s "unix:///$(printf 'x%.0s' {1..200})"
says "one source twice" 1 'twice' -t -c "$T/config.json" -s unix:///x -s unix:///x

# ------------------------------------------------------------ a run, a dry run
gate -c "$T/config.json"
if [ "$status" = 0 ] && [ -s "$T/list" ] && [ ! -s "$T/out" ]; then
	echo "ok: runs to the end of its file"
else
	failed "runs to the end of its file" "$T/err" "$T/out"
fi
ok "prints its counters" grep -q 'source v4.stream: 81 messages, 51197 bytes, 0 skipped' "$T/err"
ok "of targets, too" grep -Eq 'target list: [0-9]+ members, 1 element,' "$T/err"

rm "$T/list"
gate -n -c "$T/config.json"
ok "dry run: status 0" test "$status" = 0
ok "dry run: changes nothing" test ! -e "$T/list"
ok "dry run: prints instead" grep -q "^# $T/list: 1 address$" "$T/out"
gate -n -v -c "$T/config.json"
ok "-v says why, as comments" grep -q '^# .*all: matched by' "$T/out"
ok "-v: nothing but comments besides commands" test -z "$(grep -v '^#' "$T/out")"

gate -l error -c "$T/config.json"
ok "-l error is silent when all is well" test ! -s "$T/err"
"$B/flowgated" -S "$T/control.sock" -c "$T/config.json" -s - <tests/data/v5.stream 2>"$T/err"
ok "standard input from a file" grep -Eq 'source .*: 84 messages' "$T/err"
# shellcheck disable=SC2002 # a pipe is the point
cat tests/data/v5.stream | "$B/flowgated" -S "$T/control.sock" -c "$T/config.json" -s - 2>"$T/err"
ok "standard input from a pipe" grep -Eq 'source .*: 84 messages' "$T/err"
gate -c "$T/config.json" -s file:tests/data/v3.stream -s "file://$PWD/tests/data/v5.stream"
ok "-s instead of the file's sources, twice" grep -Eq 'source v5.stream: 84 messages' "$T/err"
ok "and not the file's" test -z "$(grep v4.stream "$T/err")"
gate -n -c "$T/config.json" -s file:/dev/null
ok "an empty source ends at once" test "$status" = 0
"$B/flowgated" -n -v -c "$T/config.json" 2>"$T/err" | head -n 1 >"$T/out"
ok "a reader that leaves ends it" test "${PIPESTATUS[0]}" = 0

# -------------------------------------------------------------- -t --explain
gate -t -c "$T/config.json" --explain tests/data/v4.stream
ok "explain: status 0" test "$status" = 0
ok "explain: each flow, each action" grep -q '^    all: matched by \* -> list' "$T/out"
says "explain: a file that is not there" 1 'cannot read .*none: No such file' -t -c "$T/config.json" --explain "$T/none"
says "explain: a file without flows" 1 'no message of type "flow"' -t -c "$T/config.json" --explain /dev/null
config '{"targets": {"x": {"target_type": "nftset", "set_name": "nowhere", "type": ["other_addr"]}},
  "actions": {"all": {"criteria": "*", "targets": ["x"]}}}'
says "explain: needs no set in the kernel" 0 'matched by' -t -c "$T/config.json" --explain tests/data/v4.stream

finish
