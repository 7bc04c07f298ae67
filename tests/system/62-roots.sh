#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# files.root: the cell's root is another tree of files, read-only, with nothing of the host's but what a policy mounts; and
# what such a tree must have. The tree is put together from the host's own programs.

. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cells.sh"

place=/srv/$SITE_PREFIX-roots
undo_note tree "$place"
clear_place() {
	local mount
	usermod -s /bin/bash "$ALICE" 2>/dev/null
	for mount in "$place/tree/opt/data" "$place/tree/run"; do
		! mountpoint -q "$mount" || umount "$mount"
	done
	rm -rf --one-file-system "$place"
	test_cleanup
}
trap clear_place EXIT

# put TREE PROGRAM...: with the libraries that each asks for, at the same paths.
put() {
	local tree=$1 program file
	shift
	for program; do
		for file in "$program" $(ldd "$program" 2>/dev/null | grep -o '/[^ ]*'); do
			[ -e "$tree$file" ] || install -D -m 755 "$(readlink -f "$file")" "$tree$file"
		done
	done
}

make_tree() { # TREE
	mkdir -p "$1"/{proc,sys,dev,run,tmp,home,etc,opt/data,usr/bin,usr/lib,usr/lib64,root,srv,var/tmp}
	ln -s usr/bin "$1/bin"
	ln -s usr/lib "$1/lib"
	ln -s usr/lib64 "$1/lib64"
	put "$1" /bin/bash /bin/sh /usr/bin/cat /usr/bin/id /usr/bin/stat /usr/bin/touch \
		/usr/lib/openssh/sftp-server
	printf '%s\n' 'root:x:0:0:root:/root:/bin/bash' "other:x:$(user_id alice):50:of the tree:/:/bin/false" \
		'daemon:x:1:1::/:/bin/false' >"$1/etc/passwd"
	printf '%s\n' 'root:x:0:' 'tree:x:77:' "$STUDENTS:x:78:nobody" >"$1/etc/group"
	echo 'passwd: files' >"$1/etc/nsswitch.conf"
	echo 'of the tree' >"$1/mark"
	chmod 666 "$1/mark"
	mkdir -m 1777 "$1/open"
}

tree=$place/tree
make_tree "$tree"
chmod 755 "$place" "$tree"
mkdir "$place/course"
echo 'of the host' >"$place/course/file"
mount -t tmpfs -o mode=1777 tmpfs "$tree/opt/data"
echo data >"$tree/opt/data/file"
mount --bind /run "$tree/run"

root_policy() { # ROOT [MORE]
	policy 60-roots <<-EOT
		policies = ( { name = "roots"; inherit = "default"; priority = 100; match = { groups = ["$STUDENTS"]; };
		  files = { root = "$1"; ${2-} }; } );
	EOT
}

root_policy "$place/%g" "mounts = ( { source = \"$place/course\"; target = \"/srv\"; options = \"ro\"; } );"
ln -s tree "$place/$ALICE"
HELD=(one)
check "a login with a root named for the user's group" hold one alice

