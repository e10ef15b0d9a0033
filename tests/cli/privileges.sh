#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What flowgated gives up: system calls that it has no use for, new privileges,
# and, started as root with "user", everything but CAP_NET_ADMIN.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
have socat
have jq
have "${CC:-cc}"

chmod 755 "$T"
mkdir "$T/plugins"
umask 022
"${CC:-cc}" -shared -fPIC -Icommon/include -o "$T/plugins/greedy.so" tests/tools/bad-plugins/greedy.c || exit 1
cp "$B/plugins/netifyd.so" "$B/plugins/sample.so" "$T/plugins/"
chmod 755 "$T"/plugins/*.so

# ------------------------------------------------------------- system calls
config '{"sources": ["file://'"$PWD"'/tests/data/v4.stream"],
  "targets": {"x": {"target_type": "greedy"}},
  "actions": {"all": {"criteria": "*", "targets": ["x"]}}}'
if grep -q seccomp_load <<<"$(nm -D "$B/flowgated")"; then
	gate -c "$T/config.json" -P "$T/plugins" -S "$T/socket"
	ok "a plugin that is greedy: flowgated goes on" grep -q 'source v4.stream: 81 messages' "$T/err"
	ok "what plugins need can be done" grep -q 'a socket: done' "$T/err"
	for what in "a process" "a user namespace" unshare execve ptrace setuid mount; do
		ok "no $what" grep -q "$what: Operation not permitted" "$T/err"
	done
	ok "threads are made without clone3, whose flags can't be seen" grep -q 'clone3: Function not implemented' "$T/err"
else
	echo "built without libseccomp or with a sanitizer: system calls are not confined"
fi

# -------------------------------------------------------------------- as root
all_threads() { # KEY REGEX: of /proc/PID/status, in each thread
	local f n=0
	for f in /proc/"$gate"/task/*/status; do
		grep -Eq "^$1:[[:space:]]+$2\$" "$f" || return 1
		n=$((n + 1))
	done
	[ "$n" = "$threads" ]
}
threads=$(($(nproc) > 1 ? 5 : 4)) # three stand by, and one helps
mkfifo "$T/fifo"
targets='"targets": {"list": {"target_type": "sample", "path": "'"$T"'/run/list"}},
  "actions": {"all": {"criteria": "*", "targets": ["list"]}}'
config '{"sources": ["file://'"$T"'/fifo"], '"$targets}"
start -c "$T/config.json"
ok "no new privileges" wait_for 5 all_threads NoNewPrivs 1
if grep -q seccomp_load <<<"$(nm -D "$B/flowgated")"; then
	ok "system calls are confined in each thread" wait_for 5 all_threads Seccomp 2
fi
stop

[ "$(id -u)" = 0 ] || {
	echo "not root: users are not tried"
	finish
}
uid=$(id -u nobody) || finish
config '{"user": "nobody", "sources": ["file://'"$T"'/fifo"], '"$targets}"
mkdir "$T/run"
chown nobody "$T/run"
chmod o+r "$T/fifo"
start -c "$T/config.json"
wait_for 5 all_threads NoNewPrivs 1
ok "user: all of its ids" all_threads Uid "$uid	$uid	$uid	$uid"
ok "user: its group, too" test -z "$(grep -E '^Gid:.*[[:space:]]0([[:space:]]|$)' /proc/"$gate"/task/*/status)"
ok "user: no group of root" test -z "$(grep -E '^Groups:.*[[:space:]]0([[:space:]]|$)' /proc/"$gate"/task/*/status)"
for set in CapPrm CapEff CapBnd; do
	ok "user: $set is CAP_NET_ADMIN alone" all_threads $set 0000000000001000
done
for set in CapInh CapAmb; do
	ok "user: $set is nothing" all_threads $set 0000000000000000
done
ok "user: the control socket is its own" test "$(stat -c %U "$T/control.sock")" = nobody
ok "user: root may still ask" is_value '.targets[0].name' list
cat tests/data/v4.stream >"$T/fifo"
ok "user: it reads, and writes where it may" wait_for 10 grep -q . "$T/run/list"
ok "user: and the file is its own" test "$(stat -c %U "$T/run/list")" = nobody
wait "$gate"
ok "user: ends well" test $? = 0

# a file that root can read, and the user cannot
cp tests/data/v4.stream "$T/secret"
chmod 600 "$T/secret"
config '{"user": "nobody", "sources": ["file://'"$T"'/secret"], '"$targets}"
for option in -t -n ""; do
	says "user: a recording that it may not read is refused ($option)" 1 \
		'config.json:1:32: source "file:.*/secret": user nobody cannot read it: Permission denied: change its owner or mode' \
		${option:+$option} -c "$T/config.json"
done
mkdir -m 700 "$T/shut"
cp tests/data/v4.stream "$T/shut/open"
says "user: nor in a directory that it may not enter" 1 'user nobody cannot read it' \
	-c "$T/config.json" -s "file://$T/shut/open"
chmod 604 "$T/secret"
says "user: one that it may read is read" 0 'source secret: 81 messages' -c "$T/config.json"

config '{"user": "nobody", "sources": ["unix://'"$T"'/agent.sock"], '"$targets}"
"$B/tests/tools/play-agent" -s 0 -H tests/data/v4.stream "unix://$T/agent.sock" >/dev/null 2>&1 &
pids+=($!)
wait_for 5 test -S "$T/agent.sock"
chmod 755 "$T/agent.sock"
start -c "$T/config.json"
ok "user: an agent's socket that is root's: what to do is said" \
	wait_for 10 grep -q "permission denied (flowgated's user needs write permission on the socket)" "$T/err"
stop

finish
