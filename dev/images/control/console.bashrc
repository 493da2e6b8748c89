# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The shell on the Xen console of dev/hlboot --interactive.  The way out stands in each
# prompt, as all else scrolls away.
PS1="$HL_NAME (Ctrl-A X ends it) # "

# Nobody else can ask for the console here: what gives it away for good is given an end.
hlctl() {
	case " $* " in
	*" --for"* | *" -t"* | *" handoff $HL_NAME "*) ;;
	*" handoff "*)
		echo "hlctl: this is the only shell: the console comes back after 60 s (hlctl handoff --for 60)" >&2
		set -- "$@" --for 60
		;;
	esac
	command hlctl "$@"
}
# One that can't take it back only warns.
until='a minute'
if ! command hlctl --help 2>/dev/null | grep -q -e --for; then
	unset -f hlctl
	until=good
fi

# dev/hlboot shows nothing of what comes before this line.
echo 'hl-console: ready'
cat <<END

A shell in the domain $HL_NAME, on the Xen console.

  hlctl list              what Xen launched            hlctl --help   all that can be asked
  hlctl status web        all about one domain         xl list        what the toolstack sees
  hlctl events --follow   the launch log as it grows   hlctl handoff web    the console is web's for $until

Ctrl-A X ends the machine and all in it; nothing is kept.

END