# shellcheck disable=SC2016
look=$(held one -- '
	echo "mark $(cat /mark)"
	echo "top" /*
	echo "id $(id)"
	echo "home $PWD" /home/*
	echo "root $(stat -c %U:%G:%a /) $(stat -c %U:%a /etc/passwd)"
	while IFS=: read -r name x rest; do echo "passwd $name $rest"; done </etc/passwd
	while IFS=: read -r name x rest; do echo "group $name $rest"; done </etc/group
	touch /open/x; echo x >/mark; echo x >/etc/passwd; touch /opt/data/x
	touch /tmp/x && echo "tmp written"
	touch own && echo "wrote home"
	echo "run" /run/*
	echo "srv $(cat /srv/file)"
	echo "data $(cat /opt/data/file)"
	echo "pid1 $(cat /proc/1/comm)"
	echo "null $(stat -c %t:%T /dev/null)"
	[ -e /etc/ssh ] || echo "nothing of /etc"
' 2>&1)
told() { # WORD: the lines that start with it
	sed -n "s/^$1 //p" <<<"$look"
}
check_equal "the files are the tree's" "of the tree" "$(told mark)"
check_equal "and only those" "/bin /dev /etc /home /lib /lib64 /mark /open /opt /proc /root /run /srv /sys /tmp /usr /var" "$(told top)"
check_equal "the user and the groups resolve" "$(id "$ALICE")" "$(told id)"
check_equal "the home is the host's, alone" "/home/$ALICE /home/$ALICE" "$(told home)"
check "what is written there is on the host" test -e "/home/$ALICE/own"
check_equal "the tree's files are root's" "root:root:755 root:444" "$(told root)"
check_equal "passwd has the tree's users, this one instead of the tree's with the same number, and no others" \
	"root 0:0:root:/root:/bin/bash daemon 1:1::/:/bin/false $(getent passwd "$ALICE" | sed 's/:x:/ /')" "$(told passwd | xargs)"
check_equal "group has the tree's groups and the user's" \
	"$(printf '%s\n' "root 0" "tree 77" && id -G "$ALICE" | xargs -n 1 getent group | cut -d: -f1,3 | sed "s/:/ /; s/$/:$ALICE/")" \
	"$(told group)"
check_equal "nothing of the tree can be written, whatever its mode, nor of what is mounted in it" 4 \
	"$(grep -c 'Read-only file system' <<<"$look")"
check_equal "the private folders can" "tmp written" "$(grep '^tmp' <<<"$look")"
check_equal "the home can" "wrote home" "$(grep '^wrote' <<<"$look")"
check_lacks "what of the host's own is mounted in the tree stays outside" 'sshd|systemd|dbus' "$(told run)"
check_equal "mounts of the policy are there" "of the host" "$(told srv)"
check_equal "what else is mounted in the tree is there" data "$(told data)"
check_equal "the processes are the cell's" cloister-init "$(told pid1)"
check_equal "so are the devices" 1:3 "$(told null)"
check_matches "nothing of the host's /etc" '^nothing of /etc$' "$look"

for path in /mark /etc/hostname /usr/bin/tr /srv/file /opt/data/file "/home/$ALICE/own" /etc/passwd; do
	expected=yes
	held one -- "[ -e $path ]" || expected=no
	check_equal "explain --can $path says so, too" $expected \
		"$(ctl --config "$CONF" explain "$ALICE" --service "$SERVICE" --can "$path" --json | sed -n 's/^ *"answer": "\(.*\)",$/\1/p')"
done

# What sshd itself does in the cell.
printf 'get /mark %s/got\n' "$WORK" >"$WORK/batch"
for subsystem in sftp sftp-internal; do
	rm -f "$WORK/got"
	sftp -q -b "$WORK/batch" -s $subsystem -F "$SSH_CONFIG" -o "ControlPath=$SITE_DIR/held/one" nobody >/dev/null 2>&1
	check_equal "$subsystem reads the tree" "of the tree" "$(cat "$WORK/got" 2>&1)"
done
release one
if have xauth; then
	put "$tree" "$(command -v xauth)"
	check_matches "X11 forwarding has its cookie, by the tree's xauth" MIT-MAGIC-COOKIE \
		"$(DISPLAY=:77 as alice -X -o ForwardX11Timeout=60 -- 'xauth list' 2>&1)"
else
	skip "X11 forwarding has its cookie, by the tree's xauth" "there is no xauth"
fi

# An overlay takes what modes let the user write, and nothing else.
# shellcheck disable=SC2016
overlay_look='
	echo "before $(cat /mark)$(cd /open && echo *)"
	echo mine >/mark && echo mine >/open/own && echo "written $(cat /mark) $(cat /open/own)"
	(echo x >/etc/passwd) 2>/dev/null || echo "passwd refused"
	(echo x >/opt/data/x) 2>/dev/null || echo "mount refused"
	(: >/tmp/x) && : >~/own && echo "private and home written"
	while read -r what where type options rest; do [ "$where" != / ] || echo "root $type $options"; done </proc/self/mounts
	echo "of $(stat -c %U:%a / /mark /open/own)"'
for root in "$tree" /; do
	prefix=
	[ "$root" != / ] || prefix=$tree
	look_in=${overlay_look//'/mark'/$prefix/mark}
	look_in=${look_in//'/open'/$prefix/open}
	look_in=${look_in//'/opt/data'/$prefix/opt/data}
	root_policy "$root" 'overlay = "tmpfs"; tmp_size = "1M"; tmp_inodes = 70'
	for try in first second; do
		rm -f "/home/$ALICE/own"
		look=$(as alice -- "$look_in" 2>&1)
		check_equal "overlay of $root, $try login: it starts as the tree is" "of the tree*" "$(told before)"
		check_equal "overlay of $root, $try login: it can be written" "mine mine" "$(told written)"
	done
	check_equal "overlay of $root: what is root's, and other mounts, cannot" "passwd mount" "$(sed -n 's/ refused$//p' <<<"$look" | xargs)"
	check_matches "overlay of $root: the home and private folders are as without" '^private and home written$' "$look"
	check "overlay of $root: the home is the host's" test -e "/home/$ALICE/own"
	check_matches "overlay of $root: nosuid and nodev hold" '^root overlay rw,nosuid,nodev' "$look"
	check_equal "overlay of $root: the tree has nothing of it" "of the tree " "$(cat "$tree/mark") $(ls "$tree/open")"
	check_equal "overlay of $root: explain --can says that it can be written" true \
		"$(ctl --config "$CONF" explain "$ALICE" --service "$SERVICE" --can "$prefix/mark" --json | sed -n 's/^ *"writable": \(.*\),$/\1/p')"
	check_equal "overlay of $root: and another mount not" false \
		"$(ctl --config "$CONF" explain "$ALICE" --service "$SERVICE" --can "$prefix/opt/data/file" --json | sed -n 's/^ *"writable": \(.*\),$/\1/p')"
done
check_equal "an overlay and a private folder hold as many files as the policy says" "refused refused" \
	"$(as alice -- "for folder in $tree/open /tmp; do
		(for i in {1..80}; do : >\$folder/\$i || exit 1; done) 2>/dev/null && echo written || echo refused
	done" | xargs)"

# What such a tree must have, and be.
bare=$place/bare
mkdir -p "$bare"/{proc,sys,dev,etc,home,bin,run} "$bare$RUN"
root_policy "$bare"
wait_for nothing_runs # what an earlier login still logs is not of these
touch "$bare/etc/passwd" "$bare/etc/group"
check_refused "a tree without the login shell" alice 'key=files.root' '60-roots.conf:2' "$bare has no /bin/bash, the login shell"
touch "$bare/bin/bash"
check_refused "a shell that is no program" alice 'key=files.root' 'is no program'
usermod -s /usr/sbin/nologin "$ALICE"
rm "$bare/etc/group"
check_refused "a tree without group(5)" alice 'key=files.root' "$bare has no /etc/group"
rmdir "$bare/proc"
check_refused "a tree without /proc" alice 'key=files.root' "mkdir -p $bare/proc"
mkdir "$bare/proc"
rmdir "$bare/home"
check_refused "a tree without a place for the home" alice 'key=files.root' "mkdir -p $bare/home"
usermod -s /bin/bash "$ALICE"
root_policy "$place/none"
check_refused "a tree that does not exist" alice 'key=files.root' "$place/none" 'No such file'
root_policy "$place/course/file"
check_refused "a tree that is a file" alice 'key=files.root' 'Not a directory'
root_policy "$place/open"
mkdir -m 1777 "$place/open"
check_refused "a tree that others may write to" alice 'key=files.root' 'can be written to by others'
mkdir "/home/$ALICE/tree"
root_policy "/home/$ALICE/tree"
check_refused "a tree in a tenant's folder" alice 'key=files.root' 'can be written by others'
root_policy "%h"
check_refused "a tree that is the tenant's home" alice 'key=files.root' 'can be written to by others'
rm -rf "/home/$ALICE/tree" "/home/$ALICE/own"
policies_reset
done_testing
