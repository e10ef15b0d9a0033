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

block 1 >"$T/flowgate.json"
block 2 >"$T/gateway.nft"
(echo '{ "actions": { "a": { "criteria": "*", "targets": ["block"] } }, "targets": {'
	block 3
	echo '} }') >"$T/fw4.json"
(echo 'table inet fw4 {'; cat common/dist/openwrt/flowgate/files/blocked.nft; echo '}') >"$T/fw4.nft"

if unshare -rn true 2>/dev/null; then
	for name in "flowgate gateway" "fw4 fw4"; do
		json=$T/${name% *}.json nft=$T/${name#* }.nft
		ok "$name: the rules load, the configuration fits" unshare -rn sh -c "nft -f $nft && '$B/flowgated' -t -c $json"
	done
	# both have the same rules
	rules() { sed -n '/chain flowgate/,/}/p' "$1" | grep -o 'ip.*'; }
	ok "the rules for OpenWrt are those of Debian" diff <(rules "$T/gateway.nft" | tr -s ' ') <(rules "$T/fw4.nft" | tr -s ' ')
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
