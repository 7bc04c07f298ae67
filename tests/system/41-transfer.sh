#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Files to and from a cell: scp in both protocols, sftp by sshd itself and by sftp-server, rsync. What arrives is what
# was sent, and it arrives in the cell: a file for /tmp lands in the cell's own.

. "$(dirname "$0")/../lib/test.sh"

home=/home/$ALICE
mkdir "$WORK/tree" "$WORK/back"
head -c 2000000 /dev/urandom >"$WORK/tree/data"
printf 'text\n' >"$WORK/tree/with space"
ln -s data "$WORK/tree/link"
chmod 640 "$WORK/tree/data"

# Both directions, then the content.
check_round() { # NAME UPLOAD-FUNCTION DOWNLOAD-FUNCTION
	check "$1: there" "$2" "$WORK/tree/data" "$home/round"
	check "$1: the host sees it in the home" cmp "$WORK/tree/data" "$home/round"
	check_equal "$1: it belongs to the user" "$ALICE" "$(stat -c %U "$home/round")"
	check "$1: and back" "$3" "$home/round" "$WORK/back/round"
	check "$1: as it was" cmp "$WORK/tree/data" "$WORK/back/round"
	check "$1: to /tmp" "$2" "$WORK/tree/with space" "/tmp/$SITE_PREFIX-landed"
	check_fails "$1: which is not the host's" ls "/tmp/$SITE_PREFIX-landed"
	rm -f "$home/round" "$WORK/back/round" "/tmp/$SITE_PREFIX-landed"
}

scp_to() { scp -q "${protocol[@]}" -F "$SSH_CONFIG" "$1" "alice:$2"; }
scp_from() { scp -q "${protocol[@]}" -F "$SSH_CONFIG" "alice:$1" "$2"; }
sftp_to() { printf 'put "%s" "%s"\n' "$1" "$2" | sftp -q -F "$SSH_CONFIG" -s "$subsystem" -b - alice; }
sftp_from() { printf 'get "%s" "%s"\n' "$1" "$2" | sftp -q -F "$SSH_CONFIG" -s "$subsystem" -b - alice; }
rsync_to() { rsync -e "ssh -F $SSH_CONFIG" "$1" "alice:$2"; }
rsync_from() { rsync -e "ssh -F $SSH_CONFIG" "alice:$1" "$2"; }

protocol=()
check_round "scp" scp_to scp_from
protocol=(-O)
check_round "scp, old protocol" scp_to scp_from
subsystem=sftp-internal
check_round "internal-sftp" sftp_to sftp_from
subsystem=sftp
check_round "sftp-server" sftp_to sftp_from
check_round "rsync" rsync_to rsync_from

# Trees.
check "scp -r there" scp -q -r -F "$SSH_CONFIG" "$WORK/tree" "alice:scp-tree"
check "is whole" diff -r "$WORK/tree" "$home/scp-tree"
check "rsync -a there" rsync -a -e "ssh -F $SSH_CONFIG" "$WORK/tree/" alice:rsync-tree
check "is whole, links and modes too" sh -c "diff -r '$WORK/tree' '$home/rsync-tree' &&
	[ \"\$(readlink '$home/rsync-tree/link')\" = data ] && [ \"\$(stat -c %a '$home/rsync-tree/data')\" = 640 ]"
check "rsync -a --delete back" rsync -a --delete -e "ssh -F $SSH_CONFIG" alice:rsync-tree/ "$WORK/back"
check "is whole too" diff -r "$WORK/tree" "$WORK/back"

# What sftp sees is the cell's, not the host's.
sftp_list() { # DIRECTORY
	printf 'ls -1 %s\n' "$1" | sftp -q -F "$SSH_CONFIG" -s "$subsystem" -b - alice | grep -v '^sftp>'
}
for subsystem in sftp-internal sftp; do
	check_lacks "$subsystem shows no other user's home" "$BOB" "$(sftp_list /home)"
	check_matches "$subsystem shows the user's" "$ALICE" "$(sftp_list /home)"
	check_lacks "$subsystem shows only processes of the cell" "^/proc/$$/?$" "$(sftp_list /proc)"
	check_matches "$subsystem shows the cell's pid 1" '^/proc/1/?$' "$(sftp_list /proc)"
done

done_testing
