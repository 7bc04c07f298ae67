#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Homes on NFS with root_squash, where root is nobody: of the kernel's own server, on loopback, mounted by hand and by an automounter.
# No package is needed: what mountd(8) would tell the kernel is written here.

. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cells.sh"
. "$(dirname "$0")/homes.sh"

place=/srv/$SITE_PREFIX-nfs
undo_note tree "$place"
undo_note mount "$place/homes"
undo_note mount "$place/auto/dave"
automount=$(have systemd && systemd-escape -p --suffix=automount "$place/auto/dave")
clear_place() {
	test_cleanup
	wait_for usermod -d "$home_of_dave" "$DAVE"
	wait_for nothing_runs || helper sweep >/dev/null
	! have systemd || systemctl stop "$automount" "${automount%.automount}.mount" 2>/dev/null
	rm -f "/run/systemd/system/${automount%.automount}".*
	! mountpoint -q "$place/homes" || umount -l "$place/homes"
	[ ! -e /proc/fs/nfsd/threads ] || echo 0 >/proc/fs/nfsd/threads
	rm -rf --one-file-system "$place"
}

if ! modprobe -q -a nfsd nfsv4 2>/dev/null || ! { mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd; } 2>/dev/null; then
	skip "homes on NFS" "this kernel has no NFS server"
	done_testing
	exit
fi
[ "$(cat /proc/fs/nfsd/threads)" = 0 ] || site_die "this machine is an NFS server already"
trap clear_place EXIT

mkdir -p "$place/export" "$place/homes" "$place/auto"
chmod 755 "$place" "$place"/*
make_home "$place/export/dave"
make_home "$place/export/other"
chown -R "$BOB:" "$place/export/other"

# What mountd answers: who asks, what is exported to them with which flags, and which file system has the number 0. Somebody must
# have the channels open, or the kernel does not wait for answers.
tell() { # CACHE LINE
	printf '%s\n' "$2" >"/proc/net/rpc/$1/channel"
}
exec 5</proc/net/rpc/auth.unix.ip/channel 6</proc/net/rpc/nfsd.export/channel 7</proc/net/rpc/nfsd.fh/channel
never=2147483647 flags=$((0x2 + 0x4 + 0x400 + 0x2000)) # insecure, root_squash, no_subtree_check, fsid
echo 10 >/proc/fs/nfsd/nfsv4gracetime
echo 10 >/proc/fs/nfsd/nfsv4leasetime
echo "-3 +4 +4.2" >/proc/fs/nfsd/versions
echo 2 >/proc/fs/nfsd/threads
tell auth.unix.ip "nfsd 127.0.0.1 $never loopback"
tell nfsd.export "loopback $place/export $never $flags 65534 65534 0"
tell nfsd.fh "loopback 1 \\x00000000 $never $place/export"
mount_options=vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1,sec=sys,soft,timeo=100,retrans=2
timeout 60 mount -i -t nfs4 -o "$mount_options" 127.0.0.1:/ "$place/homes" || site_die "the kernel's NFS does not mount"

check_equal "it is NFS" nfs4 "$(findmnt -n -o FSTYPE "$place/homes")"
check_fails "which root cannot look into" ls "$place/homes/dave"
check_equal "its user can" "of $place/export/dave" "$(setpriv --reuid "$uid" --regid "$gid" --clear-groups cat "$place/homes/dave/mark")"

kinds=("bind written" "readonly refused" "tmpfs written")
[ "$(python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))')" -lt 2 ] || kinds+=("bind written landlock=true")
for kind in "${kinds[@]}"; do
	read -r home written more <<<"$kind"
	files_home "$home" "$more"
	home_is "$place/homes/dave"
	mark="of $place/export/dave"
	[ "$home" != tmpfs ] || mark=
	check_home "on NFS${more:+ with $more}" "$mark" "$written"
	check "$home: the host has what was written, or not" test "$home" = bind -a -e "$place/export/dave/new" -o \
		"$home" != bind -a ! -e "$place/export/dave/new"
	rm -f "$place/export/dave/new"
done
files_home bind
home_is "$place/homes/none"
check_no_home "on NFS, missing" "No such file or directory"
home_is "$place/homes/other"
look
check_equal "on NFS, another's: the login is in /" / "$(fact pwd)"

# The mount itself is a home that root may not look into.
if have systemd; then
	printf '[Mount]\nWhat=127.0.0.1:/dave\nType=nfs4\nWhere=%s\nOptions=%s\n' "$place/auto/dave" "$mount_options" \
		>"/run/systemd/system/${automount%.automount}.mount"
	printf '[Automount]\nWhere=%s\n' "$place/auto/dave" >"/run/systemd/system/$automount"
	for kind in "bind written" "readonly refused"; do
		read -r home written <<<"$kind"
		systemctl daemon-reload
		systemctl start "$automount"
		files_home "$home"
		home_is "$place/auto/dave"
		check_equal "it is not mounted yet" autofs "$(findmnt -n -o FSTYPE "$place/auto/dave" | xargs)"
		check_home "on NFS, mounted when it is needed" "of $place/export/dave" "$written"
		check_equal "now it is" "autofs nfs4" "$(findmnt -n -o FSTYPE "$place/auto/dave" | xargs)"
		rm -f "$place/export/dave/new"
		wait_for nothing_runs
		systemctl stop "$automount" "${automount%.automount}.mount"
	done
else
	skip "a home on NFS that is mounted when it is needed" "there is no systemd"
fi

done_testing
