#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rules/fleet's broker, set up by the very lines of its README in an /etc of its
# own: who may read and write what, who is let in, what a change of passwords,
# keys and authorities needs. The fleet itself: fleet.sh.
# shellcheck disable=SC2119,SC2317
set -eu
# shellcheck source=tests/tools/gateway.sh
. "$(dirname "$0")/../tools/gateway.sh"
[ "$(id -u)" = 0 ] || skip "needs root: mosquitto becomes a user of its own"
for p in mosquitto mosquitto_pub mosquitto_passwd openssl ncat; do
	command -v $p >/dev/null || skip "needs $p (Debian: mosquitto, mosquitto-clients)"
done
[ -e /etc/mosquitto/mosquitto.conf ] || skip "no configuration of Debian's mosquitto"
private "$@"
# shellcheck source=tests/tools/fleet.sh
. tests/tools/fleet.sh

step "an /etc and a /var of its own"
own_etc
echo "127.0.0.1 broker.example.net edge.example.net" >>/etc/hosts
mkdir "$D/fleet"
cp rules/fleet/* "$D/fleet"
mkdir "$D/block"
cp rules/block/* "$D/block"

step "the README's lines make keys and a broker"
readme "Install: keys"
readme "Install: broker"
[ "$(ps -o user= -p "$(cat $PID)")" = mosquitto ] || fail "it is not a user of its own"
for f in core.password ca/ca.key ca/broker.key; do
	[ "$(stat -c %a "$D/fleet/$f")" = 600 ] || fail "others can read $f"
done

if command -v systemd-analyze >/dev/null; then
	step "systemd takes the unit's part"
	systemd-analyze verify mosquitto.service 2>&1 | grep flowgate.conf && fail "it does not"
fi

step "a probe and a gateway by the README's lines pass their checks"
flowgated() { "$B/flowgated" -P "$B/plugins" -c /etc/flowgate/flowgate.json "$@"; }
readme "Install: a probe"
readme "Install: a gateway"

step "another gateway and another probe"
(cd "$D/fleet" && ./keys.sh user gateways.passwd edge2 && ./keys.sh user probes.passwd west)
passwords() {
	cd "$D/fleet"
	install -m 640 -g mosquitto probes.passwd gateways.passwd /etc/mosquitto/flowgate
	cd "$GATEWAY_HOME"
	systemctl reload mosquitto
}
passwords

gateways=(-h broker.example.net -p 8883 --cafile "$D/fleet/ca/ca.crt" -V 5)
probes=(-h broker.example.net -p 8884 --cafile "$D/fleet/ca/ca.crt" -V 5)
as() { # USER: its options
	user=(-u "$1" -P "$(cat "$D/fleet/$1.password")")
}
as edge2 && edge2=("${gateways[@]}" "${user[@]}")
as west && west=("${probes[@]}" "${user[@]}")
as edge1 && edge1_user=("${user[@]}") edge1=("${gateways[@]}" "${user[@]}")
as core && core_user=("${user[@]}") core=("${probes[@]}" "${user[@]}")
flows=flowgate/core/netifyd/flows

# listen NAME OPTIONS...: what comes goes to $D/NAME.log
listen() {
	local name=$1

	shift
	rm -f "$D/$name.log"
	background "$name" stdbuf -oL mosquitto_sub -v -q 1 -d -F "heard %t %p" "$@"
	wait_for 10 "$name's subscription" grep -q '^Subscribed' "$D/$name.log"
}
heard() { grep -qx "heard $2" "$D/$1.log"; } # NAME TEXT
publish() { # TOPIC TEXT OPTIONS...
	local topic=$1 text=$2

	shift 2
	mosquitto_pub -q 1 -t "$topic" -m "$text" "$@" 2>&1
}
# may_not WHO TOPIC: it says so, and nothing of it comes
may_not() {
	publish "$2" forbidden "${@:3}" | grep -q 'Not authorized' ||
		fail "$1 can write $2"
}

step "a gateway reads what a probe writes"
listen edge2 "${edge2[@]}" -i edge2 -t 'flowgate/#'
edge2_pid=$LAST
publish flowgate/core/state online -r "${core[@]}"
publish $flows one "${core[@]}"
wait_for 10 "what the probe said" heard edge2 "$flows one"
heard edge2 "flowgate/core/state online" || fail "no state"

step "and nobody may write or read anything else"
may_not "a gateway" $flows "${edge1[@]}"
may_not "a gateway" flowgate/edge1/netifyd/flows "${edge1[@]}"
may_not "a gateway" flowgate/edge1/state "${edge1[@]}"
may_not "a probe" flowgate/west/netifyd/flows "${core[@]}"
may_not "a probe" flowgate/west/state "${core[@]}"
may_not "a probe" flowgate/core/netifyd/flows/more "${core[@]}"
may_not "a probe" other/core "${core[@]}"
publish $flows last "${core[@]}"
wait_for 10 "what was said last" heard edge2 "$flows last"
! grep -q forbidden "$D/edge2.log" || fail "it came all the same"
# a will is looked at when it is executed
listen core "${core[@]}" -t x --will-topic flowgate/west/state \
	--will-payload forbidden --will-retain
disown "$LAST"
kill -9 "$LAST"
publish $flows "after the will" "${core[@]}"
wait_for 10 "what was said after" heard edge2 "$flows after the will"
! grep -q forbidden "$D/edge2.log" || fail "a will is not looked at"

step "who is not known, or comes without TLS, is not let in"
# refused WHAT REGEX OPTIONS...: it says so
refused() {
	local what=$1 regex=$2 rc=0

	shift 2
	# 3.1.1: whoever is let in but may not write is not told so
	publish $flows forbidden "$@" -V mqttv311 >"$D/said" || rc=$?
	[ $rc != 0 ] || fail "$what is let in"
	grep -qiE "$regex" "$D/said" || fail "$what: $(cat "$D/said")"
}
refused "one without a name" 'not authori[sz]ed' "${gateways[@]}"
refused "one without a name" 'not authori[sz]ed' "${probes[@]}"
refused "a wrong password" 'not authori[sz]ed' "${gateways[@]}" -u edge1 -P wrong
refused "a probe at the gateways' door" 'not authori[sz]ed' "${gateways[@]}" "${core_user[@]}"
refused "a gateway at the probes' door" 'not authori[sz]ed' "${probes[@]}" "${edge1_user[@]}"
for port in 8883 8884; do
	# CONNECT of MQTT 3.1.1; an answer would be CONNACK, 0x20
	answer=$(printf '\x10\x0e\x00\x04MQTT\x04\x02\x00\x0f\x00\x02me' |
		ncat -w 5 broker.example.net $port 2>/dev/null | xxd -p -l 1) || true
	[ "$answer" != 20 ] || fail "plain text is understood on $port"
done
"$D/fleet/keys.sh" ca "$D/other" 2>/dev/null
refused "a broker of another authority" TLS -h broker.example.net -p 8884 \
	--cafile "$D/other/ca.crt" "${core_user[@]}"
refused "a broker of another name" TLS -h edge.example.net "${core[@]:2}"
[ "$(ss -Hltn | wc -l)" = "$(ss -Hltn '( sport = 8883 or sport = 8884 )' | wc -l)" ] ||
	fail "it listens elsewhere, too"
publish $flows "at the end" "${core[@]}"
wait_for 10 "what was said at the end" heard edge2 "$flows at the end"
! grep -q forbidden "$D/edge2.log" || fail "it came all the same"

step "nobody throws out another by taking his id"
mosquitto_sub "${edge1[@]}" -i edge2 -t flowgate/+/state -C 1 -W 10 | grep -qx online ||
	fail "no state"
publish $flows "nobody was thrown out" "${core[@]}"
wait_for 10 "it" heard edge2 "$flows nobody was thrown out"

step "a probe that dies is said to be offline, also to who comes later"
listen core "${core[@]}" -t x --will-topic flowgate/core/state --will-payload offline \
	--will-retain --will-qos 1
publish flowgate/core/state online -r "${west[@]}" | grep -q 'Not authorized'
disown "$LAST"
kill -9 "$LAST"
wait_for 10 "its last will" heard edge2 "flowgate/core/state offline"
mosquitto_sub "${edge1[@]}" -t flowgate/+/state -C 1 -W 10 | grep -qx offline ||
	fail "who comes later is not told"

step "and also after a restart of the broker"
systemctl restart mosquitto
mosquitto_sub "${edge1[@]}" -t flowgate/+/state -C 1 -W 10 | grep -qx offline ||
	fail "the broker forgot it, or whose it was"

step "what a gateway that stands still misses waits for it"
again() { [ "$(grep -c '^Subscribed' "$D/edge2.log")" = 2 ]; }
wait_for 60 "its coming back" again
kill -STOP "$edge2_pid"
seq 1 20000 | sed 's/.*/{"type":"flow_purge","number":&}/' |
	mosquitto_pub "${core[@]}" -q 1 -t $flows -l
