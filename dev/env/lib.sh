# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced by every script here: hypervisor/lib.sh, the cache, long steps, and cache entries.
# A cache entry is a directory named NAME-KEY, where KEY is a hash of its inputs.  It is
# built under another name and renamed, so an entry that exists is complete.
# shellcheck source=hypervisor/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../hypervisor/lib.sh"

if [ -z "${HL_CACHE:-}" ]; then
	home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
	HL_CACHE=${XDG_CACHE_HOME:-$home/.cache}/hyperlaunch
fi
export HL_CACHE

# progress PID WHAT: shows a line that counts the seconds until PID ends.
progress() {
	local pid=$1 what=$2 t=0
	while kill -0 "$pid" 2>/dev/null; do
		printf '\r==> %s ... %d s ' "$what" $((t / 2)) >&2
		sleep 0.5
		t=$((t + 1))
	done
	printf '\r\033[K' >&2
}

# run_step WHAT CMD...: runs CMD with its output in a log file, which is printed on failure.
run_step() {
	local what=$1 log start pid rc=0
	shift
	mkdir -p "$HL_CACHE/log"
	log=$HL_CACHE/log/$(printf '%s' "$what" | tr -cs 'A-Za-z0-9.\n' - | cut -c1-60).$$.log
	start=$SECONDS
	[ -t 2 ] || log "==> $what ..."
	( "$@" ) </dev/null >"$log" 2>&1 &
	pid=$!
	# shellcheck disable=SC2064  # this very pid
	trap "kill $pid 2>/dev/null || true" INT TERM
	[ ! -t 2 ] || progress "$pid" "$what"
	wait "$pid" || rc=$?
	trap - INT TERM
	if [ "$rc" -ne 0 ]; then
		tail -n 25 "$log" >&2
		die "failed: $what (exit code $rc)" "read $log"
	fi
	rm -f "$log"
	log "==> $what: done in $((SECONDS - start)) s"
}

remove_tree() {
	[ -e "$1" ] || return 0
	if [ "$(id -u)" -eq 0 ]; then
		rm -rf --one-file-system -- "$1"
	else
		# Entries made in a user namespace contain files of other users of it.
		unshare --user --map-root-user --map-auto rm -rf -- "$1"
	fi
}

# Removes entries of the same name that were not used for a week.
prune_entries() {
	local name=$1 keep=$2 old
	find "$HL_CACHE" -maxdepth 1 -name "$name-????????????????" ! -path "$keep" -mtime +7 -print |
		while read -r old; do remove_tree "$old"; done
}

# cache_entry NAME KEY WHAT CMD...: prints the entry's directory; if it does not exist,
# CMD DIR makes its content.
cache_entry() {
	local name=$1 key=$2 what=$3 entry lock
	shift 3
	entry=$HL_CACHE/$name-$key
	if [ -d "$entry" ]; then
		touch -c "$entry" 2>/dev/null || true
		printf '%s\n' "$entry"
		return
	fi
	mkdir -p "$HL_CACHE/lock"
	exec {lock}>"$HL_CACHE/lock/$name-$key"
	if ! flock -n "$lock"; then
		log "==> $what: waiting for another process that does it"
		flock "$lock"
	fi
	if [ ! -d "$entry" ]; then
		remove_tree "$entry.part"
		mkdir -p "$entry.part"
		run_step "$what" "$@" "$entry.part" {lock}>&-
		mv -T "$entry.part" "$entry"
		prune_entries "$name" "$entry"
	fi
	exec {lock}>&-
	printf '%s\n' "$entry"
}
