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
    "stats": {"target_type": "stats", "textfile": "'"$T"'/shared/a.prom", "state": "'"$T"'/shared/state"},
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
names+=(control a.prom list~ a.prom.0~ a.prom.1~ state.0~ state.1~)
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
	case $kind in *link) ;; *) continue ;; esac
	# one at a time: no other name stands in its way
	for n in "${names[@]}"; do
		rm -rf "$T"/shared/*
		victim
		lay "$kind" "$T/shared/$n"
		flowgated
		if ! untouched || ! unwritten; then failed "$kind at $n alone" "$T/err"; fi
	done
done

# Somebody swaps them all the while.
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
	folder, victim = sys.argv[1:]
	names = ["log", "list", "list~", "a.prom", "a.prom.0~", "a.prom.1~", "state", "state.0~", "state.1~", "control"]
	while True:
	    path = folder + "/" + random.choice(names)
	    try:
	        if path.endswith("control"):
	            if random.random() < 0.9:
	                continue
	        os.unlink(path)
	        random.choice([lambda: os.symlink(victim, path), lambda: os.link(victim, path), lambda: None])()
	    except OSError:
	        pass
PY
python3 "$T/swap.py" "$T/shared" "$T/own/victim" &
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

# A user to become: his is only what we made.
if id nobody >/dev/null 2>&1; then
	rm -rf "$T"/shared/*
	victim
	# the checkout may be where he cannot read
	install -m 644 tests/data/v4.stream "$T/stream"
	config '{"sources": ["file://'"$T"'/stream"], "user": "nobody", "targets": {}, "actions": {}}'
	python3 "$T/swap.py" "$T/shared" "$T/own/victim" &
	swapper=$!
	pids+=("$swapper")
	for _ in {1..40}; do "$B/flowgated" -c "$T/config.json" -S "$T/shared/control" >/dev/null 2>&1 </dev/null; done
	kill "$swapper"
	ok "the socket is handed over, and nothing that is put in its place" untouched
fi
finish
