#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A cell that several logins of a user are in, and that goes on after the last: what runs detached is found again, nobody gets
# into a cell that ends, or that another policy would make, and nothing is left.

# What is in single quotes is for the shell in the cell.
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"
. "$TESTS/system/commands.sh"

FORK_SERVICE=$(test_program system/fork-service)
FORK_NAME=$SITE_PREFIX-fork
FORK_PAM=/etc/pam.d/$FORK_NAME

cleanup() {
	rm -f "$FORK_PAM"
	test_cleanup
}
undo_note file "$FORK_PAM"
trap cleanup EXIT

NAMESPACES='readlink /proc/self/ns/user /proc/self/ns/pid /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/uts /proc/self/ns/net /proc/self/ns/cgroup'

# All of the policy but the name of the user.
share_policy() { # SETTINGS-OF-SESSION [MORE]
	policy 60-share <<-POLICY
		policies = ( { name = "shared"; inherit = "students"; priority = 100; match = { users = ["$ALICE"]; };
		  namespaces = { share = "user"; };
		  session = { $1 }; ${2-} } );
	POLICY
}

cells() { # how many alice has
	ctl list --json | python3 -c 'import json, sys
print(sum(c["user"] == sys.argv[1] for c in json.load(sys.stdin)))' "$ALICE"
}

cells_are() { # NUMBER
	[ "$(cells)" = "$1" ]
}

cell_field() { # PYTHON-EXPRESSION of c, alice's only cell
	ctl list --json | python3 -c 'import json, sys
c, = [c for c in json.load(sys.stdin) if c["user"] == sys.argv[1]]
print(eval(sys.argv[2]))' "$ALICE" "$1"
}

runs() { # COMMAND-REGEX
	[ -n "$(cell_pid alice "$1")" ]
}

gone() { # COMMAND-REGEX
	[ -z "$(cell_pid alice "$1")" ]
}

test_layers() {
	local first second
	share_policy 'on_logout = "kill"; grace = 0;'
	put_layers
	look_before "$WORK/before"
	hold_cell s1 alice
	hold_cell s2 alice
	check_equal "two logins of a user are in the same namespaces" "$(held s1 -- "$NAMESPACES")" "$(held s2 -- "$NAMESPACES")"
	first=$(held s1 -- "$LAYERS" "'$HOST_NAMESPACES'" | grep -v '^0::')
	second=$(held s2 -- "$LAYERS" "'$HOST_NAMESPACES'" | grep -v '^0::')
	check_matches "the first has layers" '^pid of its own$' "$first"
	check_equal "and the second all of the same" "$first" "$second"
	check_equal "root who enters, too" "$first" \
		"$(ctl enter "$(cell_field 'c["id"]')" -- "$LAYERS" "$HOST_NAMESPACES" | grep -v '^0::')"
	check_equal "list has one cell with two logins" "user 2 active" \
		"$(cell_field '" ".join([c["share"], str(len(c["logins"])), c["state"]])')"
	held s1 -- 'setsid -f sleep 9001 >/dev/null 2>&1 </dev/null'
	held s2 -- 'setsid -f sleep 9002 >/dev/null 2>&1 </dev/null'
	check "one sees what the other runs" held s1 -- "pgrep -f 'slee[p] 9002'"
	# A process that joins is still in the host's namespaces when it is born: like pid 1, it is root's.
	check_equal "and nothing of processes that it may not trace" "gone ps" \
		"$(held s1 -- 'cat /proc/1/mountinfo /proc/1/net/unix /proc/1/stat >/dev/null 2>&1 || echo gone; ps -o comm= $$; ps -p 1 >/dev/null && echo pid 1' | sed 's/^bash$/ps/' | xargs)"
	release s1
	check "a logout with \"kill\" ends what that login started" wait_for gone '^sleep 9001$'
	check "and nothing of the others" runs '^sleep 9002$'
	check_equal "who still work" "$ALICE" "$(held s2 -- id -un)"
	release s2
	check_nothing_left "the last takes the cell along" "$WORK/before"
}

