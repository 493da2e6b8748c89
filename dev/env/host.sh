# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced after lib.sh: checks and installs what the host needs to make the build
# environment.  Everything else is part of that environment.

host_is_debian() {
	local id='' version=''
	[ ! -r /etc/os-release ] || {
		id=$(. /etc/os-release && printf '%s' "${ID:-}")
		version=$(. /etc/os-release && printf '%s' "${VERSION_ID:-}")
	}
	[ "$id" = debian ] && { [ "$version" = 12 ] || [ "$version" = 13 ]; }
}

host_lacks() {
	local lacking=()
	command -v mmdebstrap >/dev/null || lacking+=(mmdebstrap)
	[ -s /usr/share/keyrings/debian-archive-keyring.gpg ] || lacking+=(debian-archive-keyring)
	command -v flock >/dev/null && command -v unshare >/dev/null || lacking+=(util-linux)
	[ "$(id -u)" -eq 0 ] || command -v newuidmap >/dev/null || lacking+=(uidmap)
	printf '%s' "${lacking[*]}"
}

host_install() {
	apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# Without root everything runs in a user namespace.
host_check_userns() {
	unshare --user --map-root-user --map-auto --mount true 2>/dev/null && return
	die "this host does not permit $(id -un) a user namespace with a range of ids" \
		"run as root, or as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un); sysctl kernel.unprivileged_userns_clone=1"
}

host_prepare() {
	local lacking
	[ "$(uname -m)" = x86_64 ] || die "the build environment is for x86-64, this is $(uname -m)"
	lacking=$(host_lacks)
	if [ -n "$lacking" ]; then
		if ! command -v apt-get >/dev/null; then
			die "this host lacks: $lacking" \
				"use Debian 12 or 13, or install these (mmdebstrap needs apt as well) and set HL_MIRROR to a Debian mirror"
		fi
		# shellcheck disable=SC2086  # a list of words
		if [ "$(id -u)" -eq 0 ]; then
			run_step "installing on this host: $lacking" host_install $lacking
		else
			die "this host lacks: $lacking" "as root: apt-get update && apt-get install --no-install-recommends $lacking"
		fi
	fi
	host_is_debian || log "hyperlaunch: warning: this host is neither Debian 12 nor 13"
	[ "$(id -u)" -eq 0 ] || host_check_userns
}
