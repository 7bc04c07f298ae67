#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Logins with a password at a virtual terminal and on a serial line: agetty, login, and back to agetty. Somebody types on tty2, and
# at the far end of the wire of ttyS1.

# What is in single quotes is for the shell in the cell.
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"
. "$TESTS/system/commands.sh"

if [ "$SITE_MODE" != installed ]; then
	skip "logins at consoles" "the machine is not ours alone"
	done_testing
	exit
fi

declare -A GETTY=([tty2]=getty@tty2.service [ttyS1]=serial-getty@ttyS1.service)
FAR_END=ttyS2
PASSWORD=$(od -An -N 12 -tx1 /dev/urandom | tr -d ' ')
ROOT_HASH=$(getent shadow root | cut -d: -f2)

restore() {
	systemctl stop "${GETTY[@]}"
	put_file /etc/pam.d/login <"$WORK/stock-login"
	usermod -p "$ROOT_HASH" root
	usermod -p '*' "$ALICE"
	gpasswd -d "$DAVE" sudo >/dev/null
	test_cleanup
}

prepare() {
	undo_save /etc/pam.d/login
	cp /etc/pam.d/login "$WORK/stock-login"
	pam_standard "$WORK/stock-login" | put_file /etc/pam.d/login
	printf '%s\n' "$ALICE:$PASSWORD" "$DAVE:$PASSWORD" "root:$PASSWORD" | chpasswd 2>/dev/null
	usermod -aG sudo "$DAVE"
	stty -F /dev/$FAR_END raw -echo 115200
	background said cat /dev/$FAR_END
	systemctl start "${GETTY[@]}"
}

# A getty that starts again has its credentials mounted anew.
host_mounts() {
	grep -vE ' /run/(user/[0-9]+|credentials/[^ ]*getty@[^ ]*) ' /proc/self/mountinfo
}

# console CONSOLE STEP...: see console.py.
console() {
	local name=$1
	shift
	case $name in
	ttyS*) name=$FAR_END:$WORK/said ;;
	esac
	timeout 300 python3 "$TESTS/system/console.py" "$name" "$@"
}

# log_in CONSOLE USER [STEP...]
log_in() {
	local name=$1 user=$2
	shift 2
	console "$name" '?login:\Z' "$user" '?Password:\Z' "$PASSWORD" "$@"
}

# What somebody sees who has logged in, in a file.
put_look() { # USER
	cat >"/home/$1/look" <<-'LOOK'
		test -t 0 && test -t 1 && test -t 2 && echo terminals >~/seen.new
		{
			tty
			stat -c '%U %G' "$(tty)"
			echo word >/dev/tty && echo writable
			ls /dev | grep '^tty[0-9S]'
			cat /proc/1/comm
			id -un
		} >>~/seen.new 2>&1
		readlink /proc/self/ns/pid >~/namespace
		mv ~/seen.new ~/seen
	LOOK
}

look_at() { # CONSOLE USER: after the login
	rm -f "/home/$2/seen"
	console "$1" '. ./look' >/dev/null
	wait_for test -s "/home/$2/seen" && xargs <"/home/$2/seen"
}

state_of() { # COMMAND
	ps -o stat= -p "$(pgrep -u "$ALICE" -fx "$1")" | cut -c1
}

is_stopped() { [ "$(state_of 'sleep 9101')" = T ]; }
is_running() { [ "$(state_of 'sleep 9101')" = S ]; }
is_gone() { ! pgrep -u "$ALICE" -fx 'sleep 9101'; }

test_jobs() { # CONSOLE
	console "$1" 'sleep 9101' >/dev/null
	check "$1: a command runs" wait_for is_running
	console "$1" $'\x1a' >/dev/null
	check "$1: ^Z stops it" wait_for is_stopped
	console "$1" fg >/dev/null
	check "$1: fg goes on" wait_for is_running
	console "$1" $'\x03' >/dev/null
	check "$1: ^C ends it" wait_for is_gone
}

logins_recorded() { # CONSOLE: of alice's, in wtmp
	python3 - "$1" "$ALICE" <<-'COUNT'
		import struct, sys
		records = struct.iter_unpack("hi32s4s32s256shhiii4i20s", open("/var/log/wtmp", "rb").read())
		print(sum(r[0] == 7 and [r[2].rstrip(b"\0").decode(), r[4].rstrip(b"\0").decode()] == sys.argv[1:] for r in records))
	COUNT
}

session_on() { # CONSOLE
	loginctl --no-legend list-sessions | awk -v console="$1" '$0 ~ " " console "( |$)" { print $1 }'
}

