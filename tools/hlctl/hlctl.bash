# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion of hlctl(1); names of domains are asked for on the bus that the line names

_hlctl_domains() {
    local -a bus=("$@")
    hlctl "${bus[@]}" list 2>/dev/null | awk 'NR > 1 && $2 != "-" { print $2 }'
}

_hlctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} word verb= i
    local verbs='list status roles lcm events modules monitor handoff release'
    local common='--json --system --session --address --help --version'
    local -a bus=()

    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
            --system | --session) bus=("$word") ;;
            --address) bus=("$word" "${COMP_WORDS[i + 1]}"); ((i++)) ;;
            --role | --format | --since | -[rfs]) ((i++)) ;;
            -*) ;;
            *) [[ $verb ]] || verb=$word ;;
        esac
    done

    case $prev in
        --role | -r)
            mapfile -t COMPREPLY < <(compgen -W \
                'control hardware boot crash console xenstore legacy-dom0' -- "$cur")
            return ;;
        --format | -f)
            mapfile -t COMPREPLY < <(compgen -W 'dtb dts json' -- "$cur")
            return ;;
        --since | -s | --address) return ;;
    esac

    if [[ $cur == -* ]]; then
        case $verb in
            list) common+=' --role' ;;
            lcm) common+=' --format' ;;
            events) common+=' --since' ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$common" -- "$cur")
    elif [[ ! $verb ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
    elif [[ $verb == @(status|handoff|release) ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_hlctl_domains "${bus[@]}")" -- "$cur")
    fi
}

complete -F _hlctl hlctl
