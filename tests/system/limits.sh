# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Limits hold, and harm nobody else, with the manager named in MANAGER: what 20-limits-systemd.sh and
# 21-limits-cgroupfs.sh have in common. Every number comes from the kernel's own counters of the cgroup.

. "$(dirname "${BASH_SOURCE[0]}")/../lib/test.sh"
. "$TESTS/system/cells.sh"

MIB=$((1024 * 1024))
LOAD=$SITE_DIR/load
DISK=$SITE_DIR/disk

# Alice's policy: limits CGROUP-SETTINGS.
limits() {
	policy 60-limits <<-POLICY
		policies = ( { name = "limited"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
		  cgroup = { $* }; } );
	POLICY
}

limits_cleanup() {
	local name
	for name in "${!JOB_FD[@]}"; do
		stop_in "$name"
	done
	release "${HELD[@]}"
	! grep -q '^/swapfile ' /proc/swaps || swapoff /swapfile
	! mountpoint -q "$DISK" || umount "$DISK"
	rm -rf --one-file-system "$DISK" "$LOAD"
	test_cleanup
}

# Two logins of alice, and the directories of their cgroups.
two_logins() {
	release a1 a2
	hold_cell a1 alice
	hold_cell a2 alice
	LEAF1=$(cgroup_of "$(init_of a1)")
	LEAF2=$(cgroup_of "$(init_of a2)")
	USER_GROUP=$(dirname "$LEAF1")
}

value() { # FILE of a cgroup
	cat "$1"
}

# Bob has been logged in all the time; now he logs in anew, and so does root.
check_neighbours() { # WHEN
	check_equal "$1: another user logs in" "$BOB" "$(as bob -- id -un)"
	check_equal "$1: root logs in" root "$(as root -- id -un)"
	check_equal "$1: the other user's running login answers" "$BOB" "$(held b1 -- id -un)"
	check_equal "$1: the other user's cgroup saw no limit" '0 0 0 0' \
		"$(counter "$BOB_LEAF/pids.events" max) $(counter "$BOB_LEAF/memory.events" max) \
$(counter "$BOB_LEAF/memory.events" high) $(counter "$BOB_LEAF/memory.events" oom_kill)"
}

test_place() {
	limits 'pids_max = 60; memory_max = "96M"; memory_high = "80M"; swap_max = "16M"; cpu_max = "50%"; cpu_weight = 77;
		session = { pids_max = 40; memory_max = "64M"; memory_high = "60M"; swap_max = 0; cpu_max = "25%";
		cpu_weight = 33; };'
	two_logins
	if [ "$MANAGER" = systemd ]; then
		check_matches "the cell is a scope below the user's slice" \
			"/user\.slice/user-$(user_id alice)\.slice/user-$(user_id alice)-cloister\.slice/cloister-[a-z0-9]{12}\.scope$" \
			"$LEAF1"
		check_equal "systemd knows the scope" active \
			"$(systemctl show -P ActiveState "$(basename "$LEAF1")")"
	else
		check_matches "the cell is a directory of our own" "/cloister/user-$(user_id alice)/[a-z0-9]{12}$" "$LEAF1"
		check "the user's cgroup is the kernel's, not systemd's" test -d "$USER_GROUP"
	fi
	check_equal "two logins of a user share the user's cgroup" "$USER_GROUP" "$(dirname "$LEAF2")"
	check_differs "and have one of their own each" "$LEAF1" "$LEAF2"
	check_equal "sshd's monitor is not in it" 0 \
		"$(grep -cxF "$(pgrep -f "^[^ ]*sshd(-session)?: $ALICE \[priv\]" | head -n 1)" "$LEAF1/cgroup.procs")"
	check_equal "sshd's user process is" 1 "$(grep -cxF "$(user_processes alice | head -n 1)" "$LEAF1/cgroup.procs" \
		"$LEAF2/cgroup.procs" | grep -c ':1$')"
	check_file user pids.max 60
	check_file user memory.max $((96 * MIB))
	check_file user memory.high $((80 * MIB))
	check_file user memory.swap.max $((16 * MIB))
	check_file user cpu.max '50000 100000'
	check_file user cpu.weight 77
	check_file session pids.max 40
	check_file session memory.max $((64 * MIB))
	check_file session memory.high $((60 * MIB))
	check_file session memory.swap.max 0
	check_file session cpu.max '25000 100000'
	check_file session cpu.weight 33
	check_equal "the other user has none of it" "300 $((768 * MIB)) max max 100" \
		"$(value "$BOB_USER/pids.max") $(value "$BOB_USER/memory.max") $(value "$BOB_USER/memory.high") \
$(cut -d' ' -f1 "$BOB_USER/cpu.max") $(value "$BOB_USER/cpu.weight")"
	limits 'memory_max = "400M"; cpu_max = "150%";'
	release a2
	hold_cell a2 alice
	check_equal "limits can be read where runtimes look, the user's too" "$((400 * MIB)) 150000 100000" \
		"$(held a2 -- cat /sys/fs/cgroup/{memory,cpu}.max | xargs)"
	limits 'pids_max = 61;'
	release a2
	hold_cell a2 alice
	check_equal "a changed policy is in force for the user at the next login" 61 "$(value "$USER_GROUP/pids.max")"
	check_equal "and what it no longer says is lifted" "max max max max 100" \
		"$(value "$USER_GROUP/memory.max") $(value "$USER_GROUP/memory.high") $(value "$USER_GROUP/memory.swap.max") \
$(cut -d' ' -f1 "$USER_GROUP/cpu.max") $(value "$USER_GROUP/cpu.weight")"
}

