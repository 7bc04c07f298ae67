#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# After a logout nothing of it is left, whatever the tenant started in the background; with every cgroup manager that
# this machine can have.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

LOAD=$SITE_DIR/load
FILE=/home/$ALICE/terminated

session() { # SETTINGS
	policy 60-session <<-POLICY
		policies = ( { name = "session"; inherit = "students"; priority = 100; match = { users = ["$ALICE"]; };
		  session = { $1 }; } );
	POLICY
}

# What shells and programs do to outlive a login.
START_LOTS="nohup sleep 9001 >/dev/null 2>&1 & setsid -f sleep 9002 >/dev/null 2>&1 </dev/null
(sleep 9003 >/dev/null 2>&1 </dev/null & disown) ; trap '' HUP; $LOAD daemon; sleep 1"

lots_run() {
	test "$(pgrep -c -u "$ALICE" -f 'sleep 900[123]|load daemon')" -eq 4
}

logged_end() { # DESCRIPTION
	check_equal "$1: one open and one close are logged" '1 1' \
		"$(site_log | grep -c ' open: ') $(site_log | grep -c ' close: ')"
}

test_background() {
	log_mark
	hold_cell a1 alice
	held a1 -- "$START_LOTS"
	check "$MANAGER: nohup, setsid, disown and a daemon run in the background" lots_run
	release a1
	check_nothing_left "$MANAGER: a logout ends them all" "$WORK/before"
	logged_end "$MANAGER: logout"
}

test_terminal() {
	log_mark
	as alice -tt -- "$START_LOTS" </dev/null >/dev/null 2>&1
	check_nothing_left "$MANAGER: so does the end of a terminal" "$WORK/before"
	logged_end "$MANAGER: terminal"
}

test_lost_client() {
	local pid
	log_mark
	as alice -v -N </dev/null >"$WORK/client" 2>&1 &
	pid=$!
	wait_for grep -q 'Entering interactive session' "$WORK/client"
	check "$MANAGER: ssh -N has a cell" wait_for user_processes alice
	# shellcheck disable=SC2046
	kill -KILL $(descendants "$pid")
	wait "$pid" 2>/dev/null
	check_nothing_left "$MANAGER: a client that is lost leaves nothing" "$WORK/before"
	logged_end "$MANAGER: lost client"
}

test_short() {
	local i
	log_mark
	for i in 1 2 3; do
		as alice -- "true $i" &
	done
	wait
	check_nothing_left "$MANAGER: short logins at the same time leave nothing" "$WORK/before"
	check_equal "$MANAGER: all are logged" '3 3' "$(site_log | grep -c ' open: ') $(site_log | grep -c ' close: ')"
}

end_with_term() { # GRACE
	rm -f "$FILE"
	session "grace = $1;"
	hold_cell a1 alice
	check_equal "$MANAGER: grace $1: a process waits for its end" waiting "$(held a1 -- "$LOAD term terminated & sleep 1")"
	release a1
}

test_grace() {
	end_with_term 20
	check "$MANAGER: a process that handles SIGTERM gets its chance" wait_for grep -qx terminated "$FILE"
	check_nothing_left "$MANAGER: and the logout does not wait for longer than it takes" "$WORK/before"
	end_with_term 0
	check_nothing_left "$MANAGER: without grace it is ended" "$WORK/before"
	check_fails "$MANAGER: and had no chance" test -e "$FILE"
	session 'grace = 1;'
	hold_cell a1 alice
	held a1 -- "$LOAD daemon"
	release a1
	check_nothing_left "$MANAGER: who ignores SIGTERM is ended after the grace" "$WORK/before"
	policies_reset
}

restore() {
	rm -rf --one-file-system "$LOAD" "$FILE"
	test_cleanup
}

trap restore EXIT
put_program load
for MANAGER in $(managers); do
	settings <<<"cgroup_manager = \"$MANAGER\";"
	look_before "$WORK/before"
	for part in background terminal lost_client short grace; do
		"test_$part"
	done
done
done_testing
