# shellcheck shell=bash disable=SC2119,SC2120
# SPDX-License-Identifier: GPL-2.0-or-later
# A gateway with devices behind it and servers before it, for tests and the
# demo; to be sourced. The script itself is on the gateway: private() moves it
# into network, mount and process namespaces of its own, which are gone with
# all that runs in them when it ends.
#
#   devices 10.20.0.N, fd20::N --- lan0 [gateway] wan0 --- servers
#   198.51.100.N, 2001:db8:64::N behind wan0; 203.0.113.N, 2001:db8:cb::N
#   behind wan1

B=${B:-$PWD/build}
SKIP=77
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "$*"; }
skip() {
	say "skipped: $*"
	exit $SKIP
}

# Runs this script again where it can do no harm; needs root or user namespaces.
private() {
	local how=(--net --mount --pid --fork --kill-child)

	if [ -z "${GATEWAY_INSIDE:-}" ]; then
		[ "$(id -u)" = 0 ] || how=(--user --map-root-user "${how[@]}")
		unshare "${how[@]}" true 2>/dev/null ||
			skip "needs root, or a system that lets users make namespaces"
		GATEWAY_INSIDE=1 exec unshare "${how[@]}" "$0" "$@"
	fi
	trap 'exit 130' INT TERM
	trap finish EXIT
	mount -t tmpfs tmpfs /run || skip "cannot mount"
	mount -t proc proc /proc 2>/dev/null || true # some sandboxes forbid it
	D=/run/demo
	mkdir -p $D /run/netns /run/flowgate
	cd "$GATEWAY_HOME" || exit 1
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	# nothing waits for duplicate address detection
	sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
	ip link set lo up
	ip link add lan0 type bridge
	address lan0 10.20.0.1/24 fd20::1/64
}
GATEWAY_HOME=${GATEWAY_HOME:-$PWD}
export GATEWAY_HOME

STEP=start
at() { STEP=$*; } # what is being done, for when it fails
step() { # likewise, and say so
	at "$@"
	say "${0##*/}: $*"
}
fail() {
	STEP="$STEP: $*"
	exit 1
}

finish() {
	local rc=$? f

	[ "$rc" = 0 ] || [ "$rc" = $SKIP ] || {
		say "FAILED at: $STEP" "($rc)"
		for f in "$D"/*.log; do
			[ ! -s "$f" ] || sed "s,^,  ${f##*/}: ," "$f" | tail -n 30
		done
		nft list ruleset | head -n 200 | sed 's/^/  nft: /'
	} >&2
	exit "$rc"
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds
wait_for() {
	local end=$((SECONDS + $1)) what=$2

	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -le $end ] || fail "$what did not come"
		sleep 0.05
	done
}

# ------------------------------------------------------------------ machines

address() { # INTERFACE V4 V6
	ip link set "$1" up
	ip addr add "$2" dev "$1"
	ip addr add "$3" dev "$1" nodad
}

inside() { # MACHINE COMMAND...
	local m=$1

	shift
	nsenter --net="/run/netns/$m" -- "$@"
}

device() { # NAME N: behind the gateway
	ip netns add "$1"
	inside "$1" ip link set lo up
	ip link add "to-$1" type veth peer name eth0 netns "$1"
	ip link set "to-$1" master lan0 up
	inside "$1" ip link set eth0 address "02:00:00:00:20:$2"
	inside "$1" ip addr add "10.20.0.$2/24" dev eth0
	inside "$1" ip addr add "fd20::$2/64" dev eth0 nodad
	inside "$1" ip link set eth0 up
	inside "$1" ip route add default via 10.20.0.1
	inside "$1" ip -6 route add default via fd20::1
}

# uplink NAME INTERFACE V4NET V6NET: a machine with .10 and .20 in both
uplink() {
	ip netns add "$1"
	inside "$1" ip link set lo up
	ip link add "$2" type veth peer name eth0 netns "$1"
	address "$2" "$3.1/24" "$4::1/64"
	for n in 10 20; do
		inside "$1" ip addr add "$3.$n/24" dev eth0
		inside "$1" ip addr add "$4::$n/64" dev eth0 nodad
	done
	inside "$1" ip link set eth0 up
	inside "$1" ip route add 10.20.0.0/24 via "$3.1"
	inside "$1" ip -6 route add fd20::/64 via "$4::1"
}

