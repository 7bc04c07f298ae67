#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cloister status: a tenant sees what holds for it, in its cell and outside; nobody sees that of another, but root, and nobody
# changes what a cell shows.

# What is in single quotes is for the shell in the cell.
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"
. "$TESTS/system/commands.sh"

FILE=$RUN/status.json
STORY=$STATE/hits/$(user_id alice).json

status_cleanup() {
	rm -f "$STORY"
	test_cleanup
}
trap status_cleanup EXIT

valid() { # the document on standard input
	"$TESTS/lib/schema.py" "$(dirname "$CTL")/../share/cloister/schema/status.json"
}

# field EXPRESSION, of the document d on standard input
field() {
	python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"
}

test_inside() {
	local text json
	text=$(held tenant -- "$CTL" status)
	check_matches "a cell tells its tenant who it is" "^user +$ALICE \\(uid $(user_id alice)\\)$" "$text"
	check_matches "its policy, and why that one" "^policy +limited \\(user $ALICE\\)$" "$text"
	check_matches "its limits, and where each is written" '^cgroup\.session\.pids_max +30 +/.*/60-limits\.conf:2$' "$text"
	check_matches "and itself" "^$id +limited +$SERVICE +" "$text"
	json=$(held tenant -- "$CTL" status --json)
	check "its JSON holds to the schema" valid <<<"$json"
	check_equal "and is that of this cell" "True $id $ALICE" \
		"$(field '"%s %s %s" % (d["inside"], d["cells"][0]["id"], d["user"])' <<<"$json")"
	check_equal "with what was refused in earlier sessions" "2 forks refused at pids_max 200, set in 50-students.conf:3" \
		"$(field 'd["sessions"][0]["hits"][0]["text"]' <<<"$json")"
	if have cgroup2-controllers; then
		check_equal "what it uses is what the kernel says" "$(cat "$cgroup/pids.max" "$cgroup/memory.max" | xargs)" \
			"$(field '" ".join(str(d["cells"][0]["use"][k]) for k in ("pids_max", "memory_max"))' <<<"$json")"
		check_matches "and what was refused just now" \
			"^cell $id +[0-9]+ forks? refused at session\\.pids_max 30, set in 60-limits\\.conf:2" "$text"
	else
		skip "what it uses is what the kernel says" "this kernel's cgroup v2 has no controllers"
		skip "and what was refused just now" "this kernel's cgroup v2 has no controllers"
	fi
	check_lacks "nothing of others" "$BOB|$id_bob" "$json$(held tenant -- cat "$FILE")"
	check_lacks "nor of the host's processes" '"(init|opener)' "$json$(held tenant -- cat "$FILE")"
}

# What the tenant does to the file, and to the command.
test_inside_attacks() {
	check_equal "the file is root's, in a folder that cannot be listed" "root root 444 111" \
		"$(held tenant -- "cd '$RUN' && stat -c '%U %G %a' status.json && stat -c %a . && ls" 2>/dev/null | xargs)"
	check_equal "it is not to be written, removed, renamed, covered or remounted" "" \
		"$(held tenant -- "cd '$RUN'; for try in 'echo >status.json' 'rm -f status.json' 'mv status.json x' 'touch new' 'ln -s x y' \
			'chmod 666 status.json' 'mount -o remount,rw .' 'mount -t tmpfs none .' 'umount .'; do
			(eval \"\$try\") 2>/dev/null && echo \"\$try\"; done")"
	check_equal "the environment has no say" "$ALICE" \
		"$(held tenant -- "env -i HOME=/root USER=root LOGNAME=root CL_RUN_DIR=/tmp PATH=/nowhere '$CTL' status --json" | field 'd["user"]')"
	check_matches "nor do closed descriptors" '^user ' "$(held tenant -- "'$CTL' status <&- 2>&-")"
	check_equal "a closed output is an error" 1 "$(held tenant -- "'$CTL' status >&- 2>/dev/null; echo \$?")"
	check_equal "another user is not asked about" 1 "$(held tenant -- "'$CTL' status --user $BOB >/dev/null 2>&1; echo \$?")"
}

test_outside() {
	local json text
	text=$(tenant alice "$CTL" status)
	check_matches "outside, the tenant is told the same" "^policy +limited \\(user $ALICE\\)$" "$text"
	check_matches "the limits" '^cgroup\.session\.pids_max +30 +/.*/60-limits\.conf:2$' "$text"
	check_matches "the cell" "^$id +limited +$SERVICE +" "$text"
	check_matches "and earlier sessions" "^session until $(date -d @1000000000 '+%F %R') +2 forks refused at pids_max 200" "$text"
	json=$(tenant alice "$CTL" status --json)
	check "its JSON holds to the schema" valid <<<"$json"
	check_equal "and has the one cell" "False $id" \
		"$(field '"%s %s" % (d["inside"], " ".join(c["id"] for c in d["cells"]))' <<<"$json")"
	check_lacks "nothing of others" "$BOB|$id_bob" "$json"
	check_equal "root sees the same" "$(field 'd["login"], d["limits"], d["sessions"]' <<<"$json")" \
		"$(ctl status --user "$ALICE" --json | field 'd["login"], d["limits"], d["sessions"]')"
	check_matches "and that root is exempt" '^policy +none: exempt \(uid 0\)$' "$(ctl status)"
	check "who never hit a limit has a status, too" valid <<<"$(tenant bob "$CTL" status --json)"
	FAILS_WITH=1 check_fails "nobody is no user" ctl status --user "$SITE_PREFIX-nobody"
}

