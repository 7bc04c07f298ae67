#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cloister kill: a cell by its id, or all of a user's; who can be asked to end is asked, the rest is killed, and nobody
# else's cell feels it.

# What is in single quotes is for the shell in the cell.
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

HOME_OF_ALICE=$(getent passwd "$ALICE" | cut -d: -f6)

ids_of() { # USER
	ctl list --json | python3 -c 'import json, sys
print("\n".join(sorted(c["id"] for c in json.load(sys.stdin) if c["user"] == sys.argv[1])))' "$1"
}

# The id of the cell that a hold just made.
newest_id() { # FILE-OF-EARLIER-IDS USER
	ids_of "$2" | grep -vxF -f "$1"
}

hold_and_name() { # HOLD USER LOGIN-NAME
	ids_of "$3" >"$WORK/earlier"
	hold_cell "$1" "$2"
	newest_id "$WORK/earlier" "$3"
}

# One that notes each signal and ends at SIGTERM, and one that obeys none; both survive a hang-up of their shell.
start_polite_and_stubborn() { # HOLD
	held "$1" -- 'rm -f told
		setsid -f sh -c "trap \"echo HUP >>told\" HUP; trap \"echo TERM >>told; exit\" TERM; echo >ready1
			while :; do sleep 0.1; done" >/dev/null 2>&1 </dev/null
		setsid -f sh -c "trap \"\" HUP TERM; echo >ready2; exec sleep 9011" >/dev/null 2>&1 </dev/null
		while ! [ -e ready1 -a -e ready2 ]; do sleep 0.1; done; rm ready1 ready2'
}

sleeps() { # NUMBER
	pgrep -u "$ALICE" -f "^sleep $1\$" >/dev/null
}

gone() {
	! sleeps "$1"
}

as_tenant() { # COMMAND...
	setpriv --reuid "$ALICE" --regid "$ALICE" --init-groups --reset-env "$@"
}

test_by_id() {
	local first second
	first=$(hold_and_name a1 alice "$ALICE")
	second=$(hold_and_name a2 alice "$ALICE")
	hold_cell b1 bob
	check_matches "two cells of a user have two ids" '^[0-9a-v]{12} [0-9a-v]{12}$' "$first $second"
	start_polite_and_stubborn a1
	check "one ignores every signal" sleeps 9011
	check_equal "kill ends the cell that it names" 0 "$(ctl kill "$first" >"$WORK/said" 2>&1; echo $?)"
	check_equal "without a word" '' "$(cat "$WORK/said")"
	check "who ignored the signals is gone" wait_for gone 9011
	if have cgroup2-controllers; then
		check_equal "who listened was asked first" 'HUP TERM' "$(xargs <"$HOME_OF_ALICE/told")"
	else
		skip "who listened was asked first" "no cgroup v2 controllers"
	fi
	check "its connection has ended" wait_for hung_up a1
	check_equal "the user's other cell lives" "$ALICE" "$(held a2 -- id -un)"
	check_equal "another user's too" "$BOB" "$(held b1 -- id -un)"
	check_equal "only that cell is off the list" "$second" "$(ids_of "$ALICE")"
	FAILS_WITH=1 check_fails "a second kill finds no such cell" ctl kill "$first"
	check_matches "and says so" "no live cell has the id $first" "$(ctl kill "$first" 2>&1)"
}

test_by_user() {
	hold_cell a3 alice
	check_equal "two cells again" 2 "$(ids_of "$ALICE" | wc -l)"
	check "kill --user ends all of a user's" ctl kill --user "$ALICE"
	check_equal "none is left on the list" '' "$(ids_of "$ALICE")"
	check "no process of the user is left" wait_for no_user_process
	check_equal "another user's lives" "$BOB" "$(held b1 -- id -un)"
	FAILS_WITH=1 check_fails "a user without a cell is told as such" ctl kill --user "$ALICE"
	check_equal "the next login is as good as any" "$ALICE" "$(as alice -- id -un)"
}

hung_up() { # HOLD
	! ssh -F "$SSH_CONFIG" -S "$SITE_DIR/held/$1" -O check nobody
}

no_user_process() {
	[ -z "$(user_processes alice)" ]
}

test_refused() {
	local id word
	id=$(ids_of "$BOB")
	for word in ../x '' "$(printf '%0300d' 0)" 1 -1 "$id/" "$id "; do
		check_fails "\"${word:0:40}\" is no cell" ctl kill -- "$word"
	done
	FAILS_WITH=2 check_fails "kill needs an id or a user" ctl kill
	FAILS_WITH=2 check_fails "not both" ctl kill "$id" --user "$BOB"
	check_matches "a tenant may not" 'only root' "$(as_tenant "$CTL" kill "$id" 2>&1)"
	check_fails "not through the helper either" as_tenant "$HELPER" kill "$id"
	check_equal "and the cell lives" "$BOB" "$(held b1 -- id -un)"
	check "a sweep leaves it alone" ctl sweep
	check_equal "it lives on" "$BOB" "$(held b1 -- id -un)"
}

# With a grace of nothing nobody is asked; and a tenant who forks without end is killed as well.
test_without_grace() {
	local id
	policy 60-kill <<-POLICY
		policies = ( { name = "hasty"; inherit = "students"; priority = 99; session = { grace = 0; };
		  match = { users = ["$ALICE"]; }; } );
	POLICY
	id=$(hold_and_name a4 alice "$ALICE")
	start_polite_and_stubborn a4
	check "kill with a grace of 0" ctl kill "$id"
	check "ends all" wait_for gone 9011
	check "and asks nobody" test ! -e "$HOME_OF_ALICE/told"
	rm -f "$CONF/policy.d/60-kill.conf"
}

as alice -- true
look_before "$WORK/before"
test_by_id
test_by_user
test_refused
test_without_grace
release a1 a2 a3 a4 b1
check_nothing_left "nothing is left of all that" "$WORK/before"
done_testing
