# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for flowgated and flowgatectl. Commands are those that
# flowgatectl -h lists.

complete -c flowgated -f
complete -c flowgated -s c -l config -r -F -d 'the configuration'
complete -c flowgated -s t -l check -d 'check everything, print a summary'
complete -c flowgated -l explain -r -F -d 'what becomes of recorded flows'
complete -c flowgated -s n -l dry-run -d 'change nothing, print nft commands'
complete -c flowgated -s v -l verbose -d 'say for each flow why'
complete -c flowgated -s s -l source -x -a 'unix:// tcp:// file:// -' -d 'read this source'
complete -c flowgated -s P -l plugin-path -x -a '(__fish_complete_directories)' -d 'load plugins from there'
complete -c flowgated -s S -l socket -r -F -d 'control socket'
complete -c flowgated -s l -l log-level -x -a 'error warning notice info debug' -d 'how much is said'
complete -c flowgated -s V -l version -d 'print the version'
complete -c flowgated -s h -l help -d 'print all options'

function __flowgatectl_commands
    flowgatectl -h 2>/dev/null | string replace -rf '^  ([a-z]+) +(?:(?:\[[^]]*\]|[A-Z]+) +)*' '$1\t'
end

function __flowgatectl_addresses
    flowgatectl -j flows 2>/dev/null | head -n 2000 | string replace -rf '.*"local_ip":"([^"]*)".*' '$1' | sort -u
end

function __flowgatectl_has
    set -l words (commandline -opc)
    for command in (__flowgatectl_commands | string split -f 1 \t)
        if contains -- $command $words[2..]
            return 0
        end
    end
    return 1
end

complete -c flowgatectl -f
complete -c flowgatectl -n 'not __flowgatectl_has' -s S -l socket -r -F -d 'control socket'
complete -c flowgatectl -n 'not __flowgatectl_has' -s j -l json -d 'JSON, for programs'
complete -c flowgatectl -n 'not __flowgatectl_has' -s V -l version -d 'of this program'
complete -c flowgatectl -n 'not __flowgatectl_has' -s h -l help -d 'all options and commands'
complete -c flowgatectl -n 'not __flowgatectl_has' -a '(__flowgatectl_commands)'
complete -c flowgatectl -n '__fish_seen_subcommand_from explain' -a '(__flowgatectl_addresses)'
complete -c flowgatectl -n '__fish_seen_subcommand_from flows' -s f -d 'as they come'
complete -c flowgatectl -n '__fish_seen_subcommand_from top' -s b -d 'plain text'
complete -c flowgatectl -n '__fish_seen_subcommand_from top' -s n -x -d 'so many pages'
complete -c flowgatectl -n '__fish_seen_subcommand_from top' -s d -x -d 'seconds between two'
complete -c flowgatectl -n '__fish_seen_subcommand_from report' -s o -r -F -d 'the page to write'
