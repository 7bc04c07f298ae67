# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The guest image: root.img, vmlinux, initrd and keys in image-KEY/, and in
# image-KEY/snap-KEY/ the machine as it was shortly after its boot. A directory
# gets its final name when it is complete, so a partial build never counts.

DISK_SLACK_MB=3072

image_key() { # SUITE
	key_of "$1" "$GUEST_RAM" "$GUEST_CMDLINE" -- \
		lib/common.sh lib/image.sh lib/fetch-debs lib/initrd-init guest packages/guest packages/fetched
}

snapshot_key() { # ACCEL
	key_of "$1" "$(qemu-system-x86_64 --version)" -- lib/qemu.sh
}

image_dir() { # SUITE
	printf '%s/%s/image-%s\n' "$CACHE" "$1" "$(image_key "$1")"
}

# Needs an existing image: probing the accelerator boots its kernel.
snapshot_dir() { # IMAGE
	local accel
	accel=$(accelerator "$1")
	printf '%s/snap-%s\n' "$1" "$(snapshot_key "$accel")"
}

vm_image() {
	need_args 1 'image SUITE' "$@"
	check_suite "$1"
	with_lock "$CACHE/$1/image.lock" ensure_image "$1"
}

ensure_image() { # SUITE
	local image snap
	image=$(image_dir "$1")
	if [ ! -d "$image" ]; then
		rm -rf --one-file-system "$CACHE/$1"/image-*
		build_image "$1" "$image"
	fi
	snap=$(snapshot_dir "$image")
	if [ ! -d "$snap" ]; then
		rm -rf --one-file-system "$image"/snap-*
		build_snapshot "$image" "$snap"
	fi
}

build_image() { # SUITE IMAGE
	local suite=$1 image=$2 work=$2.tmp begun=$SECONDS packages
	say "building the $suite guest image"
	rm -rf --one-file-system "$work"
	mkdir -p "$work"
	packages=$(package_list guest | paste -sd,)
	mapfile -t fetched < <(package_list fetched)
	debian_tree "$suite" "$work/tree" apt "$packages" --dpkgopt='path-exclude=/usr/share/pam-configs/sss' \
		--customize-hook="'$VM_DIR/lib/fetch-debs' '$work/fetched' ${fetched[*]}"
	make_keys "$work"
	add_kernel "$work"
	configure_guest "$work"
	make_initrd "$work"
	make_root_disk "$work"
	rm -rf --one-file-system "$work/tree" "$work/fetched"
	sync -f "$work"
	mv "$work" "$image"
	say "built it in $((SECONDS - begun)) s"
}

make_keys() { # WORK
	ssh-keygen -q -t ed25519 -N '' -C driver -f "$1/id_ed25519"
	ssh-keygen -q -t ed25519 -N '' -C guest -f "$1/host_key"
	printf 'guest %s\n' "$(cat "$1/host_key.pub")" >"$1/known_hosts"
}

