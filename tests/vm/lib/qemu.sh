# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The virtual machine itself: one command line for building, saving and
# restoring (they must not differ), its monitor, and the choice of accelerator.
# Disks: vda root, vdb what `vm push` sends, vdc 256 MB of scratch. Serial ports: ttyS0 is the log; a wire joins ttyS1 and ttyS2.

GUEST_RAM=1536M
GUEST_CMDLINE='root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 mitigations=off nokaslr'
QEMU=()
PUSH_SIZE=512M
SCRATCH_SIZE=256M

qemu_cpu() { # ACCEL
	if [ "$1" = kvm ]; then
		printf '%s\n' -accel kvm -cpu host
	else
		printf '%s\n' -accel tcg,thread=multi,tb-size=512 -cpu Nehalem-v1
	fi
}

# Fills the array QEMU. RAM is a file when saving and restoring.
qemu_command() { # ACCEL IMAGE DIR RAMFILE SHARE PORT PORT22
	local accel=$1 image=$2 dir=$3 ram=$4 share=$5 port=$6 port22=$7
	mapfile -t QEMU < <(qemu_cpu "$accel")
	# shellcheck disable=SC2054
	QEMU=(
		qemu-system-x86_64 -nodefaults -no-user-config -display none
		-M q35,memory-backend=ram "${QEMU[@]}" -smp 2 -m "$GUEST_RAM"
		-object "memory-backend-file,id=ram,size=$GUEST_RAM,mem-path=$ram,share=$share"
		-kernel "$image/vmlinux" -initrd "$image/initrd" -append "$GUEST_CMDLINE"
		-rtc base=utc,clock=host
		-serial "file:$dir/console.log"
		-chardev "socket,id=wire,path=$dir/wire,server=on,wait=off" -device isa-serial,chardev=wire,index=1
		-chardev "socket,id=wire-end,path=$dir/wire" -device isa-serial,chardev=wire-end,index=2,irq=5
		-monitor "unix:$dir/monitor,server=on,wait=off"
		-drive "if=none,id=root,file=$dir/root.qcow2,format=qcow2,cache=unsafe,discard=unmap"
		-device virtio-blk-pci,drive=root
		-drive "if=none,id=push,file=$dir/push.img,format=raw,cache=writeback,file.locking=off"
		-device virtio-blk-pci,drive=push
		-drive "if=none,id=scratch,file=$dir/scratch.img,format=raw,cache=unsafe"
		-device virtio-blk-pci,drive=scratch
		-netdev "user,id=net,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:$port-:2022,hostfwd=tcp:127.0.0.1:$port22-:22"
		-device virtio-net-pci,netdev=net,romfile=
	)
}

# A backing file without a leading / is relative to DIR: what is kept names no path of the cache, which may be moved or reached
# through a link.
make_disks() { # DIR BACKING BACKINGFORMAT
	qemu-img create -q -f qcow2 -b "$2" -F "$3" "$1/root.qcow2"
	truncate -s "$PUSH_SIZE" "$1/push.img"
	truncate -s "$SCRATCH_SIZE" "$1/scratch.img"
}

# Sends lines to the monitor and prints what it says without its echo of them;
# `quit` ends the machine.
monitor() { # SOCKET LINE...
	local socket=$1
	shift
	printf '%s\n' "$@" | socat -t 120 - "UNIX-CONNECT:$socket" |
		LC_ALL=C sed '/\x1b/d'
}

# Two free neighbouring loopback ports, as far as one can tell beforehand.
pick_port() {
	local port used
	used=$(ss -Htanl | awk '{ print $4 }')
	while :; do
		port=$((20000 + (RANDOM * 32768 + RANDOM) % 20000 * 2))
		grep -E ":($port|$((port + 1)))\$" >/dev/null <<<"$used" || break
	done
	printf '%s\n' "$port"
}

# A /dev/kvm can be there and still stall: only a kernel that reached its first
# program within the deadline counts. The answer is kept until the next boot.
accelerator() { # IMAGE
	local answer_file answer
	if [ -n "${CLOISTER_VM_ACCEL:-}" ]; then
		printf '%s\n' "$CLOISTER_VM_ACCEL"
		return
	fi
	answer_file=$CACHE/accel-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -s "$answer_file" ]; then
		rm -f "$CACHE"/accel-*
		answer=tcg
		[ ! -w /dev/kvm ] || ! kvm_works "$1" || answer=kvm
		printf '%s\n' "$answer" >"$answer_file.$BASHPID"
		mv "$answer_file.$BASHPID" "$answer_file"
	fi
	cat "$answer_file"
}

kvm_works() { # IMAGE
	timeout -k 1 10 qemu-system-x86_64 -nodefaults -no-user-config -display none \
		-M q35 -accel kvm -cpu host -m 512 -no-reboot \
		-kernel "$1/vmlinux" -initrd "$1/initrd" \
		-append "console=ttyS0 quiet probe" -serial stdio </dev/null 2>/dev/null |
		grep -a guest-probe-ok >/dev/null
}
