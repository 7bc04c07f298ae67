#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A limit that a session hit is told: in the log when it ends, and once to the user, at the next login that has a
# terminal; never in the way of a command or a transfer.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

LOAD=$SITE_DIR/load
STORIES=$STATE/hits

hits_cleanup() {
	rm -rf --one-file-system "$LOAD"
	clear_stories
	test_cleanup
}
trap hits_cleanup EXIT

# Emulated processors are held back at the shortest login.
calm() {
	policies_reset
	policy 60-calm <<-POLICY
		policies = ( { name = "calm"; inherit = "students"; priority = 50; match = { users = ["$ALICE"]; };
		  cgroup = { cpu_max = "max"; session = { cpu_max = "max"; }; }; } );
	POLICY
}

clear_stories() {
	find "$STORIES" -mindepth 1 -delete
}

# A shell on a terminal: all that the user sees.
terminal() { # USER
	echo exit | as "$1" -tt 2>/dev/null | tr -d '\r'
}

# The lines of it that are ours. That they were told is kept when the session is closed.
told() { # USER
	terminal "$1" | grep -E '^(last session|session until|limits were hit)' || true
	wait_for closed "$1"
}

closed() { # USER
	! pgrep -f "^[^ ]*sshd(-session)?: $SITE_PREFIX-$1"
}

story() { # USER
	printf '%s\n' "$STORIES/$(id -u "$SITE_PREFIX-$1").json"
}

# Two sessions of a user, as the helper keeps them.
write_story() { # USER [NAME-IN-THE-FILE]
	cat >"$(story "$1")" <<-STORY
		{ "user": "${2-$SITE_PREFIX-$1}", "sessions": [
		  { "id": "aaaaaaaaaaaa", "policy": "students", "service": "sshd", "ended": 1000000000, "told": false, "hits": [
		    { "what": "forks_refused", "count": 2, "of_user": true, "limits": [],
		      "text": "2 forks refused at pids_max 200, set in 50-students.conf:3" } ] },
		  { "id": "bbbbbbbbbbbb", "policy": "students", "service": "sshd", "ended": 1000003600, "told": false, "hits": [
		    { "what": "oom_kills", "count": 3, "of_user": false, "limits": [],
		      "text": "3 processes killed at memory_max 512M, set in 50-students.conf:12" },
		    { "what": "cpu_throttled", "count": 9, "of_user": false, "limits": [],
		      "text": "processors held back for 0.90 s at\nsession.cpu_max \u001b[31m50%, built-in" } ] } ] }
	STORY
	chmod 600 "$(story "$1")"
}

