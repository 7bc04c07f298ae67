#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cloister enter: root joins a live cell as its user, with every layer that the cell was given at its open; only a cell that
# root's records prove, and none that ends.

# What is in single quotes is for the shell in the cell.
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"
. "$TESTS/system/commands.sh"

put_layers
look_before "$WORK/before"
hold_cell login alice
id=$(ctl list | awk -v user="$ALICE" '$2 == user { print $1 }')

# Layers ---------------------------------------------------------------------------------------------------------

login=$(held login -- "$LAYERS" "'$HOST_NAMESPACES'")
check_matches "a login has layers" '^pid of its own$' "$login"
check_equal "a command that enters has the same" "$login" "$(ctl enter "$id" -- "$LAYERS" "$HOST_NAMESPACES")"
namespaces='readlink /proc/self/ns/user /proc/self/ns/pid /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/uts /proc/self/ns/net /proc/self/ns/cgroup'
check_equal "in the very same namespaces" "$(held login -- "$namespaces")" "$(ctl enter "$id" -- sh -c "$namespaces")"
background inside ctl enter "$id" -- sleep 9005
check "it is seen in the cell" wait_for held login -- pgrep -x sleep
pid=$(cell_pid alice '^sleep 9005$')
if have cgroup2-controllers; then
	check_equal "and counted in the cell's cgroup" "$(cgroup_of "$(init_of login)")" "$(cgroup_of "$pid")"
else
	skip "and counted in the cell's cgroup" "this kernel's cgroup v2 has no controllers"
fi
check_equal "only pipes of our own enter" "0 1 2" "$(find "/proc/$pid/fd" -lname 'pipe:*' -printf '%f\n' | sort -n | xargs)"
check_equal "and nothing else" 3 "$(find "/proc/$pid/fd" -type l | wc -l)"
kill -TERM "$(relay_of "$PID")"
wait "$PID"
check_equal "SIGTERM is forwarded" 143 $?
check_equal "a status passes, and the input" "word 3" \
	"$({ echo word | ctl enter "$id" -- sh -c 'cat; exit 3'; echo $?; } | xargs)"
check_equal "without a command it is the user's login shell" "-bash $ALICE" "$(echo 'echo "$0 $(id -un)"' | ctl enter "$id")"
check_equal "the cell goes on after all that" "$ALICE" "$(held login -- id -un)"

# The layers are those of the open: the policy of today is another one.
policy 60-enter <<-POLICY
	policies = ( { name = "weak"; inherit = "students"; priority = 99; no_new_privs = false; match = { users = ["$ALICE"]; };
	  capabilities = { bounding = ["ALL"]; }; seccomp = { profile = "unconfined"; }; env = { GREETING = "weak"; }; } );
POLICY
check_equal "an edit does not change what enters an older cell" "$login" "$(ctl enter "$id" -- "$LAYERS" "$HOST_NAMESPACES")"
rm -f "$CONF/policy.d/60-enter.conf"

# Killed ---------------------------------------------------------------------------------------------------------

background killed ctl enter "$id" -- sleep 9006
check "one more enters" wait_for cell_pid alice '^sleep 9006$'
kill -KILL "$(relay_of "$PID")"
wait "$PID" 2>/dev/null
gone() { # COMMAND-REGEX
	[ -z "$(cell_pid alice "$1")" ]
}
check "who entered ends with the command that let it in" wait_for gone '^sleep 9006$'
check_equal "and the cell goes on" "$ALICE" "$(held login -- id -un)"

# A terminal.
cat >"$WORK/terminal" <<'EOT'
set timeout 120
log_user 0
spawn -noecho [lindex $argv 0] enter [lindex $argv 1]
stty rows 31 columns 97 < $spawn_out(slave,name)
expect -re {[$] $} {} timeout { puts "no prompt"; exit 2 } eof { puts "no prompt"; exit 2 }
send "stty size; tty\r"
expect -re {31 97.*(/dev/pts/[0-9]+)} {} timeout { puts "no size"; exit 2 }
puts [expr {$expect_out(1,string) eq $spawn_out(slave,name) ? "caller's terminal" : "own terminal"}]
send "exit 5\r"
expect eof
puts "status [lindex [wait] 3]"
EOT
check_equal "a terminal of its own" "own terminal status 5" "$(expect -f "$WORK/terminal" "$CTL" "$id" | xargs)"

# Refused --------------------------------------------------------------------------------------------------------

refused() { # DESCRIPTION REGEX COMMAND...: status 1, and a message
	local description=$1 regex=$2 output status=0
	shift 2
	output=$("$@" </dev/null 2>&1) || status=$?
	check_equal "$description: status" 1 "$status"
	check_matches "$description: message" "^cloister: .*$regex" "$output"
}

refused "a tenant" "only root" tenant alice "$CTL" enter "$id"
refused "no id" "is not the id of a cell" ctl enter ../../etc/passwd
refused "no such cell" "no live cell has the id" ctl enter aaaaaaaaaaaa
ctl enter 2>/dev/null
check_equal "bad usage" 2 $?

# Records that name another process, or another cell's namespaces.
hold_cell other bob
other=$(ctl list | awk -v user="$BOB" '$2 == user { print $1 }')
cp -a "$RUN/cells/$id.json" "$RUN/cells/$id.plan" "$WORK/"
forge() { # PYTHON-STATEMENT about r, the record, and o, that of the other cell
	python3 -c '
import json, sys
r, o = (json.load(open(f)) for f in sys.argv[1:3])
exec(sys.argv[3])
json.dump(r, open(sys.argv[1], "w"))' "$RUN/cells/$id.json" "$RUN/cells/$other.json" "$1"
}
restore() {
	cp -a "$WORK/$id.json" "$WORK/$id.plan" "$RUN/cells/"
}
forge 'r["init_start"] += 1'
refused "a record whose pid 1 began at another time" "has ended" ctl enter "$id"
restore
forge 'r["init"], r["init_start"] = o["init"], o["init_start"]'
refused "a record that names another cell's pid 1" "namespace of cell $id is not that of its open" ctl enter "$id"
restore
forge 'r["uid"] = o["uid"]'
refused "a record of another user" "plan and record of cell $id differ" ctl enter "$id"
restore
cp "$RUN/cells/$other.plan" "$RUN/cells/$id.plan"
refused "another cell's plan" "is damaged" ctl enter "$id"
truncate -s 100 "$RUN/cells/$id.plan"
refused "a damaged plan" "is damaged" ctl enter "$id"
restore
check_equal "and with all in its place it works" "$ALICE" "$(ctl enter "$id" -- id -un)"

# A cell that ends: its pid 1 is gone, its record waits for a sweep.
init=$(init_of other)
monitor=$(pgrep -f "^[^ ]*sshd(-session)?: $BOB \[priv\]" | head -n 1)
kill -STOP "$monitor"
kill -KILL "$init"
refused "a cell that has ended" "(has ended|no live cell)" ctl enter "$other"
kill -CONT "$monitor"
release login other
check_nothing_left "nothing is left of all that" "$WORK/before"

done_testing