kill -CONT "$edge2_pid"
all_of_them() { [ "$(grep -c '^heard .*"number"' "$D/edge2.log")" = 20000 ]; }
wait_for 60 "all of it" all_of_them

step "a new password: the gateway first, then the broker"
old=("${edge1[@]}")
readme "Other passwords"
as edge1 && edge1_user=("${user[@]}") edge1=("${gateways[@]}" "${user[@]}")
cmp -s "$D/fleet/edge1.password" /etc/flowgate/mqtt.password || fail "the gateway has another"
refused "the old password" 'not authori[sz]ed' "${old[@]}"
mosquitto_sub "${edge1[@]}" -t flowgate/+/state -C 1 -W 10 >/dev/null ||
	fail "the new password is refused"
connects() { grep -c 'sending CONNECT' "$D/edge2.log"; }
before=$(connects)
publish $flows "to who has his old one" "${core[@]}"
wait_for 10 "it" heard edge2 "$flows to who has his old one"

step "a new key of the broker: who is connected stays so"
serial() {
	openssl s_client -connect broker.example.net:8883 -CAfile "$D/fleet/ca/ca.crt" \
		</dev/null 2>/dev/null | openssl x509 -noout -serial
}
serial=$(serial)
readme "Another key of the broker"
new_serial() { [ "$(serial)" != "$serial" ]; }
wait_for 10 "the new certificate" new_serial
publish $flows "with the new key" "${core[@]}"
wait_for 10 "it" heard edge2 "$flows with the new key"
[ "$(connects)" = "$before" ] || fail "somebody had to connect anew"

