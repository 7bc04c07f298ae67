#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a login is used for, as on any host: a command with its exit status, streams that are clean and whole, an
# interactive shell on a terminal that has a name.

. "$(dirname "$0")/../lib/test.sh"

HELD=(one)
hold one alice

# Exit status, signals, streams.
for status in 0 1 42 255; do
	as alice -- "exit $status"
	check_equal "exit status $status" $status $?
done
# shellcheck disable=SC2016
as alice -- 'kill -TERM $$' 2>/dev/null
check_equal "a command that a signal ended" 255 $?
held one -- no-such-command 2>/dev/null
check_equal "a command that isn't there" 127 $?
check_equal "standard input reaches the command" "some words" "$(echo some words | as alice -- cat)"
check_equal "its end does, too" 0 "$(as alice -- 'wc -c' </dev/null)"
check_equal "standard output is apart from standard error" out "$(held one -- 'echo out; echo err >&2' 2>/dev/null)"
check_equal "and the other way round" err "$(held one -- 'echo out; echo err >&2' 2>&1 >/dev/null)"
check_equal "arguments pass the shell as always" 'a  b' "$(held one -- "printf '%s' 'a  b'")"

# Binary-clean, both ways, and much of it.
head -c 300000 /dev/urandom >"$WORK/random"
check_equal "every byte comes back as it was" "$(sha256sum <"$WORK/random")" \
	"$(as alice -- cat <"$WORK/random" | sha256sum)"
yes 'a line of the hundred megabytes' | head -c 104857600 >"$WORK/large"
sum=$(sha256sum <"$WORK/large")
check_equal "100 MB into a command" "$sum" "$(as alice -- sha256sum <"$WORK/large")"
check_equal "100 MB out of a command" "$sum" \
	"$(as alice -- "yes 'a line of the hundred megabytes' | head -c 104857600" | sha256sum)"

# A terminal.
cat >"$WORK/terminal" <<'EOT'
set timeout 120
log_user 0
proc expect_or_die {pattern what} {
	expect -re $pattern { return $expect_out(0,string) } timeout { puts "no $what"; exit 2 } eof { puts "end at $what"; exit 2 }
}
spawn -noecho ssh -F [lindex $argv 0] -tt alice
stty rows 31 columns 97 < $spawn_out(slave,name)
expect_or_die {[$] $} prompt
send "PS1='re''ady>'\r"
expect_or_die {ready>} "own prompt"
send "tty\r"
puts "tty [string trim [expect_or_die {/dev/pts/[0-9]+} tty]]"
send "test -t 0 && test -t 1 && test -t 2 && echo is''terminal\r"
expect_or_die {isterminal} isatty
puts isatty
send "stty size\r"
puts "size [expect_or_die {[0-9]+ [0-9]+} size]"
# The quotes keep the echo of what is typed from looking like an answer.
send "sh -c 'echo star\"\"ted; exec sleep 1000'\r"
expect_or_die {started} "a command in the foreground"
send "\003"
expect_or_die {ready>} "prompt after an interrupt"
puts interrupted
send "sh -c 'echo star\"\"ted; exec sleep 1000'\r"
expect_or_die {started} "a second command in the foreground"
send "\032"
expect_or_die {Stopped} "job control"
puts stopped
send "kill %1; wait\r"
send "echo typed > \$(tty) && echo writ''able\r"
expect_or_die {writable} "writing to the terminal by its name"
puts writable
send "readlink /proc/self/ns/pid\r"
puts [expect_or_die {pid:\[[0-9]+\]} "pid namespace"]
send "exit 7\r"
expect eof
puts "status [lindex [wait] 3]"
EOT
terminal=$(expect -f "$WORK/terminal" "$SSH_CONFIG" 2>&1)
check_matches "an interactive shell has a terminal with a name" '^tty /dev/pts/[0-9]+$' "$terminal"
check_matches "all three descriptors are that terminal" '^isatty$' "$terminal"
check_matches "the window size arrives" '^size 31 97$' "$terminal"
check_matches "^C interrupts" '^interrupted$' "$terminal"
check_matches "^Z stops: there is job control" '^stopped$' "$terminal"
check_matches "the terminal can be opened by its name" '^writable$' "$terminal"
check_matches "the shell is in a cell" '^pid:' "$terminal"
check_lacks "which is not the host" "^$(readlink /proc/$$/ns/pid | sed 's/[][]/\\&/g')$" "$terminal"
check_matches "its exit status arrives" '^status 7$' "$terminal"
check_equal "without a terminal there is none" "not a tty" "$(as alice -- tty)"
check_matches "a command may ask for one" '^/dev/pts/[0-9]+' "$(as alice -tt -- tty </dev/null 2>/dev/null | tr -d '\r')"

# Many sessions at once, in one connection and in several.
for i in 1 2 3 4 5 6; do
	held one -- "sleep 0.$i; echo $i" >"$WORK/parallel.$i" &
	[ $((i % 2)) -ne 0 ] || as alice -- "echo $i" >"$WORK/login.$i" &
done
wait
check_equal "six sessions of one connection at once" "1 2 3 4 5 6" "$(cat "$WORK"/parallel.* | xargs)"
check_equal "three logins at once" "2 4 6" "$(cat "$WORK"/login.* | xargs)"

# The environment.
# shellcheck disable=SC2016
check_equal "the policy's environment is there" "students-$ALICE" "$(held one -- 'echo $GREETING')"
# shellcheck disable=SC2016
check_equal "and what sshd sets" "$ALICE /home/$ALICE" "$(held one -- 'echo $USER $HOME')"
# sshd's own, or since Debian 13, where it keeps none, logind's.
host_record() {
	last -n 50 "$ALICE" 2>/dev/null | grep -q "^${ALICE:0:8}" ||
		loginctl list-sessions --no-legend 2>/dev/null | grep -qw "$ALICE"
}
check "the host has a record of the login" host_record

done_testing
