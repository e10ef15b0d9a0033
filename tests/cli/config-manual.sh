#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# flowgate.json(5) has every key that the schema and the code know.
set -eu
manual=common/dist/man/flowgate.json.5
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

lacks() { # what one has and the other does not
	comm -23 "$tmp/$1" "$tmp/$2" | sed "s/^/the $1 has it, the $2 has not: /" >"$tmp/missing"
	cat "$tmp/missing"
	[ ! -s "$tmp/missing" ] || failed=1
}

jq -r '.. | .properties? | objects | keys[]' common/dist/flowgate.schema.json |
	grep -v '^\$' | sort -u >"$tmp/schema"
# what the manual explains, what its tables have, and the types of targets
grep -E '^\.(It )?S[ys] |^\.It [a-z_]+ Ta ' "$manual" | tr -s ' ,:' '\n' |
	sort -u >"$tmp/manual"
lacks schema manual

# what the code asks for, in config.c and its like and in the plugins, is in the
# schema, too; a call may be on two lines
cat common/policy/{config,source,action}.c plugins/*/*.c | tr -s '\n\t' ' ' |
	grep -oE '(fg_node_|fg_settings_|->)(any|texts?|uint|boolean|list|object)\([^";]*"[a-z_]+"' |
	sed 's/.*"\(.*\)"/\1/' >"$tmp/code"
# and so are the keys that stand in tables
sed -n 's/^\t*{"\([a-z_]*\)", [0-9].*/\1/p' common/policy/config.c >>"$tmp/code"
sort -u -o "$tmp/code" "$tmp/code"
if [ "$(wc -l <"$tmp/code")" -lt 25 ]; then
	echo "keys in the code not found"
	failed=1
fi
lacks code schema
exit $failed
