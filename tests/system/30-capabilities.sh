#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The five capability sets are what the policy says, for sshd's own process of the user and for the shell; and they
# count: a port below 1024 opens with the ambient NET_BIND_SERVICE alone.

. "$(dirname "$0")/../lib/test.sh"

# capability.h's numbers: Docker's fourteen are 0 1 3 4 5 6 7 8 10 13 18 27 29 31.
DOCKER=00000000a80425fb
LAST=$(cat /proc/sys/kernel/cap_last_cap)
ALL=$(printf '%016x' $(((1 << (LAST + 1)) - 1)))
NONE=0000000000000000
net=$(share "$TESTS/lib/net.py")/net.py

sets() { # the five sets of a status file: Inh Prm Eff Bnd Amb
	sed -n 's/^Cap\(Inh\|Prm\|Eff\|Bnd\|Amb\):\t//p' | xargs
}

# A policy's block, and what follows from it.
check_sets() { # NAME CAPABILITIES-BLOCK BOUNDING AMBIENT [MORE]
	local expected="$4 $4 $4 $3 $4" pid
	policy 60-caps <<-EOT
		policies = ( { name = "caps"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
		  capabilities = { $2 }; ${5-} } );
	EOT
	check "$1: the policy is valid" ctl --config "$CONF" check
	HELD=("$1")
	check "$1: a login" hold "$1" alice
	check_equal "$1: the shell's sets" "$expected" "$(held "$1" -- cat /proc/self/status | sets)"
	pid=$(user_processes alice)
	check_equal "$1: the sets of sshd's own process" "$expected" "$(sets <"/proc/$pid/status")"
	check_equal "$1: no_new_privs is on" 1 "$(held "$1" -- sed -n "'s/^NoNewPrivs:\t//p'" /proc/self/status)"
	check_equal "$1: capsh agrees on the bounding set" "$(capsh --decode="$3" | sed 's/.*=//')" \
		"$(held "$1" -- /usr/sbin/capsh --print | sed -n 's/^Bounding set =//p')"
	check_equal "$1: and on the ambient set" "$(capsh --decode="$4" | sed 's/.*=//')" \
		"$(held "$1" -- /usr/sbin/capsh --print | sed -n 's/^Ambient set =//p')"
	if [ "$4" != "$NONE" ]; then
		check "$1: what is ambient counts" held "$1" -- "$net" bind 80
	else
		check_fails "$1: what is bounding alone does not count" held "$1" -- "$net" bind 80
	fi
	check_fails "$1: a setuid program gives nothing" held "$1" -- \
		"mount -t tmpfs none /mnt || /usr/bin/su -c true </dev/null"
	release "$1"
	wait_for check_gone
}

check_gone() {
	[ -z "$(user_processes alice)" ]
}

check_sets none 'bounding = ["NONE"];' $NONE $NONE
check_sets default 'bounding = ["DEFAULT"];' $DOCKER $NONE
check_sets all 'bounding = ["ALL"];' "$ALL" $NONE
check_sets named 'bounding = ["CHOWN", "NET_RAW"];' 0000000000002001 $NONE
check_sets add 'bounding = ["NONE"]; add = ["NET_BIND_SERVICE"];' 0000000000000400 $NONE
check_sets drop 'bounding = ["DEFAULT"]; drop = ["CHOWN", "SETFCAP"];' 00000000280425fa $NONE
check_sets add-and-drop 'bounding = ["DEFAULT"]; add = ["SYS_PTRACE"]; drop = ["KILL"];' 00000000a80c25db $NONE
check_sets ambient 'bounding = ["NET_BIND_SERVICE", "NET_RAW"]; ambient = ["NET_BIND_SERVICE"];' \
	0000000000002400 0000000000000400 'namespaces = { identity = "plain"; };'

done_testing
