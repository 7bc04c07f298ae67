#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cloister run: the layers of a login without one; for a tenant by the own uid and policy alone, whatever is tried on the
# setuid helper; streams, terminal, signals and status pass; nothing is left, whatever is killed.

# What is in single quotes is for the shell in the cell.
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"
. "$TESTS/system/commands.sh"

OWN=/home/$ALICE
program=$(test_program probe/probe-syscalls) || exit 1
share "$program" >/dev/null
put_layers
look_before "$WORK/before"

alice_runs() { # COMMAND...
	tenant alice "$CTL" run -- "$@"
}

# Layers ---------------------------------------------------------------------------------------------------------

login=$(as alice -- "$LAYERS" "'$HOST_NAMESPACES'")
check_matches "a login has layers" '^pid of its own$' "$login"
check_equal "a tenant's run has those of a login, every one" "$login" "$(alice_runs "$LAYERS" "$HOST_NAMESPACES")"
check_equal "so has root's for that user" "$login" "$(ctl run --user "$ALICE" -- "$LAYERS" "$HOST_NAMESPACES")"
# In a session without a terminal, as the probe wants it.
check_lacks "the seccomp filter answers as at a login" '^not ok' "$(alice_runs "$SITE_DIR/share/probe-syscalls")"
check_equal "without a command it is the login shell, as such" "-bash $ALICE 7" \
	"$(echo 'echo "$0 $(id -un)"; exit 7' | { tenant alice "$CTL" run; echo $?; } | xargs)"

environment=$(TERM=evil SECRET=evil tenant alice env TERM=evil SECRET=evil LD_LIBRARY_PATH=/evil PATH=/evil:/usr/bin:/bin "$CTL" run -- env)
check_lacks "nothing of the caller's environment" evil "$environment"
check_equal "but what a login sets" "GREETING HOME LOGNAME PATH SHELL USER XDG_RUNTIME_DIR" \
	"$(sed -n 's/=.*//p' <<<"$environment" | grep -vx LANG | sort | xargs)"
check_equal "umask, session and terminal are its own" "0022 leads ?" \
	"$(umask 0 && alice_runs bash -c 'umask; [ $(ps -o sid= -p $$) -eq $$ ] && echo leads; ps -o tty= -p $$' | xargs)"

# Streams, status, signals ---------------------------------------------------------------------------------------

for status in 0 1 42 255; do
	alice_runs sh -c "exit $status"
	check_equal "exit status $status" $status $?
done
alice_runs sh -c 'kill -KILL $$'
check_equal "a command that a signal ended" 137 $?
alice_runs no-such-command 2>"$WORK/err"
check_equal "a command that is not there" "127 cloister: no-such-command: No such file or directory" "$? $(cat "$WORK/err")"
alice_runs /etc/passwd 2>/dev/null
check_equal "one that cannot be executed" 126 $?
check_equal "options of the command are its own" "--user" "$(tenant alice "$CTL" run echo --user)"
tenant alice "$CTL" run --no-such-option 2>/dev/null
check_equal "bad usage" 2 $?

head -c 5000000 /dev/urandom >"$WORK/random"
check_equal "every byte passes, both ways, and the end of input" "$(sha256sum <"$WORK/random")" \
	"$(alice_runs cat <"$WORK/random" | sha256sum)"
check_equal "standard error is apart" "out" "$(alice_runs sh -c 'echo out; echo err >&2' 2>/dev/null)"
check_equal "and may be opened anew by its name" "out err" \
	"$(alice_runs sh -c 'echo out >/dev/stdout; echo err >/dev/stderr' 2>&1 | sort -r | xargs)"
alice_runs yes 2>/dev/null | head -n 1 >/dev/null
check_equal "a reader that goes ends the command" 141 "${PIPESTATUS[0]}"
check_equal "what it leaves behind is ended with it" quick "$(alice_runs sh -c 'sleep 1000 & echo quick')"

# Numbers 0, 1 and 2, none of them the caller's: not even a folder that it holds.
# shellcheck disable=SC2012
fds() {
	sed 's/.* \([0-9]*\) -> \([a-z]*\).*/\1 \2/' | grep -E '^[0-9]+ ' | grep -v '^3 ' | xargs
}
check_equal "only pipes of our own enter" "0 pipe 1 pipe 2 pipe" \
	"$(alice_runs ls -l /proc/self/fd 4</ 5</dev/null 6<>/dev/ptmx </dev/null | fds)"
check_equal "a folder as standard input does not" "0 pipe 1 pipe 2 pipe" \
	"$(alice_runs ls -l /proc/self/fd </ 2>/dev/null | fds)"