test_reattach() { # on_logout
	local before
	share_policy "$1"
	look_before "$WORK/before"
	before=$(as alice -- "$NAMESPACES | xargs; tmux new-session -d -s work 'sleep 9011'; screen -dmS other sleep 9012; nohup sleep 9013 >/dev/null 2>&1 &")
	check "$1: tmux goes on after the logout" wait_for runs '^sleep 9011$'
	check "$1: screen" wait_for runs '^sleep 9012$'
	check "$1: nohup" wait_for runs '^sleep 9013$'
	check_equal "$1: the cell has no login" "lingering 0" "$(cell_field '"%s %d" % (c["state"], len(c["logins"]))')"
	check_equal "$1: a second login is in the same cell, and finds them" "$before work other" \
		"$(as alice -- "$NAMESPACES; tmux list-sessions -F '#S'; screen -ls | grep -o other" | xargs)"
	check "$1: they end" as alice -- 'tmux kill-server; pkill -x screen; pkill -x sleep; true'
	check_nothing_left "$1: with the last process, the cell ends" "$WORK/before"
}

# A service that forks, as su and cron do.
fork_service() { # COMMAND
	"$FORK_SERVICE" "$FORK_NAME" "$ALICE" "$1"
}

with_fork_service() { # [SETTINGS]
	local services="{ service = \"$FORK_NAME\"; at = \"fork\"; }"
	[ "$SITE_MODE" = installed ] || services+=", { service = \"$SERVICE\"; at = \"credentials\"; }"
	printf 'placement = ( %s );\n%s\n' "$services" "${1-}" | put_file "$CONF/cloister.conf"
	printf '%s\n' 'auth required pam_permit.so' 'account required pam_permit.so' "session required $MODULE" |
		put_file "$FORK_PAM"
}

monitors() {
	pgrep -f "^[^ ]*sshd(-session)?: $ALICE \[priv\]"
}

test_doors() {
	local first
	share_policy 'on_logout = "kill"; grace = 0;'
	look_before "$WORK/before"
	hold_cell s1 alice
	first=$(held s1 -- "$NAMESPACES")
	check_equal "a service that forks joins the cell of an ssh login" "$first" "$(fork_service "$NAMESPACES")"
	check_equal "cloister run does not: whoever starts it ends it" different \
		"$([ "$(tenant alice "$CTL" run -- sh -c "$NAMESPACES")" = "$first" ] && echo same || echo different)"
	check_equal "what comes through one door sees what came through another" 1 \
		"$(held s1 -- 'exec -a marked sleep 9021 </dev/null >/dev/null 2>&1 &'; fork_service 'pgrep -fc "^marke[d]"')"
	release s1
	check_nothing_left "and all of it ends" "$WORK/before"
}

logins_are() { # NUMBER
	[ "$(cell_field 'len(c["logins"])')" = "$1" ]
}

# As many first logins at once as a class that begins.
test_many() {
	local i pids=()
	share_policy 'on_logout = "kill"; grace = 0; max = 0;' 'cgroup = { pids_max = 1000; };'
	look_before "$WORK/before"
	for ((i = 0; i < MANY; i++)); do
		fork_service 'readlink /proc/self/ns/pid; while [ ! -e /home/'"$ALICE"'/go ]; do sleep 0.2; done' >"$WORK/many.$i" 2>&1 &
		pids+=($!)
	done
	check "$MANY first logins at once are in one cell" wait_for logins_are "$MANY"
	touch "/home/$ALICE/go"
	wait "${pids[@]}"
	check_equal "all of them" "$MANY" "$(cat "$WORK"/many.* | sort | uniq -c | awk '{ print $1 }')"
	rm -f "/home/$ALICE/go" "$WORK"/many.*
	check_nothing_left "which is gone with the last" "$WORK/before"
}

# Whoever comes while the last one goes is in the old cell, in time, or in a new one.
test_teardown() {
	local i j failed=0 pids
	share_policy 'on_logout = "kill"; grace = 0;'
	look_before "$WORK/before"
	for ((i = 0; i < ROUNDS; i++)); do
		pids=()
		for j in 1 2 3; do
			fork_service 'test "$(id -un)" = "$USER" || true; exit 7' &
			pids+=($!)
		done
		for j in "${pids[@]}"; do
			wait "$j"
			[ $? = 7 ] || failed=$((failed + 1))
		done
	done
	check_equal "no login is caught in a cell that ends" 0 "$failed"
	check_nothing_left "and nothing stays of all those cells" "$WORK/before"
}

