#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The stand-in agents behave as netifyd does on its socket, and the generator
# makes what it says it does.
set -eu
B=${B:-$PWD/build}
T=$B/tests/tools
D=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$D"' EXIT

fail() {
	echo "FAILED: $*"
	exit 1
}
has_socket() {
	local end=$((SECONDS + 5))

	until [ -S "$1" ]; do
		[ $SECONDS -le $end ] || fail "no socket $1"
		sleep 0.02
	done
}
count() { # FILE TYPE; the file may not be there yet
	{ cat "$1" 2>/dev/null || true; } | grep -c "\"type\":\"$2\"" || true
}

DEMO=tests/data/demo.stream

# a recording comes byte for byte, whatever its framing
for f in tests/data/*.stream; do
	"$T/play-agent" --speed 0 "$f" "unix://$D/s" &
	has_socket "$D/s"
	socat -u "UNIX-CONNECT:$D/s" "CREATE:$D/got"
	cmp "$D/got" "$f" || fail "$f was not played as it is"
	wait $!
done

# ... at its own pace: the recording lasts 10.8 s
"$T/play-agent" --speed 10 "$DEMO" "unix://$D/s" &
has_socket "$D/s"
start=$(date +%s%N)
socat -u "UNIX-CONNECT:$D/s" "CREATE:$D/got"
ms=$((($(date +%s%N) - start) / 1000000))
[ $ms -ge 1000 ] || fail "ten times as fast took only $ms ms"
wait $!

# one byte from a client, or a half-close, is its end; others go on
"$T/play-agent" --hang --speed 0 "$DEMO" "unix://$D/s" &
agent=$!
has_socket "$D/s"
socat -u "UNIX-CONNECT:$D/s" "CREATE:$D/quiet" &
python3 - "$D/s" <<'P' || fail "a client that speaks is not hung up on"
import socket, sys
for rude in (lambda s: s.send(b"x"), lambda s: s.shutdown(socket.SHUT_WR)):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(5)
    s.connect(sys.argv[1])
    s.recv(1)
    rude(s)
    try:
        while s.recv(65536):
            pass
    except ConnectionResetError:
        pass
P
kill -0 $agent || fail "the agent is gone"
kill $agent
wait $! 2>/dev/null || true
grep -q agent_hello "$D/quiet" || fail "the other client got nothing"
rm -f "$D/s"

# it dies in the middle; a late client of v3 hears of live flows
"$T/play-agent" --speed 0 --die-after 5 "$DEMO" "unix://$D/s" &
has_socket "$D/s"
socat -u "UNIX-CONNECT:$D/s" "CREATE:$D/got"
[ "$(count "$D/got" flow)" = 5 ] || fail "it did not die after 5"
rm -f "$D/s"
"$T/play-agent" --hang --speed 100 --repeat tests/data/v3.stream "unix://$D/s" &
agent=$!
has_socket "$D/s"
socat -u "UNIX-CONNECT:$D/s" "CREATE:$D/first" &
end=$((SECONDS + 5))
until [ "$(count "$D/first" flow)" -ge 3 ]; do
	[ $SECONDS -le $end ] || fail "no flows"
	sleep 0.02
done
timeout 1 socat -u "UNIX-CONNECT:$D/s" "CREATE:$D/late" || true
kill $agent
grep -q '"established":true' "$D/late" || fail "no live flows for the late client"

# the generator: as many as asked, all different, and the same every time
gen() { "$T/gen-stream" "$@" tests/data/v4.stream; }
gen --flows 5000 --stats 2 --update 20 --purge >"$D/a"
gen --flows 5000 --stats 2 --update 20 --purge >"$D/b"
cmp "$D/a" "$D/b" || fail "not the same twice"
gen --flows 5000 --stats 2 --update 20 --purge --seed 2 >"$D/b"
! cmp -s "$D/a" "$D/b" || fail "another seed changes nothing"
[ "$(count "$D/a" flow_purge)" = 5000 ] || fail "not 5000 purges"
[ "$(count "$D/a" flow_stats)" = 10000 ] || fail "not 10000 flow_stats"
[ "$(grep -o '"digest":"[0-9a-f]\{40\}"' "$D/a" | sort -u | wc -l)" = 5000 ] ||
	fail "not 5000 digests"
python3 - "$D/a" <<'P' || fail "not as netifyd frames it"
import json, sys
data = open(sys.argv[1], "rb").read()
at = 0
while at < len(data):
    line = data.index(b"\n", at)
    size = json.loads(data[at:line])["length"]
    json.loads(data[line + 1:line + 1 + size])
    at = line + 1 + size
P
# no more than 100 live at any time, apart from the burst that is held back
gen --flows 2000 --live 100 --burst 50 >"$D/a"
[ "$(count "$D/a" flow_purge)" -ge 1850 ] || fail "purges are missing"
