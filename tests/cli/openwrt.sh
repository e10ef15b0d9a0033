#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The OpenWrt package without an OpenWrt: UCI becomes the right JSON with every
# awk that is here, the init script does the right things with stand-ins for
# procd and UCI, the rules load, and make takes the package's Makefile.
# shellcheck disable=SC2317 # functions are called by name through ok
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

not() { ! "$@"; }

files=$PWD/common/dist/openwrt/flowgate/files
schema=$PWD/common/dist/flowgate.schema.json

# ---------------------------------------------------------------- UCI to JSON

# as "uci export" prints it
cat >"$T/uci" <<'END'
package flowgate

config flowgate 'main'
	option enabled '1'
	option log_level 'info'
	option timezone 'Europe/Berlin'
	option reprocess_flows '0'
	option max_flows '1000'
	list sources 'tcp://[::1]:7150'
	list sources 'unix:///var/run/netifyd/netifyd.sock'

config group 'kids'
	list member '02:00:00:00:00:01'
	list member '192.168.1.64/28'

config target 'block'
	option target_type 'nftset'
	option table_name 'fw4'
	option set_name 'blocked'
	option ttl '900'
	option managed 'on'
	option counter '0'
	list type 'local_addr'
	list type 'ip_proto'
	list type 'other_port'
	list type 'other_addr'

config target 'classes'
	option target_type 'nftset'
	option set_name 'classes'
	list type 'local_addr'
	option data_mark '0x10'

config action 'quoting'
	option criteria 'http_url == "rx:it'\''s \d+" && local_ip == @kids'
	list targets 'block'
	list targets 'classes'
	list times 'night'
	list times 'noon'

config action 'lines'
	list criteria 'ai:netflix'
	list criteria 'application_category == "games" ||
	port == 53'
	list targets 'block'
	option halt_on_match 'true'

config action
	option criteria '*'
	option allow '1'

config time 'night'
	list day 'sun'
	list day 'mon'
	option time_start '20:00'
	option time_end '06:30'

config time 'noon'
	option time_start '12:00'
	option time_end '13:00'
END
cat >"$T/wanted" <<'END'
{
  "timezone": "Europe/Berlin", "reprocess_flows": false,
  "sources": ["tcp://[::1]:7150", "unix:///var/run/netifyd/netifyd.sock"],
  "limits": { "max_flows": "1000" },
  "address_groups": { "kids": ["02:00:00:00:00:01", "192.168.1.64/28"] },
  "application_groups": {},
  "targets": {
    "block": { "target_type": "nftset", "table_name": "fw4", "set_name": "blocked", "ttl": "900",
      "managed": true, "counter": false, "type": ["local_addr", "ip_proto", "other_port", "other_addr"] },
    "classes": { "target_type": "nftset", "set_name": "classes", "type": ["local_addr"], "data": { "mark": "0x10" } }
  },
  "actions": {
    "quoting": { "criteria": "http_url == \"rx:it's \\d+\" && local_ip == @kids", "targets": ["block", "classes"],
      "time_of_day": [ { "day": ["sun", "mon"], "time_start": "20:00", "time_end": "06:30" },
        { "time_start": "12:00", "time_end": "13:00" } ] },
    "lines": { "criteria": ["ai:netflix", "application_category == \"games\" ||\n\tport == 53"], "targets": ["block"],
      "halt_on_match": true },
    "action_1": { "criteria": "*", "allow": true }
  }
}
END
awks=0
for awk in 'busybox awk' mawk gawk original-awk; do
	# shellcheck disable=SC2086
	command -v ${awk%% *} >/dev/null || continue
	awks=$((awks + 1))
	# shellcheck disable=SC2086
	ok "$awk" $awk -f "$files/uci.awk" "$T/uci"
	# shellcheck disable=SC2086
	$awk -f "$files/uci.awk" "$T/uci" >"$T/made.json"
	ok "$awk: the same as wanted" diff <(jq -S . "$T/wanted") <(jq -S . "$T/made.json")
	ok "$awk: actions in their order" test "$(jq -r '.actions | keys_unsorted | join(" ")' "$T/made.json")" = "quoting lines action_1"
done
ok "an awk was found" test $awks -gt 0
ok "flowgated takes it" "$B/flowgated" -n -c "$T/made.json" -s file:///dev/null

