#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every path that is written to, in a folder where somebody else may write, too:
# symbolic links, hard links, pipes and files of his are laid there, before and
# all the while. What they lead to is never touched.
# shellcheck disable=SC2317 # functions are called by name
if [ "${1:-}" != inside ]; then
	if [ "$(id -u)" != 0 ] || ! unshare -n true 2>/dev/null; then
		echo "needs root, to be the one who must not be deceived, and network namespaces"
		exit 77
	fi
	exec unshare -n "$0" inside
fi
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
have jq
have python3
have socat
have "${CC:-cc}"

# where Debian's kernel would not let others' files be linked to or opened
echo "# links protected by the kernel: $(cat /proc/sys/fs/protected_{sym,hard}links /proc/sys/fs/protected_regular | paste -sd' ')"
mkdir "$T/shared" "$T/own"
chmod 777 "$T/shared" # not sticky: the worst that it can be
chmod 755 "$T"
victim() { # a file of root's that nobody may change
	rm -f "$T/own/victim"
	echo "of root" >"$T/own/victim"
	chmod 600 "$T/own/victim"
}
untouched() {
	[ "$(cat "$T/own/victim")" = "of root" ] && [ "$(stat -c '%U %a %s' "$T/own/victim")" = "root 600 8" ]
}
unwritten() { [ ! -e "$T/own/nothing" ]; }
config '{"sources": ["file://'"$PWD"'/tests/data/v4.stream"],
  "targets": {
    "log": {"target_type": "log", "file": "'"$T"'/shared/log"},
    "files": {"target_type": "log", "path": "'"$T"'/shared", "prefix": "f", "interval": 3600},
    "list": {"target_type": "sample", "path": "'"$T"'/shared/list"},
    "stats": {"target_type": "stats", "textfile": "'"$T"'/shared/a.prom", "state": "'"$T"'/shared/state", "listen": "unix://'"$T"'/shared/metrics"},
    "set": {"target_type": "nftset", "table_name": "t", "set_name": "s", "managed": true, "type": ["other_addr"], "ttl": 60, "other_types": "*"}},
  "actions": {"all": {"criteria": "*", "targets": ["log", "files", "list", "set"]}}}'
flowgated() { # to the end of the stream
	status=0
	"$B/flowgated" -c "$T/config.json" -S "$T/shared/control" >"$T/out" 2>"$T/err" </dev/null || status=$?
}

# What it writes, when nobody interferes.
victim
flowgated
ok "runs" test $status = 0
names=()
for f in "$T"/shared/*; do names+=("${f##*/}"); done
echo "# ${names[*]}"
for want in log 'f-*.json' list state 'nftset-*.lock' 'nftset-*.leases'; do
	ok "writes $want" compgen -G "$T/shared/$want"