alice_runs sh -c 'ls -l /proc/self/fd >$HOME/fds' <&- >&- 2>&-
check_equal "nor what takes the place of a closed one" "0 pipe 2 pipe" "$(grep -v '/fds$' "$OWN/fds" | fds)"

for signal in HUP INT QUIT TERM; do
	background signal alice_runs sh -c "trap 'echo got; exit 5' $signal; echo ready; while :; do sleep 0.1; done"
	wait_for grep -q ready "$WORK/signal"
	kill -$signal "$(relay_of "$PID")"
	wait "$PID"
	check_equal "SIG$signal is forwarded" "5 ready got" "$? $(xargs <"$WORK/signal")"
done

# Hostile beginnings ---------------------------------------------------------------------------------------------

check_equal "ignored and blocked signals do not come along" "0000000000000000 0000000000000000" \
	"$(tenant alice python3 -c '
import os, signal, sys
for s in (1, 2, 3, 13, 15, 17, 20): signal.signal(s, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])' "$CTL" run -- sed -nE 's/^Sig(Blk|Ign):\t//p' /proc/self/status | xargs)"
check_equal "limits stay what they were: none is raised" "100 40 64 0" \
	"$(tenant alice bash -c 'ulimit -n 100 -u 64 -c 0 && ulimit -Sn 40 && exec "$@"' - "$CTL" run -- \
		bash -c 'ulimit -Hn; ulimit -Sn; ulimit -Hu; ulimit -Hc' | xargs)"
check_fails "limits under which nothing works refuse the cell" tenant alice bash -c 'ulimit -n 4 && exec "$@"' - "$CTL" run -- true
check_equal "many and long arguments pass" "20000 100000" \
	"$(tenant alice bash -c 'exec "$1" run -- bash -c "echo \$# \${#1}" - "$(head -c 100000 /dev/zero | tr "\0" x)" $(seq 19999)' - "$CTL")"
check_equal "a large environment is of no account" small \
	"$(tenant alice bash -c 'for i in {1..15}; do export "A$i=$(head -c 100000 /dev/zero | tr "\0" x)"; done; exec "$1" run -- echo small' - "$CTL")"

# The boundary ---------------------------------------------------------------------------------------------------

refused() { # DESCRIPTION REGEX COMMAND...: status 1, and a message
	local description=$1 regex=$2 output status=0
	shift 2
	output=$("$@" </dev/null 2>&1) || status=$?
	check_equal "$description: status" 1 "$status"
	check_matches "$description: message" "^cloister: .*$regex" "$output"
}

for option in --user=root "--user=$BOB" "--user=$ALICE" --policy=default --service=sshd; do
	refused "a tenant's $option" "only root may choose" tenant alice "$CTL" run "$option" -- id
done
refused "a tenant's --config" "only root may choose" tenant alice "$CTL" --config /tmp run -- id
log_mark
share "$(test_program system/run-forger)" >/dev/null
forged=$(tenant alice "$SITE_DIR/share/run-forger" "$HELPER" "$OWN/forged")
while IFS= read -r line; do
	check_matches "forged by hand: ${line%%:*}" 'as it should' "$line"
done <<<"$forged"
check_equal "all were tried" 14 "$(wc -l <<<"$forged")"
check_equal "each choice that is not theirs is logged" 5 "$(site_log | grep -c 'refused: .*may choose neither')"
check_fails "a tenant may not enter by the helper" tenant alice "$HELPER" enter aaaaaaaaaaaa id
rm -f "$OWN/forged" "$OWN/fds"

background bob ctl run --user "$BOB" -- sleep 9001
check "another's cell lives" wait_for pgrep -u "$(user_id bob)" -f '^sleep 9001$'
id=$(ctl list | awk -v user="$BOB" '$2 == user { print $1 }')
check_matches "list tells who and by which service" "^$id +$BOB +staff +cloister-run " "$(ctl list)"
check_fails "it is not for a tenant to end" tenant alice "$HELPER" end "$id"
check_fails "nor for its user, who did not open it" tenant bob "$HELPER" end "$id"
check "it lives on" pgrep -u "$(user_id bob)" -f '^sleep 9001$'
ctl kill "$id"
wait "$PID"
check_equal "kill ends it, first by SIGHUP, and the status says so" 129 "$?"

# Root's choices -------------------------------------------------------------------------------------------------

