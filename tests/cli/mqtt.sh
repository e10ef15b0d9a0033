#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Flows from a broker: who they are from, what ends them, and what becomes of
# all that can come over a broker that is no message, late, twice or hostile.
# shellcheck disable=SC2317,SC2119 # functions are called by name
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/tools/broker.sh
. "$(dirname "$0")/../tools/broker.sh"
have python3

settings() { # KEYS: of the source
	config '{"sources": [{"url": "mqtt://127.0.0.1:'"$mqtt"'", "name": "hq" '"$1"'}], "grace": 1,
  "targets": {"list": {"target_type": "sample", "path": "'"$T"'/list"}},
  "actions": {"all": {"criteria": "*", "targets": ["list"]}}}'
}
part() { # NAME FIELD WANTED
	is_value ".sources[] | select(.name == \"hq/$1\") | .$2" "$3"
}
listed() { # ADDRESSES, in order
	[ "$(sort -t. -k4n "$T/list" | paste -sd' ')" = "$*" ]
}
# forget: stop, and leave no flows to the next
forget() {
	stop
	rm -f "$T/control.sock.flows"
}
cpu() { # of flowgated, in clock ticks
	awk '{print $14 + $15}' "/proc/$gate/stat"
}

# ------------------------------------------------------------ configuration
wrong() { # WHAT REGEX KEYS
	settings "$3"
	says "$1" 1 "$2" -t -c "$T/config.json"
}
touch "$T/secret" "$T/open"
chmod 600 "$T/secret"
chmod 604 "$T/open"
printf 'pa55w0rd\n' | tee "$T/secret" >"$T/open"
wrong "a topic with half a wildcard" 'config.json:1.*\+ stands for one whole level' ', "topic": "f/a+/b"'
wrong "no wildcard before the end" '# stands for all levels' ', "topic": "f/#/b"'
wrong "a session without a name" 'needs a client_id' ', "clean_session": false'
wrong "qos 2" '"qos".*from 0 to 1' ', "qos": 2'
wrong "no time at all" '"ttl".*from 4' ', "ttl": 0'
wrong "a password for nobody" 'password_file needs a username' ', "password_file": "'"$T"'/secret"'
wrong "a password that is not there" 'cannot read .*/none' ', "username": "u", "password_file": "'"$T"'/none"'
wrong "TLS files without TLS" 'are for mqtts://' ', "ca_file": "'"$T"'/secret"'
wrong "no topic" 'a topic has 1 to 511 bytes' ', "topic": ""'
wrong "a key that there is not" 'unknown key "client".*did you mean "client_id"' ', "client": "x"'
settings ', "username": "u", "password_file": "'"$T"'/open"'
says "a password that all can read" 0 'anybody on this machine can read' -t -c "$T/config.json"
settings ', "username": "u", "password_file": "'"$T"'/secret"'
says "one without encryption" 0 'goes over the network as it is' -t -c "$T/config.json"
ok "the password is in no message" eval '! grep -q pa55w0rd "$T/out" "$T/err"'
says "a user in the url" 1 'use username and password_file' -t -c "$T/config.json" -s mqtt://me:pa55w0rd@127.0.0.1
says "no host" 1 'the host is missing' -t -c "$T/config.json" -s mqtt://:1883
says "a port too high" 1 'a port is from 1' -t -c "$T/config.json" -s mqtt://h:66666
says "an IPv6 address" 0 'ok: 1 source' -t -c "$T/config.json" -s 'mqtt://[::1]'
says "a name, and nothing else" 0 'ok: 1 source' -t -c "$T/config.json" -s mqtts://broker.example

settings ', "state_topic": ""'
says "probes that say no state" 0 'ok: 1 source' -t -c "$T/config.json"

