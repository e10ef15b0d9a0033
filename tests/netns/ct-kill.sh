#!/bin/bash
# shellcheck disable=SC2317 # functions are called by name
# SPDX-License-Identifier: GPL-2.0-or-later
# A connection that was let through before it was identified: with the set
# alone it goes on, with ctkill its next packet is judged again.
# shellcheck disable=SC2317 # called by name through ok and wait_for
. tests/netns/lib.sh
command -v conntrack >/dev/null || skip "needs the conntrack tool"
command -v ncat >/dev/null || skip "needs ncat"

router
ns gw nft -f - <<-NFT || skip "no nftables in this kernel"
	table inet t {
		set block { type ipv4_addr . inet_service . ipv4_addr . inet_service; flags timeout; }
		chain forward {
			type filter hook forward priority 0; policy accept;
			ct state established accept
			ip saddr . tcp sport . ip daddr . tcp dport @block counter reject with tcp reset
			ip daddr . tcp dport . ip saddr . tcp sport @block counter reject with tcp reset
		}
	}
NFT
bg server ncat -k -l 443 --exec /bin/cat
listening() { ns server ss -Hltn "sport = :443" | grep -q .; }
wait_for 5 listening || skip "ncat does not listen"

entry() { ns gw conntrack -L 2>/dev/null | grep "sport=$1 "; }
open_connection() { # open_connection PORT
	mkfifo "$TMP/say$1"
	exec {to}<>"$TMP/say$1"
	heard=$TMP/heard$1
	bg client ncat -p "$1" 198.51.100.9 443 <&"$to" >"$heard" 2>/dev/null
	wait_for 5 entry "$1"
}
echoes() { # says something and hears it
	local word=word$RANDOM
	echo $word >&"$to"
	wait_for "${1:-5}" grep -q $word "$heard"
}
block() { ns gw nft add element inet t block "{ 10.0.0.2 . $1 . 198.51.100.9 . 443 timeout 1m }"; }

cat >"$TMP/c.json" <<-JSON
	{ "targets": {
		"kill": { "target_type": "ctkill" },
		"later": { "target_type": "ctkill", "after_ms": 300 }
	} }
JSON
driver_start conntrack "$TMP/c.json" || exit 1

open_connection 4001
ok "let through" echoes
block 4001
ok "the set alone does not stop it" echoes
drive "flow a proto=tcp local=10.0.0.2:4001 other=198.51.100.9:443" "enter kill a" flush
has "killed" "$(ask "status kill")" "deletes=1"
if echoes 1; then stopped=no; else stopped=yes; fi
is "and its next packet meets the set" "$stopped" yes

open_connection 4002
ok "another one" echoes
id=$(ns gw conntrack -L -o id 2>/dev/null | sed -n 's/.*sport=4002 .* id=\([0-9]*\).*/\1/p')
drive "flow b proto=tcp local=10.0.0.2:4002 other=198.51.100.9:443 ct_id=$((id ^ 1))" "enter kill b" flush
has "one that the agent knows by another id is left alone" "$(ask "status kill")" "gone=1"
ok "as its entry shows" entry 4002
has "and explain says why" "$(ask "explain kill b")" "another one than the agent saw"
drive "leave kill b" "flow b ct_id=$id" "enter kill b" flush
has "by its own id it goes" "$(ask "status kill")" "deletes=2"

open_connection 4003
drive "flow c proto=tcp local=10.0.0.2:4003 other=198.51.100.9:443" "enter later c" flush
ok "after_ms: not at once" entry 4003
has "it waits" "$(ask "status later")" "pending=1"
drive "leave later c" flush
has "left in time, it is spared" "$(ask "status later")" "pending=0"
drive "enter later c" flush "until later deletes 1"
has "left alone, it goes in time" "$(ask "status later")" "deletes=1"

if ns gw nft -f - 2>/dev/null <<-NFT; then
	add table inet f
	table inet f {
		flowtable ft { hook ingress priority 0; devices = { lan, wan }; }
		chain forward { type filter hook forward priority -10; ct state established flow add @ft; }
	}
NFT
	open_connection 4004
	ok "through a flowtable" echoes
	ok "still" echoes
	offloaded() { entry 4004 | grep -q OFFLOAD; }
	ok "it is offloaded" wait_for 5 offloaded
	block 4004
	ok "so that no rule sees it" echoes
	drive "flow d proto=tcp local=10.0.0.2:4004 other=198.51.100.9:443" "enter kill d" flush
	has "killed" "$(ask "status kill")" "deletes=3"
	if echoes 1; then stopped=no; else stopped=yes; fi
	is "and judged" "$stopped" yes
else
	echo "skipped: no flowtables in this kernel"
fi

driver_stop
is "the driver has nothing to complain about" $? 0
finish
