#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A broken edit never takes effect: the last valid configuration stays in force, every login says so in the log, and
# the mended edit counts at the next login.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

GROUPS_FILE=$CONF/policy.d/50-groups.conf

greeting() {
	# shellcheck disable=SC2016
	as alice -- 'echo $GREETING' 2>&1
}

# A login after an edit: it is the earlier policy's, and the log is loud about FILE:LINE.
still_in_force() { # DESCRIPTION EXPECTED-GREETING FILE:LINE
	log_mark
	check_equal "$1: the last valid policy is in force" "$2" "$(greeting)"
	check_matches "$1: the log names $3 and says what holds" "configuration: $3: .*last valid policy stays in force" \
		"$(site_log)"
}

in_force() { # DESCRIPTION EXPECTED-GREETING
	log_mark
	check_equal "$1" "$2" "$(greeting)"
	check_lacks "$1: the log is quiet again" 'configuration:|last valid' "$(site_log)"
}

edit_groups() { # SED-EXPRESSION
	sed "$1" "$GROUPS_FILE" | policy 50-groups
}

restore_configuration() {
	chown root "$CONF/policy.d" "$CONF"
	chmod 755 "$CONF/policy.d" "$CONF"
	[ ! -d "$STATE/policy.aside" ] || { rm -rf --one-file-system "$STATE/policy" && mv "$STATE/policy.aside" "$STATE/policy"; }
	rm -rf --one-file-system "$CONF/policy.d/70-directory.conf"
	test_cleanup
}

test_policy_files() {
	in_force "to begin with, all is well" "students-$ALICE"
	edit_groups '3s/uts-/uts-; = {/; s/GREETING = "students-%u"/GREETING = "new"/; 2s/priority = 10;/priority = = 10;/'
	still_in_force "a syntax error" "students-$ALICE" "$GROUPS_FILE:2"
	policies_reset
	edit_groups 's/"students-%u"; }; },/"new"; }; },/; 4s/pids_max/pids_maximum/'
	still_in_force "an unknown key" "students-$ALICE" "$GROUPS_FILE:4"
	check_matches "an unknown key: with a suggestion" 'pids_maximum.*pids_max' "$(site_log)"
	edit_groups '4s/pids_maximum/pids_max/'
	in_force "mended, the edit counts at the next login" new
	edit_groups '4s/pids_max = 200/pids_max = "many"/; s/"new"/"newer"/'
	still_in_force "a wrong type" new "$GROUPS_FILE:4"
	edit_groups '4s/pids_max = "many"/pids_max = 1/'
	still_in_force "a value out of range" new "$GROUPS_FILE:4"
	edit_groups '4s/pids_max = 1;/pids_max = 150;/'
	in_force "mended again" newer
	policy 60-more <<<'policies = ( { name = "students"; } );'
	still_in_force "a second policy of one name" newer "$CONF/policy.d/60-more.conf:1"
	policy 60-more <<<'policies = ( { name = "more"; inherit = "nobody"; } );'
	still_in_force "an unknown parent" newer "$CONF/policy.d/60-more.conf:1"
	policy 60-more <<<'@include "/etc/passwd"'
	still_in_force "an include" newer "$CONF/policy.d/60-more.conf:1"
	rm "$CONF/policy.d/60-more.conf"
	in_force "the bad file removed" newer
}

test_trust() {
	chmod 666 "$GROUPS_FILE"
	still_in_force "a file that anyone may write" newer "$GROUPS_FILE:[0-9]+"
	chmod 644 "$GROUPS_FILE"
	chown "$ALICE" "$GROUPS_FILE"
	still_in_force "a file of a user" newer "$GROUPS_FILE:[0-9]+"
	chown root "$GROUPS_FILE"
	chmod 777 "$CONF/policy.d"
	still_in_force "a folder that anyone may write" newer "$CONF/policy.d:[0-9]+"
	chmod 755 "$CONF/policy.d"
	mkfifo -m 644 "$CONF/policy.d/60-fifo.conf"
	still_in_force "a FIFO" newer "$CONF/policy.d/60-fifo.conf:[0-9]+"
	rm "$CONF/policy.d/60-fifo.conf"
	in_force "all mended" newer
	policies_reset
}

test_settings() {
	settings <<<"exempt = { users = [\"root\"]; groups = [\"$STAFF\"]; };"
	check_equal "a user of an exempt group is on the host" "$(readlink /proc/self/ns/pid)" \
		"$(as bob -- readlink /proc/self/ns/pid)"
	in_force "with valid settings" "students-$ALICE"
	settings <<<'exempt = { users = ["root"]; groups = ["nothing"'
	still_in_force "broken settings" "students-$ALICE" "$CONF/cloister.conf:[0-9]+"
	log_mark
	check_equal "the last valid exempt list is in force" "$(readlink /proc/self/ns/pid)" \
		"$(as bob -- readlink /proc/self/ns/pid)"
	check_matches "and the log says so" "configuration: $CONF/cloister.conf:[0-9]+: .*last valid exempt list is in force" \
		"$(site_log)"
	settings_reset
	check_differs "mended without the exemption, the user is in a cell" "$(readlink /proc/self/ns/pid)" \
		"$(as bob -- readlink /proc/self/ns/pid)"
	in_force "and the policies hold" "students-$ALICE"
}

# Nothing was ever valid: nobody but the exempt gets in.
test_first() {
	mv "$STATE/policy" "$STATE/policy.aside"
	edit_groups '4s/pids_max/pids_maximum/'
	log_mark
	check_fails "without any valid policy the login is refused" as alice -- true
	check_matches "the refusal names the line" "refused: .*stage=policy key=configuration.*$GROUPS_FILE.*line 4.*no earlier valid" \
		"$(site_log)"
	check_equal "root gets in" root "$(as root -- id -un)"
	policies_reset
	rm -rf --one-file-system "$STATE/policy"
	mv "$STATE/policy.aside" "$STATE/policy"
	in_force "mended" "students-$ALICE"
}

trap restore_configuration EXIT
test_policy_files
test_trust
test_settings
test_first
done_testing