# Modules go into the tree, the kernel beside it as the uncompressed ELF file.
add_kernel() { # WORK
	local work=$1 tree=$1/fetched/tree version modules
	modules=$(compgen -G "$tree/lib/modules/*" || compgen -G "$tree/usr/lib/modules/*") ||
		die "the kernel package has no modules"
	version=${modules##*/}
	mkdir -p "$work/tree/usr/lib/modules" "$work/tree/boot" "$work/tree/usr/share/containers"
	mv "$modules" "$work/tree/usr/lib/modules/"
	cp "$tree/boot/config-$version" "$work/tree/boot/"
	depmod -b "$work/tree" "$version"
	unpack_kernel "$tree/boot/vmlinuz-$version" "$work/vmlinux"
	cp "$tree/usr/share/containers/seccomp.json" "$work/tree/usr/share/containers/"
	printf '%s\n' "$version" >"$work/kernel-version"
}

unpack_kernel() { # VMLINUZ VMLINUX
	try_unpack "$1" "$2" '\xfd7zXZ\x00' xz -dc ||
		try_unpack "$1" "$2" '\x28\xb5\x2f\xfd' zstd -qdc ||
		try_unpack "$1" "$2" '\x1f\x8b\x08' gzip -qdc ||
		try_unpack "$1" "$2" '\x02\x21\x4c\x18' lz4 -qdc ||
		die "can't unpack the kernel"
}

# What follows the compressed kernel makes the unpacker complain: its output is
# judged, not its exit status.
try_unpack() { # VMLINUZ VMLINUX MAGIC UNPACKER...
	local vmlinuz=$1 vmlinux=$2 magic=$3 offset
	shift 3
	while read -r offset; do
		tail -c "+$((offset + 1))" "$vmlinuz" | "$@" >"$vmlinux" 2>/dev/null || true
		[ "$(head -c 4 "$vmlinux" | tr -d '\0')" != $'\x7fELF' ] || return 0
	done < <(LC_ALL=C grep -obUaP "$magic" "$vmlinuz" | cut -d: -f1)
	return 1
}

configure_guest() { # WORK
	local work=$1 tree=$1/tree unit
	rm -rf "$tree/etc/hosts" "$tree/etc/fstab" "$tree"/etc/dpkg/dpkg.cfg.d/99mmdebstrap
	leave_idle "$tree" slapd podman netavark sssd systemd-resolved
	cp -r --no-preserve=ownership "$VM_DIR/guest/." "$tree/"
	install -m 600 "$work/host_key" "$tree/etc/ssh-driver/host_key"
	install -m 600 "$work/id_ed25519.pub" "$tree/etc/ssh-driver/authorized_keys"
	rm -f "$work/host_key" "$work/host_key.pub"
	echo guest >"$tree/etc/hostname"
	rm -f "$tree/etc/resolv.conf" # systemd-resolved's link
	: >"$tree/etc/resolv.conf"
	echo 0123456789abcdef0123456789abcdef >"$tree/etc/machine-id"
	mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
	for unit in ssh-driver.service guest-network.service guest-swapfile.service; do
		ln -s "/etc/systemd/system/$unit" "$tree/etc/systemd/system/multi-user.target.wants/"
	done
	# Timers that would run at a random moment of a test.
	for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
		e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-tmpfiles-clean.timer; do
		[ ! -e "$tree/usr/lib/systemd/system/$unit" ] || ln -sf /dev/null "$tree/etc/systemd/system/$unit"
	done
}

# What only some tests start: of these packages no unit runs, neither in the system nor for users; PAM and NSS are as without them.
leave_idle() { # TREE PACKAGE-PREFIX...
	local tree=$1 prefix unit
	shift
	ln -sf /dev/null "$tree/etc/systemd/system/slapd.service"
	for prefix; do
		find "$tree/var/lib/dpkg/info" -name "$prefix*.list" -exec cat {} +
	done | sed -nE 's,^(/usr)?/lib/systemd/system/([^/@]+\.(service|socket|timer))$,\2,p' | while read -r unit; do
		ln -sf /dev/null "$tree/etc/systemd/system/$unit"
	done
	rm -f "$tree"/etc/systemd/user/*.wants/{podman,gpg-agent,dirmngr,keyboxd}*
	sed -i -E 's/[[:space:]]+sss\b//; /^[a-z]+:[[:space:]]*$/d' "$tree/etc/nsswitch.conf"
	! grep -rw sss "$tree/etc/pam.d" "$tree/etc/nsswitch.conf" >&2 || die "sssd is in the stock PAM stack or NSS"
}

make_initrd() { # WORK
	local work=$1 dir=$1/initrd.d version applet
	version=$(cat "$work/kernel-version")
	mkdir -p "$dir"/{bin,proc,dev,root,modules}
	cp "$(compgen -G "$work/fetched/tree/bin/busybox" || echo "$work/fetched/tree/usr/bin/busybox")" "$dir/bin/"
	for applet in sh mount umount grep insmod poweroff sleep switch_root; do
		ln -s busybox "$dir/bin/$applet"
	done
	install -m 755 "$VM_DIR/lib/initrd-init" "$dir/init"
	add_modules "$work/tree" "$version" "$dir/modules" virtio_pci virtio_blk crc32c_generic ext4
	(cd "$dir" && find . -print0 | cpio --quiet -0 -o -H newc -R 0:0) >"$work/initrd"
	rm -rf "$dir"
}

add_modules() { # TREE VERSION DIR MODULE...
	local tree=$1 version=$2 dir=$3 module kind path
	shift 3
	: >"$dir/order.all"
	for module in "$@"; do
		modprobe -d "$tree" -S "$version" --show-depends "$module" 2>/dev/null || true
	done | while read -r kind path; do
		[ "$kind" = insmod ] || continue
		path=${path%% *}
		module=$(basename "$path" .xz)
		if [ "$path" != "${path%.xz}" ]; then
			xz -dc "$path" >"$dir/$module"
		else
			cp "$path" "$dir/$module"
		fi
		echo "$module" >>"$dir/order.all"
	done
	awk '!seen[$0]++' "$dir/order.all" >"$dir/order"
	rm "$dir/order.all"
}

make_root_disk() { # WORK
	local work=$1 size
	size=$(($(du -sm "$work/tree" | cut -f1) * 11 / 10 + DISK_SLACK_MB))
	truncate -s "${size}M" "$work/root.img"
	mke2fs -q -t ext4 -L root -m 1 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard \
		-d "$work/tree" "$work/root.img" >&2
}

build_snapshot() { # IMAGE SNAP
	local image=$1 snap=$2 work=$2.tmp begun=$SECONDS
	rm -rf --one-file-system "$work"
	mkdir -p "$work"
	say "booting the guest once, accelerator $(accelerator "$image")"
	if save_snapshot "$image" "$work"; then
		rm -f "$work"/{monitor,push.img,scratch.img,qemu.log,console.log,boot.log}
		sync -f "$work"
		mv "$work" "$snap"
		say "saved the snapshot in $((SECONDS - begun)) s"
		return
	fi
	tail -n 30 "$work/console.log" "$work/qemu.log" >&2 || true
	die "the guest did not come up"
}

save_snapshot() { # IMAGE WORK
	local image=$1 work=$2 port qemu status=1
	port=$(pick_port)
	make_disks "$work" ../root.img raw
	qemu_command "$(accelerator "$image")" "$image" "$work" "$work/ram" on "$port" "$((port + 1))"
	# shellcheck disable=SC2153
	setpriv --pdeathsig KILL "${QEMU[@]}" >"$work/qemu.log" 2>&1 </dev/null 9>&- &
	qemu=$!
	if settle_guest "$image" "$port" "$qemu" >"$work/boot.log" 2>&1; then
		monitor "$work/monitor" 'migrate_set_capability x-ignore-shared on' \
			"migrate \"exec:cat >$work/state\"" 'info migrate' quit >"$work/qemu.log" 2>&1 || true
		grep -a 'Migration status: completed' "$work/qemu.log" >/dev/null && status=0
	else
		cat "$work/boot.log" >&2
	fi
	kill "$qemu" 2>/dev/null || true
	wait "$qemu" 2>/dev/null || true
	return "$status"
}

# Waits for the driver's sshd, then lets the guest finish what it does after a
# boot and load what tests are going to use.
settle_guest() { # IMAGE PORT PID
	local image=$1 port=$2 pid=$3 deadline=$((SECONDS + 240))
	until driver_ssh "$image" "$port" true; do
		kill -0 "$pid" 2>/dev/null || return 1
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.5
	done
	driver_ssh "$image" "$port" 'bash -s' <<'EOF'
set -eu
state=$(timeout 180 systemctl is-system-running --wait) || true
if [ "$state" != running ]; then
	systemctl --failed --no-legend
	exit 1
fi
test "$(cat /sys/module/apparmor/parameters/enabled)" = Y
test -e /swapfile
ssh-keyscan -p 22 localhost >/dev/null 2>&1 || true
python3 -c 'import json, socket, subprocess'
systemctl is-active ssh cron atd dbus systemd-logind >/dev/null
for i in $(seq 30); do
	[ -z "$(systemctl list-jobs --no-legend)" ] && break
	sleep 1
done
sync
sleep 2
EOF
}

# One connection of its own, for the time before an instance has a kept one.
driver_ssh() { # IMAGE PORT CMD...
	local image=$1 port=$2
	shift 2
	ssh -F none -o BatchMode=yes -o ConnectTimeout=20 -o LogLevel=ERROR \
		-o HostKeyAlias=guest -o UserKnownHostsFile="$image/known_hosts" \
		-o IdentitiesOnly=yes -i "$image/id_ed25519" -p "$port" root@127.0.0.1 "$@"
}
