#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Control characters, escape sequences, quotes, newlines, formulas, markup and
# bytes that are no text, as host name, application, MAC, interface and all else
# that a stream says: none of it is more than text in any output.
# shellcheck disable=SC2317 # functions are called by name
. tests/netns/lib.sh
hostile=tests/tools/hostile.py

python3 $hostile stream >"$TMP/hostile.stream"
ns_new gw
for s in syslog journal; do
	python3 $hostile receive "$TMP/$s.sock" "$TMP/$s" &
	receivers+=($!)
	ok "a logger for $s" wait_for 10 test -S "$TMP/$s.sock"
done
cat >"$TMP/c.json" <<-JSON
	{ "sources": ["unix://$TMP/agent.sock"],
	  "actions": { "all": { "criteria": "*", "targets": ["set", "csv", "json", "syslog", "journal", "label"] } },
	  "target_globals": { "ctlabel": { "connlabel_conf": "$TMP/connlabel.conf" } },
	  "targets": {
		"set": { "target_type": "nftset", "table_name": "t", "set_name": "s", "type": ["local_addr", "interface"],
			"set_family": "ipv4", "managed": true, "comment": true, "ttl": 600, "other_types": "*" },
		"csv": { "target_type": "log", "format": "csv", "file": "$TMP/log.csv", "header": true },
		"json": { "target_type": "log", "file": "$TMP/log.json" },
		"syslog": { "target_type": "log", "format": "syslog", "file": "$TMP/syslog.sock" },
		"journal": { "target_type": "log", "format": "journal", "file": "$TMP/journal.sock" },
		"label": { "target_type": "ctlabel", "auto_label": true },
		"stats": { "target_type": "stats", "textfile": "$TMP/stats.prom", "textfile_interval": 1 } } }
JSON
printf '1 a-netify.netflix\n' >"$TMP/connlabel.conf"

# clean WHAT KIND FILE: and how much of it there is
clean() {
	local n
	n=$(python3 $hostile check "$2" "$3" 2>&1) && echo "ok: $1 ($n)" && return
	echo "FAILED: $1: $n"
	failures=$((failures + 1))
}
ctl() { "$B/flowgatectl" -S "$TMP/control.sock" "$@"; }
agent() { [ "$(ctl -j status | jq -r .sources[0].agent)" = "$1" ]; }

bg gw "$B/flowgated" -l debug -c "$TMP/c.json" -S "$TMP/control.sock" 2>"$TMP/stderr"
ok "flowgated is there" wait_for 10 test -S "$TMP/control.sock"
(ctl flows -f >"$TMP/follow" & ctl -j flows -f >"$TMP/follow.json" & wait) &
followed() { [ "$(ss -xnH | grep -c "ESTAB.*$TMP/control.sock")" = 2 ]; }
ok "two follow" wait_for 10 followed
bg gw socat "UNIX-LISTEN:$TMP/agent.sock" "SYSTEM:cat $TMP/hostile.stream; sleep 1000" 2>"$TMP/socat"
ok "all is read" wait_for 30 agent end

for c in status targets flows "explain 10.0.0.2" "explain 198.51.100.9" version "top -b -n 1"; do
	# shellcheck disable=SC2086 # words
	ctl $c >"$TMP/out" 2>&1
	clean "flowgatectl $c" text "$TMP/out"
done
for c in status targets; do
	ctl -j $c >"$TMP/out"
	clean "flowgatectl -j $c" json "$TMP/out"
done
for c in flows "explain 10.0.0.2" "explain 198.51.100.9"; do
	# shellcheck disable=SC2086 # words
	ctl -j $c >"$TMP/out"
	clean "flowgatectl -j $c" lines "$TMP/out"