# With a long grace the cell is on its way out for long.
test_grace() {
	share_policy 'on_logout = "kill"; grace = 60;'
	look_before "$WORK/before"
	hold_cell s1 alice
	held s1 -- "trap '' HUP TERM; exec setsid -f sleep 9031 >/dev/null 2>&1 </dev/null"
	first=$(held s1 -- readlink /proc/self/ns/pid)
	release s1
	check "the cell is ending" wait_for ending
	check_differs "a login meanwhile has another" "$first" "$(as alice -- readlink /proc/self/ns/pid)"
	check "which leaves the first its grace" runs '^sleep 9031$'
	pkill -KILL -u "$ALICE" -f '^sleep 9031$'
	check_nothing_left "until nothing is left" "$WORK/before"
}

ending() {
	[ "$(cell_field 'c["state"]')" = ending ]
}

test_max() {
	share_policy 'on_logout = "keep"; max = 2;'
	look_before "$WORK/before"
	hold_cell s1 alice
	hold_cell s2 alice
	check_refused "a third login of two" alice "stage=record key=session.max .*has 2 sessions already"
	held s1 -- 'setsid -f sleep 9041 >/dev/null 2>&1 </dev/null'
	release s2
	check "after a logout there is room" wait_for logins_are 1
	check_equal "again" "$ALICE" "$(as alice -- id -un)"
	release s1
	check "a cell without login is no session" wait_for logins_are 0
	check_equal "to who comes back to it" "$ALICE" "$(as alice -- id -un)"
	ctl kill "$(cell_field 'c["id"]')"
	check_nothing_left "kill ends it" "$WORK/before"
}

# One login, with what it started and would leave, and nothing else.
test_kill_login() {
	local first second
	share_policy 'on_logout = "keep"; grace = 1;'
	look_before "$WORK/before"
	hold_cell s1 alice
	hold_cell s2 alice
	held s1 -- 'setsid -f sleep 9081 >/dev/null 2>&1 </dev/null'
	held s2 -- "trap '' HUP TERM; exec setsid -f sleep 9082 >/dev/null 2>&1 </dev/null"
	first=$(cell_field 'c["id"]')
	second=$(cell_field '[l["id"] for l in c["logins"] if l["id"] != c["id"]][0]')
	check_equal "one of two logins has the cell's id" 2 "$(cell_field 'len({l["id"] for l in c["logins"]} | {c["id"]})')"
	check "kill takes the id of a login" ctl kill "$second"
	check "what it started has ended, whatever it ignores" wait_for gone '^sleep 9082$'
	check "with its connection" wait_for hung_up s2
	check "it is off the list" logins_are 1
	check "what the other runs goes on" runs '^sleep 9081$'
	check_equal "so does the other" "$ALICE" "$(held s1 -- id -un)"
	FAILS_WITH=1 check_fails "a second time there is no such login" ctl kill "$second"
	FAILS_WITH=1 check_fails "nor by --login" ctl kill --login "$second"
	FAILS_WITH=2 check_fails "an id or a login, not both" ctl kill "$first" --login "$first"
	hold_cell s3 alice
	check "--login takes the first, whose id is the cell's" ctl kill --login "$first"
	check "what it started has ended" wait_for gone '^sleep 9081$'
	check "and its connection" wait_for hung_up s1
	check_equal "the cell goes on for the other" "$ALICE $first" "$(held s3 -- id -un) $(cell_field 'c["id"]')"
	check "kill ends the cell by the same id" ctl kill "$first"
	check "with the last connection" wait_for hung_up s3
	check_nothing_left "nothing is left of it" "$WORK/before"
}

hung_up() { # HOLD
	! ssh -F "$SSH_CONFIG" -S "$SITE_DIR/held/$1" -O check nobody
}

# Another policy, or another content of the same one.
test_policy() {
	local first id
	share_policy 'on_logout = "keep";'
	look_before "$WORK/before"
	hold_cell s1 alice
	first=$(held s1 -- readlink /proc/self/ns/pid)
	id=$(cell_field 'c["id"]')
	share_policy 'on_logout = "keep";' 'no_new_privs = false;'
	check_differs "after an edit, a login has a cell of its own" "$first" "$(as alice -- readlink /proc/self/ns/pid)"
	check_equal "with the policy of today" 0 "$(as alice -- "sed -n 's/^NoNewPrivs:.//p' /proc/self/status")"
	check_equal "who enters the older one has that of its open" 1 \
		"$(ctl enter "$id" -- sed -n 's/^NoNewPrivs:.//p' /proc/self/status)"
	usermod -aG "$STAFF" "$ALICE"
	share_policy 'on_logout = "keep";'
	check_differs "so has one that is in another group" "$first" "$(as alice -- readlink /proc/self/ns/pid)"
	gpasswd -d "$ALICE" "$STAFF" >/dev/null
	check_equal "with all as it was, it is the first again" "$first" "$(as alice -- readlink /proc/self/ns/pid)"
	release s1
	check_nothing_left "nothing is left of them" "$WORK/before"
}

