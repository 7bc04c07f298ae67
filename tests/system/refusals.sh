# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the tests of refusals: those of the parts that PARTS names.
# shellcheck disable=SC2154

. "$(dirname "${BASH_SOURCE[0]}")/../lib/test.sh"
. "$TESTS/system/cells.sh"

INIT=$(dirname "$HELPER")/cloister-init
OPEN=$SITE_DIR/open
BAD='60-bad\.conf:2\): '

# Alice's policy, with SETTING on its second line, whose origin the log must name.
bad_policy() { # SETTING
	policy 60-bad <<-POLICY
		policies = ( { name = "bad"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
		  $1
		} );
	POLICY
}

# One refusal of each stage is tried with `ssh -N`, too: what sshd makes of a refusal does not depend on the reason.
declare -A FORWARDED=()

refused() { # DESCRIPTION STAGE [REGEX...]
	local description=$1 stage=$2
	shift 2
	check_refused "$description" alice "refused: user=$ALICE .*stage=$stage( |:)" "$@"
	[ -z "${FORWARDED[$stage]-}" ] || return 0
	FORWARDED[$stage]=yes
	check_refused_forwarding "$description" alice
}

refused_by_policy() { # DESCRIPTION STAGE KEY SETTING [REGEX...]
	local description=$1 stage=$2 key=$3
	bad_policy "$4"
	shift 4
	refused "$description" "$stage" "key=$key \\(.*$BAD" "$@"
	policies_reset
}

