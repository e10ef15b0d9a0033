#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The first thing that people copy is right: the rules of the README load, and
# its configuration is for them; what it calls by name is there.
# shellcheck disable=SC2013,SC2317 # words; functions are called by name through ok
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

block() { # N: the Nth block of code between lines of ```
	awk -v n="$1" '/^```/ { if (inside) { inside = 0 } else { inside = 1; count++ } next } inside && count == n' README.md
}

recipe=rules/block/block
cp $recipe.json "$T/flowgate.json"
cp $recipe.nft "$T/gateway.nft"
(echo '{ "actions": { "a": { "criteria": "*", "targets": ["block"] } }, "targets": {'
	block 2
	echo '} }') >"$T/fw4.json"
# as rules/block/README.md has it, and the OpenWrt package
sed '/^table/d; /^flush/d; /^}/d' $recipe.nft >"$T/10-flowgate.nft"
printf 'table inet fw4 {\ninclude "%s"\n}\n' "$T/10-flowgate.nft" >"$T/fw4.nft"

for file in $recipe.nft $recipe.json; do
	ok "it names $file" grep -qF " $file" README.md
done
# what it shows of the policy is what the recipe has
plain() { sed 's,[[:space:]]//.*,,' "$1" | jq -cS "$2"; }
(echo '{'; block 1; echo '}') >"$T/shown"
ok "the actions are the recipe's" diff <(plain "$T/shown" .actions) <(plain $recipe.json .actions)

if unshare -rn true 2>/dev/null; then
	for name in "flowgate gateway" "fw4 fw4"; do
		json=$T/${name% *}.json nft=$T/${name#* }.nft
		ok "$name: the rules load, the configuration fits" unshare -rn sh -c "nft -f $nft && '$B/flowgated' -t -c $json"
	done
else
	echo "no network namespace: rules are not loaded"
fi

for link in $(grep -o '](\([a-z][^)]*\))' README.md | tr -d '()]' | grep -v '^http'); do
	ok "$link is there" test -e "$link"
done
for target in $(grep -oE '(^| |`)make [a-z]+' README.md | sed 's/.*make //' | sort -u); do
	ok "make $target" grep -q "^$target:" Makefile
done
for page in $(grep -oE 'man [1578] [a-z.-]+' README.md | sed 's/man \(.\) \(.*\)/\2.\1/'); do
	ok "manual $page" test -e "common/dist/man/$page"
done
finish