check_file() { # user|session FILE VALUE
	local directory=$USER_GROUP
	[ "$1" = user ] || directory=$LEAF1
	check_equal "$2 of the $1 is $3" "$3" "$(value "$directory/$2")"
}

test_fork_bomb() {
	local forks status=0
	limits 'pids_max = 60; session = { pids_max = 40; };'
	two_logins
	start_in a1 bomb1 "$LOAD" forks 500
	wait_for said bomb1 forks=
	forks=$(sed -n 's/^forks=\([0-9]*\) errno=11$/\1/p' "$WORK/bomb1")
	check "a fork bomb stops below the session's pids_max with EAGAIN ($(tr '\n' ' ' <"$WORK/bomb1"))" \
		test "${forks:-0}" -ge 20 -a "${forks:-0}" -lt 40
	check_equal "the login's cgroup is full" 40 "$(value "$LEAF1/pids.current")"
	check "the kernel counted refused forks there" test "$(counter "$LEAF1/pids.events" max)" -gt 0
	start_in a2 bomb2 "$LOAD" forks 500
	wait_for said bomb2 forks=
	check_equal "a second bomb, in another login, meets the user's pids_max" 60 "$(value "$USER_GROUP/pids.current")"
	check "before its own session's" test "$(value "$LEAF2/pids.current")" -lt 40
	SITE_TIMEOUT=60 as alice -- true >/dev/null 2>&1 || status=$?
	check "a further login of that user ends, one way or another ($status)" test "$status" -ne 124
	check_neighbours "with the user's cgroup full"
	stop_in bomb1
	stop_in bomb2
	wait_for held a1 -- true
	check_equal "after the bomb the login goes on" "$ALICE" "$(held a1 -- id -un)"
}

# ssh's own status for a command that a signal ended is 255.
check_killed() { # DESCRIPTION COMMAND...
	FAILS_WITH=255 check_fails "$@"
}

oom_kills() { # of the whole machine
	counter /proc/vmstat oom_kill
}

