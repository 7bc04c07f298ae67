#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The odd doors of a host, and what looks like one from inside: Match blocks of sshd, a login from a cell, units that systemd runs
# as a user; and nothing that a tenant starts in a cell runs outside of it. tests/conformance has the doors that everyone knows.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

if [ "$SITE_MODE" != installed ]; then
	skip "su, at, cron, systemd and PAM files of the machine" "it is not ours alone"
	done_testing
	exit
fi

HOST=$(readlink /proc/self/ns/pid)
UID_OF_ALICE=$(id -u "$ALICE")
PASSWORD=$(head -c 12 /dev/urandom | base64)
DROP_IN=/etc/ssh/sshd_config.d/00-doors.conf
SUDOERS=/etc/sudoers.d/cloister-doors
CHROOT=/srv/cloister-doors
PWQUALITY=/etc/security/pwquality.conf.d/cloister-doors.conf

restore() {
	local file
	crontab -r -u "$ALICE" 2>/dev/null
	rm -f "$DROP_IN" "$SUDOERS"
	rm -f "$PWQUALITY"
	rm -rf --one-file-system "$CHROOT"
	loginctl disable-linger "$ALICE" 2>/dev/null
	for file in su login cron atd; do
		[ ! -e "$WORK/stock-$file" ] || put_file "/etc/pam.d/$file" <"$WORK/stock-$file"
	done
	usermod -p '*' "$ALICE"
	systemctl restart ssh.service
	test_cleanup
}

prepare() {
	local service
	for service in su login cron atd; do
		undo_save "/etc/pam.d/$service"
		cp "/etc/pam.d/$service" "$WORK/stock-$service"
		pam_standard "$WORK/stock-$service" | put_file "/etc/pam.d/$service"
	done
	for service in "$DROP_IN" "$SUDOERS" "$PWQUALITY"; do
		undo_note file "$service"
	done
	printf '%s:%s\n' "$ALICE" "$PASSWORD" | chpasswd
}

# The pid namespaces of all processes of alice, each once.
where_alice_is() {
	local pid
	for pid in $(pgrep -u "$ALICE"); do
		readlink "/proc/$pid/ns/pid"
	done | sort -u
}

# sshd --------------------------------------------------------------------------------------------------------------

test_match_blocks() {
	local output status=0
	undo_note directory "$CHROOT"
	mkdir -p "$CHROOT"
	put_file "$DROP_IN" <<-CONFIG
		Match User $BOB
			ForceCommand echo forced \$(readlink /proc/self/ns/pid) \$SSH_ORIGINAL_COMMAND
		Match Group $STUDENTS User $CAROL
			ForceCommand internal-sftp
		Match User $DAVE
			ChrootDirectory $CHROOT
	CONFIG
	systemctl restart ssh.service
	wait_for sshd_listens
	output=$(as bob -- wanted)
	check_matches "a ForceCommand runs" '^forced pid:.* wanted$' "$output"
	check_lacks "in a cell" "$(tr -cd 0-9 <<<"$HOST")" "$output"
	touch /tmp/cloister-doors-host
	output=$(printf '%s\n' "put $SITE_DIR/key.pub sent" 'ls /tmp' | sftp -q -F "$SSH_CONFIG" -b - carol 2>&1)
	check_lacks "a group that has sftp only is in a cell, too" 'cloister-doors-host' "$output"
	check "and its files arrive" cmp "$SITE_DIR/key.pub" "/home/$CAROL/sent"
	check_lacks "it has no shell" INSIDE "$(timeout 60 ssh -F "$SSH_CONFIG" carol echo INSIDE 2>&1)"
	rm -f /tmp/cloister-doors-host
	log_mark
	output=$(as dave -- echo INSIDE 2>&1) || status=$?
	check_equal "ChrootDirectory: refused" 255 "$status"
	check_lacks "without a shell" INSIDE "$output"
	check_matches "sshd's log tells why" "fatal: (chroot\\(\"$CHROOT\"\\)|bad ownership or modes for chroot)" "$(log_all_since)"
	check_equal "root is let in" "$HOST" "$(as root -- readlink /proc/self/ns/pid)"
	rm -f "$DROP_IN"
	systemctl restart ssh.service
	wait_for sshd_listens
}

