#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cloister apply: cells that live get the limits of the policies of today, in the kernel and in all that tells of them; what
# fails or is invalid changes nothing but what it says.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"
. "$TESTS/system/commands.sh"

MIB=$((1024 * 1024))
if have cgroup2-controllers; then
	WHEN="refuse"
else
	WHEN="continue"
fi

# limits NAME USER CGROUP-SETTINGS [OTHER SETTINGS]
limits() {
	policy "60-$1" <<-POLICY
		policies = ( { name = "$1"; inherit = "students"; priority = 100; match = { users = ["$2"]; };
		  cgroup = { when_unavailable = "$WHEN"; memory_max = "512M"; swap_max = 0; cpu_max = "150%";
		    ${3-} };
		  ${4-} } );
	POLICY
}

# field EXPRESSION, of the document d on standard input, c being its first cell
field() {
	python3 -c 'import json, sys; d = json.load(sys.stdin); c = (d.get("cells") or [None])[0]; print(eval(sys.argv[1]))' "$1"
}

changes='" ".join("%s:%s>%s" % (x["key"].replace("cgroup.", ""), *(s and s["value"] for s in (x["before"], x["after"]))) for x in c["changes"])'
later='" ".join(x["key"] for x in c["next_login"])'

valid() { # the document on standard input
	"$TESTS/lib/schema.py" "$(dirname "$CTL")/../share/cloister/schema/apply.json"
}

# What the kernel holds, of the user's cgroup and of the leaf: pids.max, memory.max, memory.high, cpu.max. systemd takes a
# controller away where nothing is left for it to do: then there is no limit.
kernel() {
	local file
	for file in {"$user_group","$leaf"}/{pids.max,memory.max,memory.high,cpu.max}; do
		if [ -e "$file" ]; then
			cat "$file"
		else
			[ "${file##*/}" = cpu.max ] && echo max 100000 || echo max
		fi
	done | xargs
}

check_kernel() { # DESCRIPTION EXPECTED
	if have cgroup2-controllers; then
		check_equal "$1" "$2" "$(kernel)"
	else
		skip "$1" "this kernel's cgroup v2 has no controllers"
	fi
}

live() { # USER-NAME: ids of the user's cells
	ctl list | awk -v user="$1" '$2 == user { print $1 }'
}

