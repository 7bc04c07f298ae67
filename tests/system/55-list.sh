#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cloister list, show and top: what the live cells are, use, and which limits they hit; the same as the kernel says, and
# nothing that a terminal would obey.

# What is in single quotes is for the shell in the cell.
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"
. "$TESTS/system/commands.sh"

valid() { # SCHEMA, the document on standard input
	"$TESTS/lib/schema.py" "$(dirname "$CTL")/../share/cloister/schema/$1.json"
}

# field EXPRESSION, of the document d on standard input
field() {
	python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"
}

cell_of() { # USER
	ctl list | awk -v user="$SITE_PREFIX-$1" '$2 == user { print $1 }'
}

# On a terminal of 100 columns and 20 lines, with TERM=xterm; more of the environment in front.
on_terminal() { # [NAME=VALUE]... COMMAND...
	TERM=xterm script -qec "stty cols 100 rows 20; $(printf '%q ' env "$@")" /dev/null </dev/null
}

test_list() {
	local list row json
	list=$(ctl list)
	row=$(grep "^$id " <<<"$list")
	check_matches "list has titles" \
		'^ID +USER +POLICY +SERVICE +TTY +FROM +AGE +PROCESSES +MEMORY +CPU +READ +WRITTEN +LOGINS +LIMITS HIT$' "$list"
	check_matches "and a line for a cell" "^$id +$ALICE +limited +$SERVICE +ssh +[^ ]+ +[0-9]+:[0-9]{2} +[0-9]+ " "$row"
	check_equal "all columns are aligned" 1 "$(awk '{ print index($0, $3) }' <<<"$list" | sort -u | wc -l)"
	json=$(ctl list --json)
	check "its JSON holds to the schema" valid list <<<"$json"
	json=$(field "json.dumps([c for c in d if c['id'] == '$id'][0])" <<<"$json")
	check_equal "with the fields of old" \
		"$ALICE $(user_id alice) limited $SERVICE ssh $init" \
		"$(field '" ".join(str(d[k]) for k in ("user", "uid", "policy", "service", "tty", "init_pid"))' <<<"$json")"
	if ! have cgroup2-controllers; then
		skip "what a cell uses is what its cgroup says" "this kernel's cgroup v2 has no controllers"
		skip "and so are the limits that it hit" "this kernel's cgroup v2 has no controllers"
		skip "which the table tells in brief" "this kernel's cgroup v2 has no controllers"
		return
	fi
	check_equal "what a cell uses is what its cgroup says" \
		"$(wc -l <"$cgroup/cgroup.procs") $(cat "$cgroup/pids.current" "$cgroup/pids.max" "$cgroup/memory.max" | xargs)" \
		"$(field '" ".join(str(x) for x in (d["processes"], *(d["use"][k] for k in ("pids", "pids_max", "memory_max"))))' \
			<<<"$json")"
	check_matches "and so are the limits that it hit" \
		'^forks_refused [0-9]+ \[?.*cgroup\.session\.pids_max 30 .*60-limits\.conf:2' \
		"$(field '" ".join("%s %d %s" % (h["what"], h["count"], " ".join("%s %s %s" % (l["key"], l["value"], l["source"])
			for l in h["limits"])) for h in d["hits"] if h["what"] == "forks_refused")' <<<"$json")"
	check_matches "which the table tells in brief" '[0-9]+ forks' "$row"
}

test_show() {
	local json show
	show=$(ctl show "$id")
	check_matches "show tells the policy" '^policy +limited$' "$show"
	check_matches "and each limit with its place" '^cgroup\.session\.pids_max +30 +/.*/60-limits\.conf:2$' "$show"
	json=$(ctl show "$id" --json)
	check "its JSON holds to the schema" valid show <<<"$json"
	check_equal "and has the limits" "30" \
		"$(field '[l["value"] for l in d["limits"] if l["key"] == "cgroup.session.pids_max"][0]' <<<"$json")"
	if have cgroup2-controllers; then
		check_matches "the limits hit, in words" '^[0-9]+ forks? refused at session\.pids_max 30, set in 60-limits\.conf:2' "$show"
		check_equal "and what all cells of the user use" "$(cat "$cgroup/../pids.current")" \
			"$(field 'd["user_use"]["pids"]' <<<"$json")"
	else
		skip "the limits hit, in words" "this kernel's cgroup v2 has no controllers"
		skip "and what all cells of the user use" "this kernel's cgroup v2 has no controllers"
	fi
}

# What a record holds came from outside, once.
test_terminal() {
	local esc=$'\033' output
	cp -a "$RUN/cells/$id.json" "$WORK/record"
	python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
r["rhost"] = "\u001b[2J\u009bx\n"
json.dump(r, open(sys.argv[1], "w"))' "$RUN/cells/$id.json"
	output=$(ctl list && ctl show "$id")
	check_lacks "no control character gets out" "$esc" "$output"
	check_matches "it is written as what it is" '\\x1b\[2J' "$output"
	cp -a "$WORK/record" "$RUN/cells/$id.json"
	check_lacks "no colour into a pipe" "$esc" "$output"
	check_matches "colour on a terminal" "$esc\\[1mID" "$(on_terminal "$CTL" list)"
	check_lacks "but not with NO_COLOR" "$esc" "$(on_terminal NO_COLOR=1 "$CTL" list)"
	check_lacks "nor where the terminal cannot" "$esc" "$(on_terminal TERM=dumb "$CTL" list)"
}

