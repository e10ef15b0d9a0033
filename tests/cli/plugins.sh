#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Plugins that are wrong in each way: flowgated does not start, and says which
# plugin, what is wrong, and what to do.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

have "${CC:-cc}"
mkdir "$T/plugins"
chmod 755 "$T" "$T/plugins"
umask 022
for f in tests/tools/bad-plugins/*.c; do
	name=${f##*/}
	"${CC:-cc}" -shared -fPIC -Icommon/include -o "$T/plugins/${name%.c}.so" "$f" ||
		failed "cannot build $f"
done

wrong() { # WHAT PLUGIN REGEX
	config '{"targets": {"x": {"target_type": "'"$2"'"}}}'
	says "$1" 1 "plugin $T/plugins/$2.so: $3" -t -c "$T/config.json" -P "$T/plugins"
}

wrong "no symbol" no-symbol 'not a Flowgate plugin: it has no symbol flowgate_plugin_v1'
wrong "another major, by its symbol" other-major 'made for ABI version 2, this flowgated has version 1 \(rebuild it'
wrong "another major inside" field-major 'made for ABI 2.0, this flowgated has 1\.'
wrong "a newer minor" newer-minor 'needs ABI 1\.[0-9]+, this flowgated has 1\.[0-9]+ \(a newer flowgated is needed\)'
wrong "a short struct" short-size 'describes itself in 12 bytes'
wrong "a short type" short-type 'a target type is 8 bytes long'
wrong "no callbacks" no-callbacks 'target type "no-callbacks" lacks open, enter, leave or close'
wrong "no types" no-types 'has neither an input nor a target type'
wrong "no name" no-name 'has no name'
wrong "an unresolved symbol" unresolved 'cannot be loaded: .*there_is_no_such_function'

config '{"targets": {"x": {"target_type": "failing-open"}}}'
says "fails to open" 1 'config.json:1:19: target "x": its plugin cannot open it: No such device' -t -c "$T/config.json" -P "$T/plugins"

# The good one, and what can be wrong with where it lies.
config '{"targets": {"x": {"target_type": "good"}}}'
mkdir "$T/alone"
cp "$T/plugins/good.so" "$B/plugins/netifyd.so" "$T/alone/"
chmod 644 "$T/alone/good.so"
check=(-t -c "$T/config.json" -P "$T/alone")
says "a good one" 0 '1 target' "${check[@]}"
chmod 664 "$T/alone/good.so"
says "writable by the group" 1 'the file is writable by group or others, mode 0664 \(chmod go-w\)' "${check[@]}"
chmod 646 "$T/alone/good.so"
says "writable by all" 1 'the file is writable by group or others' "${check[@]}"
chmod 644 "$T/alone/good.so"
chmod 777 "$T/alone"
says "in a directory that all can write to" 1 'its directory is writable by group or others, mode 0777' "${check[@]}"
chmod 755 "$T/alone"
if [ "$(id -u)" = 0 ]; then
	chown 12345 "$T/alone/good.so"
	says "owned by somebody else" 1 'the file is owned by user 12345' "${check[@]}"
	chown 0 "$T/alone/good.so"
	chown 12345 "$T/alone"
	says "in a directory of somebody else" 1 'its directory is owned by user 12345' "${check[@]}"
	chown 0 "$T/alone"
else
	echo "not root: owners are not tried"
fi
rm "$T/alone/good.so"
mkdir "$T/alone/good.so"
says "a directory of that name" 1 'not a regular file' "${check[@]}"
rmdir "$T/alone/good.so"
mkfifo "$T/alone/good.so"
says "a pipe of that name" 1 'not a regular file' "${check[@]}"
rm "$T/alone/good.so"
echo "not an object" >"$T/alone/good.so"
says "not a shared object" 1 'cannot be loaded: .*(invalid ELF header|file too short)' "${check[@]}"
ln -sf "$T/plugins/good.so" "$T/alone/good.so"
says "a link to a good one" 0 '1 target' "${check[@]}"

# A type in a plugin of another name is found; what is broken beside it is not
# in the way.
cp "$T/plugins/good.so" "$T/alone/zzz.so"
rm "$T/alone/good.so"
cp "$T/plugins/no-symbol.so" "$T/alone/aaa.so"
says "found by its type" 0 '1 target' "${check[@]}"
rm "$T/alone/zzz.so"
says "not found, and what could not be looked into" 1 'no plugin has the target type "good" \(looked in .*alone; another directory: -P DIR\); plugin .*aaa.so: not a Flowgate plugin' "${check[@]}"

# "plugins" by path
config '{"plugins": ["'"$T"'/plugins/good.so"], "targets": {"x": {"target_type": "good"}}}'
says "by path" 0 '1 target' "${check[@]}"
cp "$T/plugins/good.so" "$T/alone/copy.so"
config '{"plugins": ["'"$T"'/plugins/good.so", "copy"]}'
says "two of one name" 1 'a plugin named "good" is loaded already, from .*/plugins/good.so' "${check[@]}"

# What actions say to targets is bound until the end; a sanitizer sees what is
# not freed then.
config '{"actions": {"one": {"criteria": "*", "targets": [{"target": "set", "data": {"mark": 1}},
    {"target": "mark", "mark": "0x2"}, {"target": "label", "labels": [3]}]}},
  "targets": {"set": {"target_type": "nftset", "set_name": "x", "managed": true, "type": ["local_addr"], "data": {"mark": 9}},
    "mark": {"target_type": "ctmark", "mark": "0x1"}, "label": {"target_type": "ctlabel", "labels": [1]}}}'
says "settings of actions" 0 'set x\.v4|10\.|announced' -n -c "$T/config.json" -s "file://$PWD/tests/data/v4.stream"

finish
