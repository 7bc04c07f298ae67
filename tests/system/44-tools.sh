#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What people work with, by the shipped policy: editors, compilers, runtimes, debuggers, multiplexers, keys. What cannot work
# in a cell, because it needs a setuid bit or the host's daemons, fails at once, says something, and is in the manual.
# Which tools there are is written here: one that this machine should have and has not is a failure.

. "$(dirname "$0")/../lib/test.sh"

HELD=(tools)
hold tools dave

tool() { # NAME EXPECTED-LAST-LINE SCRIPT
	local output status=0
	output=$(held tools -- "mkdir -p /tmp/w && cd /tmp/w && { $3
	}" </dev/null 2>&1) || status=$?
	if [ "$status" -eq 0 ] && [ "$(tail -n 1 <<<"$output")" = "$2" ]; then
		pass "$1"
	else
		fail "$1" "exit status $status, expected: $2
$output"
	fi
}

put() { # NAME, content on standard input: a file in the tools' folder
	held tools -- "mkdir -p /tmp/w && cat >/tmp/w/$1"
}

# Everywhere -----------------------------------------------------------------------------------------------------

put pool.py <<'EOT'
import multiprocessing as m
from multiprocessing import shared_memory as s
def square(x): return x * x
if __name__ == "__main__":
    with m.Pool(2) as pool, m.Manager() as manager:
        shared = s.SharedMemory(create=True, size=4096)
        q, lock, l = m.Queue(), m.Lock(), manager.list([1])
        q.put(pool.map(square, [1, 2, 3]))
        with lock: print(q.get(), l[0], len(shared.buf) >= 4096)
        shared.close(); shared.unlink()
EOT
tool "python3 with processes, semaphores and shared memory" "[1, 4, 9] 1 True" "python3 pool.py"
tool "perl" 42 "perl -e 'print 6 * 7, qq(\n)'"
tool "git init, commit, clone, gc" "one commit" "git init -q r && cd r && git config user.email a@b.invalid && git config user.name n &&
	echo x >x && git add x && git commit -q -m 'one commit' && git clone -q . ../c && cd ../c && git gc -q && git fsck && git log --format=%s"
tool "strace of a child" "+++ exited with 0 +++" "strace -f -e trace=execve true"
tool "strace of a running process" "detached" "sleep 60 & strace -o t -p \$! 2>e & for i in \$(seq 100); do grep -q attached e && break; sleep 0.1; done
	kill -INT %2; wait %2; kill %1; grep -o detached e"
tool "ps and top show the cell" "1 cloister-init 1" "echo \$(ps -o pid=,comm= -p 1) \$(top -b -n 1 | grep -c '^top - ')"
tool "ping, without the capability of its file" " 0% packet loss" "ping -c 1 -W 20 127.0.0.1 | grep -o ' 0% packet loss'"
tool "ssh-agent holds a key" "the key" "ssh-keygen -q -t ed25519 -N '' -C 'the key' -f k && eval \$(ssh-agent) >/dev/null &&
	ssh-add -q k && ssh-add -L | cut -d' ' -f3-; kill \$SSH_AGENT_PID"
tool "an sshd of one's own, and ssh to it" "$DAVE" "ssh-keygen -q -t ed25519 -N '' -f h && ssh-keygen -q -t ed25519 -N '' -f i &&
	printf '%s\n' 'Port 2222' 'ListenAddress 127.0.0.1' 'HostKey /tmp/w/h' 'AuthorizedKeysFile /tmp/w/i.pub' 'StrictModes no' \
		'UsePAM no' 'PidFile /tmp/w/sshd.pid' >sc && /usr/sbin/sshd -f sc && for i in \$(seq 100); do [ -s sshd.pid ] && break; sleep 0.1; done &&
	ssh -F none -i i -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
		-o KexAlgorithms=curve25519-sha256 -p 2222 127.0.0.1 id -un; kill \$(cat sshd.pid)"

