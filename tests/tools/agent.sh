# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced after tests/netns/lib.sh: agents that say what they are told to, and a
# flowgated in namespace gw that hears them. What an agent said is kept, and
# said again to whoever connects, unless it is made to forget.

# agent NAME: on $TMP/NAME.sock, which stays when it dies: one that takes its time
# to would take away that of the next
agent() {
	[ -e "$TMP/$1.said" ] || : >"$TMP/$1.said"
	rm -f "$TMP/$1.sock"
	setsid socat "UNIX-LISTEN:$TMP/$1.sock,fork,unlink-close=0" "EXEC:tail -n +1 -s 0.02 -f $TMP/$1.said" 2>/dev/null &
	echo $! >"$TMP/$1.pid"
	disown
	wait_for 10 test -S "$TMP/$1.sock"
}

# agent_dies NAME [FORGETS]: it and its connections, and what flowgated left of
# it, if it is to be unheard of
agent_dies() {
	[ ! -e "$TMP/$1.pid" ] || kill -- "-$(cat "$TMP/$1.pid")"
	[ $# = 1 ] || : >"$TMP/$1.said"
	[ $# = 1 ] || rm -f "$TMP"/*.ctl.flows
	rm -f "$TMP/$1.pid"
}

agents_die() {
	local f
	for f in "$TMP"/*.pid; do
		[ ! -e "$f" ] || kill -- "-$(cat "$f")" 2>/dev/null
	done
}
trap 'agents_die; cleanup' EXIT

# say NAME TEXT
say() {
	printf '%s\n' "$2" >>"$TMP/$1.said"
}

# flow_json N LOCAL OTHER APPLICATION [MORE]: LOCAL and OTHER with a port
flow_json() {
	local v=4
	case $2 in *:*:*) v=6 ;; esac
	printf '{"flow":{"digest":"%040x","ip_version":%d,"ip_protocol":6,"local_ip":"%s","local_port":%d,"local_origin":true,"other_ip":"%s","other_port":%d,"other_type":"remote","detected_application":%d,"detected_application_name":"%s","detected_protocol":196,"detected_protocol_name":"HTTP/S","first_seen_at":1,"last_seen_at":1%s},"interface":"lan","internal":true,"established":false,"type":"flow"}' \
		"$1" $v "${2%:*}" "${2##*:}" "${3%:*}" "${3##*:}" "${4%%:*}" "${4#*:}" "${5:-}"
}

# flow NAME N LOCAL OTHER APPLICATION [MORE], with applications as below
# shellcheck disable=SC2034 # for those who source this
netflix=133:netify.netflix other=7:netify.other
flow() {
	local name=$1
	shift
	say "$name" "$(flow_json "$@")"
}

# about NAME TYPE N [MORE]: a message that has the digest alone
about() {
	say "$1" "$(printf '{"flow":{"digest":"%040x"%s},"interface":"lan","internal":true,"type":"flow_%s"}' "$3" "${4:-}" "$2")"
}

# flowgated [OPTION...]: in gw, with $TMP/c.json and $TMP/control.sock; $gate.
# Another one: NAME=x flowgated, for $TMP/x.json, x.ctl, x.err
flowgated() {
	local n=${NAME:-c}
	bg gw "$B/flowgated" -c "$TMP/$n.json" -S "$TMP/$n.ctl" "$@" >>"$TMP/$n.out" 2>>"$TMP/$n.err"
	# shellcheck disable=SC2034 # for those who source this
	gate=$!
	wait_for 20 ctl version
}
ctl() { "$B/flowgatectl" -S "$TMP/${NAME:-c}.ctl" "$@"; }
value() { ctl -j status | jq -r "$1"; }
is_value() { [ "$(value "$1")" = "$2" ]; }

# until_value WHAT FILTER WANTED: within 20 s
until_value() {
	wait_for 20 is_value "$2" "$3"
	is "$1" "$(value "$2")" "$3"
}

# said WHAT REGEX: within 10 s, on standard error
said() {
	wait_for 10 grep -qE -- "$2" "$TMP/${NAME:-c}.err" && echo "ok: says: $1" && return
	echo "FAILED: says: $1: no \"$2\" in"
	tail -n 20 "$TMP/${NAME:-c}.err" | sed 's/^/    /'
	failures=$((failures + 1))
}

# elements [SET]: in table inet t, one a line, without times
elements() {
	ns gw nft list set inet t "${1:-s.v4}" 2>/dev/null | tr -d '\n\t' | sed -n 's/.*elements = { \(.*\) }.*}.*/\1/p' |
		sed 's/ timeout [0-9a-z]*//g; s/ expires [0-9a-z]*//g; s/ counter packets [0-9]* bytes [0-9]*//g' |
		tr , '\n' | sed 's/^ *//; s/ *$//' | sort
}
in_force() { [ "$(elements "${2:-}" | paste -sd' ')" = "$1" ]; }

# until_in_force WHAT ELEMENTS [SET]: exactly these, within 20 s
until_in_force() {
	wait_for 20 in_force "$2" "${3:-s.v4}"
	is "$1" "$(elements "${3:-s.v4}" | paste -sd' ')" "$2"
}

# shim NAME: builds tests/tools/shim/NAME.c, to be preloaded; says where it is, or
# why there is none
shim() {
	if grep -q "__[at]san_init" <<<"$(nm -D "$B/flowgated")"; then
		echo "a sanitizer wants to be the first that is preloaded"
		return 1
	fi
	${CC:-cc} -shared -fPIC -o "$TMP/$1.so" "tests/tools/shim/$1.c" -ldl 2>/dev/null || {
		echo "needs ${CC:-cc}"
		return 1
	}
	echo "$TMP/$1.so"
}
