# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for flowgated and flowgatectl. Options and commands are those
# that their -h lists, so that there is nothing to keep in step.

_flowgate_options() { # PROGRAM
	"$1" -h 2>/dev/null | grep -oE -- '(^|[ ,])--?[a-zA-Z][a-z-]*' |
		tr -d ' ,'
}

_flowgate_commands() { # PROGRAM
	"$1" -h 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'
}

_flowgate_command_options() { # PROGRAM COMMAND
	"$1" -h 2>/dev/null | grep -E "^  $2 " | grep -oE -- '\[-[a-z]' |
		tr -d '['
}

_flowgate_offer() { # WORDS
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_flowgate_files() { # f: files, d: directories
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "-$1" -- "$cur")
}

# bash breaks a URL at its colon: only what comes after it is offered.
_flowgate_url() { # what is typed of it
	compopt -o nospace 2>/dev/null
	case $1 in
	unix:* | file:*)
		cur=${1#*:}
		cur=${cur#//}
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -P // -- "$cur")
		;;
	*:*) ;;
	*) _flowgate_offer 'unix:// tcp:// file:// -' ;;
	esac
}

_flowgated() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local typed=()

	# as it is typed, without the breaks at colons
	read -ra typed <<<"${COMP_LINE:0:COMP_POINT}x"
	case ${typed[*]: -2:1} in
	-s | --source)
		typed=("${typed[*]: -1:1}")
		_flowgate_url "${typed[0]%x}"
		return
		;;
	esac
	case $prev in
	-c | --config | --explain | -S | --socket) _flowgate_files f ;;
	-P | --plugin-path) _flowgate_files d ;;
	-l | --log-level) _flowgate_offer 'error warning notice info debug' ;;
	*) _flowgate_offer "$(_flowgate_options "$1")" ;;
	esac
}

_flowgatectl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local i command='' socket=()

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-S | --socket) socket=(-S "${COMP_WORDS[++i]-}") ;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	case $command:$prev in
	:-S | :--socket | *:-o) _flowgate_files f ;;
	:*)
		if [[ $cur == -* ]]; then
			_flowgate_offer "$(_flowgate_options "$1")"
		else
			_flowgate_offer "$(_flowgate_commands "$1")"
		fi
		;;
	explain:explain)
		# devices that have flows; IPv6 would need quotes
		_flowgate_offer "$("$1" "${socket[@]}" -j flows 2>/dev/null |
			head -n 2000 |
			sed -n 's/.*"local_ip":"\([0-9.]*\)".*/\1/p' | sort -u)"
		;;
	*) _flowgate_offer "$(_flowgate_command_options "$1" "$command")" ;;
	esac
}

complete -F _flowgated flowgated
complete -F _flowgatectl flowgatectl
