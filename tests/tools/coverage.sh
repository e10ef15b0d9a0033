#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How much of the pure modules the unit tests and the corpora reach, by gcov:
# a line for each module, and exit status 1 when one of them is below 95 % of its
# lines or 85 % of its branches. FILES=1: a line for each file, too; LINES=1: and
# each line that nothing reaches. Headers and libraries count for nobody. It is
# `make coverage` that builds for it.
set -eu
cd "$(dirname "$0")/../.."
: "${B:=$PWD/build-coverage}"
lines_wanted=95 branches_wanted=85
modules=(common/base common/flow common/lease common/policy plugins/netifyd plugins/nftset/batch)

find "$B" -name '*.gcda' -delete
B=$B tests/run unit fuzz >"$B/coverage.log" || {
	grep -A 60 FAILED "$B/coverage.log"
	exit 1
}
report() { # MODULE: of each of its files, name and four numbers
	local object
	find "$B/$1"* -name '*.gcno' | sort | while read -r object; do
		gcov -b -t "${object%.gcno}.o" 2>/dev/null | awk -v show="${LINES:-}" '
			/^ *-: *0:Source:/ { sub(/.*0:Source:/, ""); name = $0; own = name ~ /\.c$/; next }
			!own { next }
			/^ *[0-9]+\*?: *[0-9]+:/ { lines++; reached++ }
			/^ *(#####|=====): *[0-9]+:/ { lines++; if (show) print "-", name, $0 }
			/^branch .* never executed/ { branches++ }
			/^branch .* taken / { branches++; taken += $4 != "0%" }
			END { print "+", name, reached + 0, lines + 0, taken + 0, branches + 0 }'
	done
}
printf '%-28s %16s %18s\n' module "lines reached" "branches taken"
status=0
for module in "${modules[@]}"; do
	report "$module" | awk -v module="$module" -v files="${FILES:-}${LINES:-}" \
		-v lines_wanted=$lines_wanted -v branches_wanted=$branches_wanted '
		function line(name, r, l, t, b) {
			printf "%-28s %6.2f %% of %4d %6.2f %% of %5d", name, 100 * r / (l ? l : 1), l, 100 * t / (b ? b : 1), b
		}
		$1 == "-" { $1 = ""; missed[$2] = missed[$2] "\n   " $0; next }
		{
			r += $3; l += $4; t += $5; b += $6
			if (files) { line("  " $2, $3, $4, $5, $6); print missed[$2] }
		}
		END {
			line(module, r, l, t, b)
			low = 100 * r < lines_wanted * l || 100 * t < branches_wanted * b
			print low ? "  TOO LITTLE" : ""
			exit low
		}' || status=1
done
echo "wanted: $lines_wanted % of lines, $branches_wanted % of branches"
exit $status
