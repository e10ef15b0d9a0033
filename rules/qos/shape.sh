#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shape.sh INTERFACE KBIT: HTB with the four classes of qos.nft on what leaves
# INTERFACE; KBIT is a little less than the line's speed. KBIT 0 removes it.
set -eu
dev=${1:?usage: shape.sh INTERFACE KBIT}
rate=${2:?usage: shape.sh INTERFACE KBIT}

tc qdisc del dev "$dev" root 2>/dev/null || true
[ "$rate" -gt 0 ] || exit 0

tc qdisc add dev "$dev" root handle 1: htb default 30
tc class add dev "$dev" parent 1: classid 1:1 htb rate "${rate}kbit" quantum 1514

# class, percent that it is sure of, priority for what others leave
while read -r class percent prio; do
	tc class add dev "$dev" parent 1:1 classid "1:$class" htb \
		rate "$((rate * percent / 100))kbit" ceil "${rate}kbit" \
		prio "$prio" quantum 1514
	# fair within the class, where the kernel has it
	tc qdisc add dev "$dev" parent "1:$class" fq_codel 2>/dev/null || true
done <<-CLASSES
	10 40 0
	20 30 1
	30 25 2
	40 5 3
CLASSES
