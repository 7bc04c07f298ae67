# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Processes by their place in the tree and by their start, never by a name.

process_start() { # PID: when it began, to tell it from a later one with its id
	sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

descendants() { # PID
	local child
	for child in $(pgrep -P "$1"); do
		descendants "$child"
		printf '%s\n' "$child"
	done
}

# Asks all that this shell started to end.
end_descendants() {
	local pids
	pids=$(descendants $$)
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null || true
}
