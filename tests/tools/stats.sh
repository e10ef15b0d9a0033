# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034 # what it sets is for those who source it
# Sourced after tests/lib.sh by the tests of statistics: an agent that says what
# it is told to, and what flowgated made of it.
have socat
have curl
have jq

: >"$T/messages"
socat "UNIX-LISTEN:$T/agent.sock,fork" "EXEC:tail -n +1 -f $T/messages" 2>/dev/null &
pids+=($!)
ok "agent" wait_for 10 test -S "$T/agent.sock"
said=0

say() {
	printf '%s\n' "$1" >>"$T/messages"
	said=$((said + 1))
}

# flow N MAC APPLICATION NAME [CATEGORY [FIRST_SEEN_MS]]: a flow of 192.0.2.N
flow() {
	say '{"flow":{"digest":"'"$(printf %040x "$1")"'","ip_version":4,"ip_protocol":6,"local_ip":"192.0.2.'"$1"'","local_port":1000,"local_mac":"'"$2"'","local_origin":true,"other_ip":"198.51.100.1","other_port":443,"other_type":"remote","detected_application":'"$3"',"detected_application_name":"'"$4"'","detected_protocol":196,"detected_protocol_name":"HTTP/S","first_seen_at":'"${6:-1}"',"last_seen_at":'"${6:-1}"',"category":{"application":'"${5:-0}"'}},"interface":"lan0","internal":true,"established":false,"type":"flow"}'
}

# counted stats|purge N UP DOWN: bytes since the last, and a packet each way
counted() {
	say '{"flow":{"digest":"'"$(printf %040x "$2")"'","local_bytes":'"$3"',"other_bytes":'"$4"',"local_packets":1,"other_packets":1,"last_seen_at":2},"interface":"lan0","internal":true,"type":"flow_'"$1"'"}'
}

heard() { # all that was said
	wait_for 20 is_value '.sources[0].messages' "$said"
}

# A port that nobody has: 127.0.0.1 is shared with whatever runs here.
free_port() {
	local port
	for _ in {1..50}; do
		port=$((20000 + RANDOM % 20000))
		(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

# metrics REGEX: the last scrape in $T/metrics has such a line
metrics() {
	grep -Eqx -- "$1" "$T/metrics"
}