test_memory() {
	local before
	limits 'memory_max = "64M"; swap_max = 0; session = { memory_max = "40M"; };'
	two_logins
	before=$(oom_kills)
	check_equal "what fits may be used" touched=16 "$(held a1 -- "$LOAD" memory 16 </dev/null)"
	check_killed "a memory hog is killed" held a1 -- "$LOAD" memory 200 </dev/null
	check_equal "it died in its own cgroup" 1 "$(counter "$LEAF1/memory.events" oom_kill)"
	check_equal "nobody else died" $((before + 1)) "$(oom_kills)"
	check_equal "the user's other login saw nothing" 0 "$(counter "$LEAF2/memory.events" oom_kill)"
	check_equal "the hog's login goes on" "$ALICE" "$(held a1 -- id -un)"
	check_equal "so does the other" "$ALICE" "$(held a2 -- id -un)"
	check_neighbours "after a memory hog"

	limits 'memory_max = "64M"; swap_max = 0;'
	two_logins
	before=$(oom_kills)
	start_in a1 part "$LOAD" memory 40
	wait_for said part touched=40
	held a2 -- "$LOAD" memory 40 </dev/null >/dev/null 2>&1
	check "two logins share the user's memory_max: one hog dies" test "$(counter "$USER_GROUP/memory.events" oom_kill)" -ge 1
	check_equal "all that died were the user's" \
		"$(counter "$USER_GROUP/memory.events" oom_kill)" $(($(oom_kills) - before))
	stop_in part
}

test_swap() {
	check "the guest has swap" swapon /swapfile
	limits 'memory_max = "40M"; swap_max = "64M";'
	two_logins
	start_in a1 hog "$LOAD" memory 60
	wait_for said hog 'touched=|Killed'
	check "with swap_max, more than memory_max is there" said hog '^touched=60$'
	check "it is in swap" test "$(value "$USER_GROUP/memory.swap.current")" -gt $((10 * MIB))
	check "and memory_max held" test "$(value "$USER_GROUP/memory.current")" -le $((40 * MIB))
	stop_in hog

	limits 'memory_max = "40M"; swap_max = "8M";'
	two_logins
	check_killed "past swap_max too, a hog dies" held a1 -- "$LOAD" memory 80 </dev/null
	check "the kernel counted that swap was refused" test "$(counter "$USER_GROUP/memory.swap.events" max)" -gt 0

	limits 'memory_max = "40M"; swap_max = 0;'
	two_logins
	check_killed "with swap_max 0, what swap would have held kills" \
		held a1 -- "$LOAD" memory 60 </dev/null
	check_equal "nothing was swapped" 0 "$(value "$USER_GROUP/memory.swap.current")"

	limits 'memory_high = "32M"; swap_max = "64M";'
	two_logins
	start_in a1 hog "$LOAD" memory 56
	wait_for said hog 'touched=56'
	check "past memory_high nobody dies" said hog '^touched=56$'
	check_equal "by oom either" 0 "$(counter "$USER_GROUP/memory.events" oom_kill)"
	check "but the kernel holds it back" test "$(counter "$USER_GROUP/memory.events" high)" -gt 0
	check "and swaps it out" test "$(value "$USER_GROUP/memory.swap.current")" -gt $((10 * MIB))
	stop_in hog
	check "swap can be turned off again" swapoff /swapfile
}

# What was used of each enforcement period, in tenths of a percent of one processor, and in how many percent of the periods, some
# fifty, the kernel held it back.
cpu_share() { # CGROUP-DIRECTORY
	local usage periods held
	usage=$(counter "$1/cpu.stat" usage_usec) periods=$(counter "$1/cpu.stat" nr_periods) held=$(counter "$1/cpu.stat" nr_throttled)
	sleep 6
	usage=$(($(counter "$1/cpu.stat" usage_usec) - usage)) held=$(($(counter "$1/cpu.stat" nr_throttled) - held))
	periods=$(($(counter "$1/cpu.stat" nr_periods) - periods))
	[ "$periods" -lt 20 ] && echo "0 $periods" && return
	echo $((usage * 1000 / (periods * 100000))) $((held * 100 / periods))
}

# Never more. Less only where the kernel held it back all the time: a processor that does not run, of a busy machine, uses nothing.
check_share() { # DESCRIPTION PERCENT SHARE HELD
	local least=$(($2 * 9))
	[ "$4" -lt 90 ] || least=1
	check "$1: $2 %, within a tenth of that ($3 per mille, held back in $4 % of the periods)" \
		test "$3" -ge $least -a "$3" -le $(($2 * 11))
}