done
names+=(control metrics a.prom list~ a.prom.0~ a.prom.1~ state.0~ state.1~)
for f in "$T"/shared/nftset-*.lock; do
	f=${f##*/}
	names+=("${f%.lock}.leases.new")
done

# lay KIND PATH
lay() {
	rm -rf "$2"
	case $1 in
	"symbolic link") ln -s "$T/own/victim" "$2" ;;
	"dangling link") ln -s "$T/own/nothing" "$2" ;;
	"hard link") ln "$T/own/victim" "$2" ;;
	pipe) mkfifo "$2" ;;
	"file of another") echo his >"$2" && chown 12345:12345 "$2" ;;
	folder) mkdir "$2" ;;
	esac
}
for kind in "symbolic link" "dangling link" "hard link" pipe "file of another" folder; do
	rm -rf "$T"/shared/*
	victim
	for n in "${names[@]}"; do lay "$kind" "$T/shared/$n"; done
	flowgated
	ok "$kind for each: what it leads to is as it was" untouched
	ok "$kind for each: nothing is made elsewhere" unwritten
	ok "$kind for each: it ends, and says why (${status})" grep -q . "$T/err"
	# one at a time: no other name stands in its way
	for n in "${names[@]}"; do
		rm -rf "$T"/shared/*
		victim
		lay "$kind" "$T/shared/$n"
		flowgated
		if ! untouched || ! unwritten; then failed "$kind at $n alone" "$T/err"; fi
	done
done

# A socket is swapped as soon as it is bound: its mode and owner are its own.
if grep -q '__[at]san_init' <<<"$(nm -D "$B/flowgated")"; then
	echo "a sanitizer wants to be the first that is preloaded: nothing is swapped at a moment"
else
	"${CC:-cc}" -shared -fPIC -o "$T/swap.so" tests/tools/shim/swap.c || exit 1
	cp "$T/config.json" "$T/as-root.json"
	for user in root nobody; do
		sed "s/^{/{\"user\": \"$user\", /" "$T/as-root.json" >"$T/config.json"
		for at in control metrics; do
			for hard in '' HARD=y; do
				rm -rf "$T"/shared/*
				victim
				# shellcheck disable=SC2086 # one word, or none
				LD_PRELOAD=$T/swap.so VICTIM=$T/own/victim SWAPPED=$T/shared/$at \
					env $hard "$B/flowgated" -c "$T/config.json" -S "$T/shared/control" >"$T/out" 2>"$T/err" </dev/null
				ok "as $user, a ${hard:+hard }link at $at at once: what it leads to is as it was" untouched
				ok "and it was there, and is said to be" grep -qE 'there is a file of that name|something else is in its place' "$T/err"
			done
		done
	done
fi

# Somebody swaps them all the while. Not hard links: one that goes between the
# kernel's look-up of a name and its count of names is not noticed.
rm -rf "$T"/shared/*
config '{"sources": ["unix://'"$T"'/agent"], "user": "nobody",
  "targets": {
    "log": {"target_type": "log", "file": "'"$T"'/shared/log"},
    "list": {"target_type": "sample", "path": "'"$T"'/shared/list"},
    "stats": {"target_type": "stats", "textfile": "'"$T"'/shared/a.prom", "textfile_interval": 1, "state": "'"$T"'/shared/state"}},
  "actions": {"all": {"criteria": "*", "targets": ["log", "list"]}}}'
sed -i 's/"user": "nobody",//' "$T/config.json"
"$B/tests/tools/gen-stream" -f 0 -r 2000 -l 100 -U "unix://$T/agent" >/dev/null 2>&1 &
pids+=($!)
wait_for 10 test -S "$T/agent"
victim
cat >"$T/swap.py" <<-'PY'
	import os, random, sys
	folder, victim, *names = sys.argv[1:]
	while True:
	    path = folder + "/" + random.choice(names)
	    try:
	        if path.endswith("control"):
	            if random.random() < 0.9:
	                continue
	        os.unlink(path)
	        random.choice([lambda: os.symlink(victim, path), lambda: None])()
	    except OSError:
	        pass
PY
python3 "$T/swap.py" "$T/shared" "$T/own/victim" log list list~ a.prom a.prom.0~ a.prom.1~ state state.0~ state.1~ control metrics &
swapper=$!
pids+=("$swapper")
for _ in {1..6}; do
	"$B/flowgated" -c "$T/config.json" -S "$T/shared/control" >"$T/out" 2>"$T/err" </dev/null &
	gate=$!
	pids+=("$gate")
	# before that, a signal would be bash's
	wait_for 10 grep -q flowgated "/proc/$gate/comm"
	wait_for 2 grep -q . "$T/err"
	for _ in {1..20}; do
		kill -HUP "$gate" 2>/dev/null
		sleep 0.03
	done
	kill "$gate" 2>/dev/null
	wait "$gate" 2>/dev/null
done
kill "$swapper"
ok "swapped all the while: what they lead to is as it was" untouched

# What one run leaves to the next, and the lock of a set.
play() { # says the recording to each that comes
	rm -f "$T/agent"
	socat "UNIX-LISTEN:$T/agent,fork" "SYSTEM:cat tests/data/v4.stream; sleep 1000" 2>/dev/null &
	pids+=($!)
	wait_for 10 test -S "$T/agent"
}
ends() { ! kill -0 "$gate" 2>/dev/null; }
heard() { [ "$("$B/flowgatectl" -S "$T/shared/control" -j status 2>/dev/null | jq .sources[0].messages)" = 81 ]; }
left_behind() { # NAME...: runs while these are swapped; $left of them left flows
	left=0
	rm -rf "$T"/shared/*
	victim
	python3 "$T/swap.py" "$T/shared" "$T/own/victim" "$@" &
	swapper=$!
	pids+=("$swapper")
	for _ in {1..15}; do
		"$B/flowgated" -l info -c "$T/config.json" -S "$T/shared/control" >"$T/out" 2>"$T/err" </dev/null &
		gate=$!
		pids+=("$gate")
		until heard || ends; do sleep 0.02; done
		kill "$gate" 2>/dev/null
		wait "$gate" 2>/dev/null
		left=$((left + $(grep -c '[0-9] flows left to the next run: /' "$T/err")))
	done
	kill "$swapper"
	ok "swapped: $1 ...: what they lead to is as it was" untouched
	ok "and nothing is made elsewhere" unwritten
}
config '{"sources": ["unix://'"$T"'/agent"],
  "targets": {"set": {"target_type": "nftset", "table_name": "t", "set_name": "s", "managed": true, "type": ["other_addr"], "ttl": 60, "other_types": "*"}},
  "actions": {"all": {"criteria": "*", "targets": ["set"]}}}'
play
kept=()
for f in "${names[@]}"; do
	case $f in *.leases*) kept+=("$f") ;; esac
done
left_behind control.flows control.flows.new "${kept[@]}"
left_behind other.flows
ok "flows are left in each run, when theirs are not" test "$left" = 15
locks=()
for f in "${names[@]}"; do
	case $f in *.lock) locks+=("$f") ;; esac
done
left_behind "${locks[@]}"

# A user to become: his is only what we made.
if id nobody >/dev/null 2>&1; then
	rm -rf "$T"/shared/*
	victim
	# the checkout may be where he cannot read
	install -m 644 tests/data/v4.stream "$T/stream"
	config '{"sources": ["file://'"$T"'/stream"], "user": "nobody", "targets": {}, "actions": {}}'
	python3 "$T/swap.py" "$T/shared" "$T/own/victim" control &
	swapper=$!
	pids+=("$swapper")
	for _ in {1..40}; do "$B/flowgated" -c "$T/config.json" -S "$T/shared/control" >/dev/null 2>&1 </dev/null; done
	kill "$swapper"
	ok "the socket is handed over, and nothing that is put in its place" untouched
fi
finish
