#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# flowgate-expressions(7) has every attribute and constant that there is and no
# other, and its examples are expressions.
set -eu -o pipefail
manual=common/dist/man/flowgate-expressions.7
match=$B/tests/tools/match-flows
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

"$match" -l | sort -u >"$tmp/code"
sed -n '/^\.Sh ATTRIBUTES/,/^\.Sh NAMES/p' "$manual" |
	grep -E '^\.(It )?Sy ' | sed 's/^\.\(It \)\?Sy //' | tr -s ' ,' '\n' |
	grep '[a-z]' | sort -u >"$tmp/manual"
diff "$tmp/code" "$tmp/manual" || {
	echo "< only in the code, > only in the manual"
	exit 1
}

# \e is how mdoc writes a backslash
sed -n '/^\.Sh EXAMPLES/,/^\.Sh DIAGNOSTICS/p' "$manual" |
	sed -n '/^\.Bd/,/^\.Ed/{/^\./!p}' | sed 's/\\e/\\/g' >"$tmp/examples"
[ "$(wc -l <"$tmp/examples")" -ge 10 ]
cat >"$tmp/groups.json" <<'EOF'
{"address_groups": {"kids": ["192.0.2.0/28"]},
 "application_groups": {"video": ["netflix"]}}
EOF
"$match" -c "$tmp/groups.json" "$tmp/examples"

# and so is the error that it shows
echo "aplication == 'netflix'" >"$tmp/wrong"
if "$match" "$tmp/wrong" 2>"$tmp/said"; then exit 1; fi
shown=$(sed -n '/^\.Sh DIAGNOSTICS/,$s/^flowgate.json:[0-9:]* //p' "$manual")
grep -qF "$shown" "$tmp/said"
