#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A fleet with rules/fleet: one probe at the core, three gateways at the edge, a
# broker with TLS and passwords between them, real packets. Then things break:
# what must be in force is, nothing outlives its time, and status says what is
# wrong. All times are short: ttl 12 s, grace 3 s, keepalive 5 s.
#
#   c1 - g1 \          the core routes, and its probe sees what passes
#   c2 - g2 - core - server
#   c3 - g3 /          beside it: a network of its own for the broker
# shellcheck disable=SC2317,SC2119 # functions are called by name, some without arguments
. tests/netns/lib.sh
. tests/tools/agent.sh

for p in mosquitto mosquitto_passwd mosquitto_sub openssl ncat curl; do
	command -v $p >/dev/null || skip "needs $p (Debian: mosquitto, mosquitto-clients)"
done
[ -e "$B/plugins/mqtt.so" ] || skip "no plugin mqtt"
ttl=12 grace=3 keepalive=5
chmod 755 "$TMP"

# ------------------------------------------------------------------ the network

for n in broker core west odd server g1 g2 g3 c1 c2 c3; do ns_new $n; done
# beside the traffic: the broker's network
ns broker ip link add net type bridge
ns broker ip addr add 10.99.0.1/24 dev net
ns broker ip link set net up
plug() { # NAMESPACE ADDRESS
	ip link add "to-$1" netns "$NS-broker" type veth peer name net netns "$NS-$1"
	ns broker ip link set "to-$1" master net up
	ns "$1" ip addr add "$2/24" dev net
	ns "$1" ip link set net up
}
plug core 10.99.0.10
plug west 10.99.0.11
plug odd 10.99.0.12
# wire A IF ADDRESS B IF ADDRESS
wire() {
	ip link add "$2" netns "$NS-$1" type veth peer name "$5" netns "$NS-$4"
	ns "$1" ip addr add "$3" dev "$2"
	ns "$4" ip addr add "$6" dev "$5"
	ns "$1" ip link set "$2" up
	ns "$4" ip link set "$5" up
}
wire core out 198.51.100.1/24 server eth0 198.51.100.9/24
ns server ip addr add 198.51.100.10/24 dev eth0
ns server ip route add default via 198.51.100.1
for n in 1 2 3; do
	plug g$n 10.99.0.2$n
	wire g$n lan 10.20.$n.1/24 c$n eth0 10.20.$n.2/24
	wire core to-g$n 10.30.$n.1/24 g$n wan 10.30.$n.2/24
	ns c$n ip route add default via 10.20.$n.1
	ns g$n ip route add default via 10.30.$n.1
	ns core ip route add 10.20.$n.0/24 via 10.30.$n.2
	# a device that is now here, now there
	ns c$n ip addr add 10.20.9.9/32 dev lo
	ns g$n ip route add 10.20.9.9/32 via 10.20.$n.2
	ns g$n sysctl -qw net.ipv4.ip_forward=1
	ns g$n nft -f rules/block/block.nft || skip "no nftables in this kernel"
done
ns core sysctl -qw net.ipv4.ip_forward=1

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=server \
	-keyout "$TMP/web.key" -out "$TMP/web.crt" 2>/dev/null
mkdir "$TMP/web"
truncate -s 50000000 "$TMP/web/large"
tools=$PWD/tests/tools
web_listens() { ns server ss -Hltn 'sport = 443' | grep -qF 198.51.100.10; }
(cd "$TMP/web" && bg server python3 "$tools/web.py" ../web.crt ../web.key 198.51.100.9 198.51.100.10) 2>/dev/null
ok "a server" wait_for 10 web_listens

visit() { # CLIENT NAME ADDRESS FILE [OPTION...]
	local from=$1 name=$2 address=$3 file=$4
	shift 4
	ns "$from" curl -sk --connect-timeout 3 --max-time 20 -o /dev/null \
		--resolve "$name:443:$address" "$@" "https://$name/$file"
}
# passes N ADDRESS: the device that roams, at gateway N, reaches it
passes() {
	ns core ip route replace 10.20.9.9/32 via "10.30.$1.2"
	ns "c$1" ncat -z -w 3 -s 10.20.9.9 "$2" 443
}
refused() { ! passes "$@"; }
everywhere() { # COMMAND ARGUMENT...: for each gateway
	local n
	for n in ${at:-1 2 3}; do "$1" "$n" "${@:2}" || return; done
}

