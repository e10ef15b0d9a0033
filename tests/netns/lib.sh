# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2317 # functions are called by name through ok, wait_for
# Sourced by the tests of this folder: namespaces of their own, waiting with a
# deadline, and the driver of tests/tools. Everything made here is gone at exit.
set -u -o pipefail
PATH=$PATH:/usr/sbin:/sbin
B=${B:-$PWD/build}

skip() {
	echo "$*"
	exit 77
}

[ "$(id -u)" = 0 ] || skip "needs root, for network namespaces"
unshare -n true 2>/dev/null || skip "this kernel or container makes no network namespaces"

TMP=$(mktemp -d)
NS=fgt$$
failures=0

cleanup() {
	local n pids
	driver_stop 2>/dev/null
	for n in $(ip netns list 2>/dev/null | awk -v p="$NS-" 'index($1, p) == 1 { print $1 }'); do
		pids=$(ip netns pids "$n")
		# shellcheck disable=SC2086 # a list of numbers
		[ -z "$pids" ] || kill $pids 2>/dev/null
		ip netns del "$n"
	done
	rm -rf "$TMP"
}
trap cleanup EXIT

# ns NAME COMMAND...: runs it in the namespace
ns() {
	local n=$1
	shift
	ip netns exec "$NS-$n" "$@"
}

ns_new() {
	ip netns add "$NS-$1"
	ns "$1" ip link set lo up
}

# bg NAME COMMAND...: in the namespace, in the background, to the end of the test
bg() {
	local n=$1
	shift
	ip netns exec "$NS-$n" "$@" <&0 &
	disown
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

# ok "what" COMMAND...: one case of the test
ok() {
	local what=$1
	shift
	if "$@" >"$TMP/ok" 2>&1; then
		echo "ok: $what"
	else
		echo "FAILED: $what: $*"
		sed 's/^/    /' "$TMP/ok"
		failures=$((failures + 1))
	fi
}

# is "what" GOT WANTED
is() {
	if [ "$2" = "$3" ]; then
		echo "ok: $1"
	else
		printf 'FAILED: %s\n    got    %s\n    wanted %s\n' "$1" "$2" "$3"
		failures=$((failures + 1))
	fi
}

# has "what" TEXT PART: the part occurs in the text
has() {
	case $2 in
	*"$3"*) echo "ok: $1" ;;
	*)
		printf 'FAILED: %s\n    got %s\n    without %s\n' "$1" "$2" "$3"
		failures=$((failures + 1))
		;;
	esac
}

# the last line of a test
finish() {
	[ "$failures" = 0 ] && exit 0
	echo "$failures failed"
	exit 1
}

# client - gw - server: 10.0.0.2, 10.0.0.1 | 198.51.100.1, 198.51.100.9 and
# fd00:1::2, fd00:1::1 | fd00:2::1, fd00:2::9; the gateway's are lan and wan.
router() {
	local n
	for n in client gw server; do ns_new $n; done
	ip link add lan netns "$NS-gw" type veth peer name eth0 netns "$NS-client"
	ip link add wan netns "$NS-gw" type veth peer name eth0 netns "$NS-server"
	ns gw ip addr add 10.0.0.1/24 dev lan
	ns gw ip addr add 198.51.100.1/24 dev wan
	ns gw ip addr add fd00:1::1/64 dev lan nodad
	ns gw ip addr add fd00:2::1/64 dev wan nodad
	ns client ip addr add 10.0.0.2/24 dev eth0
	ns client ip addr add fd00:1::2/64 dev eth0 nodad
	ns server ip addr add 198.51.100.9/24 dev eth0
	ns server ip addr add fd00:2::9/64 dev eth0 nodad
	ns gw ip link set lan up
	ns gw ip link set wan up
	for n in client server; do ns $n ip link set eth0 up; done
	ns client ip route add default via 10.0.0.1
	ns client ip -6 route add default via fd00:1::1
	ns server ip route add default via 198.51.100.1
	ns server ip -6 route add default via fd00:2::1
	ns gw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# driver_start PLUGIN CONFIG [OPTION...]: in namespace gw; log in $TMP/driver.log.
# Returns when its targets are open and in force, or 1 when it ended.
driver_start() {
	local plugin=$1 config=$2
	shift 2
	rm -f "$TMP/in" "$TMP/out"
	mkfifo "$TMP/in" "$TMP/out"
	# both ways, so that neither end waits for the other to be opened
	exec {driver_in}<>"$TMP/in" {driver_out}<>"$TMP/out"
	# not by ns(): the process itself is what is waited for, and killed
	ip netns exec "$NS-gw" "$B/tests/tools/target-driver" "$@" \
		"$B/plugins/$plugin.so" "$config" \
		<"$TMP/in" >"$TMP/out" 2>"$TMP/driver.log" &
	driver_pid=$!
	# what it prints before is of a dry run
	local line="" end=$((SECONDS + 60))
	until [ "${line%% *}" = ready ]; do
		if ! read -r -t 0.1 -u "$driver_out" line &&
			{ [ ! -d "/proc/$driver_pid" ] || [ $SECONDS -ge $end ]; }; then
			cat "$TMP/driver.log"
			return 1
		fi
	done
}

# drive LINE...: each is a line for the driver; returns when it has done them
drive() {
	local l
	for l in "$@"; do echo "$l" >&"$driver_in"; done
	ask "echo done" >/dev/null
}

# ask LINE: the line that the driver answers
ask() {
	local answer
	echo "$1" >&"$driver_in"
	read -r -t 10 -u "$driver_out" answer || {
		echo "no answer to $1" >&2
		return 1
	}
	echo "$answer"
}

# driver_stop: its exit status
driver_stop() {
	[ -n "${driver_pid:-}" ] || return 0
	echo stop >&"$driver_in"
	wait "$driver_pid"
	local rc=$?
	driver_pid=
	exec {driver_in}>&- {driver_out}>&-
	return $rc
}
