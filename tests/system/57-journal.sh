#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Opens, refusals, closes and limits, as programs find them: named fields in the journal, records of the audit subsystem.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

if [ "$SITE_LOG" != journal ] || ! have cgroup2-controllers; then
	skip "the journal's fields, and audit records" "no journal here, or no cgroup v2 controllers"
	done_testing
	exit
fi

LOAD=$SITE_DIR/load
journal_cleanup() {
	rm -f "$LOAD"
	[ -z "${LISTENER-}" ] || kill "$LISTENER"
	[ -z "${AUDIT-}" ] || audit_kernel "$AUDIT" >/dev/null
	test_cleanup
}
trap journal_cleanup EXIT
cp "$(test_program system/load)" "$LOAD"

# entries NAME VALUE: root's since the mark whose field NAME is VALUE, as JSON lines. A match of journalctl's own would lose
# the first of them, the mark being none.
entries() {
	journalctl --sync
	journalctl -q --no-pager -o json --after-cursor "$LOG_MARK" |
		jq -c --arg name "$1" --arg value "$2" 'select(._UID == "0" and .[$name] == $value)'
}

# check_fields DESCRIPTION ENTRY NAME=VALUE...: each field; "NAME=" for one that must not be there.
check_fields() {
	local description=$1 entry=$2 field
	shift 2
	for field; do
		check_equal "$description: ${field%%=*}" "${field#*=}" "$(jq -r --arg name "${field%%=*}" '.[$name] // ""' <<<"$entry")"
	done
}

# audit_kernel [0|1]: prints whether the kernel audits, and switches it.
audit_kernel() {
	python3 - "$@" <<-'EOT'
		import socket, struct, sys
		kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9)
		kernel.send(struct.pack("=IHHII", 16, 1000, 1, 1, 0))  # AUDIT_GET
		print(struct.unpack("=II", kernel.recv(4096)[16:24])[1])
		if len(sys.argv) > 1:
		    status = struct.pack("=10I", 1, int(sys.argv[1]), *[0] * 8)
		    kernel.send(struct.pack("=IHHII", 16 + len(status), 1001, 5, 2, 0) + status)  # AUDIT_SET
		    kernel.recv(4096)
	EOT
}
# What the kernel tells everyone who listens, as journald did up to Debian 12: netlink(7), AUDIT_NLGRP_READLOG.
listen() {
	python3 -c '
import socket
kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9)
kernel.bind((0, 1))
print("listening", flush=True)
while True:
    print(kernel.recv(65536)[16:].rstrip(b"\\0\\n").decode(errors="replace"), flush=True)' >"$WORK/audit" &
	LISTENER=$!
	wait_for grep -q listening "$WORK/audit"
}
audit_records() {
	grep -ao 'op=cloister-.*' "$WORK/audit"
}
three_records() {
	[ "$(audit_records | grep -c "cell=$id \|cell=$reference ")" -eq 3 ]
}
# A kernel of our own is told to.
if [ "$SITE_MODE" = installed ]; then
	AUDIT=$(audit_kernel 1)
fi
listen

OPEN=97424b2c65554cb582c7bbe3684b1666
REFUSE=b6e72c0d49dd4656a3e860ab599f944a
CLOSE=5606f2191234484c84082a783190f919
LIMIT=ebf1bb8b37b5412099919fe02832f70b
# A session that hits a limit -------------------------------------------------------------------------------------

policy 60-small <<-POLICY
	policies = ( { name = "small"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
	  cgroup = { session = { memory_max = "40M"; swap_max = 0; }; }; } );
POLICY
log_mark
as alice -- "'$LOAD' memory 120; true" >/dev/null 2>&1
wait_for nothing_runs

opened=$(entries MESSAGE_ID $OPEN)
check_one_line "one entry of an open" "$opened"
id=$(jq -r .CLOISTER_ID <<<"$opened")
check_matches "with the cell's id" '^[0-9a-v]{12}$' "$id"
about=("CLOISTER_USER=$ALICE" "CLOISTER_UID=$(user_id alice)" CLOISTER_POLICY=small CLOISTER_MODE=enforce
	"CLOISTER_SERVICE=$SERVICE" CLOISTER_TTY=ssh SYSLOG_IDENTIFIER=cloister-helper SYSLOG_FACILITY=10 _TRANSPORT=journal
	CLOISTER_STAGE= CLOISTER_KEY=)
