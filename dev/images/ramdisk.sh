# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced after lib.sh: makes ramdisks.

# Writes the files under $1 as a ramdisk to standard output, all owned by root.
make_cpio() {
	(cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0)
}

# Makes the directories of a small system in $1, with busybox and links for its applets.
busybox_root() {
	local root=$1 applet
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,etc,tmp,root,modules}
	install -m 755 /bin/busybox "$root/bin/busybox"
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"
	done
	mknod "$root/dev/console" c 5 1 2>/dev/null || true
}
