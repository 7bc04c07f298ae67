#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Both cgroup managers without a login around them: limits under attack, an edited policy, systemd's reload, many
# opens and closes at once, crashes; nothing is left. See cgroup-probe.c.

. "$(dirname "$0")/../lib/test.sh"

DISK=/dev/vdc # the virtual machine's scratch disk
PROBE=$(test_program system/cgroup-probe)

# The probe's checks, with numbers of ours.
probe() { # MANAGER
	local line status=0
	"$PROBE" "$1" "$DISK" >"$WORK/probe" 2>&1 || status=$?
	while IFS= read -r line; do
		case $line in
		"ok "*) pass "$1: ${line#ok * - }" ;;
		"not ok "*) fail "$1: ${line#not ok * - }" ;;
		1..*) ;;
		*) note "$line" ;;
		esac
	done <"$WORK/probe"
	[ "$status" -le 1 ] || fail "$1: the probe ended with status $status"
	grep -q '^1\.\.' "$WORK/probe" || fail "$1: the probe ended early"
}

lacking() {
	local controller mount
	mount=$(findmnt -nfo TARGET -t cgroup2)
	[ -n "$mount" ] || { echo "no cgroup2 mount"; return; }
	for controller in pids memory cpu io; do
		grep -qw "$controller" "$mount/cgroup.controllers" || { echo "cgroup v2 has no $controller controller"; return; }
	done
	[ -b "$DISK" ] || echo "no scratch disk"
}

reason=$(lacking)
for manager in systemd cgroupfs; do
	if [ -n "$reason" ]; then
		skip "$manager: limits, policies, concurrency" "$reason"
	elif [ "$manager" = systemd ] && [ ! -d /run/systemd/system ]; then
		skip "$manager: limits, policies, concurrency" "systemd does not run here"
	else
		probe "$manager"
	fi
done
done_testing