test_linger() {
	local left
	share_policy 'on_logout = "linger"; linger = "2h";'
	look_before "$WORK/before"
	as alice -- 'setsid -f sleep 9051 >/dev/null 2>&1 </dev/null'
	check "it lingers" wait_for logins_are 0
	left=$(cell_field 'c["linger_left"]')
	check "list says for how long ($left)" test "$left" -gt 3600 -a "$left" -le 7200
	check_matches "for people, too" '0 \([12]h [0-9]+m left\)' "$(ctl list)"
	check_matches "show" 'state +[12]h [0-9]+m left' "$(ctl show "$(cell_field 'c["id"]')")"
	check_matches "status" 'lingers: [12]h [0-9]+m left' "$(ctl status --user "$ALICE")"
	check_matches "in the cell it says what the policy has" 'after the last logout.*2h' "$(as alice -- "$CTL" status)"
	ctl kill --user "$ALICE"
	check_nothing_left "kill ends it" "$WORK/before"

	share_policy 'on_logout = "linger"; linger = 60;'
	as alice -- 'setsid -f sleep 9052 >/dev/null 2>&1 </dev/null'
	check "it lingers once more" runs '^sleep 9052$'
	hold_cell s1 alice
	check_equal "while there is a login, no time runs" "active None" "$(cell_field '"%s %s" % (c["state"], c["linger_left"])')"
	check "and what ran goes on" runs '^sleep 9052$'
	release s1
	check "kill" ctl kill --user "$ALICE"

	share_policy 'on_logout = "linger"; linger = 1;'
	as alice -- 'setsid -f sleep 9052 >/dev/null 2>&1 </dev/null'
	check "after it, the time passes" wait_for gone '^sleep 9052$'
	sweep
	check_nothing_left "and a sweep takes the rest" "$WORK/before"
}

test_killed() {
	local pid id
	share_policy 'on_logout = "kill"; grace = 0;'
	look_before "$WORK/before"
	hold_cell s1 alice
	pid=$(monitors)
	hold_cell s2 alice
	held s1 -- 'setsid -f sleep 9061 >/dev/null 2>&1 </dev/null'
	held s2 -- 'setsid -f sleep 9062 >/dev/null 2>&1 </dev/null'
	kill -KILL "$pid"
	check "a monitor is killed: what its login started ends all the same" wait_for gone '^sleep 9061$'
	check "and nothing of the other" runs '^sleep 9062$'
	check_equal "which works" "$ALICE" "$(held s2 -- id -un)"
	# shellcheck disable=SC2046
	kill -KILL $(monitors)
	check "the last monitor is killed: the cell ends by itself" wait_for no_processes
	check_equal "the next login is in a new one" "$ALICE" "$(as alice -- id -un)"
	check_nothing_left "after which nothing is left" "$WORK/before"
	release s1 s2

	hold_cell s1 alice
	kill -KILL "$(init_of s1)"
	check "pid 1 is killed: all ends" wait_for no_processes
	check_equal "a login after that is in a new cell" "$ALICE" "$(as alice -- id -un)"
	check_nothing_left "and nothing is left either" "$WORK/before"
	release s1

	share_policy 'on_logout = "keep";'
	hold_cell s1 alice
	held s1 -- 'setsid -f sleep 9063 >/dev/null 2>&1 </dev/null'
	# shellcheck disable=SC2046
	kill -KILL $(monitors)
	check "with \"keep\", a monitor that is killed leaves what runs" wait_for logins_are 0
	check "which goes on" runs '^sleep 9063$'
	check "and is found by the next login" as alice -- 'pkill -x sleep'
	release s1 # sshd's process of the user goes on without its monitor, as ever
	check_nothing_left "after which nothing is left" "$WORK/before"
}