# Full screens: on one terminal, one after the other.
cat >"$WORK/screens" <<'EOT'
set timeout 60
log_user 0
set env(TERM) xterm
proc want {pattern what} {
	expect -re $pattern { return } timeout { puts "no $what"; exit 2 } eof { puts "end at $what"; exit 2 }
}
# The quotes keep the echo of what is typed from looking like an answer. What is typed before the prompt may be discarded.
proc type {line} { want {ready>} "the prompt before $line"; send "$line\r" }
proc back {what} { type "echo ba''ck"; want {back\r} "$what: the shell"; puts "$what works" }
spawn -noecho ssh -F [lindex $argv 0] -S [lindex $argv 1] -tt nobody
stty rows 24 columns 80 < $spawn_out(slave,name)
want {[$] $} prompt
send "mkdir -p /tmp/w; cd /tmp/w; rm -f f g; seq 1000 >lines; PS1='rea''dy>'\r"
back "the terminal"
foreach tool [lrange $argv 2 end] {
	switch $tool {
	vi {
		type "vi f"; want {f" *\[New} $tool; send "ihello vi\033"; after 500; send ":wq\r"
		type "cat f"; want {hello vi\r} "what vi wrote"
	}
	less { type "less lines"; want {24|23} $tool; send "G"; want {1000} "its end"; send "q" }
	top { type "top"; want {load average} $tool; send "q" }
	tmux {
		type "tmux new -s t"; want {\[t\]} $tool
		send "echo in''side \$TMUX\r"; want {inside /tmp/tmux-} "its shell"; send "\002d"; want {detached} "tmux detached"
		type "tmux attach -t t"; want {inside /tmp/tmux-} "tmux attached"; send "exit\r"; want {exited} "tmux's end"
	}
	screen {
		type "echo startup_message off >src; screen -c src -S s"; after 500
		send "echo in''side \$STY\r"; want {inside [0-9]+\.s} $tool; send "\001d"; want {detached} "screen detached"
		type "screen -r s"; want {inside [0-9]+\.s} "screen attached"; send "exit\r"; want {terminating} "screen's end"
	}
	nano {
		type "nano -I g"; want {GNU nano} $tool; send "hello nano\030"; want {Save modified} "nano's question"
		send "y"; want {File Name} "nano's other question"; send "\r"; type "cat g"; want {hello nano\r} "what nano wrote"
	}
	man { type "man ls"; want {LS\(1\)} $tool; send "q" }
	htop { type "htop"; want {Quit} $tool; send "q" }
	mc { type "mc -d -u"; want {Quit} $tool; after 500; send "exit\r" }
	zsh { type "zsh -f"; want {% } $tool; send "echo \$((6*7))_zsh; exit\r"; want {42_zsh} "its answer" }
	gdb { type "gdb -q"; want {gdb} $tool; send "q\r" }
	}
	back $tool
}
EOT
check_screens() { # TOOL...
	local output tool
	output=$(expect -f "$WORK/screens" "$SSH_CONFIG" "$SITE_DIR/held/tools" "$@" 2>&1)
	for tool; do
		check_matches "$tool on a terminal" "^$tool works\$" "$output"
	done
}
check_screens vi less top tmux screen

# Where packages are cheap ---------------------------------------------------------------------------------------

if [ "$SITE_MODE" = private ]; then
	put a.c <<<$'#include <stdio.h>\nint main(void) { puts("compiled"); return 0; }'
	tool "gcc, and what it made runs from /tmp" compiled "gcc -g -O2 -o a a.c && ./a"
	put Makefile <<<$'a b c d:\n\t@sleep 0.1; echo $@\nall: a b c d'
	tool "make with four jobs" "a b c d" "rm -f a; make -s -j4 -B a b c d | sort | xargs"
	put b.c <<<$'int f(int x) { return x; }\nint main(void) { return f(6) - 6; }'
	tool "gdb stops its child at a breakpoint" "\$1 = 6" "gcc -g -O0 -o b b.c && gdb -q -batch -ex 'break f' -ex run -ex 'print x' b"
	tool "a virtual environment of python3" "/tmp/w/v" "python3 -m venv v && v/bin/python -c 'import sys; print(sys.prefix)'"
	tool "node with a worker thread" "got 42" "node -e 'const {Worker} = require(\"worker_threads\");
		new Worker(\"require(\\\"worker_threads\\\").parentPort.postMessage(42)\", {eval: true}).on(\"message\", m => console.log(\"got\", m))'"
	tool "java" "Java HotSpot or OpenJDK" "java -version 2>&1 | grep -q '64-Bit Server VM' && echo 'Java HotSpot or OpenJDK'"
	tool "gpg makes a key, by its agent, and signs" "Good signature" "export GNUPGHOME=/tmp/w/gnupg; mkdir -m 700 gnupg;
		gpg -q --batch --passphrase '' --quick-gen-key t@example.invalid && echo text | gpg -q --batch -s -a >s && gpg --verify s 2>&1 |
		grep -o 'Good signature'; gpgconf --kill all"
	tool "zsh trusts its functions: compinit" "0 0" "zsh -fc 'autoload -Uz compinit compaudit; compaudit; a=\$?; compinit -d d; echo \$a \$?'"
	tool "man" "LS(1)" "MANPAGER=cat man ls | grep -o -m 1 '^LS(1)'"
	check_screens nano man htop mc zsh gdb
fi

# What cannot work, and says so ----------------------------------------------------------------------------------

MANUAL=/usr/share/man/man8/cloister.8
[ "$SITE_MODE" = installed ] || MANUAL=$SITE/inst/share/man/man8/cloister.8
cannot() { # PROGRAM REGEX SCRIPT: it fails, prints that, and the manual has it
	local output status=0
	output=$(held tools -- "cd / && timeout 60 $3" </dev/null 2>&1) || status=$?
	if [ "$status" -eq 0 ] || [ "$status" -eq 124 ]; then
		fail "$1 fails in a cell" "exit status $status: $output"
	else
		check_matches "$1 fails in a cell, and says something" "$2" "$output"
	fi
	check "the manual says why $1 fails" grep -q "^\\.BR* .*\\<$1\\>" \
		<(sed -n '/^\.SH PROGRAMS/,/^\.SH LIM/p' "$MANUAL")
}
cannot sudo 'no new privileges' "sudo -n true"
cannot su 'Authentication failure' "su -c true"
cannot passwd 'manipulation error|unchanged' "passwd"
cannot crontab 'crontabs|denied' "crontab -l"
cannot at 'permission' "sh -c 'echo true | at now'"
cannot mount 'fstab|root|superuser|permission' "mount /mnt"
cannot dmesg 'not permitted' "dmesg"
cannot unshare 'No space left|not permitted' "unshare -U true"
cannot newgrp '[Pp]assword|not permitted' "newgrp users"
cannot systemctl 'bus' "systemctl --user status"
check_matches "the user's own status says it, too" '^setuid programs .*no effect' "$(held tools -- "$CTL" status)"

done_testing