step "another authority: two are believed, the broker changes, one is believed"
readme "Another authority" 1
for a in ca new-ca; do
	openssl verify -CAfile /etc/flowgate/mqtt-ca.crt "$D/fleet/$a/ca.crt" >/dev/null ||
		fail "$a is not believed"
done
believed() { publish $flows x -h broker.example.net -p 8884 --cafile /etc/flowgate/mqtt-ca.crt \
	-V 5 "${core_user[@]}" >"$D/said" || ! cat "$D/said"; }
believed || fail "the old one's broker is not believed"
serial=$(serial)
readme "Another authority" 2
wait_for 10 "the new one's broker" believed
new_authority() {
	publish $flows x -h broker.example.net -p 8884 --cafile "$D/fleet/new-ca/ca.crt" \
		-V 5 "${core_user[@]}"
}
wait_for 10 "it" new_authority
readme "Another authority" 3
cmp -s "$D/fleet/ca/ca.crt" /etc/flowgate/mqtt-ca.crt || fail "the old one is still believed"
believed || fail "the new one's broker is not believed"
publish $flows "at last" -h broker.example.net -p 8884 --cafile /etc/flowgate/mqtt-ca.crt \
	-V 5 "${core_user[@]}"
wait_for 10 "it" heard edge2 "$flows at last"
[ "$(connects)" = "$before" ] || fail "somebody had to connect anew"