test_frozen() {
	local group
	share_policy 'on_logout = "keep";'
	look_before "$WORK/before"
	hold_cell s1 alice
	group=$(cgroup2_mount)$(cell_field 'c["cgroup"]')
	echo 1 >"$group/cgroup.freeze"
	log_mark
	check_equal "beside a cell that is frozen, a login has one of its own" "$ALICE" "$(as alice -- id -un)"
	check_matches "which the log tells" "join: id=.* user=.*: cell .* does not answer: its cgroup may be frozen; the login gets another" "$(site_log)"
	echo 0 >"$group/cgroup.freeze"
	check_equal "thawed, it works" "$ALICE" "$(as alice -- id -un)"
	release s1
	check_nothing_left "frozen: nothing is left" "$WORK/before"
}

# The cgroup of what a held login starts, on the host.
login_cgroup() { # HOLD MARK
	held "$1" -- "setsid -f sleep $2 >/dev/null 2>&1 </dev/null"
	wait_for runs "^sleep $2\$"
	cgroup_of "$(cell_pid alice "^sleep $2\$")"
}

# With each cgroup manager: a session's limits are for each login, the user's for all.
test_limits() {
	local MANAGER group first second
	for MANAGER in $(managers); do
		with_fork_service "cgroup_manager = \"$MANAGER\";"
		share_policy 'on_logout = "kill"; grace = 0;' 'cgroup = { session = { pids_max = 30; memory_max = "64M"; }; };'
		look_before "$WORK/before"
		hold_cell s1 alice
		hold_cell s2 alice
		first=$(login_cgroup s1 9071) second=$(login_cgroup s2 9072)
		group=$(cgroup2_mount)$(cell_field 'c["cgroup"]')
		check_equal "$MANAGER: each login has a cgroup below the cell's" "$group $group" "$(dirname "$first" "$second" | xargs)"
		check_differs "$MANAGER: of its own" "$first" "$second"
		check_equal "$MANAGER: the cell sees its own cgroup as the root" "/$(basename "$first")" \
			"$(held s1 -- "sed -n 's/^0:://p' /proc/self/cgroup")"
		if have cgroup2-controllers; then
			check_equal "$MANAGER: with the limits of a session" "30 67108864 30 67108864" \
				"$(cat "$first"/{pids,memory}.max "$second"/{pids,memory}.max | xargs)"
			check_equal "$MANAGER: which the cell has not" "max max" "$(cat "$group"/{pids,memory}.max | xargs)"
			check_equal "$MANAGER: and the user has the user's" "200 536870912" \
				"$(cat "$(dirname "$group")"/{pids,memory}.max | xargs)"
			share_policy 'on_logout = "kill"; grace = 0;' 'cgroup = { session = { pids_max = 40; }; };'
			check "$MANAGER: apply" ctl apply
			check_equal "$MANAGER: changes those of each login, to the user's where none is set" "40 536870912 40 536870912" \
				"$(cat "$first"/{pids,memory}.max "$second"/{pids,memory}.max | xargs)"
			check_equal "$MANAGER: and by the new policy the cell is joined" "$(held s1 -- readlink /proc/self/ns/pid)" \
				"$(as alice -- readlink /proc/self/ns/pid)"
		else
			skip "$MANAGER: with the limits of a session" "this kernel's cgroup v2 has no controllers"
		fi
		! [ "$MANAGER" = systemd ] || check "systemd: a reload leaves them" systemctl daemon-reload
		release s1
		check "$MANAGER: a logout ends its own" wait_for gone '^sleep 9071$'
		check "$MANAGER: and no other" runs '^sleep 9072$'
		check_fails "$MANAGER: its cgroup is gone" wait_gone "$first"
		release s2
		check_nothing_left "$MANAGER: nothing is left" "$WORK/before"
	done
	with_fork_service
}

wait_gone() { # DIRECTORY
	! wait_for test ! -e "$1"
}

MANY=50 ROUNDS=10
[ "$SITE_MODE" = private ] || MANY=12 ROUNDS=3
with_fork_service
test_layers
test_limits
test_doors
test_reattach 'on_logout = "keep";'
test_reattach 'on_logout = "linger";'
test_many
test_teardown
test_grace
test_max
test_kill_login
test_policy
test_linger
test_killed
test_frozen
done_testing
