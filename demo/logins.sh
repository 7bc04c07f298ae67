# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# That every way in is the same cell, and what happens when something is wrong.

show_logins() {
	title "Everything a login does is in its cell"
	show_second_login
	show_copies
	show_forward
}

said() { # LABEL TEXT
	printf '  %-21s %s\n' "$1" "$2"
}

show_second_login() {
	local terminal pid_ns
	terminal=$(as alice -tt -- tty </dev/null | tr -d '\r')
	said "ssh -t" "a terminal with its name, $terminal"
	holds "the terminal has no name" grep -q '^/dev/pts/[0-9]' <<<"$terminal"
	pid_ns=$(as alice -- readlink /proc/self/ns/pid | tr -dc 0-9)
	said "a second login" "of $ALICE is a cell of its own: pid namespace $pid_ns, not $(fact student ns.pid)"
	all_differ "a second login" "$pid_ns" "$(fact student ns.pid)" "$(fact host ns.pid)"
}

# Over the connection that is open: the same cell as its shell.
show_copies() {
	local over=(-F "$SSH_CONFIG" -o "ControlPath=$SITE_DIR/held/student")
	# Where they would be if that failed.
	undo_note file /tmp/quickstart-scp
	undo_note file /tmp/quickstart-sftp
	echo hello >"$SITE_DIR/hello"
	scp -q "${over[@]}" "$SITE_DIR/hello" alice:/tmp/quickstart-scp
	printf 'put %s /tmp/quickstart-sftp\n' "$SITE_DIR/hello" | sftp -q -b - "${over[@]}" alice >/dev/null
	said "scp, sftp" "in the cell's /tmp: $(held student -- ls /tmp | xargs); in the host's: $(host_copies)"
	holds "the files are not in the cell" held student -- test -e /tmp/quickstart-scp -a -e /tmp/quickstart-sftp
	holds "the files are on the host" [ "$(host_copies)" = none ]
}

host_copies() {
	find /tmp -maxdepth 1 -name 'quickstart-s*' -printf '%f\n' | xargs | sed 's/^$/none/'
}

# A listener in the cell, the same port on the host's side: which of the two does a forward reach?
show_forward() {
	local inside outside port=$((40000 + RANDOM % 20000))
	held student -- "/usr/bin/python3 -c 'import socket
s = socket.create_server((\"127.0.0.1\", $port)); s.accept()[0].sendall(b\"the cell\n\")'" </dev/null &
	wait_for forward_answers "$port" || true
	inside=$(cat "$SITE_DIR/forward")
	outside=$(forward "$SITE_PORT")
	said "ssh -W, -L" "to a port inside: ${inside:-no answer}; to the host's sshd: ${outside:-out of reach}"
	holds "the cell's own port is not reached" [ "$inside" = "the cell" ]
	holds "the host's loopback is reached" [ -z "$outside" ]
}

forward() { # PORT
	timeout 10 ssh -F "$SSH_CONFIG" -S "$SITE_DIR/held/student" -W "127.0.0.1:$1" nobody </dev/null 2>/dev/null |
		head -n 1 || true
}

forward_answers() { # PORT
	forward "$1" >"$SITE_DIR/forward"
	[ -s "$SITE_DIR/forward" ]
}

show_refusals() {
	title "When something is wrong"
	show_broken_policy
	show_broken_stage
	show_root
	place_policies
}

show_broken_policy() {
	local pids
	policy 50-students <<-POLICY
		policies = ( { name = "students"; inherit = "default"; cgroup = { pids_max = "many"; }; } );
	POLICY
	said "a broken edit" "cloister check says:"
	ctl check 2>&1 | sed "s,$CONF/policy.d/,," | grep -m 1 '50-students.conf:[0-9]*: students' | indent | indent || true
	holds "cloister check takes it for valid" fails ctl check
	log_mark
	pids=$(as alice -- hostname || true)
	said "" "a login still gets the last valid policy: host name $pids, and the log has"
	short_log "the last valid policy stays in force" | indent | indent
	holds "the last valid policy is not in force" [ "$pids" = "students-$ALICE" ]
	holds "nothing is logged" [ -n "$(short_log 'the last valid policy stays in force')" ]
}

show_broken_stage() {
	local output status=0
	policy 50-students <<-POLICY
		policies = ( { name = "students"; inherit = "default"; match = { groups = ["$STUDENTS"]; };
		  files = { mounts = ( { source = "/nowhere"; target = "/srv"; } ); }; } );
	POLICY
	log_mark
	output=$(as alice -- echo "I am in" 2>&1) || status=$?
	said "a stage that fails" "the login is refused, ssh's exit status $status; the log has"
	short_log refused | indent | indent
	holds "the login is let in" [ "$status" -ne 0 ]
	holds "a command ran" fails grep -q "^I am in" <<<"$output"
	holds "the log does not name the stage" [ -n "$(short_log 'stage=files')" ]
}

show_root() {
	local namespace
	echo 'exempt = {' | put_file "$CONF/cloister.conf"
	log_mark
	namespace=$(as root -- readlink /proc/self/ns/pid || true)
	said "root" "with cloister.conf broken too: gets in, onto the host"
	holds "root is not on the host" [ "$namespace" = "$(readlink /proc/self/ns/pid)" ]
	settings_reset
}

fails() {
	! "$@"
}

# The first log line since the mark that has these words, without time and paths.
short_log() { # WORDS
	log_since | grep -a -m 1 -- "$1" | sed -e 's/^.*\(cloister-helper\|pam_cloister\)[^ ]*: */\1: /' \
		-e "s,$CONF/policy.d/,,g" | cut -c1-300 || true
}
