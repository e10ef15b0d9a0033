#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Names from the network that would like to be something else: none of them
# reaches Prometheus, a page or a file as more than text.
# shellcheck disable=SC2317,SC1003 # functions are called by name; no quote is meant
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/tools/stats.sh
. "$(dirname "$0")/../tools/stats.sh"

config '{"sources": ["unix://'"$T"'/agent.sock"],
  "targets": {"count": {"target_type": "stats", "textfile": "'"$T"'/a.prom", "textfile_interval": 1, "state": "'"$T"'/state"},
              "li\"st}": {"target_type": "sample", "path": "'"$T"'/list"}},
  "actions": {"no <b>\"\\ {}": {"criteria": "*", "targets": ["li\"st}"]}}}'
start -c "$T/config.json"
n=0
# as they stand in a JSON text
for name in 'quote\"} 1' 'back\\slash' 'back\\' 'line\nflowgate_flows 666' 'cr\rlf\n' '\u001b[31mred\u001b[0m' \
	'\u001b]0;title\u0007' 'nul\u0000nul' '</script><script>alert(1)</script>' '<!--<script>' \
	'<img src=x onerror=alert(1)>' "=cmd|' /C calc'!A0" '%s%n%d' '\u202egnp' '\u2028\u2029' '@REPORT@' \
	$'\xff\xfe\xc0\x80' $'\xed\xa0\x80' '{application=\"x\"}' 'other' '\t' ' ' '\u0085' 'a\\x0ab' 'a\nb'; do
	n=$((n + 1))
	flow $n 02:00:00:00:00:01 $((1000 + n)) "$name"
	counted stats $n 10 20
done
flow 90 'no:mac\"\n' 133 netify.netflix
flow 91 '02:00:00:00:00:02' 134 "$(head -c 300 /dev/zero | tr '\0' A)"
counted stats 91 1 1
counted stats 90 1 1
ok "all is read" heard

ctl metrics | tail -n +2 >"$T/metrics"
clean() { # FILE: printable UTF-8, tabs aside, and newlines where they belong
	! LC_ALL=C grep -nP '[\x00-\x09\x0b-\x1f\x7f]' "$1" && iconv -f UTF-8 -t UTF-8 "$1" >/dev/null &&
		! grep -nP '[\x{80}-\x{9f}\x{202a}-\x{202e}\x{2066}-\x{2069}]' "$1"
}
ok "metrics are clean" clean "$T/metrics"
ok "each line is one, as Prometheus has it" test -z "$(
	grep -vE '^# (HELP|TYPE) |^[a-z_]+(\{([a-z_]+="([^"\\]|\\.)*",?)*\})? [0-9.e+-]+$' "$T/metrics"
)"
ok "none is made up" test "$(grep -c '^flowgate_flows ' "$T/metrics")" = 1
ok "each line once" test -z "$(grep -v '^#' "$T/metrics" | sed 's/ [^ ]*$//' | sort | uniq -d)"
ok "markup is text" grep -qF 'application="</script><script>alert(1)</script>"' "$T/metrics"
ok "bytes that are no text are shown" grep -qF 'application="\\xff\\xfe\\xc0\\x80"' "$T/metrics"
ok "so is one that is called other" grep -q 'flowgate_application_flows_total{application="other"} 1' "$T/metrics"
if command -v promtool >/dev/null; then
	ok "promtool has nothing to say" test -z "$(promtool check metrics <"$T/metrics" 2>&1)"
else
	echo "no promtool (Debian: prometheus): not asked"
fi
ok "the file is the same" wait_for 10 grep -qF 'application="<!--<script>"' "$T/a.prom"

ctl report | tail -n +2 >"$T/report.json"
ok "the report is JSON" jq -e '.targets[0].report.applications | length > 20' "$T/report.json"
ok "of printable text" clean "$T/report.json"
ok "without a piece of HTML" test -z "$(grep -o '[<>&]' "$T/report.json")"
ok "flowgatectl makes a page" "$B/flowgatectl" -S "$T/control.sock" report -o "$T/report.html"
"$B/flowgatectl" -S "$T/control.sock" report >"$T/page.html"
ok "the same on standard output" test "$(wc -l <"$T/page.html")" = "$(wc -l <"$T/report.html")"
ok "with no script but its own" test "$(grep -io '<script' "$T/report.html" | wc -l)" = 2
ok "nor an end of one" test "$(grep -io '</script' "$T/report.html" | wc -l)" = 2
ok "nor an image" test -z "$(grep -io '<img' "$T/report.html")"
ok "and no address of anywhere else" test -z "$(grep -oE '(https?:)?//[a-z]' "$T/report.html" | grep -v 'http://w')"

# Each character of the page's own is whole: what is between is JSON again.
sed -n 's/^<script type="application\/json" id="data">//p' "$T/report.html" >"$T/inside.json"
names() {
	jq -c '.targets[0].report | [.applications[].name], [.devices[].name], [.actions[].name]' "$1" >"$T/names.$2"
}
ok "what is in it is JSON" names "$T/inside.json" page
ok "as is the report" names "$T/report.json" report
ok "the same" cmp "$T/names.page" "$T/names.report"
stop
start -c "$T/config.json"
ctl report | tail -n +2 >"$T/again.json"
ok "the report of another run" names "$T/again.json" again
ok "is the same" cmp "$T/names.again" "$T/names.report"
stop
finish