# From inside ---------------------------------------------------------------------------------------------------------

# What a tenant may try to have something run elsewhere, after what surely runs: each writes where it is to a file of its own.
attempts() {
	cat <<-'ATTEMPTS'
		here: $ME here
		crontab: echo "* * * * * $ME crontab" | crontab -
		at: echo "$ME at" | at now
		batch: echo "$ME batch" | batch
		systemd-run: systemd-run --wait -q $ME systemd-run
		systemd-run-user: systemd-run --user --wait -q $ME systemd-run-user
		systemctl-user: systemctl --user start tenant.service
		linger: loginctl enable-linger
		machinectl: machinectl shell .host $ME machinectl
		pkexec: pkexec $ME pkexec
		sudo: sudo -n $ME sudo
		su: echo "$PASSWORD" | su "$USER" -c "$ME su"
		su-bob: echo "$PASSWORD" | su "$OTHER" -c "$ME su-bob"
		sg: sg "$(id -gn)" -c "$ME sg && exit 1"
		run: cloister run -- $ME run
		bus: busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartUnit ss cron.service replace
		activation: dbus-send --system --print-reply --dest=org.freedesktop.hostname1 / org.freedesktop.DBus.Peer.Ping
		user-bus: DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$(id -u)/bus dbus-send --session --print-reply --dest=org.freedesktop.systemd1 / org.freedesktop.DBus.Peer.Ping
		ssh: ssh -o BatchMode=yes -o ConnectTimeout=5 -o StrictHostKeyChecking=no -i ~/key localhost $ME ssh
	ATTEMPTS
}

try_attempts() { # HOLD
	local line
	attempts | while read -r line; do
		held "$1" -- "export ME='/bin/sh $SITE_DIR/share/says' PASSWORD='$PASSWORD' OTHER='$BOB' XDG_RUNTIME_DIR=/run/user/$UID_OF_ALICE
			if { timeout 30 sh -c '${line#*: }'; } >/dev/null 2>&1 </dev/null; then echo ${line%%: *}; fi" </dev/null
	done
}

test_from_inside() {
	local output
	install -d -m 1777 -o "$ALICE" "/home/$ALICE/ran"
	chmod 711 "/home/$ALICE"
	# shellcheck disable=SC2016
	printf 'readlink /proc/self/ns/pid >"/home/%s/ran/$1"\n' "$ALICE" >"$WORK/says"
	share "$WORK/says" >/dev/null
	printf '%s ALL=(ALL) NOPASSWD: ALL\n' "$ALICE" >"$SUDOERS"
	chmod 440 "$SUDOERS"
	install -m 600 -o "$ALICE" -g "$ALICE" "$SITE_DIR/key" "/home/$ALICE/key"
	hold_cell inside alice
	output=$(try_attempts inside | xargs)
	check_equal "of all that a tenant tries from inside, only a process of the cell starts" here "$output"
	check_equal "nor did anything run elsewhere since" "$(held inside -- readlink /proc/self/ns/pid)" "$(ran_where)"
	check_equal "all processes of the tenant are in the cell" "$(held inside -- readlink /proc/self/ns/pid)" "$(where_alice_is)"
	check_equal "no job of theirs waits" '' "$(ls /var/spool/cron/crontabs/"$ALICE" 2>/dev/null; find /var/spool/cron/atjobs -type f -user "$ALICE")"
	check_fails "nor do they linger" test -e "/var/lib/systemd/linger/$ALICE"
	release inside
	rm -rf --one-file-system "$SUDOERS" "/home/$ALICE/key" "/home/$ALICE/ran"
	chmod 700 "/home/$ALICE"
}

