#!/bin/bash
# shellcheck disable=SC2317 # functions are called by name
# SPDX-License-Identifier: GPL-2.0-or-later
# Marks of real connections: found from either side of a NAT, only the bits of
# the mask changed, cleared again, and what is gone is no error.
# shellcheck disable=SC2317 # called by name through ok and wait_for
. tests/netns/lib.sh
command -v conntrack >/dev/null || skip "needs the conntrack tool"
command -v ncat >/dev/null || skip "needs ncat"

router
ns gw nft -f - <<-NFT || skip "no nftables in this kernel"
	table inet t {
		chain forward {
			type filter hook forward priority 0; policy accept;
			ct state new counter
		}
		chain post {
			type nat hook postrouting priority 100;
			ip daddr 198.51.100.9 tcp dport 443 oifname wan masquerade
		}
		chain pre {
			type nat hook prerouting priority -100;
			iifname wan tcp dport 8080 dnat ip to 10.0.0.2:80
		}
	}
NFT
for p in 443 444; do bg server ncat -k -l $p --exec /bin/cat; done
bg server ncat -6 -k -l 445 --exec /bin/cat
bg client ncat -k -l 80 --exec /bin/cat

listening() { ns "$1" ss -Hltn "sport = :$2" | grep -q .; }
for p in 443 444 445; do wait_for 5 listening server $p || skip "ncat does not listen"; done
wait_for 5 listening client 80 || skip "ncat does not listen"

# held open: they have nothing to read until the end of the test
mkfifo "$TMP/nothing"
exec {nothing}<>"$TMP/nothing"
bg client ncat -p 4001 198.51.100.9 443 <&"$nothing"
bg client ncat -p 4002 198.51.100.9 444 <&"$nothing"
bg client ncat -6 -p 4003 fd00:2::9 445 <&"$nothing"
bg server ncat -p 4004 198.51.100.1 8080 <&"$nothing"

entry() { ns gw conntrack -L -f "${2:-ipv4}" 2>/dev/null | grep "sport=$1 "; }
established() { entry "$@" | grep -q ESTABLISHED; }
mark_of() { entry "$@" | sed -n 's/.* mark=\([0-9]*\) .*/\1/p'; }
for c in 4001 4002 4004; do wait_for 5 established $c || { echo "connection $c"; exit 1; }; done
wait_for 5 established 4003 ipv6 || { echo "connection 4003"; exit 1; }

cat >"$TMP/c.json" <<-JSON
	{ "targets": {
		"m": { "target_type": "ctmark", "mark": "0x12", "mask": "0xff0", "shift": 4, "clear_on_leave": true },
		"keep": { "target_type": "ctmark", "mark": "0x1000", "mask": "0x1000" }
	  },
	  "actions": { "voice": { "targets": [ { "target": "m", "mark": "0x2" } ] } } }
JSON
driver_start conntrack "$TMP/c.json" || exit 1

ns gw conntrack -U -p tcp -s 10.0.0.2 -d 198.51.100.9 --sport 4002 --dport 444 --mark 0x7000f >/dev/null 2>&1
drive "flow plain proto=tcp local=10.0.0.2:4002 other=198.51.100.9:444" \
	"enter m plain" flush
is "only the bits of the mask change" "$(mark_of 4002)" $((0x7012f))
drive "enter keep plain" flush
is "two targets have bits of their own" "$(mark_of 4002)" $((0x7112f))
has "explain tells the mark and this target's part" "$(ask "explain m plain")" "mark 0x7112f, of which 0x120 is this target's"
drive "leave m plain" flush
is "leaving clears them" "$(mark_of 4002)" $((0x7100f))
drive "leave keep plain" flush
is "unless it is not asked to" "$(mark_of 4002)" $((0x7100f))

drive "flow lan proto=tcp local=10.0.0.2:4001 other=198.51.100.9:443" \
	"enter m lan action=voice" flush
is "masqueraded, seen on the LAN; the action's own value" "$(mark_of 4001)" $((0x20))
drive "leave m lan" flush
is "and cleared" "$(mark_of 4001)" 0

wanport=$(entry 4001 | sed -n 's/.*dst=198.51.100.1 sport=443 dport=\([0-9]*\).*/\1/p')
drive "flow wan proto=tcp local=198.51.100.1:$wanport other=198.51.100.9:443 internal=0 nat=1" \
	"enter m wan" flush