refused "root itself" "is exempt" ctl run -- id
refused "no such user" "look up user" ctl run --user no-such-user -- id
refused "no such policy" 'no policy "no-such-policy"' ctl run --user "$ALICE" --policy no-such-policy -- id
refused "no such service" "service no-such-service is unknown" ctl run --user "$ALICE" --service no-such-service -- id
check_equal "a policy by name" "staff staff" "$(ctl run --user "$ALICE" --policy staff -- sh -c 'echo $GREETING; uname -n' | xargs)"
policy 60-run <<-POLICY
	policies = ( { name = "jobs"; inherit = "students"; priority = 99; match = { services = ["cron"]; }; env = { GREETING = "jobs"; }; },
	  { name = "hand"; inherit = "students"; priority = 98; match = { users = ["$ALICE"]; services = ["cloister-run"]; };
	    session = { max = 1; grace = 0; }; env = { GREETING = "hand"; }; } );
POLICY
check_equal "a policy by service, that of a fork at login, too" "$ALICE jobs" \
	"$(ctl run --user "$ALICE" --service cron -- sh -c 'id -un; echo $GREETING' | xargs)"
check_equal "a tenant's is the one of cloister-run" hand "$(alice_runs sh -c 'echo $GREETING')"
check_matches "which explain tells" '"policy": "hand"' "$(ctl explain "$ALICE" --service cloister-run --json)"

background first alice_runs sleep 9002
wait_for pgrep -u "$(user_id alice)" -f '^sleep 9002$'
log_mark
refused "session.max counts cells of run" 'refused \(reference [a-z0-9]{12}\)' tenant alice "$CTL" run -- id
check_one_line "a refusal is one log line" "$(site_log)"
check_matches "which names user, service and key" "refused: user=$ALICE service=cloister-run .*key=session.max .*60-run" "$(site_log)"
kill "$(relay_of "$PID")"
wait "$PID"
check_equal "a command without a trap ends by its signal" 143 $?
rm -f "$CONF/policy.d/60-run.conf"

cp -r "$CONF" "$WORK/tried"
sed -i 's/GREETING = "students-%u"/GREETING = "tried"/' "$WORK/tried/policy.d/50-groups.conf"
check_equal "a configuration that is not in force" tried \
	"$(ctl --config "$WORK/tried" run --user "$ALICE" -- sh -c 'echo $GREETING')"
check_equal "is not in force after that either" "students-$ALICE" "$(alice_runs sh -c 'echo $GREETING')"
echo 'no sense' >>"$WORK/tried/policy.d/50-groups.conf"
refused "one that is not valid" '50-groups.conf:[0-9]+: ' ctl --config "$WORK/tried" run --user "$ALICE" -- id
rm "$WORK/tried/policy.d/50-groups.conf"
chown "$ALICE" "$WORK/tried/policy.d/00-default.conf"
refused "one that a tenant may write" '00-default.conf' ctl --config "$WORK/tried" run --user "$ALICE" -- id

refused "inside a cell" "setuid programs have no effect here" as alice -- "$CTL" run -- id
policy 60-run <<-POLICY
	policies = ( { name = "nnp"; inherit = "students"; priority = 99; no_new_privs = false; match = { users = ["$ALICE"]; }; } );
POLICY
refused "inside one that lets no_new_privs be" "setuid programs have no effect here" alice_runs "$CTL" run -- id
check_fails "and by the helper itself" alice_runs "$HELPER" run id
rm -f "$CONF/policy.d/60-run.conf"
settings <<<"exempt = { users = [\"root\", \"$ALICE\"]; };"
refused "an exempt user" "is exempt \(user $ALICE\)" tenant alice "$CTL" run -- id
settings_reset

# A terminal -----------------------------------------------------------------------------------------------------

