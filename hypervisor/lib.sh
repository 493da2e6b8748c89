# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced by the scripts here and, by way of dev/env/lib.sh, by those of dev/: strict
# mode, messages, hashes.
set -euo pipefail
# Without this, commands in $(...) would continue after a failure.
shopt -s inherit_errexit

HL_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
export HL_ROOT

log() { printf '%s\n' "$*" >&2; }

# die WHAT [WHAT TO DO NEXT]
die() {
	log "hyperlaunch: $1"
	[ $# -lt 2 ] || log "  next: $2"
	exit 1
}

# Prints a key: a hash of standard input and of the content of the files.
key_of() {
	{
		cat
		[ $# -eq 0 ] || sha256sum -- "$@" | cut -c1-64
	} | sha256sum | cut -c1-16
}
