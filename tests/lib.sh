# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2317 # functions are called by name
# Sourced by shell tests that need no network namespace: a folder of their own
# in $T, cases that are counted, waiting with a deadline. At the end: finish.
set -u -o pipefail
B=${B:-$PWD/build}
T=$(mktemp -d)
failures=0
pids=()

skip() {
	echo "$*"
	exit 77
}

cleanup() {
	local p
	exec 2>/dev/null
	for p in "${pids[@]:-}"; do
		[ -z "$p" ] || kill -9 "$p" 2>/dev/null
	done
	rm -rf "$T"
}
trap cleanup EXIT

finish() {
	[ $failures = 0 ] && exit 0
	echo "$failures failed"
	exit 1
}

# wait_for SECONDS COMMAND...: until it succeeds; prints nothing
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

failed() { # WHAT [FILE...]: the case failed; shows the files
	local f
	echo "FAILED: $1"
	shift
	for f in "$@"; do
		echo "  $f:"
		sed 's/^/    /' "$f"
	done
	failures=$((failures + 1))
}

# ok WHAT COMMAND...
ok() {
	local what=$1
	shift
	if "$@" >"$T/.ok" 2>&1; then
		echo "ok: $what"
	else
		failed "$what: $*" "$T/.ok"
	fi
}

# Runs flowgated; leaves $T/out, $T/err and $status. In $T, since a core or a
# file of it belongs nowhere else.
gate() {
	status=0
	"$B/flowgated" -S "$T/control.sock" "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
}

# says WHAT STATUS REGEX ARGUMENTS...: flowgated ends so, and says that
says() {
	local what=$1 wanted=$2 regex=$3
	shift 3
	gate "$@"
	if [ "$status" != "$wanted" ]; then
		failed "$what: status $status, not $wanted" "$T/out" "$T/err"
	elif ! grep -qE -- "$regex" "$T/out" "$T/err"; then
		failed "$what: does not say: $regex" "$T/out" "$T/err"
	elif grep -q 'Sanitizer' "$T/err"; then
		failed "$what: sanitizer" "$T/err"
	else
		echo "ok: $what"
	fi
}

# config JSON...: the text becomes $T/config.json
config() {
	printf '%s\n' "$@" >"$T/config.json"
}

# start ARGUMENTS...: flowgated in the background with $T/control.sock; $gate
start() {
	"$B/flowgated" -S "$T/control.sock" "$@" >"$T/out" 2>"$T/err" </dev/null &
	gate=$!
	pids+=("$gate")
	wait_for 10 test -S "$T/control.sock" && return
	failed "flowgated did not start" "$T/err"
	exit 1
}

# stop: SIGTERM; leaves $status
stop() {
	kill "$gate"
	status=0
	wait "$gate" || status=$?
}

# ctl REQUEST...: the reply of flowgated
ctl() {
	printf '%s\n' "$*" | socat -t 20 - "UNIX-CONNECT:$T/control.sock"
}

# value FILTER: of status -j
value() {
	ctl -j status | tail -n +2 | jq -r "$1"
}

# is_value FILTER WANTED
is_value() {
	[ "$(value "$1")" = "$2" ]
}

have() {
	command -v "$1" >/dev/null || skip "needs $1"
}