test_told_once() {
	local output
	write_story alice
	check_equal "a command's output is clean" "out" "$(as alice -- echo out 2>&1)"
	head -c 100000 /dev/urandom >"$WORK/data"
	check "scp works" scp -q -O -F "$SSH_CONFIG" "$WORK/data" alice:data
	check "in the new protocol, too" scp -q -s -F "$SSH_CONFIG" alice:data "$WORK/back"
	check "byte for byte" cmp "$WORK/data" "$WORK/back"
	check "sftp works" sh -c "echo 'get data $WORK/back2' | sftp -q -F '$SSH_CONFIG' -b - alice >'$WORK/sftp' 2>&1"
	check_equal "and says nothing else" "sftp> get data $WORK/back2" "$(cat "$WORK/sftp")"
	check_equal "none of them has been told" 0 "$(grep -c '"told": true' "$(story alice)")"
	output=$(told alice)
	check_equal "a shell on a terminal is told, both sessions" \
		"session until $(date -d @1000000000 '+%F %R'): 2 forks refused at pids_max 200, set in 50-students.conf:3
last session: 3 processes killed at memory_max 512M, set in 50-students.conf:12; processors held back for 0.90 s at?session.cpu_max ?[31m50%, built-in" \
		"$output"
	check_equal "once" "" "$(told alice)"
	check_equal "what was told is kept for status" 2 "$(grep -c '"told": true' "$(story alice)")"
}

test_file() {
	check_equal "the stories are root's alone" "root 700" "$(stat -c '%U %a' "$STORIES")"
	check_equal "so is each" "root 600" "$(stat -c '%U %a' "$(story alice)")"
	write_story alice "$SITE_PREFIX-former"
	check_equal "a uid's former owner is no concern of the new one's" "" "$(told alice)"
	printf '{ "user": "%s", "sessions": 3, "refused": { "a": 1 }, "counted": [] }' "$ALICE" >"$(story alice)"
	check_equal "nonsense in the file does no harm" "" "$(told alice)"
	head -c 400000 /dev/zero | tr '\0' '[' >"$(story alice)"
	check_equal "nor does a file that is too large" "" "$(told alice)"
	rm -f "$(story alice)"
	ln -s /etc/passwd "$(story alice)"
	check_equal "nor does a link" "" "$(told alice)"
	check "whose target is left alone" grep -q '^root:' /etc/passwd
	rm -f "$(story alice)"
}

test_bounded() {
	python3 - "$ALICE" >"$(story alice)" <<-'EOT'
		import json, sys
		hit = {"text": "9 forks refused at pids_max 200, set in 50-students.conf:3"}
		json.dump({"user": sys.argv[1], "lost": 4, "sessions": [{"id": "%012d" % i, "ended": 1000000000 + i, "told": False,
		          "hits": [hit]} for i in range(16)]}, sys.stdout)
	EOT
	check_equal "after many, the last four are told, and how many there were" \
		"limits were hit in 16 earlier sessions
4 9 forks" "$(told alice | sed -E 's/^(last session|session until [^:]*:[^:]*): (9 forks) .*/\2/' | uniq -c |
	sed -E 's/^ *//; s/^1 limits/limits/')"
	check_equal "and no more after that" "" "$(told alice)"
}

test_sweep() {
	write_story alice
	write_story bob
	mv "$(story bob)" "$STORIES/4009600003.json"
	touch "$RUN/cells/aaaaaaaaaaaa.json.0123456789abcdef.tmp"
	touch -d '1 hour ago' "$RUN/cells/aaaaaaaaaaaa.plan.0123456789abcdef.tmp"
	touch "$RUN/cells/bbbbbbbbbbbb.plan.0123456789abcdef.tmp"
	touch "$STORIES/4009600003.json.0123456789abcdef.tmp" "$(story alice).0123456789abcdef.tmp" "$STORIES/other"
	check "sweep" helper sweep
	check_equal "the story of a user that is gone is swept, and what a crash left" "$(basename "$(story alice)") other" \
		"$(cd "$STORIES" && printf '%s ' * | sed 's/ $//')"
	check_equal "so is what a crash left of a cell, and nothing that is being written" \
		aaaaaaaaaaaa.json.0123456789abcdef.tmp "$(cd "$RUN/cells" && echo *.tmp)"
	rm -f "$RUN"/cells/*.tmp
	clear_stories
}

# Real limits ----------------------------------------------------------------------------------------------------

limits() { # CGROUP-SETTINGS, which start on the policy's second line
	policy 60-limits <<-POLICY
		policies = ( { name = "limited"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; }; cgroup = {
		  $1
		}; } );
	POLICY
}

limit_lines() {
	log_since | grep -oE 'limit: .*' || true
}

test_session_limits() {
	local log
	limits 'pids_max = 100; memory_max = "200M"; swap_max = 0;
		  session = { pids_max = 30;
		  memory_max = "40M"; };'
	log_mark
	as alice -- "'$LOAD' memory 120; sh -c 'for i in \$(seq 60); do sleep 4 & done' 2>/dev/null; true" >/dev/null 2>&1
	wait_for no_cells alice
	log=$(limit_lines)
	check_equal "one line about the limits of a session" 1 "$(grep -c . <<<"$log")"
	check_matches "it names user, policy and service" \
		"^limit: id=[a-z0-9]{12} user=$ALICE policy=limited service=$SERVICE " "$log"
	check_matches "the kill, the key, its value and its place" \
		'1 process killed at session\.memory_max 40M, set in 60-limits\.conf:4' "$log"
	check_matches "and the forks" '[0-9]+ forks? refused at session\.pids_max 30, set in 60-limits\.conf:3' "$log"
	# The policy has been edited since: what was in force counts.
	limits 'pids_max = 100;'
	check_matches "the next shell is told, by the old policy" \
		'^last session: 1 process killed at session\.memory_max 40M, set in 60-limits\.conf:4; ' "$(told alice)"
	check_equal "once" "" "$(told alice)"
}

test_user_limits() {
	local log
	limits '
		  memory_max = "60M"; swap_max = 0;
		  cpu_max = "20%";'
	log_mark
	as alice -- "timeout 2 sh -c 'while :; do :; done'; '$LOAD' memory 120; true" >/dev/null 2>&1
	wait_for no_cells alice
	log=$(limit_lines)
	check_matches "the user's limit is named as the user's" \
		'1 process killed at memory_max 60M, set in 60-limits\.conf:3' "$log"
	check_matches "so is the processors'" \
		'processors held back for [0-9]+\.[0-9]{2} s at cpu_max 20%, set in 60-limits\.conf:4' "$log"
	calm
	log_mark
	as alice -- true
	wait_for no_cells alice
	check_equal "a session that hits nothing says nothing" "" "$(limit_lines)"
	check_matches "a shell is still told of the one before" 'killed at memory_max 60M' "$(told alice)"
}

# The service was killed: no close. With systemd the scope, and what it counted, goes at once.
test_crashed() {
	local monitor
	settings <<<'cgroup_manager = "cgroupfs";'
	limits 'session = { memory_max = "40M"; swap_max = 0; };'
	hold_cell crash alice
	held crash -- "'$LOAD' memory 120" >/dev/null 2>&1
	log_mark
	monitor=$(pgrep -f "^[^ ]*sshd(-session)?: $ALICE \[priv\]" | head -n 1)
	kill -KILL "$monitor"
	wait_for test ! -d "/proc/$monitor"
	sleep 1
	helper sweep >/dev/null
	check_matches "a session that ended without a close is told of by the sweep" \
		'limit: .*1 process killed at session\.memory_max 40M, set in 60-limits\.conf:2' "$(limit_lines)"
	settings_reset
	calm
	check_matches "and to the user" '^last session: 1 process killed at session\.memory_max 40M' "$(told alice)"
}

no_cells() { # USER
	! grep -ls "\"user\": \"$SITE_PREFIX-$1\"" "$RUN"/cells/*.json
}

cp "$(test_program system/load)" "$LOAD"
check "sweep makes the folder" helper sweep
clear_stories
calm
test_told_once
test_file
test_bounded
test_sweep
if have cgroup2-controllers; then
	test_session_limits
	test_user_limits
	test_crashed
else
	skip "limits of a session are told" "this kernel's cgroup v2 has no controllers"
	skip "limits of a user are told" "this kernel's cgroup v2 has no controllers"
	skip "a crashed session is told of" "this kernel's cgroup v2 has no controllers"
fi

done_testing
