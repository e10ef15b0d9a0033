#compdef flowgated flowgatectl
# SPDX-License-Identifier: GPL-2.0-or-later
# zsh completion for flowgated and flowgatectl. Commands are those that
# flowgatectl -h lists.

_flowgated() {
	_arguments -s \
		'(-c --config)'{-c,--config}'[the configuration]:file:_files' \
		'(-t --check)'{-t,--check}'[check everything, print a summary]' \
		'--explain[what the configuration makes of recorded flows]:recording:_files' \
		'(-n --dry-run)'{-n,--dry-run}'[change nothing, print nft commands]' \
		'(-v --verbose)'{-v,--verbose}'[say for each flow why]' \
		'*'{-s,--source}'[read this source]:URL:(unix:// tcp:// file:// -)' \
		'(-P --plugin-path)'{-P,--plugin-path}'[load plugins from there]:directory:_files -/' \
		'(-S --socket)'{-S,--socket}'[control socket]:socket:_files' \
		'(-l --log-level)'{-l,--log-level}'[how much is said]:level:(error warning notice info debug)' \
		'(-V --version)'{-V,--version}'[print the version]' \
		'(-h --help)'{-h,--help}'[print all options]'
}

_flowgatectl_commands() {
	local -a commands
	commands=(${(f)"$(flowgatectl -h 2>/dev/null |
		sed -nE 's/^  ([a-z]+) +((\[[^]]*\]|[A-Z]+) +)*/\1:/p')"})
	_describe -t commands 'command' commands
}

_flowgatectl_arguments() {
	local -a addresses
	case $words[1] in
	explain)
		addresses=(${(f)"$(flowgatectl -j flows 2>/dev/null | head -n 2000 |
			sed -n 's/.*"local_ip":"\([^"]*\)".*/\1/p' | sort -u)"})
		compadd -a addresses
		;;
	flows) _arguments '-f[as they come]' ':expression:' ;;
	top) _arguments '-b[plain text]' '-n[so many]:pages:' '-d[between two]:seconds:' ;;
	report) _arguments '-o[the page to write]:file:_files' ;;
	esac
}

_flowgatectl() {
	_arguments \
		'(-S --socket)'{-S,--socket}'[control socket]:socket:_files' \
		'(-j --json)'{-j,--json}'[JSON, for programs]' \
		'(-V --version)'{-V,--version}'[of this program]' \
		'(-h --help)'{-h,--help}'[all options and commands]' \
		':command:_flowgatectl_commands' \
		'*::argument:_flowgatectl_arguments'
}

_$service
