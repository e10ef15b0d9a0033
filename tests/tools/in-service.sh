#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2317 # functions are called by name through ok
# Runs as root within a system of its own, booted by systemd: installs the
# packages beside it, uses the service, takes it away again. See
# tests/netns/deb.sh.
set -u -o pipefail
cd "$(dirname "$0")" || exit 1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export SYSTEMD_PAGER='' LC_ALL=C.UTF-8
failures=0
agent=
# of a build with SAN=address: see tests/run
systemctl set-environment ASAN_OPTIONS=intercept_tls_get_addr=0

ok() { # WHAT COMMAND...
	local what=$1
	shift
	if "$@" >out 2>&1; then
		echo "ok: $what"
	else
		echo "FAILED: $what"
		sed 's/^/    /' out
		journalctl -u flowgated -n 15 -o cat 2>/dev/null | sed 's/^/    journal: /'
		failures=$((failures + 1))
	fi
}

not() { ! "$@"; }

says() { # TEXT COMMAND...: the output has it
	local text=$1
	shift
	"$@" 2>&1 | tee said | grep -qe "$text" || { cat said; return 1; }
}

wait_for() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { "$@"; return 1; }
		sleep 0.05
	done
}

property() { systemctl show -P "$1" flowgated; }
is() { [ "$(property "$1")" = "$2" ] || { echo "$1 is $(property "$1"), not $2"; return 1; }; }

play() { # URL: the recording, again and again, as netifyd would serve it
	[ -z "$agent" ] || kill "$agent"
	mkdir -p /run/netifyd
	./play-agent -s 0 -H v4.stream "$1" &
	agent=$!
}

config() {
	cat >/etc/flowgate/flowgate.json
}

ours() { # files and folders that have the name in them
	find /etc /usr /var /run -name '*flowgate*' -not -path '/run/systemd/*' | sort
}

ip link set lo up
ours >before

# -------------------------------------------------------------------- install

ok "install" dpkg -i flowgate_*.deb flowgate-dev_*.deb
ok "it runs" wait_for 10 is ActiveState active
ok "and will after a boot" says enabled systemctl is-enabled flowgated
ok "systemd is told how it is" says '1 source' property StatusText
ok "nothing in the journal is worse than a notice, but that there is no agent" \
	not says . sh -c 'journalctl -u flowgated -p warning -o cat | grep -v netifyd.sock'
ok "flowgatectl as root" says 'sources' flowgatectl status
ok "not for everybody" not setpriv --reuid 65534 --regid 65534 --clear-groups flowgatectl status
ok "for the group flowgate" setpriv --reuid 65534 --regid 65534 --groups "$(getent group flowgate | cut -d: -f3)" \
	flowgatectl status
ok "the configuration that it comes with is good" flowgated -t

# ----------------------------------------------------------------------- use

umask 022
play unix:///run/netifyd/netifyd.sock
ok "netifyd's socket, which only root may use" wait_for 10 says connected flowgatectl status
ok "flows" wait_for 10 says '"live":[1-9]' flowgatectl -j status

config <<'END'
{
  "actions": {
    "some": { "criteria": "detected_hostname == 'rx:(youtube|whatsapp)\\.com$'", "targets": ["block", "log"] }
  },
  "targets": {
    "block": {
      "target_type": "nftset", "managed": true, "ttl": 900,
      "table_family": "inet", "table_name": "gateway", "set_name": "blocked",
      "type": ["local_addr", "ip_proto", "other_port", "other_addr"], "other_types": "*"
    },
    "log": { "target_type": "log", "file": "/var/log/flowgate/flows.json" }
  }
}
END
ok "reload" systemctl reload flowgated
ok "elements in the kernel, by a regular expression" \
	wait_for 10 says '10.99.1.2 . \(tcp\|6\) . 443 . 203.0.113.2' nft list set inet gateway blocked.v4
ok "a log where it may write" wait_for 10 grep -q '"event":"enter"' /var/log/flowgate/flows.json

config <<'END'
{ "actions": { "some": { "criteria": "*", "targets": ["blokc"] } }, "targets": { "block": { "target_type": "ctkill" } } }
END
ok "reload of a wrong configuration fails" not systemctl reload flowgated
ok "the journal has the line, and what was meant" \
	wait_for 5 says 'flowgate.json:1:.*blokc.*block' journalctl -u flowgated -o cat
ok "what was in force stays so" says connected flowgatectl status
ok "elements, too" says '203.0.113.2' nft list set inet gateway blocked.v4

before=$(property MainPID)
ok "a wrong configuration at start: no endless tries" sh -c 'systemctl restart flowgated; sleep 2; systemctl is-failed flowgated'
echo '{ "actions": {}, "targets": {} }' | config
ok "restart" systemctl restart flowgated
ok "another process" not is MainPID "$before"

# ---------------------------------------------------------------- privileges

caps() { # CAP_NET_ADMIN alone, in each thread
	local net_admin=0000000000001000 f n=0
	for f in /proc/"$(property MainPID)"/task/*/status; do
		[ "$(sed -n 's/^Cap\(Prm\|Eff\|Bnd\):\t//p; s/^NoNewPrivs:\t//p; s/^Seccomp:\t//p' "$f" | paste -sd' ')" = \
			"$net_admin $net_admin $net_admin 1 2" ] || { cat "$f"; return 1; }
		n=$((n + 1))
	done
	[ "$n" -ge 4 ]
}
ok "CAP_NET_ADMIN alone in each thread, and confined" wait_for 10 caps

# ------------------------------------------------------------------ watchdog

mkdir -p /etc/systemd/system/flowgated.service.d
printf '[Service]\nWatchdogSec=1\n' >/etc/systemd/system/flowgated.service.d/test.conf
systemctl daemon-reload
systemctl restart flowgated
before=$(property NRestarts)
kill -STOP "$(property MainPID)"
ok "one that hangs is started again" wait_for 20 is NRestarts $((before + 1))
ok "and runs" wait_for 10 is ActiveState active
rm /etc/systemd/system/flowgated.service.d/test.conf

# -------------------------------------------------------- as a user of its own

cp /usr/share/doc/flowgate/examples/unprivileged.conf /etc/systemd/system/flowgated.service.d/
config <<'END'
{
  "sources": ["tcp://127.0.0.1:7150"],
  "actions": { "all": { "criteria": "*", "targets": ["block"] } },
  "targets": {
    "block": {
      "target_type": "nftset", "managed": true, "ttl": 900,
      "table_family": "inet", "table_name": "unprivileged", "set_name": "blocked",
      "type": ["other_addr"], "other_types": "*"
    }
  }
}
END
play tcp://127.0.0.1:7150
systemctl daemon-reload
ok "restart as a user" systemctl restart flowgated
ok "it is that user" says "^$(id -u flowgate)\$" sh -c "stat -c %u /proc/$(property MainPID)"
ok "CAP_NET_ADMIN alone in each thread of its" caps
ok "elements in the kernel" wait_for 10 says '203.0.113.2' nft list set inet unprivileged blocked.v4
ok "flowgatectl" says connected flowgatectl status
kill "$agent"

# -------------------------------------------------------------------- remove

rm -r /etc/systemd/system/flowgated.service.d
systemctl daemon-reload
ok "remove" dpkg -r flowgate
ok "it is stopped" not pgrep -x flowgated
ok "the configuration stays" test -e /etc/flowgate/flowgate.json
ok "purge" dpkg -P flowgate flowgate-dev
ours >after
ok "nothing is left" diff before after

[ $failures = 0 ] || echo "$failures failed"
exit $((failures > 0))