test_cpu() {
	limits 'cpu_max = "30%"; session = { cpu_max = "20%"; };'
	two_logins
	start_in a1 spin1 "$LOAD" spin 2
	wait_for said spin1 spinning=2
	sleep 1
	# shellcheck disable=SC2046
	check_share "two busy loops in one login get the session's cpu_max" 20 $(cpu_share "$LEAF1")
	start_in a2 spin2 "$LOAD" spin 2
	wait_for said spin2 spinning=2
	sleep 1
	# shellcheck disable=SC2046
	check_share "four in two logins get the user's" 30 $(cpu_share "$USER_GROUP")
	check "the kernel throttled" test "$(counter "$USER_GROUP/cpu.stat" nr_throttled)" -gt 0
	check_neighbours "while another user's loops run"
	check_equal "the other user was not throttled" 0 "$(counter "$BOB_USER/cpu.stat" nr_throttled)"
	stop_in spin1
	stop_in spin2
}

io_line() { # FILE DEVICE
	sed -n "s/^$2 //p" "$1"
}

test_io() {
	local root disk before after
	mkfs.ext4 -q -F /dev/vdc
	mkdir -p "$DISK"
	mount /dev/vdc "$DISK"
	install -d -o "$ALICE" "$DISK/alice"
	root=$(findmnt -n -o MAJ:MIN / | tr -d ' ')
	disk=$(lsblk -d -n -o MAJ:MIN /dev/vdc | tr -d ' ')
	check_differs "the machine has two disks" "$root" "$disk"
	limits "io = ( { path = \"/usr\"; rbps = \"50M\"; wiops = 1000; },
		{ path = \"$DISK\"; rbps = \"1M\"; wbps = \"2M\"; riops = 2000; } );
		session = { io = ( { path = \"/dev/vdc\"; wiops = 3000; } ); };"
	two_logins
	check_equal "io.max is set on the disk of the root filesystem" \
		'rbps=52428800 wbps=max riops=max wiops=1000' "$(io_line "$USER_GROUP/io.max" "$root")"
	check_equal "and on the other one" \
		'rbps=1048576 wbps=2097152 riops=2000 wiops=max' "$(io_line "$USER_GROUP/io.max" "$disk")"
	check_equal "and on no third" 2 "$(grep -c . "$USER_GROUP/io.max")"
	check_equal "the session's is set on the block device named" \
		'rbps=max wbps=max riops=max wiops=3000' "$(io_line "$LEAF1/io.max" "$disk")"
	dd if=/dev/zero of="$DISK/alice/file" bs=1M count=4 conv=fsync 2>/dev/null
	echo 3 >/proc/sys/vm/drop_caches
	before=$(cut -d. -f1 /proc/uptime)
	check "the user reads it" held a1 -- dd "if=$DISK/alice/file" of=/dev/null bs=64k iflag=direct
	after=$(cut -d. -f1 /proc/uptime)
	check "4 MiB at 1 MiB a second take more than 2 seconds" test $((after - before)) -ge 2
	check "the kernel counted the bytes on that disk" test \
		"$(io_line "$LEAF1/io.stat" "$disk" | tr ' ' '\n' | sed -n 's/^rbytes=//p')" -ge $((4 * MIB))
	limits 'pids_max = 100;'
	hold_cell a3 alice
	check_equal "a policy without io lifts the limits" '' "$(value "$USER_GROUP/io.max")"
	release a1 a2 a3
	umount "$DISK"
}

main() {
	local part
	for part in place fork_bomb memory swap cpu io; do
		if ! have cgroup2-controllers; then
			skip "$MANAGER: $part" "this machine has no cgroup v2 controllers"
		elif [ "$MANAGER" = systemd ] && ! have systemd; then
			skip "$MANAGER: $part" "systemd does not run here"
		else
			"test_$part"
		fi
	done
}

prepare() {
	put_program load
	settings <<<"cgroup_manager = \"$MANAGER\";"
	hold_cell b1 bob
	BOB_LEAF=$(cgroup_of "$(init_of b1)")
	BOB_USER=$(dirname "$BOB_LEAF")
}

trap limits_cleanup EXIT
! have cgroup2-controllers || prepare
main
done_testing
