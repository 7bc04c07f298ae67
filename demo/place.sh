# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The demonstration's temporary parts: users, groups, policies, sshd. They are a site of the tests (tests/lib/site.sh),
# with two users and with the policies of demo/policies. Every way out removes them.

place_trap() {
	trap 'place_leave $?' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

place_leave() { # STATUS
	trap - EXIT
	trap '' HUP INT TERM
	[ "$1" -le 128 ] || printf '\nquickstart: interrupted; removing what is temporary\n' >&2
	place_remove || true
	exit "$1"
}

place_remove() {
	if [ -n "${SITE_LOCK-}" ]; then
		release student staff
		site_down >/dev/null
	fi
	[ -z "${PLACE_MINE-}" ] || rm -rf --one-file-system "$SITE"
}

# What an earlier run left, because it was to be kept or because it was killed.
place_clear() {
	site_names
	mkdir -p "$SITE"
	place_lock
	if [ -e "$SITE_DIR/undo" ]; then
		step "removing what a run left"
		site_down >/dev/null
		step_done
	fi
	place_unlock
	PLACE_MINE=yes
	rm -rf --one-file-system "$SITE"
}

place_lock() {
	exec {SITE_LOCK}>"$SITE/lock"
	flock -n "$SITE_LOCK" || {
		SITE_LOCK=
		die "another run is under way"
	}
}

place_unlock() {
	[ -z "${SITE_LOCK-}" ] || exec {SITE_LOCK}>&- || true
	SITE_LOCK=
}

place_down() {
	site_names
	[ -d "$SITE" ] || {
		echo "nothing is up"
		return
	}
	place_trap
	place_lock
	PLACE_MINE=yes
}

place_up() {
	step "users, policies, sshd"
	site_up
	place_policies
	step_done
}

# Instead of the tests' four users.
site_make_users() {
	place_check_names
	if ! id cloister >/dev/null 2>&1; then
		undo_note system-user cloister
		useradd -r -U -M -d /nonexistent -s /usr/sbin/nologin cloister
	fi
	undo_note group "$STUDENTS"
	groupadd "$STUDENTS"
	undo_note group "$STAFF"
	groupadd "$STAFF"
	site_make_user "$ALICE" "$STUDENTS"
	site_make_user "$BOB" "$STAFF"
}

# Nobody's real account is touched: what is written down for removal is what is made here.
place_check_names() {
	local name
	for name in "$ALICE" "$BOB"; do
		! getent passwd "$name" >/dev/null || die "there is a user $name already"
	done
	for name in "$STUDENTS" "$STAFF" "$ALICE" "$BOB"; do
		! getent group "$name" >/dev/null || die "there is a group $name already"
	done
	[ ! -e "$PAM_FILE" ] || die "there is a PAM service $SERVICE already"
}

place_policies() {
	local file
	rm -f "$CONF/policy.d/50-groups.conf"
	mkdir -p "$SITE/course/$BOB"
	echo "Welcome to the course." >"$SITE/course/$BOB/README"
	for file in 50-students 60-staff; do
		place_without_disk "$HERE/demo/policies/$file.conf" | policy "$file"
	done
	ctl check >"$SITE_DIR/check" 2>&1 || die "the demonstration's policies are not valid: $(cat "$SITE_DIR/check")"
}

# The root of a container may be on no disk that the kernel could limit.
place_without_disk() { # FILE
	if disk_of_root >/dev/null; then
		cat "$1"
	else
		sed '/io = (/d' "$1"
	fi
}

disk_of_root() {
	local device
	device=$(findmnt -n -o MAJ:MIN / | xargs)
	[ -n "$device" ] && [ -e "/sys/dev/block/$device" ] && printf '%s\n' "$device"
}

place_keep() {
	cat <<-KEEP

		It stays up. Log in as either user, or as root, who is not put into a cell:

		  ssh -F $SSH_CONFIG alice
		  ssh -F $SSH_CONFIG bob
		  sftp -F $SSH_CONFIG alice
		  ssh -F $SSH_CONFIG root

		The policies are in $CONF/policy.d: an edit takes effect at the next login.

		  $CTL check
		  $CTL explain $ALICE --service $SERVICE

		Log: $(place_log)
		Take it down with: $HERE/quickstart --down
	KEEP
	release student staff
	trap - EXIT HUP INT TERM
}

place_log() {
	# shellcheck disable=SC2153
	case $SITE_LOG in
	journal) echo "journalctl -f SYSLOG_FACILITY=10" ;;
	*) echo "$SITE_LOG" ;;
	esac
}
