# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced after lib.sh: finds the Debian mirror: HL_MIRROR, which may be any URI that apt
# accepts, or the one that the host's apt uses for Debian itself.

# Prints the URIs of apt sources on standard input that have a release's main archive.
mirror_of_deb822() {
	awk 'BEGIN { RS = ""; FS = "\n" }
	{
		uri = ""; main = 0; suite = 0
		for (i = 1; i <= NF; i++) {
			if ($i ~ /^#/) continue
			if (tolower($i) ~ /^enabled:[ \t]*no/) { uri = ""; break }
			n = split($i, w, /[ \t]+/)
			field = tolower(w[1])
			if (field == "uris:" && n > 1) uri = w[2]
			if (field == "components:") for (j = 2; j <= n; j++) if (w[j] == "main") main = 1
			if (field == "suites:") for (j = 2; j <= n; j++)
				if (w[j] ~ /^(bookworm|trixie|stable|oldstable)$/) suite = 1
		}
		if (uri != "" && main && suite) print uri
	}'
}

mirror_of_list() {
	awk '$1 == "deb" {
		sub(/\[[^]]*\][ \t]*/, "")
		if ($3 !~ /^(bookworm|trixie|stable|oldstable)$/) next
		for (i = 4; i <= NF; i++) if ($i == "main") { print $2; next }
	}'
}

# Replaces mirror+file:PATH by the first address in PATH.
mirror_resolve() {
	local uri=$1
	case $uri in
	mirror+file:*)
		awk '!/^#/ && NF { print $1; exit }' "${uri#mirror+file:}"
		;;
	*) printf '%s\n' "$uri" ;;
	esac
}

find_mirror() {
	local f uri=${HL_MIRROR:-}
	if [ -z "$uri" ]; then
		for f in /etc/apt/sources.list.d/*.sources; do
			[ ! -f "$f" ] || uri=${uri:-$(mirror_of_deb822 <"$f" | head -n 1)}
		done
		for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
			[ ! -f "$f" ] || uri=${uri:-$(mirror_of_list <"$f" | head -n 1)}
		done
	fi
	[ -z "$uri" ] || mirror_resolve "$uri"
}

# Prints the host's apt options about the access to mirrors, as mmdebstrap options.
mirror_apt_options() {
	apt-config dump | sed -n -E \
		's/^(Acquire::(https?::Proxy|ftp::Proxy|Check-Valid-Until|Check-Date) ".*");$/--aptopt=\1/p'
}
