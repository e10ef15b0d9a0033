#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the shells offer when Tab is pressed, as far as the shells are here.
# shellcheck disable=SC2317
set -eu
B=${B:-$PWD/build}
dir=$PWD/common/dist/completion
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/some.d"
touch "$tmp/some.json"
export PATH=$B:$PATH
failed=0

# shellcheck source=common/dist/completion/flowgate.bash
. "$dir/flowgate.bash"
compopt() { :; } # it works only within a real completion

bash_offers() { # LINE: what bash would offer at its end
	local program=${1%% *}

	COMP_LINE=$1
	COMP_POINT=${#1}
	# as readline breaks it: at blanks and at colons
	read -ra COMP_WORDS <<<"${1//:/ : }x"
	COMP_WORDS[-1]=${COMP_WORDS[-1]%x}
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	"_$program" "$program"
	printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' '
}

fish_offers() {
	fish --no-config -c "source $dir/flowgate.fish; complete -C '$1'" |
		cut -f 1 | sort | paste -sd ' '
}

expect() { # SHELL LINE OFFERED
	local got

	got=$("${1}_offers" "$2")
	[ "$got" = "$3" ] && return
	echo "$1: \"$2\" offers \"$got\", not \"$3\""
	failed=1
}

expect bash 'flowgated --ch' '--check'
expect bash 'flowgated -c '"$tmp"'/so' "$tmp/some.d $tmp/some.json"
expect bash 'flowgated -P '"$tmp"'/so' "$tmp/some.d"
expect bash 'flowgated -l n' 'notice'
expect bash 'flowgated -s u' 'unix://'
expect bash "flowgated -n -s file://$tmp/some.j" "//$tmp/some.json"
expect bash 'flowgatectl st' 'status'
expect bash 'flowgatectl --j' '--json'
expect bash 'flowgatectl -j -S x re' \
	"$(flowgatectl -h | sed -nE 's/^  (re[a-z]+) .*/\1/p' | sort | paste -sd ' ')"
expect bash 'flowgatectl top -' '-b -d -n'
expect bash 'flowgatectl flows -' '-f'
expect bash 'flowgatectl version ' ''

# nothing that -h has may be missing, in any shell
for program in flowgated flowgatectl; do
	for option in $("$program" -h | grep -oE -- '--[a-z-]+' | sort -u); do
		expect bash "$program $option" "$option"
		for shell in zsh fish; do
			grep -qE -- "(--|-l )${option#--}\b" "$dir/flowgate.$shell" && continue
			echo "flowgate.$shell has no $option of $program"
			failed=1
		done
	done
done
for option in $(flowgatectl -h | grep -E '^  [a-z]+ ' | grep -oE '\[-[a-z]' | tr -d '[-'); do
	grep -q -- "'-$option\[" "$dir/flowgate.zsh" &&
		grep -q -- "-s $option " "$dir/flowgate.fish" && continue
	echo "zsh or fish has no -$option of a command of flowgatectl"
	failed=1
done

missing=
if command -v fish >/dev/null; then
	expect fish 'flowgated --ch' '--check'
	expect fish 'flowgated -l n' 'notice'
	expect fish 'flowgatectl st' 'status'
	expect fish 'flowgatectl -j stat' 'status'
	expect fish 'flowgatectl top -' '-b -d -n'
	expect fish 'flowgatectl version st' ''
else
	missing="$missing fish"
fi
if command -v zsh >/dev/null; then
	zsh -n "$dir/flowgate.zsh" || failed=1
else
	missing="$missing zsh"
fi
[ -z "$missing" ] || echo "not tried, since not installed:$missing"
exit $failed