# By hand, on the setuid helper.
test_outside_attacks() {
	local whom output uid
	for whom in "$ALICE" 0 root "$(user_id alice)" ../cells "$BOB" ''; do
		output=$(tenant bob "$HELPER" status "$whom" 2>/dev/null)
		check_equal "a tenant who asks the helper about \"$whom\" gets nothing" "1 " "$? $output"
	done
	FAILS_WITH=1 check_fails "nor about two" tenant bob "$HELPER" status "$BOB" "$ALICE"
	FAILS_WITH=1 check_fails "nor by the command" tenant bob "$CTL" status --user "$ALICE"
	check_equal "the environment has no say" "$BOB" \
		"$(tenant bob env USER="$ALICE" LOGNAME="$ALICE" SUDO_UID="$(user_id alice)" HOME=/root TZ=/etc/shadow LD_PRELOAD=/nowhere.so \
			"$HELPER" status 2>/dev/null | field 'd["user"]')"
	# shellcheck disable=SC2094
	check_equal "closed descriptors do no harm, and a closed output is an error" "0 1 1" "$(tenant bob bash -c '
		"$0" status <&- >/dev/null 2>&-; a=$?; "$0" status <&- >&- 2>&-; b=$?; "$0" status x <&- >&- 2>&-; echo $a $b $?' "$HELPER")"
	# Whoever does not read keeps a process of its own waiting.
	printf '{ "user": "%s", "sessions": [ { "id": "a", "policy": "p", "service": "s", "ended": 1, "hits": [ "%08000d" ] } ] }' \
		"$ALICE" 0 >"$STORY"
	output=$(tenant alice python3 -c '
import fcntl, os, subprocess, sys, time
r, w = os.pipe()
fcntl.fcntl(w, 1031, 4096)
p = subprocess.Popen([sys.argv[1], "status"], stdout=w)
os.close(w)
for i in range(600):
    uids = [l.split()[1:] for l in open("/proc/%d/status" % p.pid) if l.startswith("Uid:")][0]
    if p.poll() is not None or uids == 4 * [str(os.getuid())]:
        break
    time.sleep(0.1)
print(*uids)
os.kill(p.pid, 9)
print(p.wait())' "$HELPER" 2>&1)
	uid=$(user_id alice)
	check_equal "nobody is waited for as root" "$uid $uid $uid $uid -9" "$(xargs <<<"$output")"
	printf '{ "user": "%s", "sessions": [ 3, { "id": 4 }, { "hits": [] } ], "lost": "x" }' "$ALICE" >"$STORY"
	check "nonsense among what root keeps does no harm" valid <<<"$(tenant alice "$CTL" status --json)"
}

# Where the policy leaves no place, and in a cell without a login.
test_other_cells() {
	local output
	check_matches "a cell without a login has a status" "^policy +limited " \
		"$(ctl run --user "$ALICE" -- "$CTL" status)"
	policy 70-hidden <<-POLICY
		policies = ( { name = "hidden"; inherit = "limited"; priority = 1; match = { users = ["$ALICE"]; };
		  files = { hide = ["/boot", "$RUN"]; }; } );
	POLICY
	output=$(ctl run --user "$ALICE" --policy hidden -- "$CTL" status 2>&1)
	check_equal "where a policy hides it there is none" \
		"1 cloister: setuid programs have no effect here, and this cell shows no status" "$? $output"
	rm -f "$CONF/policy.d/70-hidden.conf"
	check_matches "explain knows the file" '^yes' "$(ctl explain "$ALICE" --can "$FILE")"
	check_matches "and that it cannot be written to" 'it cannot be written to' "$(ctl explain "$ALICE" --can "$FILE")"
	check_matches "and that there is nothing beside it" '^no' "$(ctl explain "$ALICE" --can "$RUN/cells")"
}

policy 60-limits <<-POLICY
	policies = ( { name = "limited"; inherit = "students"; priority = 100; match = { users = ["$ALICE"]; };
	  cgroup = { session = { pids_max = 30; }; }; } );
POLICY
check "sweep makes the folders" helper sweep
look_before "$WORK/before"
install -m 600 /dev/stdin "$STORY" <<-STORY
	{ "user": "$ALICE", "sessions": [ { "id": "aaaaaaaaaaaa", "policy": "students", "service": "sshd", "ended": 1000000000, "told": true,
	  "hits": [ { "what": "forks_refused", "count": 2, "of_user": true, "limits": [],
	    "text": "2 forks refused at pids_max 200, set in 50-students.conf:3" } ] } ] }
STORY
hold_cell tenant alice
hold_cell other bob
held tenant -- 'for i in $(seq 40); do sleep 3 & done; wait' >/dev/null 2>&1
id=$(ctl list | awk -v user="$ALICE" '$2 == user { print $1 }')
id_bob=$(ctl list | awk -v user="$BOB" '$2 == user { print $1 }')
cgroup=$(cgroup_of "$(init_of tenant)")
test_inside
test_inside_attacks
test_outside
test_outside_attacks
test_other_cells
check_equal "nothing of it is on the host" "" "$(find "$RUN" -name 'status.json*')"
release tenant other
check_nothing_left "nothing is left" "$WORK/before"

done_testing
