#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the compiler and the linker are to do against bugs has been done to the
# programs and to every plugin; and a plugin shows its one symbol only.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
have readelf

if grep -q '__[at]san_init\|__ubsan' <<<"$(nm -D "$B/flowgated")"; then
	skip "a sanitizer's build has other protections"
fi
file=
has() { # SECTION REGEX: what readelf says of it
	local text
	text=$(readelf -W "$1" "$file" 2>/dev/null)
	grep -Eq -- "$2" <<<"$text"
}
pie() { has -h 'Type: *DYN'; }
relro() { has -l GNU_RELRO; }
bound_at_once() { has -d 'BIND_NOW|FLAGS_1.*NOW'; }
stack_not_executable() { has -l 'GNU_STACK.* RW +0x'; }
nothing_writable_and_executable() { ! has -l 'LOAD.*RWE'; }
no_text_relocations() { ! has -d TEXTREL; }
no_search_path() { ! has -d 'RPATH|RUNPATH'; }
stack_protector() { has -s '__stack_chk_fail'; }
fortified() { has -s '__[a-z]+_chk\b'; }
# endbr64 where a function begins; the note is not in what Debian's crt1.o links
branch_protection() { [ "$(LC_ALL=C grep -oaP '\xf3\x0f\x1e\xfa' "$file" | wc -l)" -gt 10 ]; }
one_symbol() { # of its own that others see
	[ "$(nm -D --defined-only "$file" | awk '{ print $3 }')" = flowgate_plugin_v1 ]
}

checks=(relro bound_at_once stack_not_executable nothing_writable_and_executable
	no_text_relocations no_search_path stack_protector)
# where the compiler can, and nobody has taken it out of CFLAGS
case $(uname -m) in x86_64) checks+=(branch_protection) ;; esac
for file in "$B/flowgated" "$B/flowgatectl" "$B"/plugins/*.so; do
	all=("${checks[@]}")
	case $file in
	*.so) all+=(one_symbol) ;;
	*) all+=(pie fortified) ;;
	esac
	for c in "${all[@]}"; do
		"$c" || failed "${file##*/}: $c"
	done
	echo "ok: ${file##*/}: ${all[*]}"
done
finish
