#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# files.landlock: what logins do works as before; and when root takes a mount of the view away, which a tenant cannot, what
# it hid stays out of reach, and what it made read-only stays so. Without Landlock the same is open: the test can fail.

. "$(dirname "$0")/../lib/test.sh"

share=$(share "$TESTS/lib/net.py")
mkdir -m 755 "$share/hidden" "$share/fixed"
echo word >"$share/hidden/secret"
echo word >"$share/fixed/file"
chmod 666 "$share/fixed/file"

walled() { # USER NAME LANDLOCK
	policy "60-$2" <<-EOT
		policies = ( { name = "$2"; inherit = "default"; priority = 100; match = { users = ["$1"]; };
		  files = { hide = ["/root", "$share/hidden"]; read_only = ["$share/fixed"]; landlock = $3; }; } );
	EOT
}
walled "$ALICE" wall true
walled "$BOB" plain false
check "the policies are valid" ctl --config "$CONF" check

abi() { # of the running kernel
	python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))'
}
if [ "$(abi)" -lt 2 ]; then
	log_mark
	check_fails "without Landlock, a policy that needs it refuses the login" as alice -- true
	check_matches "and the log names the key" 'files\.landlock .*60-wall\.conf:' "$(log_since)"
	check_matches "check tells" 'files.landlock: .*logins are refused' "$(ctl --config "$CONF" check 2>&1)"
	policy 60-wall <<-EOT
		policies = ( { name = "wall"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
		  files = { landlock = true; landlock_when_unavailable = "continue"; }; } );
	EOT
	check "landlock_when_unavailable = continue lets it in" as alice -- true
	skip "a second wall" "this kernel has no Landlock, or an old one"
	done_testing
	exit
fi

HELD=(wall plain)
hold wall alice || site_die "alice cannot log in"
hold plain bob || site_die "bob cannot log in"

# What logins do. Each line is a command of its own in one shell.
held wall -- 'sh -x' >"$WORK/out" 2>"$WORK/trace" <<'EOT'
set -e
cd; mkdir -p one two; echo text >one/file
mv one/file two/moved; ln two/moved one/linked; ln -s ../one/linked two/symbolic; cat two/symbolic
truncate -s 100 two/moved; echo short >two/moved; mkfifo two/fifo; rm two/fifo
printf '#!/bin/sh\necho ran\n' >one/script; chmod +x one/script; one/script
cp one/script /tmp/; /tmp/script; mv /tmp/script two/; rmdir two/none 2>/dev/null || true
echo x >/dev/null; head -c 4 /dev/urandom >/dev/null; echo shared >/dev/shm/x; ls / /etc /var /dev >/dev/null
cat /etc/passwd /proc/self/status /sys/class/net/lo/mtu >/dev/null; id >/dev/null; ps -e >/dev/null
echo 100 >/proc/self/oom_score_adj
python3 -c 'import socket, tempfile; s = socket.socket(socket.AF_UNIX); s.bind("two/socket"); tempfile.TemporaryFile().write(b"x")'
rm -r one two
echo everything
EOT
check_equal "files are made, renamed, linked, run and removed as before" "text ran ran everything" "$(xargs <"$WORK/out")"
grep -q everything "$WORK/out" || tail -n 5 "$WORK/trace"
check_equal "a terminal works" "7 77" \
	"$(held wall -tt -- 'stty rows 7 cols 77; stty size' 2>/dev/null </dev/null | tr -d '\r' | grep -x '7 77')"
check "scp" scp -q -F "$SSH_CONFIG" -o ControlPath="$SITE_DIR/held/wall" "$0" alice:copied
check "sftp" sftp -q -F "$SSH_CONFIG" -o ControlPath="$SITE_DIR/held/wall" -b - alice <<<"get copied $WORK/back"
check "what came back is what went" cmp "$0" "$WORK/back"
check "cloister run" ctl run --user "$ALICE" -- /bin/true
for program in tmux vim gcc git; do
	have $program || continue
	case $program in
	tmux) command="tmux -L t new-session -d 'sleep 100' && tmux -L t kill-server" ;;
	vim) command="vim -u NONE -es -c 'normal ihello' -c 'w! v.txt' -c q </dev/null; grep hello v.txt" ;;
	gcc) command="echo 'int main(void){return 0;}' >a.c && gcc a.c && ./a.out" ;;
	git) command="rm -rf g && git init -q g && cd g && echo a >a && git add a && git -c user.name=a -c user.email=a@b commit -qm a" ;;
	esac
	check "$program" held wall -- "$command"
done

# The first wall, as ever.
for who in wall plain; do
	check_fails "$who: what is hidden is not there" held $who -- cat "$share/hidden/secret"
	check_fails "$who: what is read-only is not written" held $who -- "echo more >>$share/fixed/file"
done

# Root takes it down.
for user in alice bob; do
	pid=$(user_processes $user | head -n 1)
	check "root undoes the mounts in the cell of $user" nsenter -t "$pid" -m sh -c \
		"umount '$share/hidden' && mount -o remount,bind,rw '$share/fixed' && umount /root"
done
check_equal "without Landlock, what was hidden is open" word "$(held plain -- cat "$share/hidden/secret")"
check "and what was read-only is written" held plain -- "echo more >>$share/fixed/file"
check_matches "with it, reading is refused" 'Permission denied' "$(held wall -- cat "$share/hidden/secret" 2>&1)"
check_matches "and writing" 'Permission denied' "$(held wall -- "echo more >>$share/fixed/file" 2>&1)"
check_equal "reading what was read-only works still" word "$(held wall -- head -n 1 "$share/fixed/file")"
id=$(ctl list --json | python3 -c "import json, sys
print(next(cell['id'] for cell in json.load(sys.stdin) if cell['user'] == '$ALICE' and cell['service'] != 'cloister-run'))")
check "root enters the cell" ctl enter "$id" -- /bin/true
check_fails "and is bound by the same rules" ctl enter "$id" -- /bin/cat "$share/hidden/secret"

# A login that joins a cell is bound by the rules of its open.
policy 60-shared <<EOT
policies = ( { name = "shared"; inherit = "default"; priority = 100; match = { users = ["$CAROL"]; };
  namespaces = { share = "user"; }; files = { hide = ["/root", "$share/hidden"]; landlock = true; }; } );
EOT
HELD+=(one other)
hold one carol || site_die "carol cannot log in"
hold other carol || site_die "carol cannot log in twice"
check_equal "two logins are in one cell" "$(held one -- readlink /proc/self/ns/mnt)" \
	"$(held other -- readlink /proc/self/ns/mnt)"
nsenter -t "$(user_processes carol | head -n 1)" -m umount "$share/hidden"
for who in one other; do
	check_matches "$who: what was hidden is refused" 'Permission denied' \
		"$(held $who -- cat "$share/hidden/secret" 2>&1)"
done

# What comes later, beside something hidden.
echo word >"$share/later"
chmod 644 "$share/later"
check_equal "what the host adds beside it is seen without Landlock" word "$(held plain -- cat "$share/later")"
check_fails "and with it from the next login on" held wall -- cat "$share/later"
release wall
check_equal "then it is" word "$(as alice -- cat "$share/later")"

done_testing
