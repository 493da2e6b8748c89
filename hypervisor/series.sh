# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced after lib.sh by what makes trees of Xen: the base source, and the
# series of commits in hypervisor/patches.  An item of the series is a file there: a
# NNNN-*.patch, or a NNNN-*.files, which lists what the commit takes from
# hypervisor/files.  Both begin with the commit's message, "Subject: " before its first
# line, and a line "---".

HL_SERIES=$HL_ROOT/hypervisor/patches
HL_FILES=$HL_ROOT/hypervisor/files

# The items in order, as 1-core/0104-what-it-does.patch.
series_items() { (cd "$HL_SERIES" && printf '%s\n' */[0-9]*-*.patch */[0-9]*-*.files | grep -vF '*' | LC_ALL=C sort); }

# $1: an item
item_message() { sed -n '1s/^Subject: //; /^---$/q; p' "$HL_SERIES/$1"; }

# What follows the message.
item_content() { sed '1,/^---$/d' "$HL_SERIES/$1"; }

# What prepare and the like depend on: names and contents of the change set, and the
# text on standard input.  The arguments are other files.
change_set_key() {
	local files
	mapfile -t files < <(find "$HL_FILES" "$HL_SERIES" -type f ! -name '*.orig' | LC_ALL=C sort)
	{
		cat
		printf '%s\n' "${files[@]#"$HL_ROOT"}"
	} | key_of "${files[@]}" "$HL_ROOT/hypervisor/lib.sh" "$HL_ROOT/hypervisor/series.sh" "$@"
}

# The version that a tree says it has, such as 4.20.3.  Its Makefile names the
# next one until a release is tagged, as 4.20.4-pre.
tree_version() {
	sed -n -E 's/^export XEN_(VERSION|SUBVERSION|EXTRAVERSION) *\??= *//p' "$1/xen/Makefile" |
		sed 's/\$.*//' | paste -sd' ' | sed -E 's/ /./; s/ //'
}

# What trees of the listed bases say of themselves: 4.20.3+127 is 4.20.4-pre.
base_tree_versions() {
	sed -n -E '/^(#|$)/d; s/[+\t].*//p' "$HL_ROOT/hypervisor/bases" | awk -F. -v OFS=. '{ $3++; print $0 "-pre" }' | sort -u
}

check_version() {
	local version
	[ -f "$1/xen/Makefile" ] || die "$1 is no Xen source tree: it has no xen/Makefile"
	version=$(tree_version "$1")
	! base_tree_versions | grep -qxF "$version" || return 0
	case $version in
	4.20*) log "hyperlaunch: warning: this is Xen $version; the change set is made for the Xen sources in hypervisor/bases" ;;
	*) die "$1 is Xen $version; the change set is for 4.20" "set XEN_SRC to another, or unset it and use dev/with-xen" ;;
	esac
}

# Finds the base source: XEN_SRC, a directory or a tarball.  source_key is for what depends on it.
find_base() {
	if [ -d "${XEN_SRC:-}" ]; then
		XEN_SRC=$(cd "$XEN_SRC" && pwd -P)
		source_key=$(cd "$XEN_SRC" && find . -type f ! -path './.git/*' -printf '%P %s %T@\n' | LC_ALL=C sort | key_of)
	elif [ -f "${XEN_SRC:-}" ]; then
		# shellcheck disable=SC2034  # for the caller
		source_key=$(sha256sum <"$XEN_SRC" | cut -c1-64)
	else
		die "XEN_SRC names neither a directory nor a tarball with Xen's source" \
			"set it, or run this by dev/with-xen, which fetches one of hypervisor/bases"
	fi
}

# The base source in $1, after find_base.
unpack_base() {
	mkdir -p "$1"
	if [ -d "$XEN_SRC" ]; then
		cp -a "$XEN_SRC/." "$1/"
		rm -rf "$1/.git"
	else
		tar -C "$1" --strip-components=1 -xf "$XEN_SRC"
	fi
	check_version "$1"
}

# $1: the tree, $2: a file of hypervisor/files
lay_file() {
	[ ! -e "$1/$2" ] || die "hypervisor/files/$2 would replace a file of Xen's own" "make it a patch"
	install -D -m 644 "$HL_FILES/$2" "$1/$2"
}
