# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Making and removing a site; see site.sh.

# For a caller that makes a site and must not leave it: on every way out.
site_trap() {
	trap 'site_leave $?' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

site_leave() { # STATUS
	trap - EXIT
	trap '' HUP INT TERM
	end_descendants
	wait
	site_down
	exit "$1"
}

# Takes the place, and undoes what a run that was killed made there.
site_take() {
	local lock
	site_names
	[ "$(id -u)" -eq 0 ] || site_die "a site needs root"
	mkdir -p "$SITE_DIR"
	chmod 755 "$SITE" "$SITE_DIR"
	exec {lock}>"$SITE/lock"
	flock -n "$lock" || site_die "another run uses $SITE"
	SITE_LOCK=$lock # from here on the site is ours to remove
	undo_all
	rm -rf --one-file-system "$SITE_DIR"
}

site_up() {
	site_take
	[ -u "$HELPER" ] || site_die "$HELPER is not installed or not setuid: build with: $(site_configure_flags | xargs)"
	mkdir -p "$SITE_DIR/saved" "$SITE_DIR/held"
	chmod 700 "$SITE_DIR/saved" "$SITE_DIR/held"
	undo_note sweep "$HELPER"
	log_up "$$" "$SITE_DIR/sshd.pid"
	site_make_users
	site_make_configuration
	site_load_apparmor
	"site_make_sshd_$SITE_MODE"
	site_make_client
	site_write_env
	wait_for sshd_listens || site_die "sshd does not listen on port $SITE_PORT"
}

site_down() {
	[ -n "${SITE_LOCK-}" ] || return 0
	release alice bob carol dave root
	undo_all
	log_down
	rm -rf --one-file-system "$SITE_DIR"
	rm -f "$SITE/lock"
	exec {SITE_LOCK}>&-
	rmdir "$SITE" 2>/dev/null || true
}

# In a process that the maker of the site started.
site_attach() {
	site_names
	[ -e "$SITE_DIR/env" ] || site_die "there is no site at $SITE; start tests/system/run"
	# shellcheck disable=SC1091
	. "$SITE_DIR/env"
}

site_write_env() {
	printf '%s\n' "SITE_PORT=$SITE_PORT" "SITE_LOG=${SITE_LOG-}" >"$SITE_DIR/env"
}

site_make_users() {
	local user
	if ! id cloister >/dev/null 2>&1; then
		undo_note system-user cloister
		useradd -r -U -M -d /nonexistent -s /usr/sbin/nologin cloister
	fi
	for user in "$STUDENTS" "$STAFF"; do
		undo_note group "$user"
		groupadd -f "$user"
	done
	site_make_user "$ALICE" "$STUDENTS"
	site_make_user "$BOB" "$STAFF"
	site_make_user "$CAROL" "$STUDENTS,$STAFF"
	site_make_user "$DAVE" ''
}

SITE_COMMENT='temporary user of a test of Cloister'

site_make_user() { # NAME GROUPS
	undo_note user "$1"
	# One that a killed run at another place left: known by its comment.
	[ "$(getent passwd "$1" | cut -d: -f5)" != "$SITE_COMMENT" ] || undo_user "$1"
	useradd -m -U -G "$2" -s /bin/bash -d "/home/$1" -c "$SITE_COMMENT" "$1"
}

site_make_configuration() {
	local file
	mkdir -p "$CONF/policy.d"
	for file in "$CONF/cloister.conf" "$CONF/policy.d/00-default.conf"; do
		undo_save "$file"
	done
	undo_note file "$CONF/policy.d/50-groups.conf"
	cp "$CONF/policy.d/00-default.conf" "$SITE_DIR/00-default.conf"
	policies_reset
	settings_reset
}

site_load_apparmor() {
	local file
	have apparmor || return 0
	for file in "$APPARMOR_PROFILES"/cloister-*; do
		[ -e "$file" ] || continue
		grep -q "^$(basename "$file") " /sys/kernel/security/apparmor/profiles || undo_note apparmor "$file"
		apparmor_parser -r "$file"
	done
}

site_make_keys() {
	ssh-keygen -q -t ecdsa -N '' -C "$SITE_PREFIX" -f "$SITE_DIR/key"
}

site_make_sshd_private() {
	local tries
	site_make_keys
	[ -d /run/sshd ] || { undo_note directory /run/sshd && mkdir -m 755 /run/sshd; }
	install -m 644 "$SITE_DIR/key.pub" "$SITE_DIR/authorized_keys"
	ssh-keygen -q -t ecdsa -N '' -f "$SITE_DIR/host_key"
	undo_save "$PAM_FILE"
	pam_standard /etc/pam.d/sshd >"$SITE_DIR/pam"
	pam_restore
	ln -s /usr/sbin/sshd "$SITE_DIR/$SERVICE"
	for tries in {1..20}; do
		SITE_PORT=$((20000 + RANDOM % 20000))
		sshd_listens || break
	done
	[ "$tries" != 20 ] || site_die "no free port"
	site_sshd_config >"$SITE_DIR/sshd_config"
	sshd_start
}

# What Debian's sshd_config says, apart from places. internal-sftp is there under a name of its own.
site_sshd_config() {
	cat <<-CONFIG
		ListenAddress 127.0.0.1
		Port $SITE_PORT
		HostKey $SITE_DIR/host_key
		PidFile $SITE_DIR/sshd.pid
		AuthorizedKeysFile $SITE_DIR/authorized_keys
		PermitRootLogin prohibit-password
		KbdInteractiveAuthentication no
		UsePAM yes
		X11Forwarding yes
		PrintMotd no
		MaxStartups 200
		MaxSessions 200
		Subsystem sftp /usr/lib/openssh/sftp-server
		Subsystem sftp-internal internal-sftp
	CONFIG
	# Up to 9.7 the service's name is the executable's.
	! "$SITE_DIR/$SERVICE" -T -f /dev/null -o "HostKey=$SITE_DIR/host_key" 2>/dev/null | grep -i '^pamservicename' >/dev/null ||
		echo "PAMServiceName $SERVICE"
}

site_make_sshd_installed() {
	local user home
	SITE_PORT=22
	site_make_keys
	for user in "$ALICE" "$BOB" "$CAROL" "$DAVE" root; do
		home=$(getent passwd "$user" | cut -d: -f6)
		mkdir -p "$home/.ssh"
		[ "$user" != root ] || undo_save /root/.ssh/authorized_keys
		cat "$SITE_DIR/key.pub" >>"$home/.ssh/authorized_keys"
		chmod 700 "$home/.ssh"
		chown -R "$user:" "$home/.ssh"
	done
	undo_note restart ssh.service
	undo_save "$PAM_FILE"
	pam_standard "$PAM_FILE" >"$SITE_DIR/pam"
	pam_restore
	undo_save /etc/ssh/sshd_config.d/cloister-site.conf
	# A user's home may be elsewhere in a test: the key is good all the same.
	install -m 644 "$SITE_DIR/key.pub" "$SITE_DIR/authorized_keys"
	printf '%s\n' 'Subsystem sftp-internal internal-sftp' 'MaxStartups 200' 'MaxSessions 200' \
		"AuthorizedKeysFile .ssh/authorized_keys $SITE_DIR/authorized_keys" |
		put_file /etc/ssh/sshd_config.d/cloister-site.conf
	systemctl restart ssh.service
}

site_make_client() {
	local user
	for user in alice bob carol dave; do
		printf 'Host %s\n\tUser %s\n' "$user" "$SITE_PREFIX-$user"
	done >"$SSH_CONFIG"
	cat >>"$SSH_CONFIG" <<-CONFIG
		Host root
			User root
		Host *
			HostName 127.0.0.1
			Port $SITE_PORT
			IdentityFile $SITE_DIR/key
			IdentitiesOnly yes
			IdentityAgent none
			BatchMode yes
			StrictHostKeyChecking no
			UserKnownHostsFile /dev/null
			GlobalKnownHostsFile /dev/null
			LogLevel ERROR
			ConnectTimeout 60
			# Emulated processors take seconds for what ssh prefers, which has no fast code for them.
			KexAlgorithms ^ecdh-sha2-nistp256
			HostKeyAlgorithms ^ecdsa-sha2-nistp256
	CONFIG
	chmod 600 "$SSH_CONFIG"
}
