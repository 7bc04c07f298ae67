#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Mail from cells: cron's, and what a tenant sends. The host's sendmail is setgid, as many are, and keeps what it is given; it
# has no effect in a cell, where cloister-sendmail takes its place.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

if [ "$SITE_MODE" != installed ] || ! have systemd; then
	skip "mail from cells" "sendmail, cron and systemd of the machine are not ours alone"
	done_testing
	exit
fi

SPOOL=/var/spool/cloister-mail-test
DROP=/usr/local/bin/mail-test-drop
SENDMAIL=/usr/sbin/sendmail
CELL_SENDMAIL=$(dirname "$HELPER")/cloister-sendmail

restore() {
	crontab -r -u "$ALICE" 2>/dev/null
	systemctl stop cloister-mail.socket
	rm -f "$SENDMAIL" "$DROP"
	rm -rf --one-file-system "$SPOOL"
	put_file /etc/pam.d/cron <"$WORK/stock-cron"
	test_cleanup
}

undo_save /etc/pam.d/cron
undo_note file "$SENDMAIL"
undo_note file "$DROP"
undo_note tree "$SPOOL"
cp /etc/pam.d/cron "$WORK/stock-cron"
trap restore EXIT
pam_standard "$WORK/stock-cron" | put_file /etc/pam.d/cron

# tee is the part with the privilege. An address may ask for a status and a text.
install -d -g mail -m 770 "$SPOOL"
install -g mail -m 2755 /usr/bin/tee "$DROP"
cat >"$SENDMAIL" <<EOT
#!/bin/sh
case "\$*" in
*fail@*) echo "no such address" >&2; exit 67 ;;
esac
{ echo "X-Args: \$*"; echo "X-Who: \$(id -un) \$(id -Gn)"; echo "X-Env: \$(env | grep -v '^PWD=' | sort | xargs)"
  echo "X-Place: \$(pwd) \$(umask) \$(cat /proc/1/comm) \$(ls /proc/self/fd | grep -vc '[012]')"; cat; echo "X-End"; } | $DROP -a $SPOOL/all >/dev/null
EOT
chmod 755 "$SENDMAIL"

arrived() { # REGEX
	grep -Eq -- "$1" "$SPOOL/all"
}
kept() { # NAME
	sed -n "s/^X-$1: //p" "$SPOOL/all" | sort -u
}
send() { # [OPTION...]: as alice, in a cell, what standard input has
	as alice -- "$SENDMAIL" "$@" 2>&1
}

# Without it, mail is lost, and cron says so.
log_mark
echo '* * * * * echo mailed' | crontab -u "$ALICE" -
mail_is_lost() {
	log_all_since | grep -q 'got status 0x[0-9a-f]* from MTA'
}
check "a job's mail through a setgid program does not arrive, and cron logs it" wait_for mail_is_lost
check_fails "nothing of it" arrived '^mailed$'

policy 60-mail <<-POLICY
	policies = ( { name = "mail"; inherit = "default"; priority = 99; match = { users = ["$ALICE", "$BOB"]; };
	  files = { mounts = ( { source = "$CELL_SENDMAIL"; target = "$SENDMAIL"; options = "ro"; } ); }; } );
POLICY
output=$(send -i someone <<<x)
check_equal "while the socket is not there, it is to be tried again" 75 $?
check_matches "and the sender is told why" "cannot reach the host's mail by .*: " "$output"
check "the socket is there" systemctl start cloister-mail.socket
check "now cron's mail arrives" wait_for arrived '^mailed$'
crontab -r -u "$ALICE"
check_equal "as the user's, with the user's groups" "$ALICE $(id -Gn "$ALICE")" "$(kept Who)"
check_equal "with no option but one" "-i $ALICE" "$(kept Args)"
check_equal "in an environment without a home, which may have what mailers run" "HOME=/nonexistent LOGNAME=$ALICE PATH=/usr/sbin:/usr/bin:/sbin:/bin USER=$ALICE" "$(kept Env)"
check_matches "on the host, with nothing open" '^/ 0077 systemd [01]$' "$(kept Place)"

# What a tenant sends.
rm -f "$SPOOL/all"
check "a tenant sends" send -oi -f root@example -Fother -t one@example "tw.o+x@example" <<<$'To: three@example\n\n.\ntext'
check_equal "recipients are the tenant's to say, and where they are" "-i -t one@example tw.o+x@example" "$(kept Args)"
check "and the text, a single dot included" arrived '^\.$'
rm -f "$SPOOL/all"
check "a dot ends a message" send one@example <<<$'text\n.\nmore'
check "where nothing says otherwise" arrived '^text$'
check_fails "with nothing behind it" arrived '^more$'
output=$(send fail@example <<<x)
check_equal "the host's status is the tenant's" 67 $?
check_equal "and so is what it says" "no such address" "$output"

rm -f "$SPOOL/all"
# shellcheck disable=SC2016
for wrong in "-- -odq" "-- '|id'" "-- /etc/passwd" "-- ':include:/etc/passwd'" "-- 'a b'" '-- "$(printf "a\nr b")"' "-- \$(head -c 400 /dev/zero | tr '\\0' a)" "\$(yes x | head -n 600)"; do
	output=$(as alice -- "$SENDMAIL $wrong" 2>&1 <<<x)
	check_equal "no address: $wrong" 65 $?
done
check_equal "it sends, and nothing else" 64 "$(as alice -- "$SENDMAIL -bp; echo \$?" 2>/dev/null </dev/null)"
check_equal "to somebody" 64 "$(as alice -- "$SENDMAIL; echo \$?" 2>/dev/null </dev/null)"
check_equal "a message that is too large" 65 "$(as alice -- "head -c 70000000 /dev/zero | $SENDMAIL -i one; echo \$?" 2>/dev/null </dev/null)"
check_equal "one that cannot be read to its end" 65 "$(as alice -- "head -c 40000000 /dev/zero | (ulimit -v 20000; $SENDMAIL -i one; echo \$?)" 2>/dev/null </dev/null)"
as alice -- "(echo half; sleep 2; pkill -KILL -f '^$SENDMAIL'; sleep 1) | $SENDMAIL -i one" </dev/null >/dev/null 2>&1
check_equal "nothing is sent of one whose sender is gone before its end, nor of the others" "" "$(cat "$SPOOL/all" 2>/dev/null)"

# One user's messages at once, held open, keep nobody else's.
hold_cell a alice
held a -- "for i in 1 2 3 4; do (echo x; exec sleep 600) | $SENDMAIL -i one & done >/dev/null 2>&1 </dev/null"
busy() {
	[ "$(pgrep -u "$ALICE" -x cloister-mail | wc -l)" -ge 4 ]
}
check "four of a user's at once" wait_for busy
output=$(held a -- "echo x | $SENDMAIL -i one" 2>&1)
check_equal "and no fifth" 75 $?
check_matches "the user is told" "too many messages at once" "$output"
check "another user's goes" as bob -- "echo from bob | $SENDMAIL -i one"
check_matches "as that user's" "^$BOB " "$(kept Who)"
log_mark
release a
idle() {
	! busy
}
check "a logout ends them" wait_for idle
check "nothing of them was sent" test "$(grep -c '^X-End' "$SPOOL/all")" = 1
output=$("$CELL_SENDMAIL" -i one <<<x 2>&1)
check_equal "root has a sendmail of its own" 75 $?
check_matches "and is told so" "root has" "$output"
check_fails "it is for systemd to start" setpriv --reuid "$ALICE" --regid "$ALICE" --init-groups "$(dirname "$HELPER")/cloister-mail"

done_testing
