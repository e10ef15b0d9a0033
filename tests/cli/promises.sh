#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tables of promises and of faults say that a test shows, some test of
# that name is there to show.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

is_there() { # NAME: of a test, a file, or a make target; fault-* is several
	case $1 in
	"make "*) grep -q "^${1#make }:" Makefile ;;
	*/*) [ -e "$1" ] ;;
	*) compgen -G "tests/*/$1.sh" >/dev/null || compgen -G "tests/*/$1.c" >/dev/null ;;
	esac
}
# the last column of each row that has one of tests
names() { # FILE
	awk -F' *[|] *' '/^\|.*\| shown by \|$/ { on = 1; next } !/^\|/ { on = 0 } on && $2 !~ /^-/ { print $(NF - 1) }' "$1"
}
count=0
while read -r name; do
	[ -n "$name" ] || continue
	count=$((count + 1))
	is_there "$name" || failed "$name: no such test"
done < <({
	names common/README.md
	names tests/netns/README.md
} | tr -d '`' | sed 's/ (/, /; s/)//' | tr ',;' '\n' | sed 's/^ *//; s/ *$//; s/.*(\(.*\))/\1/; s/^fuzz targets with sanitizers$//' | sort -u)
ok "all of them are there: $count" test "$count" -ge 30
finish
