# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Completion of hlctl(1) for fish.  Names of domains come from anywhere: fish quotes each of them.

set -l verbs list status show roles lcm events modules monitor handoff console release create definitions define undefine edit enable disable start destroy rebuild pause unpause shutdown reboot rename set-memory set-vcpus attach detach host dmesg stats jobs cancel

# Words of the line before the current one, without options and their values; the verb is the first.
function __hlctl_words
    set -l words (commandline -pxc)
    set -e words[1]
    set -l value 0
    set -l dashes 0
    for word in $words
        if test $value = 1
            set value 0
        else if test $dashes = 1
            echo -- $word
        else if test "$word" = --
            set dashes 1
        else if contains -- "$word" -r --role -p --property -P -f --format -s --since -t --for --replay --escape --kernel --ramdisk --after --timeout -H --host --address
            set value 1
        else if not string match -q -- '-*' "$word"
            # A line of its own each, whatever is in it.
            string escape -- $word
        end
    end
end

# The options of the line that say which bus; fails for another host, which may ask for a password.
function __hlctl_bus
    set -l words (commandline -pxc)
    for i in (seq (count $words))
        switch $words[$i]
            case -H '-H*' --host '--host=*'
                return 1
            case --system --session '--address=*'
                string escape -- $words[$i]
            case --address
                string escape -- $words[$i] $words[(math $i + 1)]
        end
    end
end

# Names that the verb $argv[1] lists.
function __hlctl_names
    set -l bus (__hlctl_bus | string unescape)
    test $pipestatus[1] = 0; or return
    set -l names (SYSTEMD_BUS_TIMEOUT=2s command hlctl $bus $argv[1] --null 2>/dev/null | string split0)
    # Each candidate is a line, and a tab ends it.
    set names (string match -rv -- '[[:cntrl:]\x{202a}-\x{202e}\x{2066}-\x{2069}]' $names)
    # They would be taken for options.
    contains -- -- (commandline -pxc); or set names (string match -v -- '-*' $names)
    printf '%s\n' $names
end

# Whether the verb is one of these.
function __hlctl_verb
    set -l words (__hlctl_words)
    set -q words[1]; and contains -- $words[1] $argv
end

# Whether the word may be what serves a console.
function __hlctl_back_end
    __hlctl_verb handoff; and contains -- --console (commandline -pxc); and test (count (__hlctl_words)) = 2
end

# Whether the word may be a domain.
function __hlctl_domain
    __hlctl_verb show stats; and return
    __hlctl_verb status handoff console release destroy rebuild pause unpause shutdown reboot rename set-memory set-vcpus attach detach; and test (count (__hlctl_words)) = 1
end

# Whether the word may be a definition.
function __hlctl_defined
    __hlctl_verb undefine edit enable disable start; and test (count (__hlctl_words)) = 1
end

complete -c hlctl -f
complete -c hlctl -n 'test (count (__hlctl_words)) = 0' -a "$verbs"
complete -c hlctl -n __hlctl_domain -a '(__hlctl_names list)'

complete -c hlctl -n __hlctl_defined -a '(__hlctl_names definitions)'

complete -c hlctl -s j -l json -d 'JSON instead of tables and text'
complete -c hlctl -s q -l quiet -d 'No results of changes, no hints'
complete -c hlctl -l no-legend -d 'No headings'
complete -c hlctl -l no-pager -d 'No pager on a terminal'
complete -c hlctl -l no-ask-password -d 'No authentication by polkit'
complete -c hlctl -s H -l host -x -a '(__fish_print_hostnames)' -d 'The system bus of another host, by ssh'
complete -c hlctl -l system -d 'The system bus'
complete -c hlctl -l session -d 'The session bus'
complete -c hlctl -l address -x -d 'The bus at this D-Bus address'
complete -c hlctl -s h -l help -d 'Print a summary'
complete -c hlctl -s V -l version -d 'Print the version'

complete -c hlctl -n '__hlctl_verb list' -s r -l role -x -a 'control hardware boot crash console xenstore legacy-dom0' -d 'Only holders of a role'
complete -c hlctl -n '__hlctl_verb list definitions' -l null -d 'Only the names, each ended by a NUL byte'
complete -c hlctl -n '__hlctl_verb show' -s p -l property -x -d 'Only this property'
complete -c hlctl -n '__hlctl_verb show' -s P -x -d 'Value of this property'
complete -c hlctl -n '__hlctl_verb show' -l value -d 'Without the names of the properties'
complete -c hlctl -n '__hlctl_verb lcm' -s f -l format -x -a 'dtb dts json' -d 'How the LCM is printed'
complete -c hlctl -n '__hlctl_verb events' -s s -l since -x -d 'From this number on'
complete -c hlctl -n '__hlctl_verb events' -s F -l follow -d 'Then each new one'
complete -c hlctl -n '__hlctl_verb create define; and test (count (__hlctl_words)) = 1' -F
complete -c hlctl -n '__hlctl_verb create define' -l kernel -r -F -d 'The kernel, in place of the definition\'s'
complete -c hlctl -n '__hlctl_verb create define' -l ramdisk -r -F -d 'The ramdisk, in place of the definition\'s'
complete -c hlctl -n '__hlctl_verb create start' -l paused -d 'Leave it paused'
complete -c hlctl -n '__hlctl_verb define' -l after -x -d 'Start it after that one'
complete -c hlctl -n '__hlctl_verb define' -l enabled -d 'Start it with the host'
complete -c hlctl -n '__hlctl_verb define' -l replace -d 'Also where the name is defined'
complete -c hlctl -n '__hlctl_verb start' -l enabled -d 'All that start with the host'
complete -c hlctl -n '__hlctl_verb attach detach; and test (count (__hlctl_words)) = 2' -a 'disk nic'
complete -c hlctl -n '__hlctl_verb attach; and test (count (__hlctl_words)) = 3' -F
complete -c hlctl -n '__hlctl_verb stats' -l openmetrics -d 'Text for programs that collect it'
complete -c hlctl -n '__hlctl_verb stats' -l vcpus -d 'Also each vCPU'
complete -c hlctl -n '__hlctl_verb console' -l log -d 'What was printed so far'
complete -c hlctl -n '__hlctl_verb console' -s F -l follow -d 'With --log, what comes then'
complete -c hlctl -n '__hlctl_verb console' -l read-only -d 'Do not type'
complete -c hlctl -n '__hlctl_verb console' -l exclusive -d 'Nobody else types'
complete -c hlctl -n '__hlctl_verb console' -l replay -x -d 'Bytes of earlier output first'
complete -c hlctl -n '__hlctl_verb console' -l escape -x -d 'Leaves the console'
complete -c hlctl -n '__hlctl_verb handoff' -l console -d 'The console of a domain, to a second one'
complete -c hlctl -n __hlctl_back_end -a 'xenconsoled (__hlctl_names list)'
complete -c hlctl -n '__hlctl_verb handoff' -s t -l for -x -d 'For that time only'
complete -c hlctl -n '__hlctl_verb shutdown reboot' -l timeout -x -d 'How long to wait for the guest'
complete -c hlctl -n '__hlctl_verb shutdown' -l all -d 'All that hyperlaunchd has made'
complete -c hlctl -n '__hlctl_verb shutdown reboot' -l or-destroy -d 'Destroy a guest that has not gone by then'
complete -c hlctl -n '__hlctl_verb rebuild' -l force -d 'Also if it has not shut down'
complete -c hlctl -n '__hlctl_verb pause shutdown reboot destroy' -l force -d 'Also if others depend on it'
complete -c hlctl -n '__hlctl_verb detach' -l force -d 'Also a disk that the guest uses'
