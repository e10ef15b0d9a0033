#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# routes.sh INTERFACE GATEWAY GATEWAY6: what carries mark 0x100/0xf00 leaves by
# INTERFACE, the second uplink ("-": no gateway of that family).
# routes.sh off: undo.
set -eu
table=100

for v in -4 -6; do
	while ip $v rule del fwmark 0x100/0xf00 2>/dev/null; do :; done
	ip $v route flush table $table 2>/dev/null || true
done
[ "${1:?usage: routes.sh INTERFACE GATEWAY GATEWAY6 | off}" != off ] || exit 0

[ "${2:--}" = - ] || {
	ip -4 route add default via "$2" dev "$1" table $table
	ip -4 rule add fwmark 0x100/0xf00 lookup $table priority 1000
}
[ "${3:--}" = - ] || {
	ip -6 route add default via "$3" dev "$1" table $table
	ip -6 rule add fwmark 0x100/0xf00 lookup $table priority 1000
}
# answers come in where the plain route does not point to
[ "$(cat "/proc/sys/net/ipv4/conf/$1/rp_filter")" != 1 ] ||
	echo 2 >"/proc/sys/net/ipv4/conf/$1/rp_filter"
