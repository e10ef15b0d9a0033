#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The manuals are clean, have every option and command that -h lists and no
# other, and what they give as an example works.
set -eu
B=${B:-$PWD/build}
man=$PWD/common/dist/man
streams=$PWD/tests/data
tmp=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$tmp"' EXIT
failed=0

complain() {
	echo "$*"
	failed=1
}

for f in "$man"/*.[1578]; do
	# those of the project need not be installed
	if mandoc -Tlint "$f" 2>&1 | grep -v 'referenced manual not found\|outdated mandoc.db'; then
		complain "$f is not clean"
	fi
	mandoc -Tascii "$f" 2>/dev/null | col -b >"$tmp/${f##*/}.txt"
done

# ------------------------------------------------------- options and commands

options() { # of -h
	"$B/$1" -h | grep -oE -- '(^|[ ,[])--?[a-zA-Z][a-z-]*' | tr -d ' ,[' | sort -u
}

manual_options() {
	sed -nE 's/^\.It (Fl .*)/\1/p; s/^\.It Cm [a-z]+ (.*Fl .*)/\1/p' "$man/$1" |
		grep -oE '(^|[ ])(Fl )?(- ?)?-?[a-zA-Z-]+' | awk '
		$1 == "Fl" { $0 = $2; fl = 1 }
		/^-?[a-zA-Z-]+$/ && fl { print "-" $1 }
		{ fl = 0 }'
	sed -nE 's/^\.It Fl ([A-Za-z]) , -([a-z-]+).*/-\1 --\2/p; s/^\.It Fl -([a-z-]+).*/--\1/p' "$man/$1" | tr ' ' '\n'
}

same() { # WHAT FILE FILE
	local lacking

	lacking=$(comm -3 "$2" "$3" | tr -s '\t\n' ' ')
	[ -z "$lacking" ] || complain "$1: only one of -h and the manual has$lacking"
}

for p in flowgated.8 flowgatectl.1; do
	options "${p%.?}" >"$tmp/help"
	manual_options $p | grep -E '^--?[a-zA-Z]' | sort -u >"$tmp/manual"
	same "options of ${p%.?}" "$tmp/help" "$tmp/manual"
done
"$B/flowgatectl" -h | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' | sort >"$tmp/help"
sed -n '/^\.Sh COMMANDS/,/^\.Sh ENV/s/^\.It Cm \([a-z]*\).*/\1/p' "$man/flowgatectl.1" | sort >"$tmp/manual"
same "commands of flowgatectl" "$tmp/help" "$tmp/manual"

# each variable of the environment that is asked for, and no other
cat common/*/*.c plugins/*/*.c | grep -o 'getenv("[A-Z_]*")' | tr -dc 'A-Z_\n' | sort -u >"$tmp/code"
sed -n 's/^\.It Ev //p' "$man"/*.[18] | tr -d ' ' | tr ',' '\n' | sort -u >"$tmp/manual"
[ -s "$tmp/code" ] || complain "no getenv() found"
lacking=$(comm -3 "$tmp/code" "$tmp/manual" | tr -s '\t\n' ' ')
[ -z "$lacking" ] || complain "ENVIRONMENT: only one of the code and the manuals has $lacking"

# ------------------------------------------------------------- configurations

# displays that are a whole object; without rights no set can be looked at, and
# -n says so and goes on
cat "$man"/*.[1578] | awk -v dir="$tmp" '
	/^\.Bd -literal/ { inside = 1; first = 1; next }
	/^\.Ed/ { inside = 0; out = ""; next }
	inside && first { first = 0; if ($0 == "{") out = dir "/example" ++n ".json" }
	inside && out { gsub(/\\&/, ""); gsub(/\\e/, "\\"); print > out }
'
count=0
for f in "$tmp"/example*.json; do
	# the plugin of flowgate-plugin(7) is built by another test
	if grep -q '"hello"' "$f"; then
		continue
	fi
	count=$((count + 1))
	"$B/flowgated" -n -c "$f" -s file:///dev/null >"$tmp/out" 2>&1 ||
		complain "an example is refused: $(cat "$tmp/out" "$f")"
done
[ $count -ge 2 ] || complain "examples of configurations not found"

# ------------------------------------------------------------------- commands

echo '{ "actions": {}, "targets": {} }' >"$tmp/new.json"
cp "$streams/v4.stream" "$tmp/today.stream"
mkdir "$tmp/bin"
# what is installed somewhere is used here in its place
cat >"$tmp/bin/flowgated" <<END
#!/bin/sh
case " \$* " in
*' -c '*) ;;
*) set -- -c new.json "\$@" ;;
esac
case " \$* " in
*' -t '*) exec $B/flowgated "\$@" ;;
*' -s '*) exec $B/flowgated "\$@" ;;
*) exec $B/flowgated "\$@" -s file://$tmp/today.stream ;;
esac
END
cat >"$tmp/bin/flowgatectl" <<END
#!/bin/sh
$B/flowgatectl -S $tmp/sock "\$@" & pid=\$!
case " \$* " in
*' -f '*) sleep 0.3; kill \$pid; exit 0 ;;
esac
wait \$pid
END
chmod +x "$tmp/bin/"*
PATH=$tmp/bin:$PATH

mkfifo "$tmp/fifo"
"$B/flowgated" -n -c "$tmp/new.json" -S "$tmp/sock" -s - <"$tmp/fifo" >"$tmp/log" 2>&1 &
pid=$!
exec 3>"$tmp/fifo"
cat "$streams/v4.stream" >&3
for _ in $(seq 100); do
	! "$B/flowgatectl" -S "$tmp/sock" status >/dev/null 2>&1 || break
	sleep 0.05
done

count=0
while IFS= read -r line; do
	count=$((count + 1))
	line=${line//\/tmp\/today/$tmp/today}
	(cd "$tmp" && bash -euo pipefail -c "$line" >"$tmp/out" 2>&1 </dev/null) ||
		complain "an example fails: $line: $(head -n 5 "$tmp/out")"
done < <(sed -nE 's/^\.Dl [$#] ((flowgated|flowgatectl) .*)/\1/p' "$man"/*.[1578] |
	sed 's/\\(dq/"/g; s/\\e/\\/g; s/\\&//g')
[ $count -ge 10 ] || complain "only $count examples of commands found"
echo "$count commands tried"
exit $failed