done
ctl $'flows app == "\x1b[31m\xff' >"$TMP/out" 2>&1
ctl $'sta\x1b[31mtus' >>"$TMP/out" 2>&1
clean "flowgatectl's own errors" text "$TMP/out"
ctl metrics >"$TMP/out"
clean "flowgatectl metrics" prometheus "$TMP/out"
ctl report >"$TMP/out"
clean "the report" page "$TMP/out"
sed -n 's/^<script type="application\/json" id="data">//p' "$TMP/out" | sed 's/<\/script>.*//' >"$TMP/inside"
clean "the data in it" json "$TMP/inside"
is "no markup in its data" "$(grep -o '[<>&]' "$TMP/inside")" ""
ok "the text file of statistics" wait_for 10 grep -q flowgate_application "$TMP/stats.prom"
clean "is Prometheus text" prometheus "$TMP/stats.prom"
clean "log, csv" csv "$TMP/log.csv"
clean "log, json" lines "$TMP/log.json"
is "each row has its record" "$(tail -n +2 "$TMP/log.csv" | wc -l)" "$(grep -cv '"event":"leave"' "$TMP/log.json")"
# a logger that is slow gets what waits a little later
as_many() { [ "$(tr -cd '\0' <"$TMP/syslog" | wc -c)" = "$(wc -l <"$TMP/log.json")" ]; }
wait_for 20 as_many
clean "log, syslog" syslog "$TMP/syslog"
clean "log, journal" journal "$TMP/journal"
is "as many records" "$(tr -cd '\0' <"$TMP/syslog" | wc -c)" "$(wc -l <"$TMP/log.json")"
clean "standard error" text "$TMP/stderr"
has "says what was skipped" "$(cat "$TMP/stderr")" "skipped "

ns gw nft list ruleset >"$TMP/ruleset"
clean "what nft lists" page "$TMP/ruleset"
is "is one table" "$(grep -c '^table' "$TMP/ruleset")" 1
ok "and loads again" ns gw nft -c -f "$TMP/ruleset"
has "with comments" "$(cat "$TMP/ruleset")" 'comment "'

names() { ctl -j flows | jq -c '[.digest, .host, .interface, .local_mac]' | sort; }
names >"$TMP/before"
flows=$(ctl flows | wc -l)

# each of them ends
for p in $(ip netns pids "$NS-gw"); do kill "$p"; done
wait_for 10 sh -c "! ip netns pids $NS-gw | grep -q ."
clean "flowgatectl flows -f" text "$TMP/follow"
clean "flowgatectl -j flows -f" lines "$TMP/follow.json"

# what one run leaves to the next: names are no more than that in the next one
ok "flows are left to the next run" test -s "$TMP/control.sock.flows"
bg gw "$B/flowgated" -l debug -c "$TMP/c.json" -S "$TMP/control.sock" 2>"$TMP/again"
ok "which is there" wait_for 10 ctl version
ctl flows >"$TMP/out"
clean "flowgatectl flows" text "$TMP/out"
is "all of them" "$(wc -l <"$TMP/out")" "$flows"
ctl -j flows >"$TMP/out"
clean "flowgatectl -j flows" lines "$TMP/out"
names >"$TMP/after"
is "as they were" "$(diff "$TMP/before" "$TMP/after" | head -n 4)" ""
clean "standard error" text "$TMP/again"
for p in $(ip netns pids "$NS-gw"); do kill "$p"; done
wait_for 10 sh -c "! ip netns pids $NS-gw | grep -q ."

# dry runs: for a shell's pipe, into nft
ns_new dry
ns dry nft 'add table inet t; add set inet t s.v4 { type ipv4_addr . ifname; flags timeout; }'
dry() { "$B/flowgated" "$@" -c "$TMP/c.json" -s "file://$TMP/hostile.stream"; }
dry -n >"$TMP/dry" 2>"$TMP/dry.err"
clean "-n" nft "$TMP/dry"
clean "-n, standard error" text "$TMP/dry.err"
ok "nft takes it" ns dry nft -f "$TMP/dry"
is "and has done nothing else" "$(ns dry nft list ruleset | grep -c '^table\|^	set')" 2
dry -n -v >"$TMP/dry" 2>/dev/null
clean "-n -v" nft "$TMP/dry"
clean "-n -v is printable" text "$TMP/dry"
"$B/flowgated" -t --explain "$TMP/hostile.stream" -c "$TMP/c.json" >"$TMP/out" 2>&1
clean "-t --explain" text "$TMP/out"

# one whose text goes to the terminal before anything is known of it
printf '\33[31m\nHTTP/1.1 400 \33]0;x\7\n\377\377' >"$TMP/other"
dry -n -s "file://$TMP/other" -l debug >"$TMP/out" 2>&1
clean "something else than an agent" text "$TMP/out"
kill "${receivers[@]}" 2>/dev/null
finish