# After what cron and at would start in the next minute: the pid namespaces that all attempts ran in, each once.
ran_where() {
	local minute
	minute=$(date +%H:%M)
	wait_for minute_after "$minute"
	sleep 10
	cat "/home/$ALICE/ran"/* | sort -u
}

minute_after() { # HH:MM
	[ "$(date +%H:%M)" != "$1" ]
}

# A login over the network, from a cell that has the host's: the second has a cell of its own, beside the first.
test_login_from_a_cell() {
	local outer inner
	policy 60-doors <<-POLICY
		policies = ( { name = "doors"; inherit = "default"; priority = 99; match = { users = ["$BOB"]; };
		  network = { mode = "host"; }; } );
	POLICY
	install -m 600 -o "$BOB" -g "$BOB" "$SITE_DIR/key" "/home/$BOB/key"
	hold_cell outer bob
	outer=$(held outer -- readlink /proc/self/ns/pid)
	inner=$(held outer -- "ssh -i key -o BatchMode=yes -o StrictHostKeyChecking=no localhost 'readlink /proc/self/ns/pid; cat /proc/1/comm; grep NSpid /proc/self/status | wc -w' 2>/dev/null")
	check_matches "ssh from a cell to the host it is on is a login" '^pid:' "$inner"
	check_lacks "which has a cell of its own" "$(tr -cd 0-9 <<<"$outer")|$(tr -cd 0-9 <<<"$HOST")" "$inner"
	check_equal "with a pid 1 of its own, and not inside the first" "cloister-init 2" "$(sed 1d <<<"$inner" | xargs)"
	release outer
	rm -f "/home/$BOB/key"
	policies_reset
}

# A unit's PAMName= opens the session in the process that becomes the command: no cell could hold it.
test_units() {
	local output status=0
	log_mark
	output=$(systemd-run --uid="$ALICE" -p PAMName=login --wait --pipe -q echo INSIDE 2>&1) || status=$?
	check "a unit with PAMName= does not run as a tenant" test "$status" -ne 0 -a "${output/INSIDE/}" = "$output"
	check_matches "and the log says what to use" 'refused: .*stage=service: systemd itself opens the session .*su -l' "$(log_since)"
	output=$(timeout 60 script -qec "machinectl shell $ALICE@.host /bin/echo INSIDE" /dev/null </dev/null 2>&1)
	check_lacks "nor does machinectl shell" INSIDE "$output"
	check_equal "for root both do" INSIDE "$(systemd-run --uid=root -p PAMName=login --wait --pipe -q echo INSIDE 2>&1)"
}

# atd opens the session with its privilege set aside, and forks like that.
test_at() {
	local output=/home/$ALICE/at-ran
	systemctl start atd.service
	rm -f "$output"
	printf '%s\n' "{ cat /proc/1/comm; id -un; grep -h '^CapBnd' /proc/self/status; } >$output.new && mv $output.new $output" |
		(cd / && setpriv --reuid "$ALICE" --regid "$ALICE" --init-groups --reset-env at now 2>/dev/null)
	check "a job of at runs" wait_for test -s "$output"
	check_equal "in a cell, as the tenant" "cloister-init $ALICE CapBnd: 0000000000000000" "$(xargs <"$output")"
	rm -f "$output"
}

# Passwords -----------------------------------------------------------------------------------------------------------

NEW_PASSWORD=$(head -c 12 /dev/urandom | base64)

put_askpass() {
	cat >"$WORK/askpass" <<-ASKPASS
		#!/bin/sh
		case \$1 in
		*[Nn]ew*) echo '$NEW_PASSWORD' ;;
		*) cat '$WORK/password' ;;
		esac
	ASKPASS
	chmod 700 "$WORK/askpass"
}

# A login by keyboard-interactive, by the password in $WORK/password.
typed() { # USER COMMAND...
	SSH_ASKPASS=$WORK/askpass SSH_ASKPASS_REQUIRE=force DISPLAY=none timeout 120 ssh -F "$SSH_CONFIG" -o BatchMode=no \
		-o PubkeyAuthentication=no -o PreferredAuthentications=keyboard-interactive -o NumberOfPasswordPrompts=1 "$@" </dev/null
}

# A password that must be changed: PAM asks for the new one before there is a session, and so on the host. With a public key,
# nobody asks; sshd would run passwd in the session, which has no effect in a cell, and runs nothing else.
test_expired_password() {
	local before output status=0
	put_askpass
	# pam_pwquality without a dictionary takes no password at all.
	mkdir -p "${PWQUALITY%/*}"
	echo 'dictcheck = 0' >"$PWQUALITY"
	echo 'KbdInteractiveAuthentication yes' | put_file "$DROP_IN"
	systemctl restart ssh.service
	wait_for sshd_listens
	printf '%s\n' "$PASSWORD" >"$WORK/password"
	check_matches "keyboard-interactive: a cell" '^cloister-init$' "$(typed alice cat /proc/1/comm)"
	chage -d 0 "$ALICE"
	before=$(getent shadow "$ALICE")
	output=$(as alice -- echo INSIDE 2>&1) || status=$?
	check "an expired password and a public key: no command runs" test "$status" -ne 0 -a "${output/INSIDE/}" = "$output"
	check_equal "and the password is as it was" "$before" "$(getent shadow "$ALICE")"
	check_matches "by keyboard-interactive it is changed, then there is a cell" '^cloister-init$' "$(typed alice cat /proc/1/comm)"
	check_differs "it has been" "$before" "$(getent shadow "$ALICE")"
	printf '%s\n' "$NEW_PASSWORD" >"$WORK/password"
	check_matches "the new one is good" '^cloister-init$' "$(typed alice cat /proc/1/comm)"
	printf '%s:%s\n' "$ALICE" "$PASSWORD" | chpasswd
	rm -f "$DROP_IN"
	systemctl restart ssh.service
	wait_for sshd_listens
}

# OpenSSH 9.8 and later: another PAM service for some.
test_pam_service_name() {
	local name=$SITE_PREFIX-doors
	/usr/sbin/sshd -T 2>/dev/null | grep -i '^pamservicename' >/dev/null || return 0
	undo_note file "/etc/pam.d/$name"
	put_file "/etc/pam.d/$name" </etc/pam.d/sshd
	put_file "$DROP_IN" <<-CONFIG
		Match User $BOB
			PAMServiceName $name
	CONFIG
	systemctl restart ssh.service
	wait_for sshd_listens
	log_mark
	check_lacks "PAMServiceName of a Match block: a service that no placement is known of is refused" INSIDE "$(as bob -- echo INSIDE 2>&1)"
	check_matches "and the log says what to write" "service=$name .*placement" "$(log_since)"
	settings <<<"placement = ( { service = \"$name\"; at = \"credentials\"; } );"
	log_mark
	check_matches "written, it is a cell" '^cloister-init$' "$(as bob -- cat /proc/1/comm)"
	check_matches "by that service" " open: .*user=$BOB .*service=$name" "$(log_since)"
	check_matches "and others keep theirs" '^cloister-init$' "$(as carol -- cat /proc/1/comm)"
	settings_reset
	rm -f "$DROP_IN" "/etc/pam.d/$name"
	systemctl restart ssh.service
	wait_for sshd_listens
}

# One cell for all the doors of a user.
test_shared() {
	local cell
	policy 60-doors <<-POLICY
		policies = ( { name = "doors"; inherit = "default"; priority = 99; match = { users = ["$ALICE"]; };
		  namespaces = { share = "user"; }; } );
	POLICY
	hold_cell first alice
	cell=$(held first -- readlink /proc/self/ns/pid)
	check_equal "a shared cell is joined by su" "$cell" "$(su "$ALICE" -s /bin/sh -c 'readlink /proc/self/ns/pid')"
	check_equal "su -l" "$cell" "$(su -l "$ALICE" -c 'readlink /proc/self/ns/pid')"
	check_matches "login" "$(tr -cd 0-9 <<<"$cell")" \
		"$({ sleep 10; echo 'readlink /proc/self/ns/pid'; sleep 5; } | timeout 120 script -qec "login -f $ALICE" /dev/null 2>&1)"
	echo '* * * * * readlink /proc/self/ns/pid >cron-ran.new && mv cron-ran.new cron-ran' | crontab -u "$ALICE" -
	check "cron" wait_for test -s "/home/$ALICE/cron-ran"
	check_equal "which is the same" "$cell" "$(cat "/home/$ALICE/cron-ran")"
	crontab -r -u "$ALICE"
	rm -f "/home/$ALICE/cron-ran"
	release first
	policies_reset
}

trap restore EXIT
prepare
test_pam_service_name
test_expired_password
test_shared
test_at
test_match_blocks
test_from_inside
test_login_from_a_cell
test_units
done_testing