check_fields "open" "$opened" "${about[@]}" PRIORITY=6
check_matches "the remote host" '^(127\.0\.0\.1|::1)$' "$(jq -r .CLOISTER_RHOST <<<"$opened")"
check_matches "the line for people" "^open: id=$id user=$ALICE policy=small " "$(jq -r .MESSAGE <<<"$opened")"

all=$(entries CLOISTER_ID "$id")
check_equal "by the cell's id: its close, its open, its limits" "$CLOSE
$OPEN
$LIMIT" "$(jq -r .MESSAGE_ID <<<"$all" | sort)"
check_fields "close" "$(entries MESSAGE_ID $CLOSE)" "${about[@]}" PRIORITY=6
limit=$(entries MESSAGE_ID $LIMIT)
check_fields "limit" "$limit" "${about[@]}" PRIORITY=5
check_matches "which limit" "1 process killed at session\.memory_max 40M, set in 60-small\.conf:2" "$(jq -r .MESSAGE <<<"$limit")"
rm -f "$STATE/hits/$(user_id alice).json"

# A refusal -------------------------------------------------------------------------------------------------------

policy 60-small <<-POLICY
	policies = ( { name = "small"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
	  files = {
	    mounts = ( { source = "/nowhere"; target = "/srv"; } ); }; } );
POLICY
as alice -- true >/dev/null 2>&1
refused=$(entries MESSAGE_ID $REFUSE)
check_one_line "one entry of a refusal" "$refused"
check_fields "refusal" "$refused" "CLOISTER_USER=$ALICE" "CLOISTER_UID=$(user_id alice)" CLOISTER_POLICY=small \
	"CLOISTER_SERVICE=$SERVICE" CLOISTER_STAGE=files CLOISTER_KEY=files.mounts \
	"CLOISTER_SOURCE=$CONF/policy.d/60-small.conf:3" ERRNO=2 PRIORITY=3
reference=$(jq -r .CLOISTER_ID <<<"$refused")
check_matches "the reference that the user is shown" "ref=$reference " "$(jq -r .MESSAGE <<<"$refused")"

# Audit -----------------------------------------------------------------------------------------------------------

if [ "$(audit_kernel)" = 1 ]; then
	wait_for three_records
	records=$(audit_records)
	check_equal "one record of the open, one of the close, one of the refusal" "op=cloister-close cell=$id res=success
op=cloister-open cell=$id res=success
op=cloister-open cell=$reference res=failed" "$(sed -nE "s/^(op=[a-z-]+ cell=[0-9a-v]+) .* (res=[a-z]+).*/\1 \2/p" <<<"$records" |
		sort -k1,1 -k3,3r)"
	check_matches "of whom, by which policy, from where" \
		"^op=cloister-open cell=$id acct=\"$ALICE\" policy=\"small\" service=\"$SERVICE\" addr=(127\.0\.0\.1|::1) terminal=ssh res=success" \
		"$records"
	check_matches "and which stage refused" "cell=$reference .* stage=\"files\" .* res=failed" "$records"
else
	skip "audit records" "the kernel does not audit here"
fi

# No journal: the same line, by syslog -----------------------------------------------------------------------------

rm -f "$CONF/policy.d/60-small.conf"
policies_reset
mv /run/systemd/journal/socket /run/systemd/journal/socket.away
log_mark
as alice -- true >/dev/null 2>&1
wait_for nothing_runs
mv /run/systemd/journal/socket.away /run/systemd/journal/socket
line=$(entries SYSLOG_IDENTIFIER cloister-helper | grep 'open: id=' || true)
check_fields "without the native socket" "$line" _TRANSPORT=syslog PRIORITY=6 SYSLOG_FACILITY=10 CLOISTER_ID=
check_matches "the line is the same" "^open: id=[0-9a-v]{12} user=$ALICE policy=students service=$SERVICE " \
	"$(jq -r .MESSAGE <<<"$line")"

done_testing