# Values of hostile hands stay values: quotes and backslashes of JSON, of UCI and
# of the shell, control characters, bytes that are no UTF-8.
raw=$(printf 'a"}], "allow": true, "x": [{"\\u0022 \\ $(reboot) `id` %%s\001\033[2J\r\177 \303\244 it\047s')
value=${raw//\'/"'\\''"} # as "uci export" has it
cat >"$T/hostile" <<END
package flowgate

config flowgate 'main'
	option timezone '$value'
	list sources ''
	list sources '$value'

config action 'a'
	option criteria '$value'
	list targets '$value'
	list targets 'x, y'

config group 'g'
	list member '$value'
END
for awk in 'busybox awk' mawk gawk original-awk; do
	# shellcheck disable=SC2086
	command -v ${awk%% *} >/dev/null || continue
	# shellcheck disable=SC2086
	$awk -f "$files/uci.awk" "$T/hostile" >"$T/hostile.json"
	ok "$awk: hostile values" jq -e --arg v "$raw" '
		.timezone == $v and .sources == ["", $v] and .address_groups.g == [$v] and
		.actions == {a: {criteria: $v, targets: [$v, "x, y"]}} and (keys | length) == 6' "$T/hostile.json"
done
printf '%s\n' "config action 'a'" "	option criteria '*'" "	option allow '1'" "	list times 'nigth'" >"$T/typo"
awk -f "$files/uci.awk" "$T/typo" >"$T/typo.json"
says "a time that there is not" 1 'typo.json:[0-9]*:[0-9]*: .*nigth' -t -c "$T/typo.json"

# every key that is a boolean in the schema is one here
for key in $(jq -r '.. | .properties? | objects | to_entries[] | select(.value.type? == "boolean") | .key' "$schema" | sort -u); do
	ok "boolean: $key" grep -qw "$key" <(sed -n '/words("enabled target/,/boolean)/p' "$files/uci.awk")
done
for key in $(jq -r '.properties.limits.properties | keys[]' "$schema"); do
	ok "limit: $key" grep -qw "$key" <(grep 'limit)' "$files/uci.awk")
done

# ------------------------------------------------------------ the init script

shells=
for shell in 'busybox ash' dash; do
	# shellcheck disable=SC2086
	command -v ${shell%% *} >/dev/null && shells="$shells|$shell"
done
ok "a shell was found" test -n "$shells"

mkdir -p "$T/bin" "$T/var"
sed "s|/var/etc|$T/var|; s|/var/\([rl]\)|$T/var/\1|g; s|/usr/share/flowgate|$files|; s|/usr/sbin/flowgated|flowgated|" "$files/flowgate.init" >"$T/init"
# what rc.common, procd and UCI do, as far as the script asks for it
cat >"$T/rc.common" <<'END'
config_load() { :; }
config_get() { # VARIABLE SECTION OPTION [DEFAULT]
	value=$(sed -n "/^config flowgate 'main'/,/^$/s/^	option $3 '\(.*\)'/\1/p" "$UCI")
	eval "$1=\${value:-\${4:-}}"
}
config_get_bool() { config_get "$@"; }
procd_open_instance() { echo "instance"; }
procd_set_param() { echo "set $*"; }
procd_close_instance() { echo "close"; }
procd_add_reload_trigger() { echo "trigger $*"; }
start() { start_service; }
. "$INIT"
"$@"
END
# shellcheck disable=SC2016
printf '#!/bin/sh\ncat "$UCI"\n' >"$T/bin/uci"
printf '#!/bin/sh\nshift 5\necho "logged: $*"\n' >"$T/bin/logger"
# the one that runs is content with a file that -n is content with
cat >"$T/bin/flowgatectl" <<END
#!/bin/sh
echo "flowgatectl \$*"
exec $B/flowgated -n -s file:///dev/null -c $T/var/flowgate.json
END
ln -s "$B/flowgated" "$T/bin"
chmod +x "$T/bin/"*
export INIT=$T/init UCI=$T/uci

init() { # FUNCTION: as rc.common calls it
	# shellcheck disable=SC2086
	PATH=$T/bin:$PATH $shell "$T/rc.common" "$@" >"$T/out" 2>&1
}

IFS='|'
for shell in ${shells#|}; do
	unset IFS
	rm -rf "${T:?}/var/"*
	UCI=$T/uci
	ok "$shell: start" init start_service
	ok "$shell: with the file that was made" grep -qx "set command flowgated -c $T/var/flowgate.json -l info" "$T/out"
	ok "$shell: restarted if it fails" grep -qx 'set respawn' "$T/out"
	ok "$shell: the file is there" test -s "$T/var/flowgate.json"
	ok "$shell: trigger" init service_triggers
	ok "$shell: on its configuration" grep -qx 'trigger flowgate' "$T/out"

	ok "$shell: reload" init reload_service
	ok "$shell: the same command" grep -qx "set command flowgated -c $T/var/flowgate.json -l info" "$T/out"
	sed "s/'ai:netflix'/'aplication'/" "$T/uci" >"$T/wrong"
	UCI=$T/wrong
	ok "$shell: reload of a wrong one fails" not init reload_service
	ok "$shell: says where" grep -q 'flowgate.json:[0-9]*:[0-9]*: .*aplication' "$T/out"
	ok "$shell: check finds it, too" not init check
	ok "$shell: at the same place" grep -q 'flowgate.json:[0-9]*:[0-9]*: .*aplication' "$T/out"

	sed "s/option enabled '1'/option enabled '0'/" "$T/uci" >"$T/off"
	UCI=$T/off
	ok "$shell: disabled" init start_service
	ok "$shell: then there is no instance" test ! -s "$T/out"

	echo '{ "actions": {}, "targets": {} }' >"$T/own.json"
	sed "s|option log_level 'info'|option config '$T/own.json'|" "$T/uci" >"$T/own"
	UCI=$T/own
	ok "$shell: a file of one's own" init start_service
	ok "$shell: is used as it is" grep -qx "set command flowgated -c $T/own.json -l notice" "$T/out"
	IFS='|'
done
unset IFS

# ------------------------------------------------- what the package comes with

# uci export of the file as it is shipped: without comments
sed 's/#.*//' "$files/flowgate.config" | awk -f "$files/uci.awk" >"$T/shipped.json"
ok "the configuration that is shipped" "$B/flowgated" -t -c "$T/shipped.json"
ok "has no target in force" test "$(jq '[.targets[] | select(.target_enabled != false)] | length' "$T/shipped.json")" = 0
# ------------------------------------------------------------------ Makefile

# OpenWrt's own make files, as far as the package uses them
mkdir -p "$T/openwrt/include" "$T/to"
cat >"$T/openwrt/rules.mk" <<'END'
INCLUDE_DIR := $(TOPDIR)/include
PKG_BUILD_DIR = $(TOPDIR)/build
INSTALL_DIR := install -d
INSTALL_BIN := install -m 755
INSTALL_DATA := install -m 644
INSTALL_CONF := install -m 600
CP := cp -a
MAKE_FLAGS :=
END
cat >"$T/openwrt/include/package.mk" <<'END'
define BuildPackage
$(eval $(Package/$(1)))
packages += $(1)
endef
END
cat >"$T/openwrt.mk" <<'END'
include Makefile
version: ; @echo $(PKG_VERSION)
flags: ; @echo $(MAKE_FLAGS)
prepare: ; $(Build/Prepare)
install-%: ; $(call Package/$*/install,$(TO))
END
package() { make -s -C common/dist/openwrt/flowgate -f "$T/openwrt.mk" TOPDIR="$T/openwrt" TO="$T/to" "$@"; }
ok "version" test "$(package version)" = "$(sed -n 's/^VERSION := //p' Makefile)"
ok "no /run there" grep -qw 'RUNDIR=/var/run' <(package flags)
ok "no plugin that the package does not have" test -z "$(package flags | grep -w stats)"
ok "but with its own package chosen" grep -qw stats <(package flags CONFIG_PACKAGE_flowgate-stats=y)
ok "prepare" package prepare
ok "prepare has what a build needs" make -s -n -C "$T/openwrt/build" PLUGINS="netifyd nftset" help
# that is how OpenWrt says where headers are
mkdir "$T/headers"
touch "$T/headers/only-here.h"
ok "headers are found by CFLAGS" env CFLAGS="-I$T/headers" make -s B="$T/deps" NEED_BUILD=only-here.h:none "$T/deps/.deps-found"
ok "and what is in no place is missed" not make -s B="$T/nodeps" NEED_BUILD=only-here.h:none "$T/nodeps/.deps-found"
mkdir -p "$T/openwrt/build/build/plugins"
cp "$B/flowgated" "$B/flowgatectl" "$T/openwrt/build/build"
cp "$B"/plugins/*.so "$T/openwrt/build/build/plugins"
ok "install" package install-flowgate
ok "what is installed" diff - <(cd "$T/to" && find . -type f | sort) <<END
./etc/config/flowgate
./etc/init.d/flowgate
./usr/bin/flowgatectl
./usr/lib/flowgate/conntrack.so
./usr/lib/flowgate/ipset.so
./usr/lib/flowgate/log.so
./usr/lib/flowgate/netifyd.so
./usr/lib/flowgate/nftset.so
./usr/sbin/flowgated
./usr/share/flowgate/block.nft
./usr/share/flowgate/uci.awk
END
if unshare -rn true 2>/dev/null; then
	# as fw4 has it: chains of its own, and what is in /etc/nftables.d before
	cat >"$T/fw4.nft" <<-END
		table inet fw4
		flush table inet fw4
		table inet fw4 {
			include "$T/to/usr/share/flowgate/block.nft"
			chain input { type filter hook input priority filter; policy drop; }
			chain forward {
				type filter hook forward priority filter; policy drop;
				ct state established,related accept
			}
			chain prerouting { type filter hook prerouting priority filter; }
		}
	END
	ok "the rules load, and load again" unshare -rn sh -c "nft -f $T/fw4.nft && nft -f $T/fw4.nft"
	sed "s/option target_enabled '0'//; s/#.*//" "$files/flowgate.config" | awk -f "$files/uci.awk" >"$T/enabled.json"
	ok "and are what the target wants" unshare -rn sh -c "nft -f $T/fw4.nft && $B/flowgated -t -c $T/enabled.json"
fi
finish
