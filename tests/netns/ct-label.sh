#!/bin/bash
# shellcheck disable=SC2317 # functions are called by name
# SPDX-License-Identifier: GPL-2.0-or-later
# Labels of connections: by bit and by name, of what a flow was detected as,
# replaced when that changes, and the sentence when the kernel has no room.
# shellcheck disable=SC2317 # called by name through ok and wait_for
. tests/netns/lib.sh
command -v conntrack >/dev/null || skip "needs the conntrack tool"

ns_new gw
ns gw nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c ct state new' ||
	skip "no nftables in this kernel"

cat >"$TMP/connlabel.conf" <<-CONF
	# bit name
	3 nfa-games
	4 a-netflix
	5 a-netify.discord
	6 p-HTTP-S
	127 last
CONF
cat >"$TMP/c.json" <<-JSON
	{ "target_globals": { "ctlabel": { "connlabel_conf": "$TMP/connlabel.conf" } },
	  "targets": {
		"fixed": { "target_type": "ctlabel", "labels": [ 1, "2", "nfa-games", "last" ], "clear_on_leave": true },
		"auto": { "target_type": "ctlabel", "auto_label": true, "log_errors": true }
	  },
	  "actions": { "own": { "targets": [ { "target": "fixed", "labels": [ 9 ] } ] } } }
JSON

insert() { # insert PORT
	ns gw conntrack -I -p tcp -s 10.9.0.1 -d 10.9.0.2 --sport "$1" --dport 80 \
		--state ESTABLISHED -t 600 >/dev/null 2>&1
}
labels() { # labels PORT: bits, asked through the plugin
	ask "explain fixed f$1" | sed 's/.*has labels: *//'
}

driver_start conntrack "$TMP/c.json" || exit 1
drive "name application 1 netify.netflix" "name application 2 netify.discord" \
	"name application 3 netify.other" "name protocol 1 HTTP/S" "name protocol 2 DNS"
for p in 1 2 3; do
	drive "flow f$p proto=tcp local=10.9.0.1:$p other=10.9.0.2:80"
done

insert 1
drive "enter fixed f1" flush
status=$(ask "status fixed")
has "no rule has ever set a label: the state says so" "$status" "state=no-room"
has "and what to do" "$status" 'ct label set'
has "as does the log" "$(cat "$TMP/driver.log")" 'older than the first rule with "ct label set"'
has "it is counted" "$status" " no_room=1 "
drive "leave fixed f1" "enter auto f1" flush
drive "leave auto f1"
driver_stop
is "the driver has nothing to complain about" $? 0

is "a table is not left behind by one that is not managed" "$(ns gw nft list tables)" "table inet t"

sed -i 's/"clear_on_leave"/"managed": true, "clear_on_leave"/' "$TMP/c.json"
driver_start conntrack "$TMP/c.json" || exit 1
drive "name application 1 netify.netflix" "name application 2 netify.discord" \
	"name application 3 netify.other" "name protocol 1 HTTP/S" "name protocol 2 DNS"
for p in 1 2 3; do
	drive "flow f$p proto=tcp local=10.9.0.1:$p other=10.9.0.2:80"
done
has "managed: a table of its own" "$(ns gw nft list ruleset)" "flowgate_labels_"
has "that says what it is for" "$(ns gw nft list ruleset)" "keeps room for connection labels"
has "with a rule that sets labels" "$(ns gw nft list ruleset)" "ct label set"
insert 2
insert 3
drive "enter fixed f2" flush
is "by bit, by digits, by name, and the last there is" "$(labels 2)" "1 2 3 (nfa-games) 127 (last)"
has "all is well" "$(ask "status fixed")" "state=ok"
drive "enter auto f2" "rekey auto f2 app=1 protocol=1" flush
is "of application and protocol, beside the others" "$(labels 2)" "1 2 3 (nfa-games) 4 (a-netflix) 6 (p-HTTP-S) 127 (last)"
drive "rekey auto f2 app=2" flush
is "a new detection replaces the old label; the whole tag is found, too" "$(labels 2)" "1 2 3 (nfa-games) 5 (a-netify.discord) 6 (p-HTTP-S) 127 (last)"
drive "rekey auto f2 app=3 protocol=2" flush
is "no label is named after this one: the old ones go" "$(labels 2)" "1 2 3 (nfa-games) 127 (last)"
drive "leave fixed f2" flush
is "cleared at leave" "$(labels 2)" ""
drive "flow f3 app=1" "enter auto f3" "enter fixed f3 action=own" flush
is "an action's own labels" "$(labels 3)" "4 (a-netflix) 9"

# the firewall is reloaded: an owner's table stays, on older kernels it returns
ns gw nft flush ruleset
ns gw nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c ct state new'
has "a flush of the ruleset does not take it" "$(ns gw nft list ruleset)" "flowgate_labels_"
driver_stop
is "at stop the table is gone" "$(ns gw nft list tables)" "table inet t"

driver_start conntrack "$TMP/c.json" || exit 1
kill -9 "$driver_pid"
wait "$driver_pid" 2>/dev/null
driver_pid=
is "killed, it leaves no table either" "$(ns gw nft list tables)" "table inet t"

refused() { # refused "what" TARGET_JSON PART
	printf '{ "targets": { "x": %s } }\n' "$2" >"$TMP/bad.json"
	has "$1" "$(ns gw "$B/tests/tools/target-driver" -t "$B/plugins/conntrack.so" "$TMP/bad.json" 2>&1 </dev/null)" "$3"
}
refused "nothing to set" '{ "target_type": "ctlabel" }' 'add "labels", or'
refused "above the last bit" '{ "target_type": "ctlabel", "labels": [ 128 ] }' 'label 128 is above max_bits, 127'
refused "an own max_bits" '{ "target_type": "ctlabel", "max_bits": 31, "labels": [ 32 ] }' 'label 32 is above max_bits, 31'
refused "a near miss" '{ "target_type": "ctlabel", "connlabel_conf": "'"$TMP"'/connlabel.conf", "labels": [ "nfa-gamse" ] }' 'did you mean "nfa-games"?'
refused "no file of names" '{ "target_type": "ctlabel", "connlabel_conf": "/nonexistent", "labels": [ "x" ] }' '/nonexistent: No such file'
refused "no mark" '{ "target_type": "ctmark" }' '"mark" is missing'
refused "an empty mask" '{ "target_type": "ctmark", "mark": 1, "mask": 0 }' 'no bit of the mark would change'
refused "a mark outside its mask" '{ "target_type": "ctmark", "mark": "0x1ff", "mask": "0xff" }' '0xff is what will be set'

finish
