# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a site has made, written down before it is made, one line each, and undone from the last to the first. A line
# is data, never run: KIND ARGUMENT...; a process is named by its pid and start time, so never another one's.

undo_note() { # KIND ARGUMENT...
	printf '%s\n' "$*" >>"$SITE_DIR/undo"
}

undo_process() { # PID
	undo_note process "$1" "$(process_start "$1")"
}

# undo_save PATH: brings the file back as it is now, or removes it.
undo_save() {
	local copy
	if [ -e "$1" ]; then
		copy=$SITE_DIR/saved/$(printf '%s' "$1" | tr / _)
		cp -a "$1" "$copy"
		undo_note restore "$copy" "$1"
	else
		undo_note file "$1"
	fi
}

undo_one() { # KIND ARGUMENT...
	case $1 in
	process) [ "$(process_start "$2")" != "$3" ] || undo_end_process "$2" ;;
	listener) undo_listener "$2" ;;
	user) undo_user "$2" ;;
	system-user) ! id "$2" >/dev/null 2>&1 || userdel "$2" ;;
	group) ! getent group "$2" >/dev/null || groupdel "$2" ;;
	file) rm -f "$2" "$2.new" ;;
	directory) rmdir "$2" 2>/dev/null || true ;;
	mount) ! mountpoint -q "$2" || umount -l "$2" ;;
	tree) rm -rf --one-file-system "$2" ;;
	restore) cp -a "$2" "$3" ;;
	apparmor) apparmor_parser -R "$2" 2>/dev/null || true ;;
	restart) systemctl restart "$2" || true ;;
	sweep) [ ! -x "$2" ] || "$2" sweep || true ;;
	esac
}

# An sshd by its configuration file, which is noted before the daemon has a process id.
undo_listener() { # CONFIGURATION-FILE
	local pid
	for pid in $(pgrep -u 0 -f -- " -f $1( |\$)"); do
		undo_end_process "$pid"
	done
}

# The process and what descends from it: an sshd's children are its logins.
undo_end_process() { # PID
	local pid pids
	pids=$(descendants "$1")
	# shellcheck disable=SC2086
	kill $1 $pids 2>/dev/null || true
	for pid in $1 $pids; do
		wait_for sshd_gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
	done
}

undo_user() { # NAME
	local uid
	uid=$(id -u "$1" 2>/dev/null) || return 0
	loginctl terminate-user "$1" 2>/dev/null || true
	pkill -KILL -u "$uid" || true
	wait_for undo_idle "$uid" || true
	# Not -r: a killed test may have left any folder as the user's home.
	userdel -f "$1" 2>/dev/null || true
	rm -rf --one-file-system "/home/${1:?}" "/var/mail/$1"
}

undo_idle() { # UID
	# shellcheck disable=SC2009
	! ps -o stat= -u "$1" | grep -v '^Z' >/dev/null
}

undo_all() {
	local line
	[ -e "$SITE_DIR/undo" ] || return 0
	while IFS= read -r line; do
		# shellcheck disable=SC2086
		undo_one $line || printf 'site: not undone: %s\n' "$line" >&2
	done < <(tac "$SITE_DIR/undo")
	rm -f "$SITE_DIR/undo"
}
