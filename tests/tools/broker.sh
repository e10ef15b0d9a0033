# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034 # what it sets is for those who source it
# Sourced after tests/lib.sh by tests that need an MQTT broker: a mosquitto on
# 127.0.0.1:$mqtt, its log in $T/broker.log, certificates in $T/tls.
have mosquitto
have mosquitto_pub
have mosquitto_sub
have jq
have openssl

# A port that nobody has: 127.0.0.1 is shared with whatever runs here.
port_of_ours() {
	local port
	for _ in {1..50}; do
		port=$((20000 + RANDOM % 20000))
		(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}
mqtt=$(port_of_ours)
broker=

# broker LINE...: of its configuration, after the listener's; "": anybody may
# do anything
broker() {
	{
		printf 'per_listener_settings false\nuser %s\nlog_type all\n' "$(id -un)"
		printf 'listener %s 127.0.0.1\n' "$mqtt"
		printf '%s\n' "${@:-allow_anonymous true}"
	} >"$T/broker.conf"
	mosquitto -c "$T/broker.conf" >>"$T/broker.log" 2>&1 &
	broker=$!
	pids+=("$broker")
	wait_for 20 bash -c ": </dev/tcp/127.0.0.1/$mqtt" && return
	failed "the broker did not start" "$T/broker.conf" "$T/broker.log"
	exit 1
}
broker_stop() {
	kill "${1:--TERM}" "$broker"
	wait "$broker" 2>/dev/null
}

# pub TOPIC ARGUMENTS...: of mosquitto_pub
pub() {
	mosquitto_pub -h 127.0.0.1 -p "$mqtt" -q 1 -t "$@"
}

# heard: what is published on flowgate/#, with its topic, in $T/heard
listen() {
	: >"$T/heard"
	mosquitto_sub -h 127.0.0.1 -p "$mqtt" -q 1 -t 'flowgate/#' -v >>"$T/heard" 2>/dev/null &
	listener=$!
	pids+=("$listener")
	# it has subscribed when it hears itself
	wait_for 20 eval 'pub flowgate/test -m here && grep -q "^flowgate/test here" "$T/heard"'
}

# A CA that signs "broker" (localhost, 127.0.0.1) and "client", and one that
# nobody knows and that signs "stranger": $T/tls/NAME.pem, .key
certificates() {
	local name
	mkdir "$T/tls"
	(
		cd "$T/tls" || exit 1
		for name in ca other; do
			openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
				-keyout $name.key -out $name.pem -subj "/CN=$name" -days 30
		done
		printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' >san
		for name in broker:ca client:ca stranger:other; do
			ca=${name#*:} name=${name%:*}
			openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
				-keyout "$name.key" -out "$name.csr" -subj "/CN=$name"
			openssl x509 -req -in "$name.csr" -CA "$ca.pem" -CAkey "$ca.key" \
				-CAcreateserial -out "$name.pem" -days 30 -extfile san
		done
	) >"$T/tls.log" 2>&1 || {
		failed "certificates" "$T/tls.log"
		exit 1
	}
}

# message N APPLICATION NAME [FIRST LAST]: a flow of 192.0.2.N, as netifyd has it
message() {
	printf '{"flow":{"digest":"%040x","ip_version":4,"ip_protocol":6,"local_ip":"192.0.2.%s","local_port":1000,"local_origin":true,"other_ip":"198.51.100.%s","other_port":443,"other_type":"remote","detected_application":%s,"detected_application_name":"%s","detected_protocol":196,"detected_protocol_name":"HTTP/S","first_seen_at":%s,"last_seen_at":%s},"interface":"lan0","internal":true,"established":false,"type":"flow"}\n' \
		"$1" "$(($1 % 250))" "$(($1 % 250))" "$2" "$3" "${4:-$(date +%s)000}" "${5:-$(date +%s)000}"
}
# purge N [FIRST LAST]
purge() {
	printf '{"flow":{"digest":"%040x"%s},"reason":"closed","type":"flow_purge"}\n' \
		"$1" "${2:+,\"first_seen_at\":$2,\"last_seen_at\":$3}"
}
