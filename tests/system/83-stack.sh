#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A PAM stack that names the module too seldom or too often, or a service that Cloister does not know, is a refused
# login for public keys and for passwords, with the fix in the log. Exempt users are let in by all of them.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

STRANGE=$SITE_PREFIX-strange
FAULTS=1 # of the stack
PASSWORD=$(head -c 12 /dev/urandom | base64)

with_password() { # USER [SSH-OPTION...] [-- COMMAND...]
	local user=$1
	shift
	SSH_ASKPASS=$SITE_DIR/askpass SSH_ASKPASS_REQUIRE=force as "$user" -o BatchMode=no -o PubkeyAuthentication=no \
		-o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 "$@"
}

# The refusals among the site's log lines; a stack that opens twice also logs an open and a close.
refusals() {
	site_log | grep refused
}

refused_by_stack() { # DESCRIPTION REGEX [SSH-OPTION...]
	local description=$1 regex=$2 way output status
	shift 2
	for way in as with_password; do
		log_mark
		status=0
		output=$($way alice "$@" -- echo INSIDE 2>&1) || status=$?
		check "$description, $way: refused" test "$status" -ne 0 -a "${output/INSIDE/}" = "$output"
		output=$(refusals)
		check_equal "$description, $way: one line of refusal for each fault" "$FAULTS" "$(grep -c . <<<"$output")"
		check_matches "$description, $way: it names the fix" "$regex" "$output"
	done
	status=0
	SITE_TIMEOUT=60 as alice "$@" -N </dev/null >/dev/null 2>&1 || status=$?
	check_equal "$description: ssh -N ends" 255 "$status"
	check_equal "$description: root is let in" root "$(as root "$@" -- id -un)"
	check_equal "$description: an exempt user is let in" "$BOB" "$(as bob "$@" -- id -un)"
	check_equal "$description: with a password too" "$BOB" "$(with_password bob "$@" -- id -un)"
}

restore_stack() {
	[ ! -e "$SITE_DIR/strange.pid" ] || kill "$(cat "$SITE_DIR/strange.pid")"
	rm -f "/etc/pam.d/$STRANGE" "$SITE_DIR/askpass" "$SITE_DIR"/strange*
	pam_restore
	usermod -p '*' "$ALICE"
	usermod -p '*' "$BOB"
	test_cleanup
}

prepare() {
	printf '%s:%s\n' "$ALICE" "$PASSWORD" "$BOB" "$PASSWORD" | chpasswd
	printf '#!/bin/sh\necho "%s"\n' "$PASSWORD" >"$SITE_DIR/askpass"
	chmod 700 "$SITE_DIR/askpass"
	settings <<<"exempt = { users = [\"root\"]; groups = [\"$STAFF\"]; };"
	check_equal "a password logs in where the stack is right" "$ALICE" "$(with_password alice -- id -un)"
	check_differs "and lands in a cell" "$(readlink /proc/self/ns/pid)" \
		"$(with_password alice -- readlink /proc/self/ns/pid)"
}

test_lines() {
	pam_edit '/^auth.*pam_cloister/d'
	refused_by_stack "auth line missing" "add .auth required pam_cloister.so. .*/etc/pam.d/$SERVICE"
	pam_restore
	pam_edit '/^session.*pam_cloister/d'
	refused_by_stack "session line missing" "add .session required pam_cloister.so. .*/etc/pam.d/$SERVICE"
	pam_restore
	pam_edit '/^auth.*pam_cloister/p'
	refused_by_stack "auth line twice" "keep one auth line .*/etc/pam.d/$SERVICE"
	pam_restore
	pam_edit '/^session.*pam_cloister/p'
	refused_by_stack "session line twice" "keep one session line .*/etc/pam.d/$SERVICE"
	pam_restore
	FAULTS=2
	pam_edit '/^\(auth\|session\).*pam_cloister/p'
	refused_by_stack "both lines twice" "keep one (auth|session) line .*/etc/pam.d/$SERVICE"
	pam_restore
	pam_edit '/^auth.*pam_cloister/d; /^session.*pam_cloister/p'
	refused_by_stack "auth line missing and session line twice" "(add .auth|keep one session line) .*/etc/pam.d/$SERVICE"
	FAULTS=1
	pam_restore
	check_equal "with the right stack again, the login works" "$ALICE" "$(as alice -- id -un)"
}

# A second sshd under a name of its own, which is its PAM service.
start_strange() {
	local tries
	sed "s/$SERVICE/$STRANGE/g" "$SITE_DIR/pam" >"/etc/pam.d/$STRANGE"
	cp "$SITE_DIR/key.pub" "$SITE_DIR/strange_keys"
	ssh-keygen -q -t ed25519 -N '' -f "$SITE_DIR/strange_host_key"
	ln -sf /usr/sbin/sshd "$SITE_DIR/$STRANGE"
	for tries in {1..20}; do
		PORT=$((40000 + RANDOM % 20000))
		(exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || break
	done
	cat >"$SITE_DIR/strange_config" <<-CONFIG
		ListenAddress 127.0.0.1
		Port $PORT
		HostKey $SITE_DIR/strange_host_key
		PidFile $SITE_DIR/strange.pid
		AuthorizedKeysFile $SITE_DIR/strange_keys
		KbdInteractiveAuthentication no
		UsePAM yes
	CONFIG
	! "$SITE_DIR/$STRANGE" -T -f /dev/null -o "HostKey=$SITE_DIR/strange_host_key" 2>/dev/null |
		grep -i '^pamservicename' >/dev/null || echo "PAMServiceName $STRANGE" >>"$SITE_DIR/strange_config"
	"$SITE_DIR/$STRANGE" -f "$SITE_DIR/strange_config" || site_die "no second sshd after $tries tries"
	wait_for test -s "$SITE_DIR/strange.pid"
	undo_process "$(cat "$SITE_DIR/strange.pid")"
}

test_service() {
	start_strange
	refused_by_stack "unknown service" "key=placement .*service = \"$STRANGE\"" -p "$PORT"
	put_file "$CONF/cloister.conf" <<<"placement = ( { service = \"$STRANGE\"; at = \"credentials\"; } );"
	check_equal "once placement names it, the login works" "$ALICE" "$(as alice -p "$PORT" -- id -un)"
	check_differs "and lands in a cell" "$(readlink /proc/self/ns/pid)" \
		"$(as alice -p "$PORT" -- readlink /proc/self/ns/pid)"
	put_file "$CONF/cloister.conf" <<<"placement = ( { service = \"$STRANGE\"; at = \"fork\"; } );"
	check_differs "the wrong placement for sshd never lets a login out" "$(readlink /proc/self/ns/pid)" \
		"$(as alice -p "$PORT" -- readlink /proc/self/ns/pid 2>/dev/null || echo refused)"
}

trap restore_stack EXIT
look_before "$WORK/before"
prepare
test_lines
test_service
settings_reset
kill "$(cat "$SITE_DIR/strange.pid")"
rm -f "$SITE_DIR/strange.pid"
check_nothing_left "nothing is left of the refused logins" "$WORK/before"
done_testing