step "a broker at a site: it hears everything once, its gateways all of it"
(cd "$D/fleet" && ./keys.sh user gateways.passwd site1 && ./keys.sh user gateways.passwd edge3)
as edge3 && edge3=("${user[@]}")
passwords
cp "$D/fleet/ca/ca.crt" "$D/fleet"
# on the same machine, hence other ports and folders, and no second connection
# to the first broker from there
restart_site() {
	sed "s/^listener 888/listener 988/" /etc/mosquitto/conf.d/flowgate.conf \
		/etc/mosquitto/conf.d/flowgate-bridge.conf >/etc/mosquitto/site.conf
	rm /etc/mosquitto/conf.d/flowgate-bridge.conf
	background site /usr/sbin/mosquitto -c /etc/mosquitto/site.conf
	wait_for 10 "the broker of the site" broker_listens 9883
}
chmod 644 /etc/mosquitto/flowgate/gateways.passwd
RESTART=restart_site readme "A broker at each site"
gateways=(-h broker.example.net -p 9883 --cafile "$D/fleet/ca/ca.crt" -V 5)
listen edge3 "${gateways[@]}" "${edge3[@]}" -i edge3 -t 'flowgate/#'
wait_for 10 "the probe's state" heard edge3 "flowgate/core/state offline"
publish flowgate/core/state online -r "${core[@]}"
wait_for 10 "its new state" heard edge3 "flowgate/core/state online"
mosquitto_sub "${gateways[@]}" "${edge1_user[@]}" -t flowgate/+/state -C 1 -W 10 |
	grep -qx online || fail "who comes later is told an old state"
publish $flows "to a site" "${core[@]}"
wait_for 10 "an announcement" heard edge3 "$flows to a site"
publish $flows forbidden "${gateways[@]}" "${edge1_user[@]}" | grep -q 'Not authorized' ||
	fail "a gateway of the site can write"

step "clients with certificates: a password alone is not enough"
readme "Certificates of clients" 1
readme "Certificates of clients" 2
gateways=(-h broker.example.net -p 8883 --cafile "$D/fleet/ca/ca.crt" -V 5)
# it ends in the middle of what TLS 1.3 takes for connected
refused "one without a certificate" 'lost|TLS|protocol' "${gateways[@]}" "${edge1_user[@]}"
"$D/fleet/keys.sh" client "$D/other" edge1 2>/dev/null
refused "another authority's" 'lost|TLS|protocol' "${gateways[@]}" "${edge1_user[@]}" \
	--cert "$D/other/edge1.crt" --key "$D/other/edge1.key"
edge1=("${gateways[@]}" "${edge1_user[@]}" --cert /etc/flowgate/mqtt.crt --key /etc/flowgate/mqtt.key)
mosquitto_sub "${edge1[@]}" -t flowgate/+/state -C 1 -W 10 | grep -qx online ||
	fail "one with a certificate is refused"
refused "a certificate without a password" 'not authori[sz]ed' "${gateways[@]}" \
	"${edge1[@]:12}"

step "with a gateway's certificate nobody can play the broker"
openssl verify -CAfile "$D/fleet/ca/ca.crt" -purpose sslclient /etc/flowgate/mqtt.crt >/dev/null ||
	fail "it is no client's"
! openssl verify -CAfile "$D/fleet/ca/ca.crt" -purpose sslserver /etc/flowgate/mqtt.crt \
	>/dev/null 2>&1 || fail "it is a broker's, too"

step "and undone"
readme "Undo"
wait_for 10 "the end of the listeners" broker_gone 8884
