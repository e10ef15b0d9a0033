# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Sourced after gateway.sh, within private(): Debian's mosquitto in an /etc of its
# own, and the lines of rules/fleet/README.md, to be run as they are.

PID=/run/mosquitto/mosquitto.pid

# Copies of /etc, and empty folders for what mosquitto writes.
own_etc() {
	cp -a /etc "$D/etc"
	mount --bind "$D/etc" /etc
	mkdir -p /etc/flowgate
	mount -t tmpfs -o uid="$(id -u mosquitto)" tmpfs /var/lib/mosquitto
	mount -t tmpfs -o uid="$(id -u mosquitto)" tmpfs /var/log/mosquitto
	install -d -o mosquitto /run/mosquitto
}

broker_listens() { ss -Hltn "sport = ${1:-8883}" | grep -q .; }
broker_gone() { ! ss -Hltn "sport = ${1:-8883}" | grep -q .; }

# What the README has systemd do.
systemctl() {
	case $* in
	daemon-reload | "restart flowgated") ;;
	"reload mosquitto") kill -HUP "$(cat $PID)" ;;
	"restart mosquitto") ${RESTART:-restart_broker} ;;
	*) fail "systemctl $*?" ;;
	esac
}
restart_broker() {
	[ ! -e $PID ] || kill "$(cat $PID)"
	wait_for 10 "the end of the broker" broker_gone
	background mosquitto /usr/sbin/mosquitto -c /etc/mosquitto/mosquitto.conf
	[ ! -e /etc/mosquitto/conf.d/flowgate.conf ] ||
		wait_for 10 "the broker" broker_listens
}

# readme SECTION [N]: runs the Nth (first) block of commands of that section,
# in the folder of the recipe
readme() {
	awk -v section="## $1" -v n="${2:-1}" '
		/^## / { inside = $0 == section; block = was = 0 }
		inside && /^    / { if (!was) block++; was = 1; if (block == n) print substr($0, 5) }
		!/^    / && NF { was = 0 }
	' "$GATEWAY_HOME/rules/fleet/README.md" >"$D/commands"
	[ -s "$D/commands" ] || fail "no commands in \"$1\""
	cd "$D/fleet" || exit
	# shellcheck disable=SC1091
	. "$D/commands"
	cd "$GATEWAY_HOME" || exit
}
