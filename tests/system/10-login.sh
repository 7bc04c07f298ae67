#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A login lands in a cell: seven namespaces of its own, cloister-init as pid 1, only the cell's processes in sight,
# and the user's cgroup around all of the user's cells.

. "$(dirname "$0")/../lib/test.sh"

HELD=(first second)
hold first alice
hold second alice

check_equal "a command runs as the user" "$ALICE" "$(held first -- id -un)"
check_equal "with the user's groups" "$(id -Gn "$ALICE")" "$(held first -- id -Gn)"
check_equal "in the user's home" "/home/$ALICE" "$(held first -- pwd)"

for ns in user pid mnt ipc uts net cgroup; do
	host=$(readlink "/proc/$$/ns/$ns")
	first=$(held first -- readlink "/proc/self/ns/$ns")
	second=$(held second -- readlink "/proc/self/ns/$ns")
	check_differs "$ns namespace is not the host's" "$host" "$first"
	check_differs "$ns namespace is not that of another login of the user" "$second" "$first"
	check_matches "lsns on the host shows the $ns namespace" "^ *$(tr -cd 0-9 <<<"$first") " \
		"$(lsns -n -t "$ns" -o NS,USER)"
done
check_equal "a second session of one connection is in the same cell" \
	"$(held first -- readlink /proc/self/ns/pid)" "$(held first -- readlink /proc/self/ns/pid)"
check_equal "pid_for_children is the cell's" "$(held first -- readlink /proc/self/ns/pid)" \
	"$(held first -- readlink /proc/self/ns/pid_for_children)"

# lsns names for pid 1 of a cell who owns it: the system user, never the tenant.
check_equal "pid 1 is cloister-init" cloister-init "$(held first -- cat /proc/1/comm)"
check_differs "pid 1 does not belong to the user" "$(id -u "$ALICE")" "$(held first -- stat -c %u /proc/1)"
check_fails "the user cannot end pid 1" held first -- kill -KILL 1

# Only the cell's processes.
held second -- 'sleep 7777 >/dev/null 2>&1 </dev/null &'
check "the host sees a process of the other cell" wait_for pgrep -u "$ALICE" -f '^sleep 7777$'
check_lacks "a cell sees no process of another cell of the user" sleep "$(held first -- ps -e -o comm=)"
check_equal "a cell sees its own processes and no others" "bash cloister-init ps sshd" \
	"$(held first -- 'ps -e -o comm= | cat' | grep -vx cat | sed 's/.*sshd.*/sshd/' | sort -u | xargs)"
outside=$(pgrep -u "$ALICE" -f '^sleep 7777$')
check_fails "a host pid means nothing in the cell" held first -- kill -0 "$outside"

# Where the processes are, seen from the host.
cells_of() { # the pid namespaces of sshd's user processes
	local pid
	for pid in $(user_processes alice); do
		readlink "/proc/$pid/ns/pid"
	done | sort -u
}
check_equal "sshd's user processes are in the two cells" \
	"$(printf '%s\n' "$(held first -- readlink /proc/self/ns/pid)" "$(held second -- readlink /proc/self/ns/pid)" |
		sort)" "$(cells_of)"

cgroups_of() { # EXPRESSION: the cgroups of sshd's user processes, edited
	local pid
	for pid in $(user_processes alice); do
		sed -n 's/^0:://p' "/proc/$pid/cgroup"
	done | sed "$1" | sort -u
}
if have cgroup2-controllers; then
	check_equal "each login has a cgroup of its own" 2 "$(cgroups_of '' | wc -l)"
	check_equal "both are in the user's" 1 "$(cgroups_of 's,/[^/]*$,,' | wc -l)"
	check_matches "which is named for the user" "user-$(id -u "$ALICE")" "$(cgroups_of 's,/[^/]*$,,')"
	check_equal "the cell sees its own cgroup as the root" "0::/" "$(held first -- cat /proc/self/cgroup)"
else
	for what in "each login has a cgroup of its own" "both are in the user's" "which is named for the user" \
		"the cell sees its own cgroup as the root"; do
		skip "$what" "this kernel's cgroup v2 has no controllers"
	done
fi

check_equal "root is exempt and on the host" "$(readlink /proc/$$/ns/pid)" \
	"$(as root -- readlink /proc/self/ns/pid)"
check_equal "so is its mount namespace" "$(readlink /proc/$$/ns/mnt)" "$(as root -- readlink /proc/self/ns/mnt)"

done_testing