restore_machine() {
	restore_init
	chown root:root "$RUN" "$RUN/cells"
	chmod 700 "$RUN" "$RUN/cells"
	id cloister >/dev/null 2>&1 || wait_for usermod -l cloister cloister-elsewhere
	[ "$(id -g "$DAVE")" != 0 ] || usermod -g "$DAVE" "$DAVE"
	! mountpoint -q "$STATE" || umount "$STATE"
	! have apparmor || [ ! -e "$SITE_DIR/aa" ] || apparmor_parser -R "$SITE_DIR/aa" 2>/dev/null
	rm -rf --one-file-system "$OPEN" "$SITE_DIR/aa" "$SITE_DIR/pam-open" "$SITE_DIR"/*.json
	test_cleanup
}

restore_init() {
	[ ! -e "$INIT.saved" ] || mv -f "$INIT.saved" "$INIT"
}

# cloister-init as a copy that can be spoilt.
spoil_init() {
	cp -p "$INIT" "$INIT.saved"
}

test_policy() {
	rm -f "$CONF/policy.d/00-default.conf"
	policy 50-groups <<<"policies = ( { name = \"only\"; match = { groups = [\"$STAFF\"]; }; } );"
	check_refused "no policy matches" dave "user=$DAVE .*stage=policy: no policy matches user $DAVE and service $SERVICE"
	check_refused_forwarding "no policy matches" dave
	policies_reset
}

test_seccomp() {
	local file=$SITE_DIR/bad.json
	refused_by_policy "seccomp profile missing" seccomp seccomp.profile \
		'seccomp = { profile = "/nonexistent/profile.json"; };' '/nonexistent/profile.json.*No such file'
	echo '{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [ { "names": [ "read" ], ]' >"$file"
	refused_by_policy "seccomp profile no JSON" seccomp seccomp.profile "seccomp = { profile = \"$file\"; };" "$file"
	echo '{ "defaultAction": "SCMP_ACT_WHATEVER", "syscalls": [] }' >"$file"
	refused_by_policy "seccomp profile with an unknown action" seccomp seccomp.profile \
		"seccomp = { profile = \"$file\"; };" SCMP_ACT_WHATEVER
	echo '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [] }' >"$file"
	chmod 666 "$file"
	refused_by_policy "seccomp profile that others may write" seccomp seccomp.profile \
		"seccomp = { profile = \"$file\"; };" 'writable by'
	mkfifo -m 644 "$SITE_DIR/fifo.json"
	refused_by_policy "seccomp profile that is a FIFO" seccomp seccomp.profile \
		"seccomp = { profile = \"$SITE_DIR/fifo.json\"; };" 'not a regular file'
}

test_apparmor() {
	if ! have apparmor; then
		refused_by_policy "AppArmor not in this kernel" apparmor apparmor.profile \
			'apparmor = { profile = "cloister-default"; when_unavailable = "refuse"; };' 'AppArmor is not on'
		skip "AppArmor profile not loaded" "no AppArmor in this kernel"
		skip "AppArmor profile in complain mode" "no AppArmor in this kernel"
		return
	fi
	refused_by_policy "AppArmor profile not loaded" apparmor apparmor.profile \
		'apparmor = { profile = "cloister-nowhere"; };' 'cloister-nowhere" is not loaded'
	printf 'profile %s flags=(complain) {\n file,\n}\n' "$SITE_PREFIX-complain" >"$SITE_DIR/aa"
	apparmor_parser -r "$SITE_DIR/aa"
	refused_by_policy "AppArmor profile in complain mode" apparmor apparmor.profile \
		"apparmor = { profile = \"$SITE_PREFIX-complain\"; };" 'is in complain mode'
	apparmor_parser -R "$SITE_DIR/aa"
}

test_cgroup() {
	if ! have cgroup2-controllers; then
		refused_by_policy "cgroup limit without its controller" cgroup cgroup.memory_max \
			'cgroup = { pids_max = "max"; memory_max = "64M"; when_unavailable = "refuse"; };' 'no memory controller'
		skip "io limit on a path without a disk" "no cgroup v2 controllers"
		return
	fi
	refused_by_policy "io limit on a path without a disk" cgroup cgroup.io \
		'cgroup = { io = ( { path = "/proc"; rbps = "1M"; } ); };' '/proc.*without a block device'
	refused_by_policy "io limit on a path that is not there" cgroup cgroup.session.io \
		'cgroup = { session = { io = ( { path = "/nonexistent"; rbps = "1M"; } ); }; };' '/nonexistent'
}

test_files() {
	install -d -m 777 "$OPEN"
	mkdir -p "$OPEN/inner"
	ln -s /usr "$OPEN/link"
	refused_by_policy "mount without its source" files files.mounts \
		'files = { mounts = ( { source = "/nonexistent"; target = "/mnt"; } ); };' 'mount /mnt.*/nonexistent'
	refused_by_policy "mount without its target" files files.mounts \
		'files = { mounts = ( { source = "/usr"; target = "/nonexistent"; } ); };' 'mount /nonexistent'
	refused_by_policy "mount from a folder below one that anyone may write" files files.mounts \
		"files = { mounts = ( { source = \"$OPEN/inner\"; target = \"/mnt\"; } ); };" 'written by others'
	refused_by_policy "mount below a folder that anyone may write" files files.mounts \
		"files = { mounts = ( { source = \"/usr\"; target = \"$OPEN/inner\"; } ); };" 'written by others'
	refused_by_policy "private folder below one that anyone may write" files files.private \
		"files = { private = [\"/tmp\", \"/run\", \"$OPEN/inner\"]; };" 'written by others'
	refused_by_policy "hidden folder below one that anyone may write" files files.hide \
		"files = { hide = [\"$OPEN/inner\"]; };" 'written by others'
	refused_by_policy "read-only folder below one that anyone may write" files files.read_only \
		"files = { read_only = [\"$OPEN/inner\"]; };" 'written by others'
	ln -s "$OPEN/inner" "$SITE_DIR/link.json"
	chown -h "$BOB" "$SITE_DIR/link.json"
	refused_by_policy "hidden path through a link of a user" files files.hide \
		"files = { hide = [\"$SITE_DIR/link.json/x\"]; };" 'symbolic link that is not followed'
}

test_session_max() {
	bad_policy 'session = { max = 1; };'
	hold_cell a1 alice
	refused "session.max reached" record "key=session\.max \\(.*$BAD" 'has 1 sessions already'
	release a1
	wait_for as alice -- true
	check "session.max: after the logout, the next login is let in" as alice -- true
	policies_reset
}

test_environment() {
	local value
	value=$(printf '%01000d' 7)
	refused_by_policy "environment too large" answer env \
		"env = { A = \"$value\"; B = \"$value\"; C = \"$value\"; D = \"$value\"; E = \"$value\"; };" 'larger than'
}

test_ids() {
	usermod -g 0 "$DAVE"
	check_refused "primary group 0" dave "user=$DAVE .*stage=namespaces: primary group 0"
	check_refused_forwarding "primary group 0" dave
	usermod -g "$DAVE" "$DAVE"
	check_equal "with a group of its own it gets in" "$DAVE" "$(as dave -- id -gn)"
	if [ "$SITE_MODE" = private ]; then
		skip "system user missing" "other runs on this machine use it"
		return
	fi
	wait_for usermod -l cloister-elsewhere cloister # not while a cell that ends has a process of its uid
	refused "system user missing" service 'system user cloister is missing.*useradd'
	wait_for usermod -l cloister cloister-elsewhere
}

