#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is the host's or a neighbour's: files, control sockets, devices, the kernel's own, and every way that two processes
# have to reach each other. The same program asks outside of a cell, where the user reaches much of it, and inside.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"
. "$TESTS/system/commands.sh"

ALICE_RUN=/run/user/$(user_id alice) BOB_RUN=/run/user/$(user_id bob)

FILES=(
	/etc/shadow /etc/shadow- /etc/gshadow /etc/gshadow- /etc/sudoers /etc/security/opasswd /etc/ssl/private
	/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key
	/root /root/.ssh /root/.bash_history /boot "/boot/vmlinuz-$(uname -r)" "/boot/System.map-$(uname -r)"
	/home/{"$BOB","$CAROL","$DAVE"} "/home/$BOB/open"
	/var/log /var/log/{wtmp,btmp,lastlog,auth.log,syslog,dpkg.log,journal,apt} /run/log/journal
	/var/spool/cron /var/spool/cron/crontabs "/var/spool/cron/crontabs/$BOB"
	"$RUN" "$RUN/cells" "$RUN/locks" "$STATE" "$STATE/policy" "$STATE/seccomp"
	/run/utmp /run/sshd.pid /run/lock /run/screen /run/sudo "$BOB_RUN" /run/systemd/{sessions,users,seats,machines,units}
)
SOCKETS=(
	/run/dbus/system_bus_socket /run/systemd/private /run/systemd/notify /run/systemd/journal/{socket,stdout,dev-log}
	/run/systemd/userdb/io.systemd.DynamicUser /run/systemd/io.system.ManagedOOM /run/udev/control /dev/log
	/run/nscd/socket {"$ALICE_RUN","$BOB_RUN"}/{bus,systemd/private,gnupg/S.gpg-agent}
)
SERVICES=(
	/run/docker.sock /var/run/docker.sock /run/containerd/containerd.sock /run/podman/podman.sock /run/crio/crio.sock
	/run/libvirt/libvirt-sock /run/lxd/unix.socket /run/snapd.socket /run/postgresql/.s.PGSQL.5432
	/run/mysqld/mysqld.sock /run/cups/cups.sock /run/pcscd/pcscd.comm /run/acpid.socket
)
KERNEL=(
	/proc/{kcore,kallsyms,keys,timer_list,sched_debug,slabinfo,vmallocinfo,kpagecount,kpageflags,interrupts,acpi,scsi}
	/proc/1/{environ,root,fd,maps}
	/sys/{firmware,kernel/debug,kernel/tracing,kernel/security,fs/bpf,fs/pstore,devices/virtual/powercap}
	/dev/{mem,kmem,port,kmsg,vda,vdb,vdc,sda,loop0,loop-control,fuse,net/tun,snapshot,input,vcs,vcs1,tty1,cpu/0/msr,hpet,rtc0}
)

# Sockets of services that are not installed here are stood in for by one that everyone may use.
stand_in() { # PATH...
	local path folder
	for path; do
		[ ! -e "$path" ] || continue
		folder=$(dirname "$path")
		while [ ! -d "$folder" ]; do
			FOLDERS+=("$folder")
			folder=$(dirname "$folder")
		done
	done
	for folder in $(printf '%s\n' "${FOLDERS[@]}" | sort -u); do
		undo_note directory "$folder"
		mkdir -m 755 "$folder"
	done
	for path; do
		[ -e "$path" ] || undo_note file "$path"
	done
	start READY "$PROBE" listen "$@" 2>"$WORK/made"
}
FOLDERS=()

# A file that its owner leaves open to all, where neighbours have no business.
open_file() { # PATH OWNER
	[ ! -e "$1" ] || return 0
	undo_note file "$1"
	install -m 644 -o "$2" /dev/null "$1"
	echo secret >"$1"
}

cleanup() {
	local path
	exec {NEIGHBOUR_INPUT}>&-
	test_cleanup
	sed -n 's/^made //p' "$WORK.made" | while read -r path; do
		rm -f "$path"
	done
	printf '%s\n' "${FOLDERS[@]}" | sort -ru | while read -r path; do
		[ -z "$path" ] || rmdir "$path" 2>/dev/null
	done
	rm -f "$WORK.made"
}

PROBE=$(share "$TESTS/system/secrets.py")/secrets.py
exec {NEIGHBOUR_INPUT}<>/dev/null
trap cleanup EXIT
chmod 755 "/home/$BOB"
open_file "/home/$BOB/open" "$BOB"
stand_in "${SERVICES[@]}"
cp "$WORK/made" "$WORK.made"
check_equal "what is not installed is stood in for" ready "$READY"

# Bob, outside of every cell, leaves all that he has open to everyone.
NAME=$SITE_PREFIX-secret
mkfifo "$WORK/neighbour"
for path in /dev/shm /tmp /var/tmp /dev/mqueue; do
	undo_note file "$path/$NAME"
	rm -f "$path/$NAME"
done
start NEIGHBOUR setpriv --reuid "$BOB" --regid "$BOB" --init-groups "$PROBE" hold "$NAME" <>"$WORK/neighbour"
read -r NEIGHBOUR_PID NEIGHBOUR_PORT <<<"$NEIGHBOUR"
check_differs "a neighbour is there" '' "$NEIGHBOUR_PORT"

ASKED=("${FILES[@]}" "${SOCKETS[@]}" "${SERVICES[@]}" "${KERNEL[@]}")
QUESTION=("$PROBE" reach "$NAME" "$NEIGHBOUR_PID" "$NEIGHBOUR_PORT" "${ASKED[@]}")
note "$(printf '%s\n' "${ASKED[@]}" | wc -l) paths are tried, and 12 other ways"
check "at least 60 paths are tried" test "${#ASKED[@]}" -ge 60

outside=$(tenant alice "${QUESTION[@]}")
note "outside of a cell the user reaches $(wc -l <<<"$outside") of them"
for what in "/home/$BOB/open" /var/log /run/docker.sock "a neighbour's abstract socket" "a neighbour's port" \
	"a neighbour's System V segment" "a neighbour's POSIX queue" "a neighbour's shared memory" \
	"a neighbour's file in /tmp" "a neighbour's process, in /proc"; do
	check_equal "outside of a cell it is reached: $what" "$what" "$(grep -xF "$what" <<<"$outside")"
done
check "and 20 others" test "$(wc -l <<<"$outside")" -ge 30

inside=$(as alice -- "${QUESTION[*]@Q}")
check_equal "inside of a cell nothing is reached" '' "$inside"
check "the question was asked" as alice -- "[ -x $PROBE ] && $PROBE reach x 1 1 /etc/passwd | grep -x /etc/passwd"

# Nor does a second cell of the same user meet the first, but for the user's own files.
hold_cell a1 alice
# shellcheck disable=SC2016
held a1 -- "mkfifo .wait; setsid -f $PROBE hold $NAME-own <>.wait >.said 2>&1; while ! [ -s .said ]; do sleep 0.1; done"
read -r NEIGHBOUR_PID NEIGHBOUR_PORT <<<"$(held a1 -- cat .said)"
check_matches "it reaches its own" "a neighbour's abstract socket" \
	"$(held a1 -- "$PROBE" reach "$NAME-own" "$NEIGHBOUR_PID" "$NEIGHBOUR_PORT")"
check_equal "another cell of the user's does not" '' \
	"$(as alice -- "$PROBE" reach "$NAME-own" "$NEIGHBOUR_PID" "$NEIGHBOUR_PORT" | grep -v 'by a signal\|in /proc')"
held a1 -- rm -f .wait .said

done_testing