is "masqueraded, seen on the WAN" "$(mark_of 4001)" $((0x120))
drive "leave m wan" flush
drive "flow told proto=tcp local=192.0.2.1:1 other=192.0.2.2:2 flow.conntrack.reply_src_ip=198.51.100.9 flow.conntrack.reply_src_port=443 flow.conntrack.reply_dst_ip=198.51.100.1 flow.conntrack.reply_dst_port=$wanport" \
	"enter m told" flush
is "the agent told the reply tuple" "$(mark_of 4001)" $((0x120))

drive "flow in proto=tcp origin=other local=10.0.0.2:80 other=198.51.100.9:4004" \
	"enter m in" flush
is "a forwarded port, seen on the LAN" "$(mark_of 4004)" $((0x120))
drive "leave m in" flush
drive "flow inwan proto=tcp origin=other internal=0 nat=1 local=198.51.100.1:8080 other=198.51.100.9:4004" \
	"enter m inwan" flush
is "a forwarded port, seen on the WAN" "$(mark_of 4004)" $((0x120))

drive "flow six proto=tcp local=[fd00:1::2]:4003 other=[fd00:2::9]:445" \
	"enter m six" flush
is "IPv6" "$(mark_of 4003 ipv6)" $((0x120))

has "no errors so far" "$(ask "status m")" "errors=0"
drive "flow none proto=tcp local=10.0.0.2:9 other=198.51.100.9:9" \
	"enter m none" "flow ping proto=icmp local=10.0.0.2 other=198.51.100.9" \
	"enter m ping" flush
status=$(ask "status m")
has "a connection that is gone is counted" "$status" " gone=1 "
has "one that can't be looked up, too" "$status" " unsupported=1 "
has "neither is an error" "$status" " errors=0 "
has "and all is well" "$status" " state=ok "

# many at once, in several batches, half of them missing
for ((i = 1; i <= 300; i++)); do
	ns gw conntrack -I -p tcp -s 10.9.0.1 -d 10.9.0.2 --sport $i --dport 80 \
		--state ESTABLISHED -t 60 >/dev/null 2>&1
done
for ((i = 1; i <= 600; i++)); do
	echo "flow b$i proto=tcp local=10.9.0.1:$i other=10.9.0.2:80"
	echo "enter keep b$i"
done >"$TMP/lines"
mapfile -t lines <"$TMP/lines"
drive "${lines[@]}" flush
is "those of a large burst that exist have it" "$(ns gw conntrack -L -s 10.9.0.1 -m 0x1000/0x1000 2>/dev/null | wc -l)" 300
has "the rest is counted as gone" "$(ask "status keep")" " gone=300 "

driver_stop
is "the driver has nothing to complain about" "$?" 0
is "at stop, marks are left where they are without clear_on_leave" "$(ns gw conntrack -L -s 10.9.0.1 -m 0x1000/0x1000 2>/dev/null | wc -l)" 300

driver_start conntrack "$TMP/c.json" -n || exit 1
echo "flow plain proto=tcp local=10.0.0.2:4002 other=198.51.100.9:444" >&"$driver_in"
echo "enter m plain" >&"$driver_in"
is "a dry run prints it" "$(ask flush)" "# conntrack -U -p 6 -s 10.0.0.2 -d 198.51.100.9 --sport 4002 --dport 444 --mark 0x120/0xff0"
is "and leaves the kernel alone" "$(mark_of 4002)" $((0x7100f))
driver_stop

# without the right to do it
out=$(ns gw setpriv --bounding-set -net_admin --inh-caps -net_admin "$B/tests/tools/target-driver" "$B/plugins/conntrack.so" "$TMP/c.json" 2>&1 <<-LINES
	flow plain proto=tcp local=10.0.0.2:4002 other=198.51.100.9:444
	enter m plain
	flow more proto=tcp local=10.0.0.2:4001 other=198.51.100.9:443
	enter m more
	flush
	status m
LINES
)
has "no rights: it says so" "$out" "run flowgated with CAP_NET_ADMIN"
has "no rights: it shows" "$out" " errors=2 "
has "no rights: in the state" "$out" " state=denied "

finish
