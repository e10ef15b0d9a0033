#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Instructions a message, by callgrind: the same at every run, so that a change
# which makes the hot path slower shows at once. They are compared with those in
# tests/bench/instructions, of the same compiler; more by 5 % fails. What libc
# does is left out, since that depends on the machine.
#
# tests/cli/instructions.sh --write puts this compiler's figures there.
. tests/lib.sh
have valgrind
have callgrind_annotate
have readelf
FIGURES=tests/bench/instructions
BENCH=$B/tests/bench/bench_stream
ROWS="input path1 path1000"
[ -x "$BENCH" ] || skip "needs bench_stream (make check builds it)"

producer=$(readelf --debug-dump=info "$BENCH" 2>/dev/null |
	sed -n 's/^.*DW_AT_producer.*: //p' | grep -m 1 'GNU C17\|clang')
compiler=$(sed -n 's/^GNU C17 \([0-9.]*\).*/gcc-\1/p; s/.*clang version \([0-9.]*\).*/clang-\1/p' <<<"$producer")-$(uname -m)
grep -q '__asan\|__ubsan\|__tsan' <<<"$(nm "$BENCH")" && skip "sanitizers are in the way"
case $compiler in
gcc-*) [[ $producer == *" -O2 "* ]] || skip "built with other options than -O2" ;;
esac

"$B/tests/tools/gen-stream" -f 2000 -S 1 -u 10 -p -o "$T/stream" tests/data/v[345].stream ||
	skip "needs gen-stream (make tools)"

# count ROW: instructions of a message, ours alone
count() {
	valgrind --tool=callgrind --callgrind-out-file="$T/out" \
		--toggle-collect='row_*' "$BENCH" -1 "$1" "$T/stream" >"$T/said" 2>"$T/log" || return 1
	callgrind_annotate --threshold=100 --show-percs=no "$T/out" |
		awk -v bench="[$BENCH]" -v messages="$(cut -d' ' -f1 "$T/said")" '
			$NF == bench { gsub(",", "", $1); sum += $1 }
			END { if (!sum) exit 1; printf "%d\n", sum / messages }'
}

if [ "${1:-}" = --write ]; then
	[ -e $FIGURES ] && grep -v "^$compiler " $FIGURES >"$T/figures"
	for row in $ROWS; do
		echo "$compiler $row $(count "$row")" >>"$T/figures"
	done
	sort "$T/figures" >$FIGURES
	grep "^$compiler " $FIGURES
	exit
fi
grep -q "^$compiler " $FIGURES ||
	skip "no figures of $compiler to compare with ($0 --write makes them)"
for row in $ROWS; do
	wanted=$(awk -v c="$compiler" -v r="$row" '$1 == c && $2 == r { print $3 }' $FIGURES)
	got=$(count "$row") || {
		failed "$row: cannot be counted" "$T/log"
		continue
	}
	if [ $((got * 100)) -gt $((wanted * 105)) ]; then
		failed "$row: $got instructions a message, not $wanted"
	elif [ $((got * 100)) -lt $((wanted * 95)) ]; then
		echo "ok: $row: $got instructions a message, $wanted before: $0 --write keeps that"
	else
		echo "ok: $row: $got instructions a message"
	fi
done
finish