server() { uplink "${1:-server}" wan0 198.51.100 2001:db8:64; }

# From here on the servers see the gateway's address, and cannot reach others.
masquerade() { # MACHINE...
	nft -f - <<-'N'
		table inet nat {
			chain postrouting {
				type nat hook postrouting priority srcnat
				oifname "wan*" masquerade
			}
		}
	N
	for m in "$@"; do
		inside "$m" ip route del 10.20.0.0/24
		inside "$m" ip -6 route del fd20::/64
	done
}

# ------------------------------------------------------------------ programs

background() { # LOG COMMAND...
	local log=$D/$1.log

	shift
	"$@" >>"$log" 2>&1 </dev/null &
	# shellcheck disable=SC2034 # for who sources this
	LAST=$!
}

content() { # MACHINE: what it serves, and a certificate
	[ -e "$D/key.pem" ] ||
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
			-nodes -keyout "$D/key.pem" -out "$D/cert.pem" -days 2 \
			-subj /CN=server 2>/dev/null
	mkdir -p "$D/$1"
	truncate -s 50000000 "$D/$1/large"
	echo "$1" >"$D/$1/index.html"
}

listens() { # MACHINE ADDRESS...
	local a

	for a in "${@:2}"; do
		wait_for 5 "the server on $a" inside "$1" \
			sh -c "ss -Hltn sport = 443 | grep -qF '$a'"
	done
}

# web MACHINE ADDRESS...: TLS servers on port 443 that take every name for theirs,
# with two files: index.html says MACHINE, large has 50 MB.
web() {
	local tools=$PWD/tests/tools

	content "$1"
	(cd "$D/$1" && inside "$1" python3 "$tools/web.py" ../cert.pem ../key.pem \
		"${@:2}") >>"$D/web.log" 2>&1 </dev/null &
	listens "$@"
}

# visit DEVICE NAME ADDRESS FILE [CURL OPTIONS]: over TLS, with that SNI; what
# is served goes to $OUT (nowhere)
visit() {
	local d=$1 name=$2 a=$3 file=$4

	shift 4
	case $a in *:*) a="[$a]" ;; esac
	inside "$d" curl -sk --connect-timeout 3 --max-time 30 -o "${OUT:-/dev/null}" \
		--resolve "$name:443:$a" "$@" "https://$name/$file"
}

# The DPI stand-in on lan0, with a short memory also for TCP: it may not see the
# resets that end a refused connection, as they leave by the port of the bridge.
agent() { # [OPTIONS]
	background agent "$B/tests/tools/dpi-agent" -i lan0 -t 2 -T 3 -k 0.5 \
		"$@" "unix://$D/agent.sock"
	wait_for 5 "the agent's socket" test -S "$D/agent.sock"
}

gone() { ! kill -0 "$1" 2>/dev/null; }

flowgate() { # CONFIG [OPTIONS]: flowgated, connected to the agent
	local config=$1

	shift
	background flowgated "$B/flowgated" -c "$config" -P "$B/plugins" \
		-s "unix://$D/agent.sock" -S "$D/control.sock" "$@"
	# shellcheck disable=SC2034 # for who sources this
	FLOWGATED=$LAST
	wait_for 5 "flowgated's connection to the agent" connected
}

status() { "$B/flowgatectl" -S "$D/control.sock" -j status; }
connected() {
	status >"$D/status" && jq -e 'all(.sources[]; .state == "connected")' <"$D/status"
}

elements() { # FAMILY TABLE SET: one a line
	nft -j list set "$@" |
		jq -c '.nftables[] | (.set // .map) | select(.) | .elem // [] | .[]'
}
count_elements() { elements "$@" | wc -l; }
has_elements() { [ "$(count_elements "${@:2}")" -ge "$1" ]; }
is_empty() { [ "$(count_elements "$@")" = 0 ]; }

packets() { # FAMILY TABLE COUNTER
	nft -j list counter "$@" | jq '.nftables[] | .counter // empty | .packets'
}
more_packets() { [ "$(packets "${@:2}")" -gt "$1" ]; }