test_init() {
	spoil_init
	rm "$INIT"
	refused "cloister-init missing" init "$INIT.*No such file"
	cp -p "$INIT.saved" "$INIT"
	chown "$BOB" "$INIT"
	refused "cloister-init not root's" init "$INIT is not root's alone to write"
	cp -p "$INIT.saved" "$INIT"
	chmod 775 "$INIT"
	refused "cloister-init writable by its group" init "$INIT is not root's alone to write"
	chmod 644 "$INIT"
	refused "cloister-init not executable" start "$INIT"
	rm "$INIT"
	ln -s "$INIT.saved" "$INIT"
	refused "cloister-init a symbolic link" init "$INIT"
	rm "$INIT"
	head -c 4096 /dev/urandom >"$INIT"
	chmod 755 "$INIT"
	refused "cloister-init no program" start "$INIT"
	rm "$INIT"
	cp /bin/true "$INIT"
	log_mark
	check_fails "cloister-init ends at once: refused" as alice -- echo INSIDE
	# Before its login was placed, or just after.
	check_matches "cloister-init ends at once: the log tells" \
		'refused: .*stage=|fork of unprivileged child failed|: close: id=' "$(log_all_since)"
	restore_init
}

test_state() {
	chown "$BOB" "$RUN"
	refused "run folder not root's" state "$RUN is not root's alone to write"
	chown root "$RUN"
	chmod 777 "$RUN"
	refused "run folder writable by others" state "$RUN is not root's alone to write"
	chmod 700 "$RUN"
	chown "$BOB" "$RUN/cells"
	refused "folder of records not root's" state "cells is not root's alone to write"
	chown root "$RUN/cells"
}

# What is kept is only a convenience: without room for it, or on a read-only filesystem, logins go on, and say so.
test_state_filesystem() {
	local lines
	undo_note mount "$STATE"
	mount -t tmpfs -o size=64k,mode=700 tmpfs "$STATE"
	check_equal "an empty state folder is filled" "$ALICE" "$(as alice -- id -un)"
	rm -rf "${STATE:?}"/policy "$STATE"/seccomp/*
	head -c 1M /dev/zero >"$STATE/filler" 2>/dev/null
	log_mark
	check_equal "with a full state filesystem logins go on" "$ALICE" "$(as alice -- id -un)"
	lines=$(site_log)
	check_matches "and the log says that the policy cannot be kept" 'cannot keep this valid configuration' "$lines"
	rm "$STATE/filler"
	mount -o remount,ro "$STATE"
	log_mark
	check_equal "with a read-only state filesystem logins go on" "$ALICE" "$(as alice -- id -un)"
	lines=$(site_log)
	check_matches "and the log says so" 'cannot keep this valid configuration' "$lines"
	umount "$STATE"
	mount -t tmpfs -o size=64k,mode=700,ro tmpfs "$STATE"
	refused "read-only and never filled" state "$STATE|seccomp"
	umount "$STATE"
}

test_deadline() {
	local lock
	settings <<<'deadline = 2;'
	exec {lock}>>"$RUN/locks/$(user_id alice)"
	flock "$lock"
	refused "deadline passed" record 'wait for another open or close of uid'
	check_equal "another user's login is not held up" "$BOB" "$(as bob -- id -un {lock}>&-)"
	exec {lock}>&-
	settings_reset
	check_equal "once the lock is free, the login works" "$ALICE" "$(as alice -- id -un)"
}

# sshd has no way to show it, other services do.
test_message() {
	local output reference
	put_program pam-open
	bad_policy 'seccomp = { profile = "/nonexistent/profile.json"; };'
	log_mark
	output=$("$SITE_DIR/pam-open" "$SERVICE" "$ALICE")
	reference=$(site_log | sed -n 's/.* ref=\([a-z0-9]\{12\}\) .*/\1/p')
	check_matches "the user sees a message with the log line's reference" "^message: .*reference ${reference:-none}" "$output"
	check_lacks "the message says nothing about the policy" 'seccomp|nonexistent' "$output"
	check_matches "the session is refused" '^refused:' "$output"
	policies_reset
}

trap restore_machine EXIT
# The first login has the filter compiled and kept, which has log lines of its own.
check_equal "before all that a login works" "$ALICE" "$(as alice -- id -un)"
look_before "$WORK/before"
for part in $PARTS; do
	"test_$part"
done
check_nothing_left "the refusals left nothing behind" "$WORK/before"
done_testing
