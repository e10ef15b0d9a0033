#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every recording gives the messages that an independent reader finds in it,
# nothing is skipped, and it makes no difference where it is cut.
set -eu

count=$B/tests/tools/stream-count
streams=${FG_STREAMS:-../shared/streams}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/count.py" <<'PY'
# Counts without our code: headers by a regular expression, JSON by Python.
import collections, json, re, sys
header = re.compile(rb'\s*\{"length": ?(\d+)\}\n')
text = open(sys.argv[1], "rb").read()
types = collections.Counter()
at = 0
while at < len(text):
    found = header.match(text, at)
    at = found.end() + int(found[1])
    types[json.loads(text[found.end():at])["type"]] += 1
for name in sorted(types):
    print(name, types[name])
PY

one() {
	python3 "$work/count.py" "$1" >"$work/want"
	echo "skipped 0" >>"$work/want"
	"$count" -c 65536 "$1" >"$work/whole"
	grep -v -e ^learnt -e ^interfaces -e ^hash "$work/whole" >"$work/got" || true
	diff -u "$work/want" "$work/got" || { echo "$1: other messages"; exit 1; }
	for chunk in 1 7 8192; do
		"$count" -c $chunk "$1" | diff "$work/whole" - || {
			echo "$1: differs when read $chunk bytes at a time"
			exit 1
		}
	done
}

n=0
for f in tests/data/v[345].stream "$streams"/*.stream; do
	[ -s "$f" ] || continue
	one "$f"
	n=$((n + 1))
done
# Two pieces, for every place to cut: quadratic, so only what is small
# (all of them with FG_SLOW set).
for f in tests/data/v[345].stream "$streams"/*.stream; do
	[ -s "$f" ] || continue
	[ "$(wc -c <"$f")" -lt "${FG_SLOW:+9}12500" ] || continue
	"$count" -c 0 "$f" >/dev/null
done
[ -d "$streams" ] || echo "only our own recordings: no $streams (set FG_STREAMS)"
echo "$n recordings"
