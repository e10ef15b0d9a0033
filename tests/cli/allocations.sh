#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# After the start, messages cost no memory: malloc() and its kin are not called
# for any of them, nor free(), whatever they say and whoever hears it.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
have "${CC:-cc}"
grep -q '__[at]san_init' <<<"$(nm -D "$B/flowgated")" && skip "a sanitizer has a malloc() of its own"
"${CC:-cc}" -shared -fPIC -o "$T/count.so" tests/tools/shim/count-alloc.c || exit 1

mkfifo "$T/fifo"
exec 3<>"$T/fifo"
config '{"sources": ["file://'"$T"'/fifo"],
  "targets": {"log": {"target_type": "log", "file": "'"$T"'/log"},
    "stats": {"target_type": "stats"},
    "list": {"target_type": "sample", "path": "'"$T"'/list"}},
  "actions": {"all": {"criteria": "*", "targets": ["log", "stats", "list"]},
    "regex": {"criteria": "detected_hostname == '"'rx:[a-z]+.example'"'", "targets": ["list"]}}}'
export COUNT=$T/count
LD_PRELOAD=$T/count.so start -c "$T/config.json"
calls() { od -An -v -tu8 "$T/count" | tr -s ' \n' ' '; }
# asking flowgated would make it allocate: what it logs shows that it is through
still() {
	local before
	before=$(stat -c %s "$T/log")
	[ "$before" -gt "$1" ] && sleep 0.3 && [ "$(stat -c %s "$T/log")" = "$before" ]
}
cat tests/data/v[345].stream >&3
ok "the first ones are heard" wait_for 20 still 0
before=$(calls) size=$(stat -c %s "$T/log")
cat tests/data/v[345].stream tests/data/demo.stream >&3
ok "so are the others" wait_for 20 still "$size"
ok "malloc, calloc, realloc, free: $before, and not once more" test "$(calls)" = "$before"
ok "which would have shown: flowgatectl makes it allocate" sh -c \
	"'$B/flowgatectl' -S '$T/control.sock' -j status >/dev/null && [ \"\$(od -An -v -tu8 '$T/count' | tr -s ' \n' ' ')\" != '$before' ]"
finish
