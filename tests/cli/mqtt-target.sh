#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Flows told to a broker: what is published, when again, what when it is not
# there, does not let us in, or falls behind; and a gateway that believes it.
# shellcheck disable=SC2317,SC2119 # functions are called by name
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/tools/broker.sh
. "$(dirname "$0")/../tools/broker.sh"
have socat

# An agent that says what is in a file, and a probe that publishes it.
: >"$T/messages"
socat "UNIX-LISTEN:$T/agent.sock,fork" "EXEC:tail -n +1 -f $T/messages" 2>/dev/null &
pids+=($!)
ok "agent" wait_for 10 test -S "$T/agent.sock"
say() {
	printf '%s\n' "$1" >>"$T/messages"
}
settings() { # KEYS: of the target [URL [SOURCE KEYS]]
	config '{"sources": [{"url": "unix://'"$T"'/agent.sock", "name": "lan"}], "grace": 2,
  "targets": {"tell": {"target_type": "mqtt", "url": "'"${2:-mqtt://127.0.0.1:$mqtt}"'", "site": "'"${site-probe}"'" '"$1"'}},
  "actions": {"all": {"criteria": "application != \"off\"", "targets": ["tell"]}}}'
}
target() { # FIELD WANTED
	is_value ".targets[0].$1" "$2"
}
told() { # REGEX [TIMES]: so many lines of what was heard match, at least
	[ "$(grep -cE -- "$1" "$T/heard")" -ge "${2:-1}" ]
}
heard_json() { # FILTER: of all messages of flows
	sed -n 's/^[^{]*{/{/p' "$T/heard" | jq -s "$1"
}

# ------------------------------------------------------------ configuration
wrong() { # WHAT REGEX KEYS [URL]
	settings "$3" "${4:-}"
	says "$1" 1 "$2" -t -c "$T/config.json"
}
wrong "no broker" 'a broker.s url is mqtt://host or mqtts://host' '' unix:///x
wrong "a wildcard" 'config.json:2.*has no \+, no #' ', "topic": "flowgate/+/flows"'
site='' wrong "no site" '"site" has 1 to 63 bytes' ''
wrong "a queue of none" '"queue".*from 16' ', "queue": 1'
wrong "half a pair" 'cert_file and key_file need each other' ', "cert_file": "/dev/null"' mqtts://127.0.0.1
wrong "no certificates in it" 'no certificates in' ', "ca_file": "'"$T"'/messages"' mqtts://127.0.0.1
wrong "a password that is not there" 'cannot read .*/none' ', "username": "u", "password_file": "'"$T"'/none"'
ok "keys that are right are not called unknown" eval '! grep -q "unknown key" "$T/err"'
settings ''
ok "a dry run" eval 'message 1 1 a >"$T/one"; "$B/flowgated" -n -c "$T/config.json" -s "file://$T/one" >"$T/dry" 2>&1'
ok "prints what it would publish" eval 'grep -q "^# mqtt publish flowgate/probe/one/flows {.*\"type\":\"flow\"}" "$T/dry"'

# ---------------------------------------------------------------- what is told
broker
listen
settings ', "ttl": 4'
start -c "$T/config.json"
ok "online is said" wait_for 40 told '^flowgate/probe/state online'
say "$(message 1 133 netify.netflix)"
ok "a flow is told" wait_for 20 told '"type":"flow"}'
ok "with what is known of it" eval \
	'[ "$(heard_json ".[0].flow | [.digest, .local_ip, .other_port, .detected_application_name] | join(\" \")")" = "\"0000000000000000000000000000000000000001 192.0.2.1 443 netify.netflix\"" ]'
ok "and again" wait_for 20 told '"type":"flow"}' 3
ok "each later than the one before" eval \
	'[ "$(heard_json "[.[].flow.last_seen_at] | . == (unique | sort)")" = true ]'
ok "which is counted" eval '[ "$(value .targets[0].renewals)" -ge 2 ]'
say "$(message 1 134 netify.other)"
ok "what it is now, at once" wait_for 20 told 'netify.other'
say "$(purge 1)"
ok "its purge" wait_for 20 told '"reason":"closed","type":"flow_purge"}'
ok "with when it was" eval '[ "$(heard_json "map(select(.type == \"flow_purge\"))[0].flow | .first_seen_at > 1000 and .last_seen_at >= .first_seen_at")" = true ]'
ok "nothing is left to say" wait_for 20 target pending 0
# text of strangers, in names and in details
say '{"flow":{"digest":"'"$(printf %040x 9)"'","ip_version":4,"ip_protocol":6,"local_ip":"192.0.2.9","other_ip":"198.51.100.9","local_port":1,"other_port":2,"host_server_name":"a\"},\"type\":\"flow_purge\"}\n{\"x\":\"","detected_application":5,"detected_application_name":"\u001b[31mred","first_seen_at":1,"last_seen_at":1},"interface":"lan0\"}","internal":true,"type":"flow"}'
ok "text of strangers stays text" wait_for 20 eval \
	'[ "$(heard_json "map(select(.flow.digest == \"0000000000000000000000000000000000000009\"))[0].flow.host_server_name" | jq -r .)" = "$(printf "a\"},\"type\":\"flow_purge\"}\n{\"x\":\"")" ]'
say "$(purge 9)"
ok "offline at the end" eval 'stop; wait_for 20 told "^flowgate/probe/state offline"'
ok "stops as asked" test "$status" = 0
ok "without purges: others wait" eval '! told "terminated"'
pub flowgate/probe/state -r -n

# -------------------------------------------------------------- last will
: >"$T/heard"
start -c "$T/config.json"
ok "online again" wait_for 40 told '^flowgate/probe/state online'
kill -9 "$gate"
wait "$gate" 2>/dev/null
ok "the broker says offline for it" wait_for 20 told '^flowgate/probe/state offline'

# ------------------------------------------------- a broker that goes, a queue
settings ', "ttl": 600, "queue": 16'
start -c "$T/config.json"
ok "connected" wait_for 40 target state ok
say "$(message 1 1 a)"
say "$(message 2 1 a)"
say "$(message 3 1 a)"
ok "three are told" wait_for 20 target adds 3
broker_stop -KILL
ok "the loss is shown" wait_for 20 target state disconnected
say "$(purge 1)"
for i in {20..59}; do
	say "$(message "$i" 1 a)"
done
say "$(purge 2)"
ok "the queue is bounded" wait_for 20 target pending 16
ok "what was let fall is counted" wait_for 20 target counters.announcements_dropped 26
ok "purges are not" target counters.purges_dropped 0
# so that it does not speak before there is somebody to hear it
kill -STOP "$gate"
broker
listen
kill -CONT "$gate"
ok "connects again" wait_for 40 target state ok
ok "both purges are told" wait_for 20 told '"type":"flow_purge"}' 2
ok "and every member" wait_for 20 eval \
	'[ "$(heard_json "[.[] | select(.type == \"flow\") | .flow.digest] | unique | length")" = 41 ]'
stop

# -------------------------------------------------- who may not, and why not
mosquitto_passwd -c -b "$T/passwords" probe right 2>/dev/null
mosquitto_passwd -b "$T/passwords" reader right 2>/dev/null
printf '%s\n' 'user probe' 'topic write flowgate/probe/#' 'user reader' 'topic read flowgate/#' >"$T/acl"
printf 'right' >"$T/right"
printf 'wrong' >"$T/wrong"
chmod 600 "$T/right" "$T/wrong" "$T/passwords"
chmod 700 "$T/acl" # of whoever the broker runs as, who is us
secured="allow_anonymous false
password_file $T/passwords
acl_file $T/acl"
broker_stop
broker "$secured"
because() { # REGEX: the target says that this is why
	value .targets[0].reason | grep -qE -- "$1"
}
reason() { # WHAT REGEX [KEYS [URL]]: the target says so in its status and, once, in the log
	settings "${3:-}" "${4:-}"
	start -c "$T/config.json"
	ok "$1" wait_for 40 because "$2"
	ok "$1: is said" wait_for 20 grep -qE -- "not connected to .*: .*($2)" "$T/err"
	ok "$1: not at each try" test "$(grep -c "not connected to" "$T/err")" -le 4
	stop
}
password() { # USER FILE
	echo ', "username": "'"$1"'", "password_file": "'"$T/$2"'"'
}
reason "wrong password" 'does not let it in: check username' "$(password probe wrong)"
reason "nobody" 'does not let it in: check username'
reason "no right to publish" 'does not let it publish on its topics: the right to is missing there' "$(password reader right)"
reason "no such machine" 'cannot find the address of "no.invalid"' '' mqtt://no.invalid
reason "nobody there" 'nobody listens there' '' mqtt://127.0.0.1:1
settings "$(password probe right)"
start -c "$T/config.json"
ok "the right one" wait_for 40 target state ok
ok "tells" wait_for 20 eval '[ "$(value .targets[0].adds)" -ge 41 ]'
stop

# ----------------------------------------------------------------------- TLS
certificates
tls="cafile $T/tls/ca.pem
certfile $T/tls/broker.pem
keyfile $T/tls/broker.key"
broker_stop
broker "$tls" 'allow_anonymous true'
ca() { # FILE
	echo ', "ca_file": "'"$T/tls/$1.pem"'"'
}
own() { # NAME
	echo ', "cert_file": "'"$T/tls/$1.pem"'", "key_file": "'"$T/tls/$1.key"'"'
}
works() { # WHAT KEYS [URL]
	settings "$2" "${3:-mqtts://localhost:$mqtt}"
	start -c "$T/config.json"
	ok "$1" wait_for 40 target state ok
	stop
}
works "TLS, by name" "$(ca ca)"
works "TLS, by address" "$(ca ca)" "mqtts://127.0.0.1:$mqtt"
reason "a certificate of a stranger" "the broker's certificate is not believed: .*check ca_file" "$(ca other)" "mqtts://localhost:$mqtt"
reason "no certificates given: the system's" "the broker's certificate is not believed" '' "mqtts://localhost:$mqtt"
reason "TLS with whom there is none" 'ended? (TLS at once|it)|closed it at once .does it want mqtts' '' "mqtt://127.0.0.1:$mqtt"
name=$(uname -n)
if getent hosts "$name" | grep -q '^127\.0\.0\.1 \|^::1 '; then
	reason "another name" "it is not for \"$name\"" "$(ca ca)" "mqtts://$name:$mqtt"
fi
broker_stop
broker "$tls" 'require_certificate true' 'use_identity_as_username true'
works "a certificate of ours" "$(ca ca)$(own client)"
reason "none" 'check cert_file|want a certificate of ours|ended the handshake' "$(ca ca)" "mqtts://localhost:$mqtt"
reason "one that is not known there" 'check cert_file|ended the handshake' "$(ca ca)$(own stranger)" "mqtts://localhost:$mqtt"

# ----------------------- from a probe to a gateway, its certificate renewed
settings "$(ca ca)$(own client)" "mqtts://localhost:$mqtt"
cp "$T/config.json" "$T/probe.json"
config '{"sources": [{"url": "mqtts://localhost:'"$mqtt"'", "name": "hq", "ttl": 900 '"$(ca ca)$(own client)"'}], "grace": 2,
  "targets": {"list": {"target_type": "sample", "path": "'"$T"'/list"}},
  "actions": {"all": {"criteria": "*", "targets": ["list"]}}}'
start -c "$T/config.json"
ok "the gateway listens" wait_for 40 is_value '.sources[0].state' connected
"$B/flowgated" -S "$T/probe.sock" -c "$T/probe.json" >"$T/probe" 2>&1 &
probe=$!
pids+=("$probe")
ok "the gateway has what the probe knows" wait_for 60 is_value .flows.live 41
ok "and what it does with it" wait_for 20 is_value '.targets[0].elements' 41
say "$(purge 3)"
ok "an end, too" wait_for 20 is_value .flows.live 40
broker_stop -KILL
ok "no broker" wait_for 20 is_value '.sources[0].state' lost
say "$(message 60 1 a)"
# whoever comes later than the word is told again, but not before half of ttl
kill -STOP "$probe"
cp "$T/tls/client.pem" "$T/tls/was.pem"
printf 'rubbish' >"$T/tls/client.pem"
broker "$tls" 'require_certificate true' 'use_identity_as_username true'
ok "a file that is no certificate: the one before is used" wait_for 60 is_value '.sources[0].state' connected
kill -CONT "$probe"
ok "and that is said" grep -q 'no certificate in .*client.pem.*what was read before is used' "$T/err"
ok "what was missed comes" wait_for 60 is_value .flows.live 41
kill -9 "$probe"
wait "$probe" 2>/dev/null
ok "the probe dies: all is left after grace" wait_for 60 is_value .flows.live 0
ok "nothing is in force" wait_for 20 is_value '.targets[0].elements' 0
finish