# ------------------------------------------------------------------- the broker

keys=$PWD/rules/fleet/keys.sh
mkdir "$TMP/broker"
(
	cd "$TMP/broker" || exit
	"$keys" ca ca && "$keys" broker ca 10.99.0.1
	for u in core west; do "$keys" user probes.passwd $u; done
	for u in g1 g2 g3; do "$keys" user gateways.passwd $u; done
	"$keys" user gateways.passwd odd && "$keys" user probes.passwd site
	cp ca/broker.* "$OLDPWD"/rules/fleet/*.acl .
	# for the odd ones
	"$keys" ca other && "$keys" client other odd
	mkdir old && cp ca/ca.* old && DAYS=0 "$keys" broker old 10.99.0.1
) >"$TMP/keys" 2>&1 || { cat "$TMP/keys"; exit 1; }
sed "s|/etc/mosquitto/flowgate|$TMP/broker|" rules/fleet/mosquitto.conf >"$TMP/broker/conf"
for l in "listener 8885|certfile $TMP/broker/old/broker.crt|keyfile $TMP/broker/old/broker.key" \
	"listener 8886|certfile $TMP/broker/broker.crt|keyfile $TMP/broker/broker.key|cafile $TMP/broker/ca/ca.crt|require_certificate true"; do
	printf '%s\n' "$l|allow_anonymous true" | tr '|' '\n'
done >>"$TMP/broker/conf"
printf '%s\n' "log_dest file $TMP/broker/log" "log_timestamp_format %T" "user root" >>"$TMP/broker/conf"
broker_listens() { ns broker ss -Hltn 'sport = 8883' | grep -q .; }
broker_is_gone() { ! broker_listens; }
broker() {
	bg broker mosquitto -c "$TMP/broker/conf" 2>>"$TMP/broker.err"
	broker=$!
	wait_for 10 broker_listens
}
ok "a broker" broker

# -------------------------------------------------------------- probes, gateways

# start NAME: flowgated in that namespace, with $TMP/NAME.json; its pid: $gate,
# $TMP/NAME.gate
start() {
	bg "${where:-$1}" "$B/flowgated" -c "$TMP/$1.json" -S "$TMP/$1.ctl" >>"$TMP/$1.out" 2>>"$TMP/$1.err"
	echo $! >"$TMP/$1.gate"
	NAME=$1 wait_for 20 ctl version
}
die() { # NAME: without a word
	kill -9 "$(cat "$TMP/$1.gate")"
	wait_for 10 test ! -e "/proc/$(cat "$TMP/$1.gate")"
}
# the end: what they said, when something was wrong
done_() {
	grep -l Sanitizer "$TMP"/*.err && failures=$((failures + 1))
	[ $failures = 0 ] || tail -n "${FG_TAIL:-8}" "$TMP"/*.err "$TMP/broker/log"
	finish
}
# state NAME FILTER
state() { NAME=$1 value "$2"; }
# until_state NAME WHAT FILTER WANTED
until_state() {
	NAME=$1 until_value "$1: $2" "$3" "$4"
}
# until_says NAME WHAT FILTER REGEX: the status has it
status_says() { state "$1" "$2" | grep -qE -- "$3"; }
until_says() {
	wait_for 20 status_says "$1" "$3" "$4" && echo "ok: $1: $2" && return
	echo "FAILED: $1: $2: no \"$4\" in $(state "$1" "$3")"
	failures=$((failures + 1))
}

# The recipe's own files, with the places and times of this test.
adapt() { # FILE NAME [FILTER]
	sed '/^[[:space:]]*\/\//d' "rules/fleet/$1.json" |
		jq --arg name "$2" --arg keys "$TMP/broker" "$(cat <<-JQ
			(.. | objects | select(.url)) |= (.url |= sub("broker.example.net"; "10.99.0.1")
				| .username = \$name | .password_file = "\(\$keys)/\(\$name).password"
				| .ca_file = "\(\$keys)/ca/ca.crt" | .keepalive = $keepalive)
			| (.. | objects | select(.site)).site = \$name
			| (.. | objects | select(.ttl)).ttl = $ttl
			| (.. | objects | select(.linger)).linger = 0
			| .grace = $grace | ${3:-.}
		JQ
		)" >"$TMP/$2.json"
}
probe() { # NAME SOURCE...
	local name=$1
	shift
	adapt probe "$name" ".sources = $(printf '"%s"\n' "$@" | jq -sc .)"
	start "$name"
}
gateway() { # NAME
	adapt gateway "$1"
	start "$1"
}
# in_force N ELEMENTS: what gateway N refuses, "device server" each
in_force() {
	[ "$(blocked "$1")" = "$2" ]
}
blocked() {
	ns "g$1" nft -j list set inet flowgate_block block.v4 |
		jq -r '[.nftables[] | .set // empty | .elem // [] | .[] | (.elem.val // .).concat | "\(.[0]) \(.[3])"] | sort | join(", ")'
}
# held SECONDS ELEMENTS: at each gateway, all the time
held() {
	local end=$((SECONDS + $1))
	while [ "$SECONDS" -lt "$end" ]; do
		everywhere in_force "$2" || return
		sleep 0.1
	done
}
# until_force WHAT ELEMENTS [SECONDS]: at each gateway of $at
until_force() {
	local n
	for n in ${at:-1 2 3}; do
		wait_for "${3:-20}" in_force "$n" "$2"
		is "g$n: $1" "$(blocked "$n")" "$2"
	done
}

# ------------------------------------------------------------- probe to packets

site() { # of a probe: what a gateway's status says of it
	echo ".sources[] | select(.name | test(\"$1/\")) | $2"
}
echo "# one probe, three gateways"
bg core "$B/tests/tools/dpi-agent" -i out -L 10.20.0.0/16 -t 5 -T 5 -k 0.5 "unix://$TMP/dpi.sock" 2>"$TMP/dpi.err"
ok "an agent" wait_for 10 test -S "$TMP/dpi.sock"
agent a
probe core "unix://$TMP/dpi.sock" "unix://$TMP/a.sock"
for n in 1 2 3; do gateway g$n; done
until_state core "its target" '.targets[0].state' ok
for n in 1 2 3; do until_state g$n "its source" '.sources[0].state' connected; done
[ $failures = 0 ] || done_

ok "what is permitted passes" visit c1 www.example.org 198.51.100.10 large
cut_off() { # curl: cannot send, or not receive, any more
	visit c1 www.netflix.com 198.51.100.9 large --limit-rate 2M
	case $? in 35 | 55 | 56) ;; *) return 1 ;; esac
}
ok "what the probe recognises is cut off" cut_off
until_force "all gateways are told" "10.20.1.2 198.51.100.9" 5
visit c1 www.netflix.com 198.51.100.9 large --max-time 2
is "and refused" "$?" 7
ok "what is permitted still passes" visit c1 www.example.org 198.51.100.10 large
until_force "its end, too" ""

one="10.20.9.9 198.51.100.9" two="10.20.9.9 198.51.100.10"
ok "another device passes, wherever it is" everywhere passes 198.51.100.9
flow a 1 10.20.9.9:1 198.51.100.9:443 "$netflix"
until_force "the probe says it" "$one"
ok "it is refused, wherever it is" everywhere refused 198.51.100.9
ok "but elsewhere it passes" everywhere passes 198.51.100.10
about a purge 1
until_force "the connection ends" ""
ok "and passes again" everywhere passes 198.51.100.9

echo "# two probes see one connection"
agent b
probe west "unix://$TMP/b.sock"
flow a 2 10.20.9.9:1 198.51.100.9:443 "$netflix"
flow b 2 10.20.9.9:1 198.51.100.9:443 "$netflix"
both() { [ "$(state "g$1" '.targets[0] | [.members, .elements] | join(" ")')" = "2 1" ]; }
wait_for 20 everywhere both
ok "two hold it" everywhere both
about a purge 2
one_left() { [ "$(state "g$1" '.targets[0] | [.members, .elements] | join(" ")')" = "1 1" ]; }
wait_for 20 everywhere one_left
until_force "one has let go" "$one"
ok "it is refused" everywhere refused 198.51.100.9
about b purge 2
until_force "both have" ""

echo "# the broker is killed, and comes back"
flow a 3 10.20.9.9:1 198.51.100.9:443 "$netflix"
until_force "something in force" "$one"
kill -9 "$broker"
since=$SECONDS
ok "what is in force stays, for longer than grace" held $((grace + 1)) "$one"
ok "it is refused" everywhere refused 198.51.100.9
for n in g1 g2 g3; do
	until_says $n "that it has no broker" '.sources[0] | [.state, .reason] | join(" ")' '^lost .*broker|nobody listens'
done
until_says core "likewise" '.targets[0] | [.state, .reason] | join(" ")' 'broker|nobody listens'
until_force "but not beyond its time" "" 20
ok "which is $ttl s: $((SECONDS - since))" test $((SECONDS - since)) -le $((ttl + 5))
flow a 4 10.20.9.9:1 198.51.100.10:443 "$netflix"
broker
until_force "it is back: so is what was in force, and what began meanwhile" "$two, $one"
for n in g1 g2 g3; do until_state $n "connected" '.sources[0].state' connected; done
until_state core "its target" '.targets[0].state' ok
about a purge 4
until_force "an end is heard again" "$one"

echo "# a gateway is cut off, and comes back"
ns broker ip link set to-g2 down
until_says g2 "that it is cut off" '.sources[0] | [.state, .reason] | join(" ")' '^lost|connecting'
about a purge 3
flow a 5 10.20.9.9:1 198.51.100.10:443 "$netflix"
at="1 3" until_force "the others go on" "$two"
at=2 until_force "what it did not hear to end runs out" ""
ok "what it did not hear of passes there" passes 2 198.51.100.10
ns broker ip link set to-g2 up
at=2 until_force "it is whole again" "$two" $((30 + ttl))
until_state g2 "connected" '.sources[0].state' connected
ok "it is refused, wherever it is" everywhere refused 198.51.100.10

echo "# a probe dies"
flow b 6 10.20.9.9:1 198.51.100.9:443 "$netflix"
until_force "two probes, two connections" "$two, $one"
die core
for n in g1 g2 g3; do until_says $n "that it is gone" "$(site core '[.state, .reason] | join(" ")')" '^lost .*offline'; done
until_force "its flows are left, the other's are not" "$one"
ok "passes, refused" everywhere passes 198.51.100.10
ok "passes, refused" everywhere refused 198.51.100.9
start core
until_force "it is back" "$two, $one"
until_says g1 "that it is" "$(site core .state)" connected
kill "$(cat "$TMP/core.gate")"
until_force "ended as it should be, it takes its flows with it" "$one"

echo "# passwords and keys change, and nothing is out of force meanwhile"
left() { # how many elements each gateway has taken out
	local n
	for n in g1 g2 g3; do state $n '.targets[0].deletes'; done | paste -sd' '
}
hup() { kill -HUP "$broker"; }
was_away() { [ "$(state "$1" '.sources[0].reconnects')" -gt "$2" ]; }
before=$(left)
away=$(state g1 '.sources[0].reconnects')
(cd "$TMP/broker" && "$keys" user gateways.passwd g1)
hup
ok "g1: is disconnected, with its old password" wait_for 20 was_away g1 "$away"
until_state g1 "comes back with the new one" '.sources[0].state' connected
(
	cd "$TMP/broker" || exit
	"$keys" ca new && "$keys" broker new 10.99.0.1
	cat new/ca.crt >>ca/ca.crt
	cp new/broker.crt new/broker.key .
) 2>"$TMP/keys"
hup
# g1 is the last to come back: it hears that the probe has gone, as the broker
# ends, and not what the probe says when it is back. Just before that all was
# said again, so that its time does not end meanwhile.
renewals=$(state west '.targets[0].renewals')
again() { [ "$(state west '.targets[0].renewals')" -gt "$renewals" ]; }
west_came() { grep -q "as west " "$TMP/broker/log"; }
ok "west: says again what it has" wait_for 20 again
kill -STOP "$(cat "$TMP/g1.gate")"
kill "$broker"
wait_for 10 broker_is_gone
: >"$TMP/broker/log"
broker
ok "west: believes the new authority" wait_for 20 west_came
kill -CONT "$(cat "$TMP/g1.gate")"
for n in g1 g2 g3; do until_state $n "likewise" '.sources[0].state' connected; done
ok "what is in force stays, for longer than grace" held $((grace + 2)) "$one"
is "no element has been away" "$(left)" "$before"
until_state west "its target" '.targets[0].state' ok

echo "# what does not work says why, and is tried again"
refusals() { grep -c "not authorised" "$TMP/broker/log"; }
before=$(refusals) began=${EPOCHREALTIME/./}
export where=odd
# odd NAME FILTER: a gateway of its own that is wrong in one way
odd() {
	adapt gateway odd ".sources[0] |= ($2) | .actions = {} | .targets = {}"
	mv "$TMP/odd.json" "$TMP/$1.json"
	start "$1"
}
echo wrong >"$TMP/wrong.password"
ns broker ip addr add 10.99.0.2/24 dev net
odd password ".password_file = \"$TMP/wrong.password\""
odd name '.url = "mqtts://broker.invalid:8883"'
odd port '.url = "mqtts://10.99.0.1:9999"'
odd host '.url = "mqtts://10.99.0.99:8883"'
odd plain '.url = "mqtt://10.99.0.1:8883" | del(.ca_file)'
odd othername '.url = "mqtts://10.99.0.2:8883"'
odd expired '.url = "mqtts://10.99.0.1:8885"'
odd authority ".ca_file = \"$TMP/broker/other/ca.crt\""
odd mine ".url = \"mqtts://10.99.0.1:8886\" | .cert_file = \"$TMP/broker/other/odd.crt\" | .key_file = \"$TMP/broker/other/odd.key\""
# its files are root's alone, and it is root no more
install -m 600 "$TMP/wrong.password" "$TMP/roots.password"
adapt gateway odd ".user = \"nobody\" | .actions = {} | .targets = {} |
	.sources[0].password_file = \"$TMP/roots.password\""
mv "$TMP/odd.json" "$TMP/old.json"
start old
says_why() { # NAME WHAT REGEX
	until_says "$1" "$2" '.sources[0] | [.state, .reason] | join(": ")' "^(connecting|lost): .*$3"
}
says_why password "a wrong password" 'does not let it in.*password'
says_why old "one that it may not read again" 'does not let it in.*; cannot read .*roots.password.*at the start'
says_why name "a broker of no address" 'broker.invalid'
says_why port "nobody who listens" 'nobody listens'
says_why host "a broker that is not there" 'No route|not answer|time'
says_why plain "no TLS where the broker wants it" 'mqtts://'
says_why othername "a certificate of another name" 'not believed: .*(name|address)'
says_why expired "a certificate that has ended" 'not believed: .*expired'
says_why authority "a certificate of another authority" 'not believed: .*(issuer|self.signed)'
says_why mine "a certificate of ours that it does not believe" 'certificate|cert_file'
refused_five() { [ $(($(refusals) - before)) -ge 5 ]; }
wait_for 20 refused_five
# waits of 0.25, 0.5, 1 and 2 s, each up to a quarter less
ok "tried again, at growing intervals" test $((${EPOCHREALTIME/./} - began)) -ge 2800000
adapt probe site ".sources = [\"unix://$TMP/b.sock\"] | .targets.fleet.site = \"core\""
start site
until_says site "a topic without rights" '.targets[0] | [.state, .reason] | join(": ")' 'right.*ACL'
is "and nobody hears of it" "$(blocked 1)" "$(blocked 2)"
cat "$TMP/broker/odd.password" >"$TMP/wrong.password"
until_state password "with the right password it comes in" '.sources[0].state' connected
done_
