#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Processes that no signal ends, for their disk does not answer: a frozen filesystem. The logouts of their cells fail, and the
# records stay; that must cost others nothing.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

DISK=/srv/$SITE_PREFIX-stuck
LOGINS=(s1 s2 s3 s4)

restore() {
	fsfreeze -u "$DISK" 2>/dev/null
	umount "$DISK" 2>/dev/null
	rm -rf --one-file-system "$DISK" "$WORK/disk"
	test_cleanup
}

# In the kernel, for good: state D.
writes() {
	[ "$(pgrep -u "$ALICE" -x -r D dd | wc -l)" -eq ${#LOGINS[@]} ]
}

# Their services have ended, and with them the helpers that tried to close.
closed() {
	! pgrep -f "sshd.*: $ALICE( |\$)" && ! pgrep -f "^$HELPER"
}

trap restore EXIT
look_before "$WORK/before"
undo_note directory "$DISK"
mkdir -p "$DISK"
truncate -s 16M "$WORK/disk"
mkfs.ext4 -q "$WORK/disk"
mount -o loop "$WORK/disk" "$DISK"
chmod 1777 "$DISK"
for login in "${LOGINS[@]}"; do
	hold_cell "$login" alice
done
fsfreeze -f "$DISK"
log_mark
for login in "${LOGINS[@]}"; do
	held "$login" -- "setsid -f dd if=/dev/zero of=$DISK/$login bs=4k count=1 >/dev/null 2>&1 </dev/null"
done
check "the writers of four cells wait for a disk that does not answer" wait_for writes
release "${LOGINS[@]}"
check "their logins have ended" wait_for closed
check_equal "another user gets in, and waits for none of them" "$BOB" "$(as bob -- id -un)"
check "they wait still" writes
fsfreeze -u "$DISK"
umount_disk() {
	helper sweep >/dev/null && umount "$DISK"
}
check "when the disk is back, a sweep ends them" wait_for umount_disk
check_nothing_left "and nothing is left" "$WORK/before"
done_testing
