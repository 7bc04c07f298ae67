#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# files.pts = "private": terminals of the cell's own, and no trace of others'; what the login's terminal is called there. In both
# kinds of cell nothing tells who else is logged in, and nothing reaches their terminals.

# What is in single quotes is for the shell in the cell.
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"
. "$TESTS/system/commands.sh"

# What a terminal adds: \r, and what script(1) sends as the end of its input.
plain() {
	tr -d '\r\0' | sed 's/\^@//g' | xargs
}

policy 60-pts <<EOT
policies = ( { name = "pts"; inherit = "students"; priority = 100; match = { users = ["$ALICE"]; };
  files = { pts = "private"; pts_max = 5; }; } );
EOT
check_matches "check warns that sshd's terminals have no name" "60-pts\.conf:2: warning: .*files\.pts.*sshd" "$(ctl check 2>&1)"

# Someone else with a terminal, who lets everyone write to it.
mkfifo "$WORK/bob.in"
start_in_terminal() {
	as bob -tt -- 'stty -echo; mesg y; tty; exec cat' <"$WORK/bob.in" >"$WORK/bob" 2>&1
}
start_in_terminal &
STARTED+=($!)
exec {bob_in}>"$WORK/bob.in"
check "another user has a terminal" wait_for grep -q /dev/pts/ "$WORK/bob"
bob_tty=$(tr -d '\r\0' <"$WORK/bob" | grep /dev/pts/)
hold_cell one alice
hold_cell host dave

others='who; users; w -h; last; lastlog; loginctl --no-pager list-sessions; grep -aoE "'$BOB'|pts/" /run/utmp /var/run/utmp /var/log/wtmp /var/log/lastlog \
	/var/lib/lastlog/* /var/lib/wtmpdb/*'
for cell in one host; do
	check_equal "$cell: nothing tells of others' logins" "" "$(held $cell -- "$others" 2>/dev/null | grep -E "$BOB|pts/")"
	held $cell -- "echo reached | write $BOB; echo reached | wall; echo reached >$bob_tty" >/dev/null 2>&1
	check_fails "$cell: another's terminal cannot be opened" held $cell -- ": <>$bob_tty"
done
echo still-there >&$bob_in
check "the other terminal goes on" wait_for grep -q still-there "$WORK/bob"
check_lacks "and nothing reached it" reached "$(cat "$WORK/bob")"

# The cell's own.
check_equal "there is no terminal but the cell's" ptmx "$(held one -- ls /dev/pts)"
check_equal "and no count of all" "" "$(held one -- ls -A /proc/sys/kernel/pty)"
check_matches "the host's has both" "[0-9] ptmx nr" "$(held host -- 'ls /dev/pts /proc/sys/kernel/pty' | grep -E '^([0-9]+|ptmx|nr)$' | xargs)"
cat >"$WORK/exhaust.py" <<'EOT'
import os
ends = []
try:
    while len(ends) < 100:
        ends.append(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))
except OSError as error:
    print(len(ends), error.errno)
EOT
check_equal "as many as the policy says" "5 28" "$(held one -- python3 - <"$WORK/exhaust.py")"
check_equal "which are free again" "/dev/pts/0" "$(held one -- script -qc tty /dev/null </dev/null | plain)"
check_equal "its owner and group" "$ALICE tty" "$(held one -- script -qc "'stat -c \"%U %G\" /dev/pts/0'" /dev/null </dev/null | plain)"
for multiplexer in "tmux new" "screen sh -c"; do
	have "${multiplexer%% *}" || continue # a machine of the developer's
	as alice -tt -- "export TERM=vt100; $multiplexer 'tty >~/tty.out'" </dev/null >/dev/null 2>&1
	check_equal "$multiplexer works on sshd's terminal, and has one of the cell's" /dev/pts/0 "$(held one -- 'cat ~/tty.out; rm ~/tty.out')"
done

