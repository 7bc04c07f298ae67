#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Homes of every kind, each bound, read-only, and replaced by an empty one: the login works as it would without Cloister, the
# home is where NSS says, and no other is seen.

. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cells.sh"
. "$(dirname "$0")/homes.sh"

place=/srv/$SITE_PREFIX-homes
undo_note tree "$place"
undo_note mount "$place/all/served"
undo_note mount "$place/all/mnt"
undo_note mount "$place/all/mnt/deeper"
clear_place() {
	local mount
	policies_reset
	wait_for usermod -d "$home_of_dave" "$DAVE"
	for mount in "$place/all/mnt/deeper" "$place/all/mnt" "$place/all/served"; do
		! grep -qF " $mount " /proc/self/mountinfo || umount -l "$mount"
	done
	rm -rf --one-file-system "$place" "/home/$BOB/home" "/home/$BOB/link" "/var/mail/$DAVE" "/var/mail/$BOB"
	test_cleanup
}
trap clear_place EXIT

mkdir -p "$place/data" "$place/links" "$place/all/mnt" "$place/all/served"
chmod 755 "$place" "$place"/*
make_home "$place/all/other"
make_home "$place/all/dave"
make_home "$place/data/dave"
make_home "$place/data/other"
ln -s "$place/data/dave" "$place/links/dave"
ln -s "$place/data/other" "$place/links/other"
odd="$place/odd ones/d  ä'\"*\\040 [v]\$(x)"
make_home "$odd"
make_home "$place/odd ones/other"
mount -t tmpfs -o "mode=755,uid=$uid" tmpfs "$place/all/mnt"
make_home "$place/all/mnt"
mkdir "$place/all/mnt/deeper"
mount -t tmpfs -o "mode=755,uid=$uid" tmpfs "$place/all/mnt/deeper"
make_home "$place/all/mnt/deeper"

for kind in bind readonly tmpfs; do
	files_home $kind
	written=written
	[ $kind != readonly ] || written=refused
	mark() { # PATH
		[ $kind = tmpfs ] || echo "of $1"
	}
	home_is "$place/all/dave"
	check_home "anywhere" "$(mark "$place/all/dave")" $written
	[ $kind = bind ] || check "$kind: nothing was written on the host" test ! -e "$place/all/dave/new"
	rm -f "$place/all/dave/new"
	home_is "$place/links/dave"
	check_home "behind a link" "$(mark "$place/data/dave")" $written
	home_is "$odd"
	check_home "of an odd name" "$(mark "$odd")" $written
	home_is "$place/all/mnt"
	check_home "that is a mount" "$(mark "$place/all/mnt")" $written
	if [ $kind = tmpfs ]; then
		home_is "$place/all/none"
		check_home "that is missing" "" written
	else
		home_is "$place/all/mnt/deeper"
		check_home "that is a mount in a mount" "of $place/all/mnt/deeper" $written
		home_is "$place/all/none"
		check_no_home "that is missing" "No such file or directory"
	fi
	home_is /nonexistent
	check_no_home "of who has none" "No such file or directory"
done

# What lies below a home comes with it, and is as read-only.
files_home readonly
home_is "$place/all/mnt"
# shellcheck disable=SC2016
check_equal "a mount in a read-only home is there, read-only" "of $place/all/mnt/deeper refused" \
	"$(as dave -- 'echo "$(cat deeper/mark) $( (: >deeper/new) 2>/dev/null && echo written || echo refused)"')"

files_home bind
home_is /
check_no_home "that is the root"
for private in "$place" "$place/all/dave" "$place/all/dave/cache"; do
	for kind in bind tmpfs; do
		files_home $kind "private = [\"/tmp\", \"$private\"]"
		home_is "$place/all/dave"
		check_refused "$kind: with $private private" dave 'key=files.private \(.*60-homes\.conf:' "the home $place/all/dave:"
	done
done
files_home bind 'private = ["/tmp", "/var/tmp"]'
home_is /tmp
look
check_equal "that is a private folder of the system's: the login is in it" /tmp "$(fact pwd)"
home_is /tmp/none
check_no_home "that would be in one" "No such file or directory"
files_home bind
touch "$place/all/file"
home_is "$place/all/file"
check_no_home "that is a file" "(Not a directory|No such file or directory)"
chown "$(user_id bob)" "$place/all/other"
home_is "$place/all/other"
look
check_equal "that is closed to its user: the login is in /" / "$(fact pwd)"
check_matches "that is closed to its user: the user is told" "$HOME_NOW: Permission denied" "$(cat "$WORK/errors")"

# Below another user's: theirs to rearrange, but only with what is theirs.
mode=$(stat -c %a "/home/$BOB")
chmod 711 "/home/$BOB"
make_home "/home/$BOB/home"
home_is "/home/$BOB/home"
look
check_equal "below another's: the login is in the home" "$HOME_NOW" "$(fact pwd)"
check_equal "below another's: which has what it should" "of $HOME_NOW" "$(fact mark)"
check_equal "below another's: of that nothing else is seen" "$(printf '%s\n' "$HOME_NOW" "/home/$BOB")" "$(fact beside)"
ln -s /run "/home/$BOB/link"
home_is "/home/$BOB/link"
check_refused "below another's, a link" dave 'key=files.home' 'a symbolic link that is not followed'
rm "/home/$BOB/link"
chmod 700 "/home/$BOB"
home_is "/home/$BOB/home"
check_no_home "below another's, who let nobody in" "No such file or directory"
chmod "$mode" "/home/$BOB"

# On a filesystem that refuses root.
[ -c /dev/fuse ] || modprobe fuse
start line "$(test_program system/fuse-home)" "$place/all/served" "$uid" "$gid"
# shellcheck disable=SC2154
check_equal "a user serves a filesystem" mounted "$line"
check_fails "which root does not see" ls "$place/all/served"
for kind in bind readonly; do
	files_home $kind
	home_is "$place/all/served"
	# shellcheck disable=SC2016
	check_equal "$kind: a home that root cannot look at is there" "$HOME_NOW served" "$(as dave -- 'echo "$PWD $(ls)"')"
done

# Mail: one's own, to read and to empty; what arrives while the cell is there.
home_is "$home_of_dave"
files_home bind
for user in "$DAVE" "$BOB"; do
	echo "mail of $user" >"/var/mail/$user"
	chown "$user:mail" "/var/mail/$user"
	chmod 660 "/var/mail/$user"
done
HELD=(mail)
hold mail dave
check_equal "mailboxes: one's own is there, and no other" "$DAVE" "$(held mail -- ls /var/mail)"
check_equal "and by its other name" "$DAVE" "$(held mail -- ls /var/spool/mail)"
check_equal "with what is in it" "mail of $DAVE" "$(held mail -- cat "/var/mail/$DAVE")"
echo "more mail" >>"/var/mail/$DAVE"
check_equal "and what comes later" "more mail" "$(held mail -- tail -n 1 "/var/mail/$DAVE")"
check "it can be emptied" held mail -- "truncate -s 0 /var/mail/$DAVE"
check "on the host, too" test ! -s "/var/mail/$DAVE"
check_matches "beside it nothing can be made, by the folder's mode" "Permission denied" "$(held mail -- "touch /var/mail/$DAVE.lock" 2>&1)"
for user in "$DAVE" "$BOB"; do
	expected=yes
	[ "$user" = "$DAVE" ] || expected=no
	check_equal "explain --can says so of $user's" $expected \
		"$(ctl --config "$CONF" explain "$DAVE" --service "$SERVICE" --can "/var/mail/$user" --json | sed -n 's/^ *"answer": "\(.*\)",$/\1/p')"
done

# Everything masked is a folder with nothing in it or the null device, whatever the host has there: CVE-2025-31133.
# shellcheck disable=SC2016
masked=$(held mail -- 'for path in /proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list \
	/proc/sched_debug /proc/scsi /proc/kallsyms /proc/kpagecount /proc/kpageflags /proc/kpagecgroup /proc/vmallocinfo /proc/slabinfo \
	/sys/firmware /sys/devices/virtual/powercap /sys/kernel/debug /sys/kernel/tracing /sys/kernel/security; do
	if [ -d $path ]; then
		[ -z "$(ls -A $path)" ] && ! mkdir $path/x 2>/dev/null && echo masked || echo "open $path"
	elif [ -e $path ]; then
		[ "$(stat -c %F:%t:%T $path)" = "character special file:1:3" ] && echo masked || echo "open $path"
	fi
done | sort | uniq -c | xargs')
check_matches "masked paths are what they should be, by type and device" '^[0-9]+ masked$' "$masked"
# shellcheck disable=SC2016
written=$(held mail -- 'for path in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/kernel/uevent_seqnum /sys/class/net/lo/mtu /sys/fs/cgroup/cgroup.procs; do
	[ ! -e $path ] || (: >>$path) 2>&1
done | grep -vE "Read-only file system|Permission denied"')
check_equal "nothing of the kernel's can be written" "" "$written"
check_equal "/sys shows the cell's own network" lo "$(held mail -- ls /sys/class/net)"
release mail
rm -f "/var/mail/$DAVE" "/var/mail/$BOB"

# Made by an earlier module of the stack.
if [ -e /usr/share/pam-configs/mkhomedir ] || compgen -G "/lib/*/security/pam_mkhomedir.so" >/dev/null; then
	files_home bind
	pam_edit "/pam_cloister.so\$/{/^session/i session required pam_mkhomedir.so
	}"
	home_is "$place/all/made"
	check_home "that pam_mkhomedir makes" "" written
	pam_restore
else
	skip "a home that pam_mkhomedir makes" "there is no pam_mkhomedir"
fi

policies_reset
done_testing
