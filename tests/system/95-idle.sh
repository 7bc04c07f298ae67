#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# session.idle: a login whose terminal has no input is told, and ended, as by a logout, whatever service it came through; one with
# input goes on, and so does one without a terminal, and what a logout leaves. Who changes terminals harms nobody else.

# What is in single quotes is for the shell in the cell.
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"
. "$TESTS/system/commands.sh"

IDLE=20
LINE="cloister: ended after $IDLE s without input"
CAPABILITY=0000000000000020 # CAP_KILL
FORK_SERVICE=$(test_program system/fork-service)
FORK_NAME=$SITE_PREFIX-fork
FORK_PAM=/etc/pam.d/$FORK_NAME

cleanup() {
	local name
	rm -f "$FORK_PAM"
	for name in su login; do
		[ ! -e "$WORK/stock-$name" ] || put_file "/etc/pam.d/$name" <"$WORK/stock-$name"
	done
	test_cleanup
}
undo_note file "$FORK_PAM"
trap cleanup EXIT

idle_policy() { # SETTINGS-OF-SESSION [MORE]
	policy 60-idle <<-POLICY
		policies = ( { name = "idle"; inherit = "students"; priority = 100; match = { users = ["$ALICE"]; };
		  session = { idle = $IDLE; $1 }; ${2-} } );
	POLICY
}

# begin NAME COMMAND...: types nothing until `type_in NAME`; what it says is in $WORK/NAME, when it ended in $WORK/NAME.end.
declare -A TYPED PID
begin() {
	local name=$1 fd
	shift
	mkfifo "$WORK/$name.in"
	(
		for fd in "${TYPED[@]}"; do
			exec {fd}>&-
		done
		"$@" <"$WORK/$name.in" >"$WORK/$name" 2>&1
		date +%s >"$WORK/$name.end"
	) &
	PID[$name]=$!
	STARTED+=($!)
	exec {fd}>"$WORK/$name.in"
	TYPED[$name]=$fd
}

type_in() { # NAME
	echo >&"${TYPED[$1]}"
}

stop() { # NAME
	# shellcheck disable=SC2046
	kill $(descendants "${PID[$1]}") "${PID[$1]}" 2>/dev/null
}

says() { # NAME REGEX
	grep -Eq -- "$2" "$WORK/$1"
}

ended() { # NAME
	[ -s "$WORK/$1.end" ]
}

runs() { # COMMAND-REGEX
	[ -n "$(cell_pid alice "$1")" ]
}

gone() { # COMMAND-REGEX
	! runs "$1"
}

# Types into one as long as others may end.
wait_typing() { # NAME COMMAND...
	local name=$1 until=$((SECONDS + 180))
	shift
	while ! "$@" && [ $SECONDS -lt $until ]; do
		type_in "$name"
		sleep 1
	done
	"$@"
}

all_ended() { # NAME...
	local name
	for name; do
		ended "$name" || return 1
	done
}

on_terminal() { # COMMAND...
	python3 "$TESTS/system/on_terminal.py" "$ALICE" "$@"
}

fork_service() { # COMMAND
	on_terminal "$FORK_SERVICE" "$FORK_NAME" "$ALICE" "$1"
}

with_fork_service() {
	local services="{ service = \"$FORK_NAME\"; at = \"fork\"; }"
	[ "$SITE_MODE" = installed ] || services+=", { service = \"$SERVICE\"; at = \"credentials\"; }"
	printf 'placement = ( %s );\n' "$services" | put_file "$CONF/cloister.conf"
	printf '%s\n' 'auth required pam_permit.so' 'account required pam_permit.so' "session required $MODULE" |
		put_file "$FORK_PAM"
}

status_of_init() { # HOLD FIELD
	awk -v field="$2:" '$1 == field { $1 = ""; print substr($0, 2) }' "/proc/$(init_of "$1")/status"
}

test_each_by_itself() {
	local since
	idle_policy 'grace = 1;'
	look_before "$WORK/before"
	log_mark
	since=$(date +%s)
	begin idle as alice -tt -- 'echo begun; exec sleep 9101'
	begin active as alice -tt -- 'echo begun; exec sed -u "s/.*/heard/"'
	begin forked fork_service 'echo begun; exec sleep 9102'
	begin stubborn fork_service 'trap "" HUP TERM; echo begun; while :; do sleep 1; done'
	hold_cell none alice
	held none -- 'setsid -f sleep 9103 >/dev/null 2>&1 </dev/null'
	check "logins with a terminal" wait_for says forked begun
	check "without input are ended" wait_typing active all_ended idle forked stubborn
	check "not before the time" test "$(sort -n "$WORK"/{idle,forked,stubborn}.end | head -n 1)" -ge $((since + IDLE))
	check "sshd's is told on its terminal" says idle "$LINE"
	check "so is that of a service that forks" says forked "$LINE"
	check "what it ran has ended" gone '^sleep 910[12]$'
	check_equal "the log tells why" 3 "$(site_log | grep -c 'close: .* why=idle$')"
	type_in active
	check "one with input goes on" says active heard
	check_fails "without a word" says active "$LINE"
	check_equal "one without a terminal, too" "$ALICE" "$(held none -- id -un)"
	check "with what runs in it" runs '^sleep 9103$'
	check_equal "list tells the time" "$IDLE" "$(ctl list --json | python3 -c 'import json, sys
print(*{c["idle"] for c in json.load(sys.stdin) if c["user"] == sys.argv[1]})' "$ALICE")"
	check_matches "status, in the cell" "without input .*0m ${IDLE}s" "$(held none -- "$CTL" status)"
	check_equal "pid 1 can signal, and no more" "$CAPABILITY $CAPABILITY $CAPABILITY" \
		"$(status_of_init none CapPrm) $(status_of_init none CapEff) $(status_of_init none CapBnd)"
	check_equal "it is in the group of terminals alone" "$(getent group tty | cut -d: -f3)" "$(status_of_init none Groups | xargs)"
	stop active
	release none
	check_nothing_left "nothing is left" "$WORK/before"
	hold_cell plain bob
	check_equal "without session.idle pid 1 has no capability" 0000000000000000 "$(status_of_init plain CapPrm)"
	check_equal "and no group" "" "$(status_of_init plain Groups | xargs)"
	release plain
}

