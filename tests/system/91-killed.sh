#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Nobody gets to say goodbye: whatever part of a login is killed, nothing of it is left once the next login, or a
# sweep, has run. What the kernel and cloister-init can end at once is ended without either.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

LOAD=$SITE_DIR/load

monitor_of() {
	pgrep -f "^[^ ]*sshd(-session)?: $ALICE \[priv\]" | head -n 1
}

victims() { # WHAT
	case $1 in
	monitor) monitor_of ;;
	user-process) user_processes alice ;;
	init) init_of a1 ;;
	monitor-and-user-process) monitor_of && user_processes alice ;;
	monitor-and-init) monitor_of && init_of a1 ;;
	all) monitor_of && user_processes alice && init_of a1 ;;
	esac
}

clean_up_by() { # sweep|login
	if [ "$1" = sweep ]; then
		sweep
	else
		as alice -- true
	fi
}

kill_it() { # WHAT AFTERWARDS
	local what="$MANAGER: $1 killed" pids
	look_before "$WORK/before"
	hold_cell a1 alice
	held a1 -- "setsid -f sleep 9001 >/dev/null 2>&1 </dev/null; $LOAD daemon"
	pids=$(victims "$1")
	check "$what: it was there ($(echo "$pids" | xargs))" test -n "$pids"
	# shellcheck disable=SC2086
	kill -KILL $pids
	check "$what: all processes of the cell end by themselves" wait_for no_processes
	case $1 in
	*monitor* | all)
		check_equal "$what: nobody closed, so the record is still there" 1 "$(find "$RUN/cells" -name '*.json' | wc -l)"
		;;
	esac
	check "$what: $2" clean_up_by "$2"
	check_nothing_left "$what: after the next $2 nothing is left" "$WORK/before"
	release a1
}

# Many at once, and one login afterwards.
kill_many() {
	local i
	look_before "$WORK/before"
	for i in 1 2 3 4 5; do
		hold_cell "m$i" alice
	done
	pgrep -f "^[^ ]*sshd(-session)?: $ALICE \[priv\]" >"$WORK/monitors"
	check_equal "$MANAGER: five logins" 5 "$(wc -l <"$WORK/monitors")"
	xargs kill -KILL <"$WORK/monitors"
	check "$MANAGER: the cells of five killed monitors end by themselves" wait_for no_processes
	as alice -- true
	check_nothing_left "$MANAGER: one login afterwards removes all that is left of them" "$WORK/before"
	release m1 m2 m3 m4 m5
}

# Whose cell lives on, keeps it.
spare_the_living() {
	hold_cell a1 alice
	hold_cell b1 bob
	sweep
	kill -KILL "$(monitor_of)"
	sweep
	check_equal "$MANAGER: a sweep leaves other cells alone" "$BOB" "$(held b1 -- id -un)"
	release a1 b1
}

restore() {
	rm -rf --one-file-system "$LOAD"
	test_cleanup
}

trap restore EXIT
put_program load
for MANAGER in $(managers); do
	settings <<<"cgroup_manager = \"$MANAGER\";"
	as alice -- true
	for victim in monitor user-process init monitor-and-user-process monitor-and-init all; do
		kill_it $victim sweep
	done
	kill_it monitor login
	kill_it all login
	kill_many
	spare_the_living
done
done_testing