test_manager() {
	limits one "$ALICE" 'session = { pids_max = 40; memory_high = "64M"; };'
	limits two "$BOB" 'session = { pids_max = 40; };'
	hold_cell a alice
	hold_cell b bob
	id=$(live "$ALICE")
	leaf=$(cgroup_of "$(init_of a)") user_group=$(dirname "$leaf")
	check_kernel "$1: a cell has the limits of its login" "200 $((512 * MIB)) max 150000 100000 40 $((512 * MIB)) $((64 * MIB)) 150000 100000"
	check_equal "$1: nothing differs" "" "$(ctl apply "$id" --json | field "$changes")"

	# memory_high goes from the session to the user, the rest changes, is new or is no longer there.
	limits one "$ALICE" 'pids_max = 50; memory_high = "128M"; cpu_weight = 50; session = { cpu_max = "50%"; };' \
		'env = { GREETING = "other"; }; session = { grace = 7; max = 3; };'
	expected='pids_max:200>50 session.pids_max:40>None session.memory_high:64M>None session.max:20>3 memory_high:None>128M cpu_weight:None>50 session.cpu_max:None>50% session.grace:5s>7s'
	dry=$(ctl apply --dry-run --user "$ALICE" --json)
	check "$1: the JSON of a dry run holds to the schema" valid <<<"$dry"
	check_equal "$1: it says what would change" "True $expected" "$(field "str(d['dry_run']) + ' ' + $changes" <<<"$dry")"
	check_equal "$1: and what takes a new login" env "$(field "$later" <<<"$dry")"
	check_kernel "$1: and changes nothing" "200 $((512 * MIB)) max 150000 100000 40 $((512 * MIB)) $((64 * MIB)) 150000 100000"
	check_equal "$1: also in the record" 200 "$(ctl show "$id" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["limits"][0]["value"])')"
	log_mark
	document=$(ctl apply --user "$ALICE" --json)
	check_equal "$1: what is done is what was said" "False $expected" "$(field "str(d['dry_run']) + ' ' + $changes" <<<"$document")"
	check_kernel "$1: and the kernel has it" "50 $((512 * MIB)) $((128 * MIB)) 150000 100000 max $((512 * MIB)) max 50000 100000"
	check_matches "$1: the log tells" "apply: id=$id user=$ALICE policy=one .*cgroup\.pids_max=50" "$(site_log)"
	check_matches "$1: show tells what holds, and where it was written" "cgroup\.pids_max +50 +.*/60-one\.conf:3" "$(ctl show "$id")"
	check_matches "$1: and so does status in the cell" "cgroup\.pids_max +50 +.*/60-one\.conf:3" "$(held a -- "$CTL" status)"
	check_lacks "$1: where no limit is left that went" "(^|[[:space:]])cgroup\.session\.pids_max" "$(held a -- "$CTL" status)$(ctl show "$id")"
	check_fails "$1: the tenant changes nothing of it" held a -- "echo x >$RUN/status.json || mv $RUN/status.json $RUN/x"
	check_equal "$1: a second time nothing changes" "" "$(ctl apply "$id" --json | field "$changes")"
	check_matches "$1: in words, too" "limits are those of the policy" "$(ctl apply "$id")"

	# One of two cells: of the user's limits, none is lifted.
	hold_cell a2 alice
	limits one "$ALICE" 'pids_max = 45; cpu_weight = 50; session = { cpu_max = "40%"; };'
	check "$1: one cell of two" ctl apply "$id"
	check_kernel "$1: it has its own, and what limits the user is not lifted" "45 $((512 * MIB)) $((128 * MIB)) 150000 100000 max $((512 * MIB)) max 40000 100000"
	check "$1: both" ctl apply --user "$ALICE"
	check_kernel "$1: now it is" "45 $((512 * MIB)) max 150000 100000 max $((512 * MIB)) max 40000 100000"
	release a2

	# What cannot be: the cell keeps what it has, and says so; another's changes.
	if have cgroup2-controllers; then
		limits one "$ALICE" 'pids_max = 44; io = ( { path = "/nowhere"; rbps = "1M"; } );'
		limits two "$BOB" 'session = { pids_max = 41; };'
		FAILS_WITH=1 check_fails "$1: a limit that cannot be had fails" ctl apply
		check_kernel "$1: and nothing of that policy is written" "45 $((512 * MIB)) max 150000 100000 max $((512 * MIB)) max 40000 100000"
		check_matches "$1: with the key and where it is" 'failed: .*cgroup\.io.*60-one\.conf:3' "$(ctl apply 2>&1)"
		check_matches "$1: the record still says what holds" "cgroup\.pids_max +45 " "$(ctl show "$id")"
		check_equal "$1: the other user has got the new ones" 41 "$(cat "$(cgroup_of "$(init_of b)")/pids.max")"
	fi
	release a b
}

settings_of() { # MANAGER
	settings <<<"cgroup_manager = \"$1\";"
}

for manager in $(managers); do
	settings_of "$manager"
	test_manager "$manager"
done

# Whom it leaves alone, and who may not.
limits one "$ALICE" 'session = { pids_max = 40; };'
hold_cell a alice
background chosen ctl run --user "$BOB" --policy one -- sleep 9008
check "a cell whose policy root chose" wait_for cell_pid bob '^sleep 9008$'
limits one "$ALICE" 'session = { pids_max = 30; };'
left=$(ctl apply --user "$BOB")
check_matches "it is left alone" "left alone: root chose" "$left"
policy 60-one <<<'policies = ( { name = "one"; no_such_key = 1; } );'
check_fails "an invalid configuration" ctl apply
check_matches "changes nothing" "session\.pids_max +40 " "$(ctl show "$(live "$ALICE")")"
limits one "$ALICE" 'session = { pids_max = 30; };'
settings <<<"exempt = { users = [\"root\", \"$ALICE\"]; };"
check_matches "nor does it for who is exempt by now" "left alone: the user is exempt" "$(ctl apply --user "$ALICE")"
settings_reset
check_fails "a tenant may not apply" tenant alice "$CTL" apply
check_fails "nor by the helper" tenant alice "$HELPER" apply write all ''
check_fails "an id that no cell has" ctl apply 000000000000
kill "$(cell_pid bob '^sleep 9008$')"
wait "$PID" 2>/dev/null
release a
no_settings() {
	[ -z "$(find "$RUN/cells" -name '*.settings')" ]
}
check "nothing is left beside the records" wait_for no_settings
done_testing
