#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a plugin's author has is what was installed: the header compiles by
# itself, the sample and the first plugin of flowgate-plugin(7) build with it
# and do what they say. And uninstall leaves nothing.
set -eu
B=${B:-$PWD/build}
streams=$PWD/tests/data
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
root=$tmp/root
failed=0

complain() {
	echo "$*"
	failed=1
}

# where it was built for: with other paths all would be built again
{
	read -r _
	read -r prefix
	read -r libdir
	read -r etc
	read -r doc
} <"$B/.paths"
paths=("B=$B" "DESTDIR=$root" "PREFIX=$prefix" "LIBDIR=$libdir" "SYSCONFDIR=$etc" "DOCDIR=$doc")
make -s install "${paths[@]}" >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
export PKG_CONFIG_PATH=$root$libdir/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
flowgated=$root$prefix/sbin/flowgated
plugins=$root$libdir/flowgate
sample=$root$doc/examples/sample

# --------------------------------------------------------------- the header

cflags=$(pkg-config --cflags flowgate)
echo '#include <flowgate/plugin.h>' >"$tmp/only.c"
tried=0
while read -r compiler args; do
	command -v "$compiler" >/dev/null || continue
	tried=$((tried + 1))
	# shellcheck disable=SC2086
	"$compiler" $args -Wall -Wextra -Wpedantic -Wshadow -Werror $cflags \
		-fsyntax-only "$tmp/only.c" || complain "$compiler $args: the header does not compile"
done <<END
gcc -std=c11
gcc -std=c17
clang -std=c11
g++ -x c++ -std=c++17
clang++ -x c++ -std=c++17
END
[ $tried -gt 0 ] || complain "no compiler found"
[ "$(pkg-config --modversion flowgate)" = "$("$flowgated" -V | cut -d ' ' -f 2)" ] ||
	complain "flowgate.pc has another version than flowgated"

# --------------------------------------------------------------- the sample

cp -r "$sample" "$tmp/sample"
rm "$plugins/sample.so"
make -s -C "$tmp/sample" CFLAGS='-O2 -Wall -Wextra -Werror'
DESTDIR=$root make -s -C "$tmp/sample" install
cat >"$tmp/sample.json" <<END
{
  "actions": { "all": { "criteria": "*", "targets": ["list"] } },
  "targets": { "list": { "target_type": "sample", "path": "$tmp/list" } }
}
END
"$flowgated" -n -c "$tmp/sample.json" -s "file://$streams/v4.stream" -P "$plugins" \
	>"$tmp/out" 2>"$tmp/err" || complain "the sample: $(cat "$tmp/err")"
grep -q "$tmp/list: [0-9]* addresses" "$tmp/out" || complain "the sample did nothing: $(cat "$tmp/err")"

# ------------------------------------------- step by step, as the manual says

mkdir "$tmp/hello"
man=$root$prefix/share/man/man7/flowgate-plugin.7
display() { # FILE: the display after the heading that names it
	awk -v file="$1" '
		/^\.Ss/ { found = index($0, file) }
		/^\.Bd/ && found { inside = 1; next }
		/^\.Ed/ { if (inside) exit }
		inside { gsub(/\\&/, ""); gsub(/\\e/, "\\"); print }
	' "$man"
}
cp "$sample/Makefile" "$tmp/hello"
display hello.c >"$tmp/hello/hello.c"
display hello.json | sed "s|/home/me|$tmp|" >"$tmp/hello/hello.json"
make -s -C "$tmp/hello" CFLAGS='-O2 -Wall -Wextra -Werror'
try() { "$flowgated" -P "$plugins" -c "$tmp/hello/hello.json" "$@" >"$tmp/out" 2>&1; }
try -t || complain "hello.json: $(cat "$tmp/out")"
try -n -s "file://$streams/v4.stream" || complain "hello: $(cat "$tmp/out")"
grep -q 'good morning, netify\.[a-z]*, by action everybody' "$tmp/out" ||
	complain "nobody was greeted: $(cat "$tmp/out")"
sed -i 's/"greeting"/"greetign"/' "$tmp/hello/hello.json"
! try -t || complain "a misspelled key is taken"
grep -q 'hello.json:[0-9:]* .*greetign.*greeting' "$tmp/out" ||
	complain "a misspelled key gets no hint: $(cat "$tmp/out")"
sed -i 's/"greetign"/"greeting"/; /"plugins"/d' "$tmp/hello/hello.json"
DESTDIR=$root make -s -C "$tmp/hello" install
try -t || complain "once installed it is not found: $(cat "$tmp/out")"

# ---------------------------------------------------------------- uninstall

rm "$plugins/hello.so"
make -s uninstall "${paths[@]}"
left=$(find "$root" ! -type d -o -path '*flowgate*')
[ -z "$left" ] || complain "uninstall leaves $left"
exit $failed
