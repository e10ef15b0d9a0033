#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs what can be run under valgrind's memcheck: every unit test, every corpus,
# and the programs on a recording. Leaks count, too.
set -u
cd "$(dirname "$0")/../.." || exit 2
B=${B:-$PWD/build}
command -v valgrind >/dev/null || {
	echo "needs valgrind"
	exit 1
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

check() { # WHAT COMMAND...
	local what=$1
	shift
	valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
		--log-file="$tmp/log" "$@" >"$tmp/out" 2>&1 </dev/null
	# a test that fails for being slow is not what is looked for here
	if [ $? = 99 ]; then
		echo "FAILED: $what"
		sed 's/^/    /' "$tmp/log" | head -n 60
		failed=$((failed + 1))
	else
		echo "ok: $what"
		passed=$((passed + 1))
	fi
}

for t in "$B"/tests/unit/test_*; do
	case $t in *.o | *.d) continue ;; esac
	check "${t##*/}" "$t"
done
for t in "$B"/tests/fuzz/fuzz_*; do
	case $t in *.o | *.d) continue ;; esac
	check "${t##*/}" "$t" "tests/fuzz/corpus/${t##*/fuzz_}"
done
cat >"$tmp/c.json" <<-JSON
	{ "sources": ["file://$PWD/tests/data/v5.stream", "file://$PWD/tests/data/v4.stream"],
	  "actions": { "all": { "criteria": "*", "targets": ["s", "log", "stats"] } },
	  "targets": { "s": { "target_type": "nftset", "table_name": "t", "set_name": "s", "managed": true,
			"type": ["other_addr", "other_port"], "other_types": "*", "sides": "both", "ttl": 60 },
		"log": { "target_type": "log", "file": "$tmp/log.json" },
		"stats": { "target_type": "stats", "state": "$tmp/state" } } }
JSON
check "flowgated -t" "$B/flowgated" -t -c "$tmp/c.json"
check "flowgated -n" "$B/flowgated" -n -c "$tmp/c.json"
if [ "$(id -u)" = 0 ] && unshare -n true 2>/dev/null; then
	check "flowgated, for real" unshare -n "$B/flowgated" -c "$tmp/c.json" -S "$tmp/control"
	check "flowgated, a second run" unshare -n "$B/flowgated" -c "$tmp/c.json" -S "$tmp/control"
fi
check "flowgatectl without a flowgated" "$B/flowgatectl" -S "$tmp/nobody" status
echo "$passed passed, $failed failed"
[ $failed = 0 ]