# ---------------------------------------------------------- no right to read
# An acl_file lets everybody subscribe and then sends nothing; this one says no.
dynamic=$(find /usr/lib /usr/local/lib -name mosquitto_dynamic_security.so 2>/dev/null | head -n 1)
if [ -n "$dynamic" ]; then
	echo '{"defaultACLAccess": {"publishClientSend": true, "publishClientReceive": true, "subscribe": false, "unsubscribe": true}, "clients": [], "groups": [], "roles": []}' >"$T/rights.json"
	broker 'allow_anonymous true' "plugin $dynamic" "plugin_opt_config_file $T/rights.json"
	settings ''
	start -c "$T/config.json"
	no='the broker does not let it read "flowgate/+/+/flows": the right to is missing there (an ACL)'
	ok "no right to read is said" wait_for 20 grep -qF "$no" "$T/err"
	ok "and shown" wait_for 20 is_value '.sources[0] | .state + " " + .reason' "connecting $no"
	forget
	broker_stop
else
	echo "skipped: a right to read that is refused: mosquitto has no dynamic security plugin"
fi

# -------------------------------------------- no broker, then one, then again
settings ', "ttl": 600'
start -c "$T/config.json"
ok "no broker is said" wait_for 20 grep -q 'nobody listens there (is the broker running?)' "$T/err"
ok "and shown" is_value '.sources[0] | .state + " " + .reason' 'connecting nobody listens there (is the broker running?)'
broker
ok "connects when there is one" wait_for 40 is_value '.sources[0].state' connected
message 1 133 netify.netflix >"$T/one"
pub flowgate/east/lan/flows -f "$T/one"
ok "a flow of one probe" wait_for 20 part east/lan messages 1
ok "is in the target" wait_for 20 listed 198.51.100.1
pub flowgate/west/lan/flows -f "$T/one"
ok "the same flow of another is another" wait_for 20 is_value .flows.live 2
pub flowgate/west/lan/flows -m "$(purge 1)"
ok "which one lets go" wait_for 20 is_value .flows.live 1
ok "and the other holds" listed 198.51.100.1
pub flowgate/east/lan/flows -m "$(purge 1)"
ok "until it lets go, too" wait_for 20 listed

broker_stop -KILL
ok "the loss is said" wait_for 20 is_value '.sources[0].state' lost
ok "of its probes as well" part east/lan state lost
broker
ok "a new broker is found" wait_for 40 is_value '.sources[0].state' connected
ok "its probes are there" part east/lan state connected
ok "what was lost is not said of them" part east/lan reconnects 0

