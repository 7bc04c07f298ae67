#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Whatever is broken, root gets in to mend it, and nobody else gets in without a cell.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

HOST_PID_NS=$(readlink /proc/self/ns/pid)

root_gets_in() { # WHEN
	# shellcheck disable=SC2016
	check_equal "$1: root gets in" "0 $HOST_PID_NS" "$(as root -- 'echo $(id -u) $(readlink /proc/self/ns/pid)' 2>&1)"
}

# In a cell, or not in at all.
nobody_gets_out() { # WHEN
	local output
	output=$(as alice -- readlink /proc/self/ns/pid 2>/dev/null) || output=${output:-refused}
	check_differs "$1: a user's login is in a cell or refused" "$HOST_PID_NS" "$output"
}

broken() { # WHEN
	root_gets_in "$1"
	nobody_gets_out "$1"
}

restore_helper() {
	[ ! -e "$HELPER.saved" ] || mv -f "$HELPER.saved" "$HELPER"
}

restore_all() {
	restore_helper
	chown root "$RUN"
	[ ! -d "$CONF.aside" ] || { rm -rf --one-file-system "$CONF" && mv "$CONF.aside" "$CONF"; }
	[ ! -d "$STATE.aside" ] || { rm -rf --one-file-system "$STATE" && mv "$STATE.aside" "$STATE"; }
	rm -rf --one-file-system "$SITE_DIR/ambush"
	test_cleanup
}

# The kept configuration must not be what lets root in.
test_configuration() {
	cp -a "$CONF" "$CONF.aside"
	cp -a "$STATE" "$STATE.aside"
	for kept in "" " and none kept"; do
		[ -z "$kept" ] || rm -rf --one-file-system "${STATE:?}/policy"
		settings <<<'exempt = { users = [ "root"'
		broken "cloister.conf broken$kept"
		settings <<<'exempt = { users = []; groups = []; };'
		broken "cloister.conf exempts nobody$kept"
		settings_reset
		policy 50-groups <<<'policies = ( { name = '
		broken "policy.d broken$kept"
		rm "$CONF"/policy.d/*
		broken "policy.d empty$kept"
		rmdir "$CONF/policy.d"
		broken "policy.d missing$kept"
		rm -r "$CONF"
		broken "no configuration at all$kept"
		cp -a "$CONF.aside" "$CONF"
	done
	rm -rf --one-file-system "$CONF.aside" "$STATE"
	mv "$STATE.aside" "$STATE"
}

without_helper() { # WHEN REGEX
	log_mark
	root_gets_in "$1"
	check_matches "$1: it is logged that root is without a cell" "root is let in without a cell: .*$2" "$(log_since)"
	check_refused "$1" alice "refused: user=$ALICE service=$SERVICE stage=handoff: .*$2"
	check_refused_forwarding "$1" alice
}

no_sleeper() {
	! pgrep -f 'sleep 86399'
}

test_helper() {
	mv "$HELPER" "$HELPER.saved"
	without_helper "helper missing" "$HELPER"
	printf '#!/bin/sh\nexit 0\n' >"$HELPER"
	chmod 755 "$HELPER"
	without_helper "helper that says nothing" 'ended without an answer'
	chmod 644 "$HELPER"
	without_helper "helper not executable" "$HELPER"
	printf '\177ELF garbage' >"$HELPER"
	chmod 755 "$HELPER"
	without_helper "helper no program" "$HELPER"
	rm "$HELPER"
	printf '#!/bin/sh\nexec sleep 86399\n' >"$HELPER"
	chmod 755 "$HELPER"
	without_helper "helper hangs" 'wait for the answer'
	check "it does not hang on" wait_for no_sleeper
	printf '#!/bin/sh\n{ yes garbage >&3; } 2>/dev/null\n' >"$HELPER"
	without_helper "helper that talks nonsense" "$HELPER"
	rm "$HELPER"
	cp -p "$HELPER.saved" "$HELPER"
	chmod u-s "$HELPER"
	check "the setuid bit is gone" test ! -u "$HELPER"
	broken "setuid bit gone"
	restore_helper
	check_equal "all is well again" "$ALICE" "$(as alice -- id -un)"
}

# Root's helper is killed at its first instruction.
test_helper_killed() {
	put_program ambush
	for user in root alice; do
		"$SITE_DIR/ambush" helper 0 "$HELPER" >"$WORK/ambush" &
		wait_for grep -q ready "$WORK/ambush"
		log_mark
		if [ $user = root ]; then
			root_gets_in "helper killed"
		else
			check_fails "helper killed: a user does not get in" as alice -- true
			check_matches "helper killed: one line says why" 'refused: .*stage=handoff: .*ended without an answer' \
				"$(site_log)"
		fi
		wait $!
		check "helper killed: it was" grep -q '^killed 1' "$WORK/ambush"
	done
}

test_state() {
	chown "$ALICE" "$RUN"
	broken "run folder of a user"
	chown root "$RUN"
}

trap restore_all EXIT
test_configuration
test_helper
test_helper_killed
test_state
done_testing