cat >"$WORK/terminal" <<'EOT'
set timeout 120
log_user 0
proc expect_or_die {pattern what} {
	expect -re $pattern { return $expect_out(0,string) } timeout { puts "no $what"; exit 2 } eof { puts "end at $what"; exit 2 }
}
# A shell of the host, whose terminal is looked at before and after.
spawn -noecho env PS1=host> TERM=vt220 setpriv --reuid [lindex $argv 0] --regid [lindex $argv 0] --init-groups bash --norc --noprofile --noediting
stty rows 31 columns 97 < $spawn_out(slave,name)
expect_or_die {host>} "host's prompt"
send "stty -g\r"
set before [expect_or_die {[0-9a-f]+(:[0-9a-f]+)+} modes]
expect_or_die {host>} prompt
send "[lindex $argv 1] run\r"
expect_or_die {[$] $} "prompt in the cell"
send "PS1='re''ady>'\r"
expect_or_die {ready>} "own prompt"
send "tty\r"
set tty [expect_or_die {/dev/pts/[0-9]+} tty]
puts [expr {$tty eq $spawn_out(slave,name) ? "caller's terminal" : "own terminal"}]
send "echo typed > /dev/tty && echo typed > \$(tty) && test -t 2 && echo writ''able \$TERM\r"
puts [expect_or_die {writable [a-z0-9]+} "writing to it"]
send "stty size\r"
puts "size [expect_or_die {[0-9]+ [0-9]+} size]"
stty rows 40 columns 100 < $spawn_out(slave,name)
exec kill -WINCH [lindex [exec pgrep -P [exp_pid] -x cloister] 0]
send "sleep 0.5; stty size\r"
puts "size [expect_or_die {40 100} {new size}]"
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
expect_or_die {ready>} "prompt after a stop"
# A shell that has not yet seen its stopped job end wants to be told twice.
send "kill -KILL %1; wait; exit 7 || exit 7\r"
expect_or_die {host>} "host's prompt again"
send "echo status \$?; stty -g\r"
puts [expect_or_die {status [0-9]+} status]
puts [expr {[expect_or_die {[0-9a-f]+(:[0-9a-f]+)+} modes] eq $before ? "restored" : "changed"}]
expect_or_die {host>} prompt
# Ended by a signal, and stopped on the way.
send "[lindex $argv 1] run -- sh -c 'echo star\"\"ted; exec sleep 1000'\r"
expect_or_die {started} "a command"
set relay [lindex [exec pgrep -P [exp_pid] -x cloister] 0]
exec kill -TSTP $relay
expect_or_die {Stopped} "the host's job control"
expect_or_die {host>} "prompt"
send "stty -g\r"
puts [expr {[expect_or_die {[0-9a-f]+(:[0-9a-f]+)+} modes] eq $before ? "restored" : "changed"}]
send "fg\r"
expect_or_die {sleep 1000} "the foreground"
send "\003"
expect_or_die {host>} "prompt after the interrupt"
send "echo status \$?; stty -g\r"
puts [expect_or_die {status [0-9]+} status]
puts [expr {[expect_or_die {[0-9a-f]+(:[0-9a-f]+)+} modes] eq $before ? "restored" : "changed"}]
send "[lindex $argv 1] run -- tty 2>/dev/null | cat\r"
puts [expect_or_die {not a tty} "pipes"]
send "exit\r"
expect eof
EOT
terminal=$(expect -f "$WORK/terminal" "$ALICE" "$CTL" 2>&1)
check_equal "a terminal of its own, its size, keys and modes" \
	"own terminal, writable vt220, size 31 97, size 40 100, interrupted, stopped, status 7, restored, restored, status 130, restored, not a tty" \
	"$(sed -z 's/\n/, /g; s/, $//' <<<"$terminal")"

# Killed ---------------------------------------------------------------------------------------------------------

rm -f "$STATE/hits/$(user_id alice).json" # what was refused, which the next login is told
check_nothing_left "nothing is left of all that" "$WORK/before"


for what in relay init command relay-and-init; do
	background killed alice_runs sh -c 'setsid -f sleep 9004 >/dev/null 2>&1; exec sleep 9003'
	check "$what killed: it runs" wait_for cell_pid alice '^sleep 9003$'
	relay=$(relay_of "$PID")
	init=$(ctl list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["init_pid"])')
	check_equal "$what killed: the helper is gone, and no other process of root's is there" "" \
		"$(find /proc/[0-9]*/exe -maxdepth 0 -lname "$HELPER*" 2>/dev/null)"
	case $what in
	relay) kill -KILL "$relay" ;;
	init) kill -KILL "$init" ;;
	command) kill -KILL "$(cell_pid alice '^sleep 9003$')" ;;
	relay-and-init) kill -KILL "$relay" "$init" ;;
	esac
	wait "$PID" 2>/dev/null
	check_equal "$what killed: status" 137 $?
	check "$what killed: all processes of the cell end by themselves" wait_for no_processes
	case $what in
	relay*) sweep ;; # the only one who could have closed
	esac
	check_nothing_left "$what killed: nothing is left" "$WORK/before"
done

# The helper and what it forks, at any moment of an open; and its caller.
put_program ambush
for target in helper children parent; do
	for delay in 2000 10000 20000 40000; do
		"$SITE_DIR/ambush" $target $((delay * ${SLOWER:-1})) "$HELPER" >"$WORK/ambush" &
		ambush=$!
		wait_for grep -q ready "$WORK/ambush"
		background ambushed alice_runs sleep 0.3
		wait "$ambush"
		wait "$PID" 2>/dev/null
		check "$target killed after $delay us ($(sed -n 2p "$WORK/ambush")): all processes end" wait_for no_processes
	done
done
sweep
rm -f "$STATE/hits/$(user_id alice).json"
check_nothing_left "a sweep later nothing is left" "$WORK/before"
rm -f "$SITE_DIR/ambush"

done_testing