asks_again() { # CONSOLE
	console "$1" '?login:\Z'
}

test_login() { # CONSOLE
	local session recorded
	look_before "$WORK/before"
	recorded=$(logins_recorded "$1")
	if ! log_in "$1" "$ALICE" '?\$\Z' >"$WORK/shown" 2>&1; then
		fail "$1: a tenant gets a shell" "$(cat "$WORK/shown")"
		return
	fi
	check_equal "$1: its terminal, and no other" "terminals /dev/$1 $ALICE tty writable $1 cloister-init $ALICE" "$(look_at "$1" "$ALICE")"
	check_differs "$1: it is in a cell" "$(readlink /proc/self/ns/pid)" "$(cat "/home/$ALICE/namespace")"
	test_jobs "$1"
	# As for root, who is in no cell: Debian 12's login writes to wtmp, but does not get into utmp; Debian 13's to neither, and who asks
	# logind.
	if [ -e /run/utmp ]; then
		check_equal "$1: wtmp has it" "$((recorded + 1))" "$(logins_recorded "$1")"
	else
		check_matches "$1: who names it" "^$ALICE +$1 " "$(who)"
	fi
	session=$(session_on "$1")
	check_equal "$1: so does logind" "Name=$ALICE Service=login" "$(loginctl show-session "$session" -p Name -p Service | sort | xargs)"
	check_matches "$1: and list" "^(/dev/)?$1\$" "$(ctl list | awk -v user="$ALICE" '$2 == user { print $5 }')"
	console "$1" 'setsid -f sleep 9102; exit' >/dev/null
	check "$1: after the logout, agetty asks again" asks_again "$1"
	check_nothing_left "$1: and nothing is left of the cell" "$WORK/before"
	check_lacks "$1: nor on who's list" "^$ALICE " "$(who)"
}

# The host is root's, and an exempt administrator's.
test_let_in() { # CONSOLE WHEN USER
	log_in "$1" "$3" '?[$#]\Z' >/dev/null || fail "$1: $2, $3 gets no shell"
	check_equal "$1: $2, $3 gets in" "/dev/$1 $(readlink /proc/self/ns/pid)" "$(look_outside "$1")"
	console "$1" exit >/dev/null
	check "$1: and out" asks_again "$1"
}

look_outside() { # CONSOLE
	rm -f "$WORK/out/seen"
	console "$1" "{ tty; readlink /proc/self/ns/pid; } >$WORK/out/new; mv $WORK/out/new $WORK/out/seen" >/dev/null
	wait_for test -s "$WORK/out/seen" && xargs <"$WORK/out/seen"
}

# shadow's login ends at once, and the unit of getty clears a virtual terminal: nobody can read there what was said.
screen_stays() { # CONSOLE
	[ "$1" != tty2 ] || login --version 2>&1 | grep -q util-linux
}

test_refused() { # CONSOLE
	local output
	policy 60-consoles <<-POLICY
		policies = ( { name = "consoles"; inherit = "default"; priority = 99; match = { users = ["$ALICE"]; };
		  seccomp = { profile = "/nonexistent"; when_unavailable = "refuse"; }; } );
	POLICY
	log_mark
	if screen_stays "$1"; then
		output=$(log_in "$1" "$ALICE" '?login refused[^)]*\)' 2>&1)
		check_matches "$1: a refused login says so, with a reference" 'cloister: login refused \(reference [a-z0-9]+\)' "$(tr '\n' ' ' <<<"$output")"
	else
		log_in "$1" "$ALICE" >/dev/null
	fi
	check "$1: after a refused login, agetty asks again" asks_again "$1"
	check_matches "$1: the log has it" "refused: user=$ALICE service=login .*stage=seccomp" "$(log_since)"
	rm -f "$CONF/policy.d/60-consoles.conf"
}

test_broken() { # CONSOLE
	policy 60-consoles <<<'policies = ( { name = '
	settings <<<'exempt = { users = [ "root"'
	test_let_in "$1" "with a broken configuration" "$DAVE"
	test_let_in "$1" "with a broken configuration" root
	settings_reset
	rm -f "$CONF/policy.d/60-consoles.conf"
}

trap restore EXIT
prepare
install -d -m 1777 "$WORK/out"
put_look "$ALICE"
for console in ${CONSOLES:-tty2 ttyS1}; do
	test_login "$console"
	test_let_in "$console" "where all is well" root
	test_refused "$console"
	test_broken "$console"
done
done_testing
