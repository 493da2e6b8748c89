# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Completion of hlctl(1) for bash.  Names of domains come from anywhere: none of them is
# ever expanded, and each is offered quoted.
#
# The functions share the variables that _hlctl declares.

# Sets words to those of the line up to the cursor.  COMP_WORDS has them cut at COMP_WORDBREAKS, such as : and =.
_hlctl_words() {
    local line=${COMP_LINE:0:COMP_POINT} part i
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        part=${COMP_WORDS[i]}
        if ((i == 0)) || [[ $line == [[:blank:]]* || ! $line ]]; then
            line=${line#"${line%%[![:blank:]]*}"}
            words+=("")
        fi
        # The last one may go on behind the cursor.
        [[ $line == "$part"* ]] || part=$line
        words[-1]+=$part
        line=${line#"$part"}
    done
}

# Sets what the words before the current one say.
_hlctl_read_line() {
    local word
    for word in "${words[@]:1:${#words[@]}-2}"; do
        if [[ $option ]]; then
            [[ $option != --address ]] || bus=(--address "$word")
            option=
        elif [[ $dashes || $word != -* ]]; then
            if [[ $verb ]]; then ((++nr_domains)); else verb=$word; fi
        else
            _hlctl_read_option "$word"
        fi
    done
}

_hlctl_read_option() {
    case $1 in
        --) dashes=1 ;;
        --system | --session | --address=*) bus=("$1") ;;
        # Another host may ask for a password, so that none is looked at.
        --host=* | -H?*) remote=1 ;;
        --console) to=1 ;;
        --host | -H) remote=1 option=$1 ;;
        --address | --role | --format | --since | --for | --property | --replay | --escape | --kernel | --ramdisk | --after | --timeout | -[rfstpP]) option=$1 ;;
    esac
}

# $1: a candidate as it would stand on the line; $2: what was typed of it.
_hlctl_offer() {
    local break head kept=
    [[ $1 == "$2"* ]] || return 0
    # bash keeps what stands before the last of these.
    for break in : = @; do
        [[ $COMP_WORDBREAKS == *"$break"* && $2 == *"$break"* ]] || continue
        head=${2%"${2##*"$break"}"}
        ((${#head} <= ${#kept})) || kept=$head
    done
    COMPREPLY+=("${1:${#kept}}")
}

# $1: what was typed; the others: what may stand there, words of this file.
_hlctl_offer_words() {
    local word
    for word in "${@:2}"; do _hlctl_offer "$word" "$1"; done
}

# Quotes $1 as one word, in the variable quoted.
_hlctl_quote() {
    printf -v quoted %q "$1"
    # Two that printf does not know to be special at the beginning of a word.
    [[ $quoted != [~=]* ]] || quoted=\\$quoted
}

# $1: the verb that lists them.
_hlctl_offer_names() {
    local name quoted open='' bare=${current//\\?/}
    local -a names=()

    # Between quotes only names that need none are offered; bash adds the other quote.
    if [[ $bare == [\'\"]* ]]; then
        open=1
        bare=${bare:1}
    fi
    [[ ! $remote && $bare != *[\'\"]* ]] || return 0
    mapfile -d '' -t names < <(SYSTEMD_BUS_TIMEOUT=2s command hlctl "${bus[@]}" "$1" --null 2>/dev/null)
    for name in "${names[@]}"; do
        # It would be taken for an option.
        [[ $name != -* || $dashes ]] || continue
        _hlctl_quote "$name"
        if [[ ! $open ]]; then
            _hlctl_offer "$quoted" "$current"
        elif [[ $quoted == "$name" && $name == "${current:1}"* ]]; then
            COMPREPLY+=("$name")
        fi
    done
}

_hlctl_offer_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

# Values of the option $1, each with $2 before it.
_hlctl_offer_values() {
    local -a values=()
    case $1 in
        --role | -r) values=(control hardware boot crash console xenstore legacy-dom0) ;;
        --format | -f) values=(dtb dts json) ;;
        --kernel | --ramdisk)
            [[ $2 ]] || _hlctl_offer_files
            return 0
            ;;
    esac
    _hlctl_offer_words "$current" "${values[@]/#/$2}"
}

_hlctl_offer_options() {
    local -a options=(--json --quiet --no-legend --no-pager --no-ask-password --host --system --session --address
        --help --version)
    case $verb in
        list) options+=(--role --null) ;;
        definitions) options+=(--null) ;;
        show) options+=(--property --value) ;;
        lcm) options+=(--format) ;;
        events) options+=(--since --follow) ;;
        handoff) options+=(--for --console) ;;
        create) options+=(--kernel --ramdisk --paused) ;;
        define) options+=(--kernel --ramdisk --after --enabled --replace) ;;
        start) options+=(--paused --enabled) ;;
        pause | destroy | detach | rebuild) options+=(--force) ;;
        shutdown) options+=(--timeout --force --or-destroy --all) ;;
        reboot) options+=(--timeout --or-destroy --force) ;;
        stats) options+=(--openmetrics --vcpus) ;;
        console) options+=(--log --follow --read-only --exclusive --replay --escape) ;;
    esac
    _hlctl_offer_words "$current" "${options[@]}"
}

_hlctl() {
    local verbs='list status show roles lcm events modules monitor handoff console release create definitions define undefine edit enable disable start destroy rebuild pause unpause shutdown reboot rename set-memory set-vcpus attach detach host dmesg stats jobs cancel'
    local verb='' dashes='' option='' remote='' to='' nr_domains=0 current
    local -a words=() bus=()

    COMPREPLY=()
    _hlctl_words
    current=${words[-1]}
    _hlctl_read_line
    if [[ $option ]]; then
        _hlctl_offer_values "$option" ''
    elif [[ ! $dashes && $current == --*=* ]]; then
        _hlctl_offer_values "${current%%=*}" "${current%%=*}="
    elif [[ ! $dashes && $current == -* ]]; then
        _hlctl_offer_options
    elif [[ ! $verb ]]; then
        # shellcheck disable=SC2086  # words of this file
        _hlctl_offer_words "$current" $verbs
    elif [[ $verb == @(show|stats) || $verb == @(status|handoff|console|release|destroy|rebuild|pause|unpause|shutdown|reboot|rename|set-memory|set-vcpus|attach|detach) && $nr_domains == 0 ]]; then
        _hlctl_offer_names list
    elif [[ $verb == @(undefine|edit|enable|disable|start) && $nr_domains == 0 ]]; then
        _hlctl_offer_names definitions
    elif [[ $verb == @(create|define) && $nr_domains == 0 ]]; then
        _hlctl_offer_files
    elif [[ $verb == @(attach|detach) && $nr_domains == 1 ]]; then
        _hlctl_offer_words "$current" disk nic
    elif [[ $verb == attach && $nr_domains == 2 ]]; then
        _hlctl_offer_files
    elif [[ $verb == handoff && $to && $nr_domains == 1 ]]; then
        _hlctl_offer_words "$current" xenconsoled
        _hlctl_offer_names list
    fi
}

complete -F _hlctl hlctl
