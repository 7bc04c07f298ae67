#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# network.mode = "nat" has one lock for all cells of the host. A user outside of cells owns a cgroup, freezes what is in it,
# and asks the kernel for next to no time: the helper that works for that user is not held up by it, and nobody else is.

# What is in single quotes is for the shell in the cell.
# shellcheck disable=SC2016,SC2153
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cells.sh"
. "$(dirname "$0")/commands.sh"
. "$(dirname "$0")/world.sh"
make_world
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
settings <<EOT
deadline = 60; # that of a helper which is held up
network = { name = "$NAME"; pool = "$POOL"; pool6 = "$POOL6"; };
EOT

policy 62-nat <<EOT
policies = ( { name = "nat"; inherit = "default"; priority = 100; match = { users = ["$ALICE", "$BOB"]; };
  network = { mode = "nat"; }; } );
EOT

OWN_CGROUP=$(cgroup2_mount)/$SITE_PREFIX-own
held_cleanup() {
	echo 0 2>/dev/null >"$OWN_CGROUP/cgroup.freeze"
	nat_cleanup
	rmdir "$OWN_CGROUP" 2>/dev/null
}
trap held_cleanup EXIT
mkdir -p "$OWN_CGROUP"
chown "$ALICE" "$OWN_CGROUP" "$OWN_CGROUP"/cgroup.{procs,freeze}

# As little as a user can ask for.
starved() { # COMMAND...
	echo "$BASHPID" >"$OWN_CGROUP/cgroup.procs"
	tenant alice chrt --idle 0 nice -n 19 ionice -c 3 "$CTL" run -- "$@"
}
# On a busy machine, what is starved does not even get to its end.
all_ended() {
	local pid
	for pid in $(cat "$OWN_CGROUP/cgroup.procs") $(pgrep -u "$ALICE"); do
		chrt --other --pid 0 "$pid"
		renice -n 0 -p "$pid"
	done
	nothing_runs
}
priorities() { # PID: nice value and scheduling policy
	awk '{ sub(/.*\) /, ""); print $17, $39 }' "/proc/$1/stat"
}
# Its child, which becomes pid 1 of the cell, has a pid namespace of its own.
waiting_helper() {
	local pid
	for pid in $(find /proc/[0-9]*/exe -maxdepth 0 -lname "$HELPER*" 2>/dev/null | cut -d/ -f3); do
		! grep -Eq '^NSpid:[[:space:]]+[0-9]+$' "/proc/$pid/status" || echo "$pid"
	done
}

check_equal "the command has the priorities that its caller had" "19 5 idle" \
	"$(starved sh -c 'awk "{ sub(/.*\) /, \"\"); print \$17, \$39 }" /proc/self/stat; ionice -p $$' | xargs)"
check_equal "pid 1 of a cell has the usual ones" "0 0" \
	"$(starved awk '{ sub(/.*\) /, ""); print $17, $39 }' /proc/1/stat)"

# The lock is ours; the helper waits for it.
exec {lock}>>"$RUN/locks/net"
flock "$lock"
starved sleep 600 >"$WORK/run" 2>&1 {lock}>&- &
STARTED+=("$!")
helper_leaves() {
	helper=$(waiting_helper)
	[ -n "$helper" ] && ! grep -q "$SITE_PREFIX-own" "/proc/$helper/cgroup"
}
check "a helper that waits for the lock has left the user's cgroup" wait_for helper_leaves
helper=$(waiting_helper)
check_equal "and has the usual priorities" "0 0" "$(priorities "$helper")"
check_equal "it leads a session of its own" "$helper" "$(ps -o sid= -p "$helper" | xargs)"
for signal in STOP TSTP KILL CONT; do
	check_fails "the user cannot send it SIG$signal" tenant alice kill -$signal "$helper"
done
tenant alice sh -c "echo 1 >'$OWN_CGROUP/cgroup.freeze'"
wait_for grep -q 'frozen 1' "$OWN_CGROUP/cgroup.events"
check "the user freezes what is in the cgroup" grep -q 'frozen 1' "$OWN_CGROUP/cgroup.events"
check_equal "no cell has an address yet" "" "$(addresses_taken)"
exec {lock}>&-
some_address() {
	[ -n "$(addresses_taken)" ]
}
check "the helper goes on" wait_for some_address
check_equal "another user gets in" in "$(as bob -- echo in)"
tenant alice sh -c "echo 0 >'$OWN_CGROUP/cgroup.freeze'"
end_started
check "all ends" wait_for all_ended

# So it is with the lock of a user, which others may wait for, too.
policies_reset
exec {lock}>>"$RUN/locks/$(id -u "$ALICE")"
flock "$lock"
starved sleep 600 >"$WORK/run" 2>&1 {lock}>&- &
STARTED+=("$!")
check "a helper that waits for a user's lock has left the user's cgroup, too" wait_for helper_leaves
exec {lock}>&-
end_started
check "that ends as well" wait_for all_ended
check_fails "and no cgroup of helpers stays" test -e "$(cgroup2_mount)/cloister-helpers"
done_testing
