#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every recording gives the messages that an independent reader finds in it,
# nothing is skipped, and it makes no difference where it is cut.
set -eu

count=$B/tests/tools/stream-count
streams=${FG_STREAMS:-../shared/streams}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Counts without our code: headers by a regular expression, JSON by Python.
cat >"$work/count.py" <<'PY'
import collections, json, re, sys
header = re.compile(rb'\s*\{"length": ?(\d+)\}\n')
for path in sys.argv[1:]:
    text = open(path, "rb").read()
    types = collections.Counter()
    at = 0
    while at < len(text):
        found = header.match(text, at)
        at = found.end() + int(found[1])
        types[json.loads(text[found.end():at])["type"]] += 1
    print("==", path)
    for name in sorted(types):
        print(name, types[name])
    print("skipped 0")
PY

set -- tests/data/v[345].stream
if [ -d "$streams" ]; then
	for f in "$streams"/*.stream; do
		[ ! -s "$f" ] || set -- "$@" "$f"
	done
else
	echo "only our own recordings: no $streams (set FG_STREAMS)"
fi

n=$#
python3 "$work/count.py" "$@" >"$work/want"
"$count" "$@" >"$work/whole"
grep -v -e '^learnt' -e '^interfaces' -e '^hash' "$work/whole" >"$work/got"
diff -u "$work/want" "$work/got" || {
	echo "other messages than an independent reader finds"
	exit 1
}
for chunk in 1 2 7 8192; do
	"$count" -c "$chunk" "$@" | diff "$work/whole" - || {
		echo "it makes a difference to read $chunk bytes at a time"
		exit 1
	}
done
# One cut at a time, at every byte, takes a minute for each megabyte or two:
# for all of them only when FG_SLOW is set.
[ -n "${FG_SLOW:-}" ] || set -- tests/data/v[345].stream
"$count" -c 0 "$@" >/dev/null
echo "$n recordings"
