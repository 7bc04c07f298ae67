#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# explain --can agrees with a real login: each answer is held against what happens in a cell. System calls by the probe,
# capabilities by /proc, paths by looking.

. "$(dirname "$0")/../lib/test.sh"

program=$(test_program probe/probe-syscalls) || exit 1
shared=$(share "$TESTS/lib/net.py" "$program")
place=/srv/$SITE_PREFIX-can
undo_note tree "$place"
mkdir -p "$place"/{open,hidden,fixed,course}
for folder in open hidden fixed course; do
	echo "$folder" >"$place/$folder/file"
	chmod 666 "$place/$folder/file"
done
ln -s open/file "$place/link"
clear_place() {
	rm -rf --one-file-system "$place"
	test_cleanup
}
trap clear_place EXIT

policy 60-can <<EOT
policies = ( { name = "can"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
  namespaces = { identity = "plain"; };
  capabilities = { bounding = ["DEFAULT"]; add = ["SYS_PTRACE"]; drop = ["CHOWN"]; ambient = ["NET_BIND_SERVICE", "KILL"]; };
  seccomp = { allow = ["perf_event_open"];
              deny = ["mkdir", "mkdirat"]; };
  files = { pts = "private"; hide = ["/root", "/boot", "$place/hidden", "/etc/issue"];
            read_only = ["$place/fixed"];
            mounts = ( { source = "$place/open"; target = "$place/course"; options = "ro"; } ); };
} );
EOT
HELD=(can)
check "a login" hold can alice

ask() { # QUESTION: the answer as one document; what the exit status says must be the same
	local status=0 document
	document=$(ctl --config "$CONF" explain "$ALICE" --service "$SERVICE" --can "$1" --json) || status=$?
	printf '%s\n' "$status" "$document"
}

field() { # NAME <DOCUMENT: from the line with that key
	sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" | head -n 1
}

check_answer() { # QUESTION EXPECTED
	local all answer
	all=$(ask "$1")
	answer=$(field answer <<<"$all")
	[ "$(head -n 1 <<<"$all")$answer" = 0yes ] || [ "$(head -n 1 <<<"$all")$answer" = 1no ] || answer="$answer, exit status $(head -n 1 <<<"$all")"
	check_equal "--can $1 says $2" "$2" "$answer"
	DOCUMENT=$all
}

# System calls: what the probe saw, of those that the kernel alone would not refuse in the same way.
probe=$(held can -- "$shared/probe-syscalls")
check_matches "the probe ran to its end" '^1\.\.[1-9]' "$probe"
n=0
while read -r name outcome; do
	n=$((n + 1))
	check_answer "$name" no
	check_matches "and that it $outcome, as it does in the cell" "\"why\": \"$name fails with $outcome\"" "$DOCUMENT"
done < <(sed -nE 's/^ok [0-9]+ ([a-z_0-9]+): (EPERM|ENOSYS)$/\1 \2/p' <<<"$probe" | sort -u | head -n 14)
check_equal "denied calls were compared" 14 $n
for name in ptrace capset; do
	check_matches "$name goes through in the cell" "^ok [0-9]+ $name [a-z ]*: E(SRCH|FAULT)" "$probe"
	check_answer $name yes
done
for name in clone socket ioctl personality; do
	check_matches "$name is denied in the cell with some arguments" "^ok [0-9]+ $name [A-Z_]+.*: EPERM" "$probe"
	check_matches "$name goes through with others" "^ok [0-9]+ $name [A-Za-z ]*: (success|EBADF)" "$probe"
	check_answer $name yes
	check_matches "and that it depends" '"conditional": true' "$DOCUMENT"
done
check_equal "what the policy allows goes through in the cell" 14 "$(held can -- "$shared/net.py" errno 298)"
check_answer perf_event_open yes
check_matches "and who says so" "\"source\": \"$CONF/policy.d/60-can.conf:4\"" "$DOCUMENT"
check_equal "what the policy denies is refused in the cell" 1 "$(held can -- "$shared/net.py" errno 83)"
check_answer mkdir no
check_matches "and who says so" "\"source\": \"$CONF/policy.d/60-can.conf:5\"" "$DOCUMENT"

# Capabilities: the effective set of a process.
status=$(held can -- cat /proc/self/status)
set_of() { # Eff or Bnd
	sed -n "s/^Cap$1:\t//p" <<<"$status"
}
bit() { # SET NUMBER: true or false
	[ $((0x$1 >> $2 & 1)) = 1 ] && echo true || echo false
}
while read -r name number; do
	expected=no
	[ "$(bit "$(set_of Eff)" "$number")" = false ] || expected=yes
	check_answer "$name" $expected
	check_matches "and whether it is in the bounding set" "\"bounding\": $(bit "$(set_of Bnd)" "$number")" "$DOCUMENT"
done <<-EOT
	CAP_CHOWN 0
	cap_kill 5
	SETUID 7
	NET_BIND_SERVICE 10
	NET_ADMIN 12
	NET_RAW 13
	SYS_CHROOT 18
	SYS_PTRACE 19
	SYS_ADMIN 21
	MKNOD 27
EOT

# Paths: no is what is not there, an empty folder that can't be written to, or a file that is the null device.
printf '%s\n' "$place/open/file" "$place/link" "$place/hidden" "$place/hidden/file" "$place/fixed/file" \
		"$place/course/file" "$place/none" /root /root/.bashrc /boot /etc/issue /tmp "/tmp/$SITE_PREFIX-none" /run/sshd /run/lock \
		/var/run/lock /dev/null /dev/kmsg /dev/pts /dev/pts/ptmx /dev/pts/0 /dev/pts/null "/home/$ALICE" "/home/$BOB" "/home/$BOB/.bashrc" /home /proc/self/status \
		/proc/sys/kernel/hostname /proc/sys/kernel/pty /sys/firmware /bin/sh >"$shared/paths"
chmod 644 "$shared/paths"
cat >"$shared/look" <<'EOT'
#!/bin/bash
while read -r path; do
	view=yes writable=false
	[ ! -w "$path" ] || writable=true
	if [ ! -e "$path" ]; then
		view=no
	elif [ -d "$path" ] && [ -z "$(ls -A "$path" 2>/dev/null)" ] && [ $writable = false ]; then
		view=no
	elif [[ $path != /dev/* ]] && [ "$(stat -L -c %t:%T "$path")" = 1:3 ]; then
		view=no
	fi
	echo "$view $writable $path"
done
EOT
chmod 755 "$shared/look"
n=0
while read -r expected writable path; do
	n=$((n + 1))
	check_answer "$path" "$expected"
	# Where the file's mode lets everyone write, the view alone decides.
	case $path in
	"$place"/*/file | "$place/link" | /tmp | /dev/null | /run/lock | "/home/$ALICE")
		check_matches "and whether it can be written to" "\"writable\": $([ "$expected" = yes ] && echo "$writable" || echo false)" \
			"$DOCUMENT"
		;;
	esac
done < <(held can -- "$shared/look" <"$shared/paths")
check_equal "all paths were compared" "$(wc -l <"$shared/paths")" $n

FAILS_WITH=2 check_fails "an unknown name is no answer" ctl explain "$ALICE" --can no_such_call
release can
policies_reset
done_testing
