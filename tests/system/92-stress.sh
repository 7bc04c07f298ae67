#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Logins whose helper, monitor or half-built cell is killed at random moments of the open: each is refused or lands
# in a cell, and nothing is left of any. Then logins whose helper is killed while it closes. CLOISTER_SEED repeats a run's moments, CLOISTER_ROUNDS is how many logins.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

AMBUSH=$SITE_DIR/ambush
HOST_PID_NS=$(readlink /proc/self/ns/pid)
ROUNDS=${CLOISTER_ROUNDS:-36}
# Emulated, a round takes ten times as long; and there are two managers to try.
[ "$SITE_MODE" = private ] || ROUNDS=${CLOISTER_ROUNDS:-15}
SEED=${CLOISTER_SEED:-$(date +%s)}

login() {
	SITE_TIMEOUT=120 as alice -- readlink /proc/self/ns/pid </dev/null 2>/dev/null
}

# The next helper is the one of the next login only when that of the last logout has been.
logged_out() {
	! pgrep -f "^[^ ]*sshd(-session)?: $ALICE"
}

lie_in_wait() { # TARGET DELAY
	: >"$WORK/ambush"
	"$AMBUSH" "$1" "$2" "$HELPER" >"$WORK/ambush" &
	AMBUSH_PID=$!
	wait_for grep -q ready "$WORK/ambush"
}

await_outcome() {
	wait "$AMBUSH_PID"
	OUTCOME=$(sed -n 2p "$WORK/ambush")
}

# One login with TARGET killed DELAY microseconds after the helper's start.
ambushed_login() { # TARGET DELAY
	local inside status=0
	wait_for logged_out
	lie_in_wait "$1" "$2"
	inside=$(login) || status=$?
	await_outcome
	case $status/$inside in
	"0/$HOST_PID_NS") OUTSIDE+=" $1:$2" ;;
	0/pid:*) LET_IN=$((LET_IN + 1)) ;;
	124/*) HUNG+=" $1:$2" ;;
	*) REFUSED=$((REFUSED + 1)) ;;
	esac
}

# How long the helper is at work here, in microseconds: the middle of three.
measure() { # AMBUSHED-LOGIN-OR-LOGOUT
	for _ in 1 2 3; do
		"$1" none 0
		printf '%s\n' "${OUTCOME#ran }"
	done | sort -n | sed -n 2p
}

stress() {
	local duration targets=(helper helper helper parent children) round target delay hits=0
	OUTSIDE='' HUNG='' LET_IN=0 REFUSED=0
	duration=$(measure ambushed_login)
	printf '# %s: seed %s, %d rounds, an open takes some %d us\n' "$MANAGER" "$SEED" "$ROUNDS" "$duration"
	for ((round = 1; round <= ROUNDS; round++)); do
		target=${targets[round % ${#targets[@]}]}
		delay=$((duration * (RANDOM % 1000) / 1000))
		ambushed_login "$target" "$delay"
		case $OUTCOME in killed*) hits=$((hits + 1)) ;; esac
		if [ $((round % 12)) -eq 0 ] || [ "$round" -eq "$ROUNDS" ]; then
			wait_for no_processes
			sweep
			check_nothing_left "$MANAGER: round $round: after a sweep nothing is left" "$WORK/before"
		fi
	done
	check_equal "$MANAGER: no login got out of its cell" '' "$OUTSIDE"
	check_equal "$MANAGER: none hung" '' "$HUNG"
	check "$MANAGER: $hits of $ROUNDS were hit, $REFUSED refused, $LET_IN let in" test "$hits" -gt 0 \
		-a "$REFUSED" -gt 0
	check_differs "$MANAGER: the next login is as ever" "$HOST_PID_NS" "$(login)"
	check_nothing_left "$MANAGER: and nothing is left" "$WORK/before"
	check_equal "$MANAGER: other users log in" "$BOB" "$(as bob -- id -un)"
}

ambushed_logout() { # TARGET DELAY
	wait_for logged_out
	hold_cell a1 alice
	held a1 -- "setsid -f sleep 9001 >/dev/null 2>&1 </dev/null"
	lie_in_wait "$1" "$2"
	release a1
	await_outcome
}

stress_close() {
	local duration round delay hits=0 rounds=$((ROUNDS / 3))
	duration=$(measure ambushed_logout)
	printf '# %s: %d rounds, a close takes some %d us\n' "$MANAGER" "$rounds" "$duration"
	for ((round = 1; round <= rounds; round++)); do
		delay=$((duration * (RANDOM % 1000) / 1000))
		ambushed_logout helper "$delay"
		case $OUTCOME in killed*) hits=$((hits + 1)) ;; esac
	done
	check "$MANAGER: $hits of $rounds closes were hit" test "$hits" -gt 0
	check "$MANAGER: the cells end all the same" wait_for no_processes
	sweep
	check_nothing_left "$MANAGER: after a sweep nothing is left of them" "$WORK/before"
}

# The kernel's own count: it sees what no process and no file shows. The slab of each processor counts as full.
net_namespaces() {
	awk '$1 == "net_namespace" { print $2 }' /proc/slabinfo
}

namespaces_settled() { # BEFORE
	local slab
	slab=$(awk '$1 == "net_namespace" { print $5 }' /proc/slabinfo)
	[ "$(net_namespaces)" -le $(($1 + slab * $(nproc))) ]
}

restore() {
	rm -rf --one-file-system "$AMBUSH"
	test_cleanup
}

trap restore EXIT
RANDOM=$SEED
put_program ambush
for MANAGER in $(managers); do
	settings <<<"cgroup_manager = \"$MANAGER\";"
	as alice -- true
	look_before "$WORK/before"
	before=$(net_namespaces)
	stress
	stress_close
	if [ "$SITE_MODE" = private ]; then
		skip "$MANAGER: the kernel holds no namespace" "others on this machine have some"
	else
		check "$MANAGER: the kernel holds no namespace more ($before, now $(net_namespaces))" \
			wait_for namespaces_settled "$before"
	fi
done
done_testing