# sshd makes its terminal when the cell stands: it works, and has no name.
terminal=$(as alice -tt -- 'tty; test -t 0 && echo terminal; echo word >/dev/tty; stty size </dev/tty; ls /dev/pts' </dev/null 2>/dev/null | plain)
check_equal "sshd's terminal works without a name" "not a tty terminal word 0 0 ptmx" "$terminal"

# Those that are known at the open, and those of cloister run.
check_equal "cloister run has a terminal of the cell's" "/dev/pts/0 0 ptmx" \
	"$(tenant alice script -qc "$CTL run -- sh -c 'tty; ls /dev/pts'" /dev/null </dev/null 2>/dev/null | plain)"
background run tenant alice script -qc "$CTL run -- sleep 9007" /dev/null
check "it runs" wait_for cell_pid alice '^sleep 9007$'
check_equal "and is not taken for one of the host's" "-" "$(ctl list | awk -v user="$ALICE" '$2 == user && /cloister-run/ { print $5 }')"
id=$(ctl list | awk -v user="$ALICE" '$2 == user && /cloister-run/ { print $1 }')
check_equal "cloister enter has one, too" "/dev/pts/1 0 1 ptmx" \
	"$(script -qc "$CTL enter $id -- sh -c 'tty; ls /dev/pts'" /dev/null </dev/null 2>/dev/null | plain)"
kill "$(cell_pid alice '^sleep 9007$')"
wait "$PID" 2>/dev/null

# su and login with a PAM stack of our own, which they alone see.
cat >"$WORK/pam" <<-EOT
	auth sufficient pam_rootok.so
	account required pam_permit.so
	session required $MODULE
EOT
cat >"$WORK/with-pam" <<'EOT'
#!/bin/bash
mount --bind "$1" "/etc/pam.d/$2" && shift && exec "$@"
EOT
chmod 755 "$WORK/with-pam"
with_pam=(unshare -m --propagation private "$WORK/with-pam" "$WORK/pam")
check_equal "the terminal that su was called on is the cell's console" "/dev/console console ptmx" \
	"$(script -qc "${with_pam[*]} su $ALICE -c 'tty; ls -d /dev/console | cut -c6-; ls /dev/pts'" /dev/null </dev/null | plain)"
# A console of this machine's, if it has any.
console=
for terminal in tty8 ttyS0 ttyS1; do
	[ -n "$console" ] || ! { : <>"/dev/$terminal"; } 2>/dev/null || console=/dev/$terminal
done
if [ -n "$console" ]; then
	for name in "$ALICE" "$DAVE"; do
		check_equal "$name: a console has its own name" "$console" \
			"$(setsid "${with_pam[@]}" su "$name" -c 'tty; exec 0<&-' <"$console" 2>/dev/null | plain)"
	done
else
	skip "a console has its own name" "this machine has none"
fi
cat >"$WORK/login" <<'EOT'
set timeout 120
log_user 0
spawn -noecho {*}$argv
expect -re {[$] $} {} timeout { puts "no prompt: $expect_out(buffer)"; exit 2 } eof { puts "ended: $expect_out(buffer)"; exit 2 }
send "tty; echo writ''able >\$(tty); exit\r"
expect -re {(/dev/(pts/[0-9]+|console))\r.*writable} {} timeout { puts "no name"; exit 2 } eof { puts "ended: $expect_out(buffer)"; exit 2 }
puts $expect_out(1,string)
expect eof
EOT
# util-linux' login opens its terminal anew, by the name that it has on the host.
if login --version 2>&1 | grep -q util-linux; then
	check_lacks "login on a pseudo-terminal finds no other" "^/dev/" "$(expect -f "$WORK/login" "${with_pam[@]}" login -f "$ALICE" 2>&1)"
else
	check_equal "that of login, too" /dev/console "$(expect -f "$WORK/login" "${with_pam[@]}" login -f "$ALICE" 2>&1)"
fi

release one host
exec {bob_in}>&-
done_testing