# ------------------------------------------------------- what a publish holds
{
	message 2 1 a
	message 3 1 a
	purge 2
} >"$T/many"
pub flowgate/east/wan/flows -f "$T/many"
ok "many messages, a line each" wait_for 20 part east/wan messages 3
while read -r line; do
	printf '{"length": %s}\n%s\n' $((${#line} + 1)) "$line"
done <"$T/many" >"$T/framed"
pub flowgate/east/wan/flows -f "$T/framed"
ok "with lengths" wait_for 20 part east/wan messages 6
gzip -c "$T/framed" >"$T/framed.gz"
pub flowgate/east/wan/flows -f "$T/framed.gz"
ok "gzip" wait_for 20 part east/wan messages 9
tr -d '\n' <"$T/many" >"$T/braces"
pub flowgate/east/wan/flows -f "$T/braces"
ok "with nothing between them" wait_for 20 part east/wan messages 12
ok "nothing was skipped" part east/wan skipped 0
head -c 300 "$T/many" >"$T/cut"
pub flowgate/east/wan/flows -f "$T/cut"
ok "half a message is skipped" wait_for 20 part east/wan skipped 1
tail -c +301 "$T/many" >"$T/rest"
pub flowgate/east/wan/flows -f "$T/rest"
ok "and does not go on in the next payload" wait_for 20 part east/wan messages 14
ok "whose beginning is none" part east/wan skipped 2
head -c 100 "$T/framed.gz" >"$T/cut.gz"
pub flowgate/east/wan/flows -f "$T/cut.gz"
ok "gzip that is cut short" wait_for 20 grep -q 'skipped 100 bytes: gzip that is damaged or cut short' "$T/err"

# ------------------------------------------------------------------- hostile
memory() { # KiB, peak
	awk '/VmHWM/ {print $2}' "/proc/$gate/status"
}
before=$(memory)
python3 -c 'import gzip, sys; sys.stdout.buffer.write(gzip.compress(b" " * (1 << 30), 9))' >"$T/bomb.gz"
pub flowgate/east/bomb/flows -f "$T/bomb.gz"
ok "a gigabyte in a megabyte" wait_for 60 grep -q 'skipped [0-9]* bytes: gzip that unpacks to more than is allowed' "$T/err"
ok "takes no memory" test $(($(memory) - before)) -lt 16384
# control characters: mosquitto lets nobody say them; see test_mqtt_topic
for topic in flowgate//lan/flows "flowgate/$(printf %0100d 0)/lan/flows"; do
	pub "$topic" -f "$T/one"
done
ok "names that are none" wait_for 20 is_value '.sources[0].skipped' 2
pub 'flowgate/"; flush ruleset; #x/$(reboot)/flows' -f "$T/one" 2>/dev/null
pub 'flowgate/"; flush ruleset; x/$(reboot)/flows' -f "$T/one"
ok "one that is only odd" wait_for 20 is_value '[.sources[] | select(.name | endswith("$(reboot)"))] | length' 1
ok "is shown as it is" eval 'ctl status | grep -qF "hq/\"; flush ruleset; x/\$(reboot)"'
ok "in metrics, too" eval 'ctl metrics | grep -qF "source=\"hq/\\\"; flush ruleset; x/\$(reboot)\""'
pub flowgate/east/state -m 'neither'
ok "a state that is none" wait_for 20 grep -q 'state that is neither' "$T/err"
python3 - <<'END' >"$T/rubbish"
import random, sys
random.seed(4)
sys.stdout.buffer.write(bytes(random.randrange(256) for _ in range(200000)))
END
pub flowgate/east/bomb/flows -f "$T/rubbish"
pub flowgate/east/bomb/flows -n
pub flowgate/east/bomb/flows -f "$T/one"
ok "rubbish is passed over" wait_for 20 part east/bomb messages 1
for i in {1..20}; do
	pub "flowgate/many/s$i/flows" -f "$T/one"
done
ok "more probes than there may be" wait_for 20 grep -q 'one probe too many: raise "probes"' "$T/err"
ok "are not there" is_value '.sources | length' 17
forget
ok "stops as asked" test "$status" = 0

# ---------------------------------------------- a site that goes, and returns
settings ', "ttl": 600'
start -c "$T/config.json"
ok "connects" wait_for 40 is_value '.sources[0].state' connected
pub flowgate/east/state -r -m online
for i in 1 2 3; do
	pub flowgate/east/lan/flows -m "$(message $i 1 a)"
done
pub flowgate/west/lan/flows -m "$(message 4 1 a)"
ok "flows of two sites" wait_for 20 is_value .flows.live 4
pub flowgate/east/state -r -m offline
ok "one says offline" wait_for 20 part east/lan state lost
ok "why is shown" part east/lan reason 'its site says "offline"'
ok "its flows are left after grace" wait_for 20 is_value .flows.live 1
ok "the other's are not" listed 198.51.100.4
pub flowgate/east/state -r -m online
pub flowgate/east/lan/flows -m "$(message 1 1 a)"
ok "online again" wait_for 20 part east/lan state connected
ok "with what it says now" wait_for 20 is_value .flows.live 2
pub flowgate/east/lan/flows -m "$(message 2 1 a)"
ok "(there are two)" wait_for 20 is_value .flows.live 3
pub flowgate/east/state -r -m offline
pub flowgate/east/state -r -m online
pub flowgate/east/lan/flows -m "$(message 1 1 a)"
ok "a short absence: what is not said again is left" wait_for 20 listed 198.51.100.1 198.51.100.4

# ------------------------------------------------------------ late, and twice
lan() {
	pub flowgate/late/lan/flows -m "$1"
}
count() { # MESSAGES FLOWS: of the site
	part late/lan messages "$1" && is_value .flows.live $(($2 + 2))
}
lan "$(message 10 1 a 1000 1500)"
lan "$(message 10 1 a 1000 1500)"
ok "twice is once" wait_for 20 count 2 1
lan "$(purge 10 500 900)"
ok "a purge of a connection before" wait_for 20 count 3 1
lan "$(purge 10 1000 1400)"
ok "a purge from before it was said again" wait_for 20 count 4 1
lan "$(purge 10 1000 1600)"
ok "its purge" wait_for 20 count 5 0
lan "$(message 10 1 a 1000 1500)"
ok "an announcement from before is not said" wait_for 20 grep -q 'announced before it was purged' "$T/err"
ok "and does not bring it back" count 5 0
lan "$(purge 10 1000 1600)"
ok "its purge again" wait_for 20 count 6 0
lan "$(message 10 1 a 1000 1700)"
ok "a later one does" wait_for 20 count 7 1
lan "$(message 11 1 a 2000 2000)"
lan "$(purge 11)"
ok "a purge that does not say when is one" wait_for 20 count 9 1
forget

# ------------------------------------------ this gateway ends, and comes back
# grace is 1 s; probes say again what they have in their own time
settings ', "ttl": 600'
start -c "$T/config.json"
ok "connects" wait_for 40 is_value '.sources[0].state' connected
pub flowgate/east/lan/flows -m "$(message 1 1 a)"
pub flowgate/west/lan/flows -m "$(message 4 1 a)"
ok "flows of two sites" wait_for 20 is_value .flows.live 2
stop
pub flowgate/east/state -r -m online
start -c "$T/config.json"
ok "connects" wait_for 40 is_value '.sources[0].state' connected
ok "who was there is there" wait_for 20 part west/lan state connected
pub flowgate/east/state -r -m offline
ok "one says offline, and has not spoken since" wait_for 20 part east/lan state lost
ok "its flows are left after grace" wait_for 20 is_value .flows.live 1
ok "the other's are not" listed 198.51.100.4
stop
pub flowgate/west/state -r -m offline
start -c "$T/config.json"
ok "what says offline when we are back" wait_for 40 part west/lan state lost
ok "is left after grace" wait_for 20 is_value .flows.live 0
for site in east west; do
	pub flowgate/$site/state -r -n
done
forget
settings ', "ttl": 6'
start -c "$T/config.json"
ok "connects" wait_for 40 is_value '.sources[0].state' connected
pub flowgate/north/lan/flows -m "$(message 5 1 a)"
pub flowgate/north/lan/flows -m "$(message 6 1 a)"
ok "two flows" wait_for 20 is_value .flows.live 2
stop
start -c "$T/config.json"
ok "in force when we are back" is_value .flows.live 2
ok "connects" wait_for 40 is_value '.sources[0].state' connected
# the other is said again and again
one_stays() {
	pub flowgate/north/lan/flows -m "$(message 6 1 a)"
	listed 198.51.100.6
}
ok "what is not said again is left in its time" wait_for 20 one_stays
forget

# --------------------------------------------------------- what is not renewed
settings ', "ttl": 4, "topic": "flowgate/+/+/flows", "qos": 0'
start -c "$T/config.json"
ok "connects" wait_for 40 is_value '.sources[0].state' connected
pub flowgate/east/lan/flows -m "$(message 1 1 a)"
pub flowgate/east/lan/flows -m "$(message 2 1 a)"
ok "two flows" wait_for 20 is_value .flows.live 2
broker_stop -KILL
ok "the broker is away" wait_for 20 is_value '.sources[0].state' lost
ok "flows outlive that, but not their time" wait_for 20 is_value .flows.idle 2
ok "and have left" wait_for 5 listed
broker

# ---------------------------------------------- one that is slow, or far away
forget
broker_stop
broker 'allow_anonymous true' 'max_inflight_messages 100'
settings ', "state_topic": ""'
: >"$T/broker.log"
start -c "$T/config.json"
ok "connects" wait_for 40 is_value '.sources[0].state' connected
ok "to that topic alone" eval '! grep -q "flowgate/./state (QoS" "$T/broker.log"'
kill -STOP "$gate"
: >"$T/broker.log"
seq 300 | mosquitto_pub -h 127.0.0.1 -p "$mqtt" -q 1 -t flowgate/east/lan/flows -l
on_their_way() {
	[ "$(grep -c 'Sending PUBLISH to flowgate-' "$T/broker.log")" = 100 ]
}
ok "as many are on their way to it as the broker allows" wait_for 20 on_their_way
kill -CONT "$gate"

# ------------------------------------------- a session that the broker keeps
forget
settings ', "clean_session": false, "client_id": "edge"'
start -c "$T/config.json"
ok "connects" wait_for 40 is_value '.sources[0].state' connected
stop
pub flowgate/east/lan/flows -m "$(message 7 1 a)"
# a look takes nothing away from it
"$B/flowgated" -n -S "$T/look.sock" -c "$T/config.json" >"$T/look" 2>&1 &
looker=$!
pids+=("$looker")
ok "a look connects" wait_for 20 grep -q 'connected to' "$T/look"
kill "$looker"
start -c "$T/config.json"
ok "what came meanwhile" wait_for 40 listed 198.51.100.7
pub flowgate/east/state -r -n
forget

# --------------------------------------------------- brokers that do not answer
# accepts, and says nothing; and one whose queue of connections is full
python3 - "$T" <<'END' &
import socket, sys, time
silent = socket.create_server(("127.0.0.1", 0), backlog=50)
full = socket.create_server(("127.0.0.1", 0), backlog=0)
keep = [socket.create_connection(full.getsockname()) for _ in range(1)]
for _ in range(3):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(full.getsockname())
    keep.append(s)
open(sys.argv[1] + "/ports.new", "w").write(f"{silent.getsockname()[1]} {full.getsockname()[1]}\n")
import os
os.rename(sys.argv[1] + "/ports.new", sys.argv[1] + "/ports")
while True:
    keep.append(silent.accept())
END
pids+=($!)
wait_for 20 test -f "$T/ports"
read -r silent full <"$T/ports"
config '{"sources": [{"url": "mqtt://127.0.0.1:'"$silent"'", "name": "silent"},
    {"url": "mqtts://127.0.0.1:'"$silent"'", "name": "silent-tls"},
    {"url": "mqtt://127.0.0.1:'"$full"'", "name": "full"},
    {"url": "mqtt://127.0.0.1:'"$mqtt"'", "name": "hq"}],
  "targets": {"list": {"target_type": "sample", "path": "'"$T"'/list"},
    "silent": {"target_type": "mqtt", "url": "mqtt://127.0.0.1:'"$silent"'"}},
  "actions": {"all": {"criteria": "*", "targets": ["list", "silent"]}}}'
start -c "$T/config.json"
ok "the one that answers is connected" wait_for 40 is_value '.sources[3].state' connected
used=$(cpu)
for i in {1..40}; do
	pub flowgate/east/lan/flows -m "$(message "$i" 1 a)"
done
ok "and its flows are in force" wait_for 20 is_value '.targets[0].elements' 40
ok "the others are said to be silent" wait_for 40 is_value \
	'[.sources[0:3][].reason] | join(",")' 'no answer in 10 s,no answer in 10 s,no answer in 10 s'
ok "targets as well" is_value '.targets[1] | .state + " " + .reason' 'disconnected no answer in 10 s'
ok "nobody waits with the processor" test $(($(cpu) - used)) -lt $(($(getconf CLK_TCK) * 3))
stop
ok "nor at the end" test "$status" = 0
finish