# Looks, one after the other: the busiest cell first.
test_top_batch() {
	local busy output
	start_in listed busy 'echo busy; while :; do :; done & read -r line; kill $!'
	check "a cell is busy" wait_for said busy '^busy$'
	output=$(ctl top --interval 1)
	check_matches "top tells what cells do" '^ID +USER +CPU% +MEMORY +PROCESSES +READ/s +WRITE/s ' "$output"
	check_matches "after a summary" '^[0-9:]{8}  2 cells, [0-9]+ processes, cpu [0-9]+\.[0-9]%, memory ' "$output"
	busy=$(awk '/^ID/ { getline; print $1, ($3 > 1 ? "busy" : $3) }' <<<"$output")
	check_equal "the busiest is the first" "$id busy" "$busy"
	check_lacks "without a terminal nothing is drawn in place" $'\033' "$output"
	check_equal "once" 1 "$(grep -c '^ID' <<<"$output")"
	check_equal "or as often as one likes" 3 "$(ctl top --interval 0.1 --count 3 | grep -c '^ID')"
	output=$(ctl top --interval 1 --json)
	check "its JSON holds to the schema" valid top <<<"$output"
	check_equal "and tells the same" "$id True" "$(field '"%s %s" % (d[0]["id"], d[0]["cpu_percent"] > 1)' <<<"$output")"
	stop_in busy
	FAILS_WITH=2 check_fails "an interval is a number" ctl top --interval fast
	FAILS_WITH=2 check_fails "of sense" ctl top --interval 0
	FAILS_WITH=2 check_fails "so is a count" ctl top --count 0
}

# However it ends, the terminal is as it was.
test_top_in_place() {
	cat >"$WORK/top" <<-'EOT'
		set timeout 120
		log_user 0
		lassign $argv how cloister
		set env(TERM) xterm
		spawn -noecho bash --norc -c "if \[ $how = stop ]; then set -m; fi; stty rows 20 cols 120; stty -g; '$cloister' top --interval 0.5; echo status \$?
		  stty -g; if \[ $how = stop ]; then fg >/dev/null; echo status \$?; stty -g; fi"
		proc wanted {text} {
		  expect -ex $text {} timeout { puts "no $text"; exit 1 } eof { puts "end before $text"; exit 1 }
		}
		proc modes {} {
		  expect -re {([0-9a-f:]{40,})\r\n} { return $expect_out(1,string) } timeout { puts "no modes"; exit 1 }
		}
		proc status {} {
		  expect -re {status ([0-9]+)} { return $expect_out(1,string) } timeout { puts "no status"; exit 1 }
		}
		proc top_pid {} { return [string trim [exec pgrep -P [exp_pid] -x cloister]] }
		set before [modes]
		wanted "\033\[?1049h"
		wanted "WRITE/s"
		wanted "POLICY"
		switch $how {
		  q { send q }
		  interrupt { send "\003" }
		  term { exec kill -TERM [top_pid] }
		  hangup { exec kill -HUP [top_pid] }
		  again { wanted "\033\[H"; wanted "CPU%"; send q }
		  continue { exec kill -STOP [top_pid]; exec kill -CONT [top_pid]; wanted "\033\[?1049h"; send q }
		  resize {
		    stty rows 4 columns 30 < $spawn_out(slave,name)
		    exec kill -WINCH [top_pid]
		    set frame PROCESSES
		    for {set i 0} {$i < 10 && [string match *PROCESSES* $frame]} {incr i} {
		      expect -re "\033\\\[H(.*?)\033\\\[J" { set frame $expect_out(1,string) } timeout { puts "no frame"; exit 1 }
		    }
		    send q
		  }
		  stop { send "\032" }
		}
		wanted "\033\[?1049l"
		set result "status [status] [expr {[modes] eq $before ? {as before} : {other modes}}]"
		if {$how eq "stop"} {
		  wanted "\033\[?1049h"
		  wanted "WRITE/s"
		  send q
		  wanted "\033\[?1049l"
		  append result " status [status] [expr {[modes] eq $before ? {as before} : {other modes}}]"
		}
		if {$how eq "resize"} {
		  append result [expr {[string match *PROCESSES* $frame] || ![string match *USER* $frame] ? " uncut" : " cut"}]
		}
		puts $result
	EOT
	local how
	for how in q interrupt term hangup again continue; do
		check_equal "in place, $how: the terminal is as it was" "status 0 as before" "$(expect -f "$WORK/top" "$how" "$CTL")"
	done
	check_equal "a narrow window gets narrow lines" "status 0 as before cut" "$(expect -f "$WORK/top" resize "$CTL")"
	check_equal "Ctrl-Z gives the shell its terminal, and fg goes on" "status 148 as before status 0 as before" \
		"$(expect -f "$WORK/top" stop "$CTL")"
	check_lacks "no colour in place with NO_COLOR" $'\033\\[1m' \
		"$(NO_COLOR=1 TERM=xterm timeout 20 script -qec "'$CTL' top --interval 0.1 & sleep 3; kill \$!" /dev/null </dev/null)"
}

refused() { # DESCRIPTION COMMAND...
	local description=$1
	shift
	FAILS_WITH=1 check_fails "$description" tenant alice "$CTL" "$@"
}

policy 60-limits <<-POLICY
	policies = ( { name = "limited"; inherit = "students"; priority = 100; match = { users = ["$ALICE"]; };
	  cgroup = { session = { pids_max = 30; }; }; } );
POLICY
hold_cell listed alice
held listed -- 'for i in $(seq 40); do sleep 3 & done; wait' >/dev/null 2>&1
id=$(cell_of alice)
init=$(init_of listed)
cgroup=$(cgroup_of "$init")
test_list
test_show
test_terminal
hold_cell idle bob
test_top_batch
test_top_in_place
refused "a tenant may not list" list
refused "nor show" show "$id"
refused "nor watch" top

done_testing
