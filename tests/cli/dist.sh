#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The tarball of the sources: what is in it, and that it needs nothing else.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
have make
unset MAKEFLAGS MAKELEVEL # of a make that runs the tests

# dist FOLDER: its tarball, made into a build directory of its own
dist() {
	make -s -C "$1" B="$T/made" dist >"$T/said" 2>&1 || failed "make dist in $1" "$T/said"
	tarball=$(echo "$T"/made/flowgate-*.tar.gz)
}
contents() { tar -tf "$tarball" | grep -v '/$' | sed 's|^[^/]*/||' | LC_ALL=C sort; }

dist "$PWD"
contents >"$T/contents"
if [ -e .git ] && git ls-files >/dev/null 2>&1; then
	git ls-files -co --exclude-standard | while read -r f; do [ ! -e "$f" ] || printf '%s\n' "$f"; done |
		LC_ALL=C sort >"$T/known"
	ok "has what git knows, and no more" diff "$T/known" "$T/contents"
fi
ok "nobody's own numbers, nothing that others may write to" \
	test -z "$(tar --numeric-owner -tvf "$tarball" | awk '$2 != "0/0" || $1 ~ /^.....w|^........w/')"
cp "$tarball" "$T/first.tar.gz"
dist "$PWD"
ok "the same bytes each time" cmp "$tarball" "$T/first.tar.gz"

mkdir "$T/away"
tar -xf "$tarball" -C "$T/away"
cd "$T/away"/flowgate-* || exit 1
dist "$PWD"
contents >"$T/again"
ok "a tarball of the tarball has the same files" diff "$T/contents" "$T/again"
# a distribution's git that ignores what it unpacks
if command -v git >/dev/null; then
	git init -q "$T/away" && echo '*' >"$T/away/.gitignore"
	dist "$PWD"
	contents >"$T/again"
	ok "also below somebody else's git" cmp "$T/contents" "$T/again"
fi
if ! make -j2 OPT=-O0 B=build all build/tests/{unit/test_text,tools/stream-count} >"$T/made.log" 2>&1; then
	tail -n 30 "$T/made.log"
	failed "builds"
fi
B=$PWD/build tests/run build/tests/unit/test_text tests/cli/completion.sh tests/cli/recordings.sh tests/cli/readme.sh >"$T/ran" 2>&1
grep -q '^[0-9]* passed, 0 failed' "$T/ran" || failed "tests pass there" "$T/ran"
finish