logins_are() { # NUMBER
	[ "$(ctl list --json | python3 -c 'import json, sys
print(sum(len(c["logins"]) for c in json.load(sys.stdin) if c["user"] == sys.argv[1]))' "$ALICE")" = "$1" ]
}

test_shared() {
	idle_policy 'on_logout = "keep";' 'namespaces = { share = "user"; };'
	look_before "$WORK/before"
	begin first as alice -tt -- 'tmux new-session -d "sleep 9111"; (trap "" HUP; exec sleep 9112) & echo begun; exec sleep 9113'
	begin second as alice -tt -- 'echo begun; exec sed -u "s/.*/heard/"'
	check "two logins share a cell" wait_for logins_are 2
	check "one begins" wait_for says first begun
	check "one without input is ended" wait_typing second ended first
	check "it was told" says first "$LINE"
	check "what hung on its terminal has ended" wait_for gone '^sleep 9113$'
	check "tmux goes on, as after any logout" runs '^sleep 9111$'
	check "and what ignored the hang-up" runs '^sleep 9112$'
	check "the other login is the one that is left" wait_for logins_are 1
	type_in second
	check "and goes on" says second heard
	stop second
	check "without a login" wait_for logins_are 0
	check "all still runs" runs '^sleep 9111$'
	check "kill" ctl kill --user "$ALICE"
	check_nothing_left "nothing is left of it" "$WORK/before"
	rm -f "$WORK"/{first,second}*
}

# With terminals of the cell's own, whose numbers may be others' outside, a tenant chooses which number is its login's.
test_other_terminal() {
	local tty
	idle_policy 'grace = 0;' 'files = { pts = "private"; pts_max = 200; };'
	begin victim as bob -tt -- 'stty -echo; mesg y; tty; exec cat'
	check "another user has a terminal" wait_for says victim /dev/pts/
	tty=$(tr -d '\r\0' <"$WORK/victim" | grep -o '/dev/pts/[0-9]*')
	cat >"$WORK/take.py" <<-'EOT'
		import fcntl, os, signal, sys, termios, time
		signal.signal(signal.SIGHUP, signal.SIG_IGN)
		ends = [os.openpty()]
		while os.ttyname(ends[-1][1]) != sys.argv[1]:
		    ends.append(os.openpty())
		fcntl.ioctl(os.open("/dev/tty", os.O_RDWR), termios.TIOCNOTTY)
		fcntl.ioctl(ends[-1][1], termios.TIOCSCTTY, 0)
		sys.stdout.write("taken\n")
		sys.stdout.flush()
		time.sleep(1000)
	EOT
	share "$WORK/take.py" >/dev/null
	begin attack as alice -tt -- "exec python3 $SITE_DIR/share/take.py $tty"
	begin private as alice -tt -- 'echo begun; exec sleep 9121'
	check "a tenant takes a terminal of that number" wait_for says attack taken
	check "who does so is ended all the same" wait_for ended attack
	check_fails "and nothing is written to the other's" says victim cloister
	check "on sshd's own terminal, which has no name in the cell, it is" wait_for ended private
	check "told" says private "$LINE"
	type_in victim
	check_fails "the other goes on" ended victim
	stop victim
}

with_module() { # SERVICE...
	local name
	for name; do
		[ -e "/etc/pam.d/$name" ] || continue
		undo_save "/etc/pam.d/$name"
		cp "/etc/pam.d/$name" "$WORK/stock-$name"
		pam_standard "$WORK/stock-$name" | put_file "/etc/pam.d/$name"
	done
}

test_services() {
	idle_policy 'grace = 1;'
	look_before "$WORK/before"
	if [ "$SITE_MODE" != installed ]; then
		skip "su, su --pty and login" "PAM files of the machine are not ours alone"
		return
	fi
	with_module su login # su-l has that of su
	begin su on_terminal su - "$ALICE"
	begin pty on_terminal su --pty - "$ALICE"
	begin login on_terminal login -f "$ALICE"
	begin live on_terminal su - "$ALICE"
	check "su, su --pty and login" wait_for logins_are 4
	check "login's shell asks" wait_for says login '[$] $'
	echo 'mesg y' >&"${TYPED[login]}" # login.defs(5) may have it otherwise: TTYPERM
	check "are ended without input" wait_typing live all_ended su pty login
	check "su's is told" says su "$LINE"
	check "login's, too" says login "$LINE"
	check_fails "a su with input goes on" ended live
	stop live
	check_nothing_left "nothing is left of them" "$WORK/before"
}

with_fork_service
test_each_by_itself
test_shared
test_other_terminal
test_services
done_testing
