#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which policy a login gets: by group, the higher priority, the default, and none for those who are exempt. An edit
# counts from the next login on.

. "$(dirname "$0")/../lib/test.sh"

greeting() { # USER
	# shellcheck disable=SC2016
	as "$1" -- 'echo "$(hostname) $GREETING"'
}

host=$(hostname)
log_mark
check_equal "a member of students gets students" "students-$ALICE students-$ALICE" "$(greeting alice)"
check_equal "a member of staff gets staff" "staff staff" "$(greeting bob)"
check_equal "a member of both gets the higher priority" "staff staff" "$(greeting carol)"
check_equal "a member of neither gets default" "$host " "$(greeting dave)"
check_equal "root gets none" "$host " "$(greeting root)"
log=$(log_since)
for pair in "$ALICE students" "$BOB staff" "$CAROL staff" "$DAVE default"; do
	read -r user policy <<<"$pair"
	check_matches "the log names the policy of $user" "open: id=[a-z0-9]+ user=$user policy=$policy " "$log"
done
check_matches "the log says that root is exempt" "exempt: user=root " "$log"

# By user and by service.
policy 60-more <<EOT
policies = (
  { name = "one"; inherit = "default"; priority = 30; match = { users = ["$DAVE"]; services = ["$SERVICE"]; };
    env = { GREETING = "by user"; }; },
  { name = "other"; inherit = "default"; priority = 40; match = { users = ["$DAVE"]; services = ["nothing"]; };
    env = { GREETING = "by no service"; }; } );
EOT
check_equal "a policy may match by user and service" "by user" "$(greeting dave | sed "s/^$host //")"
check_equal "explain says the same" one "$(ctl --config "$CONF" explain "$DAVE" --service "$SERVICE" --json |
	python3 -c 'import json, sys; print(json.load(sys.stdin)["policy"])')"

# Equal priority: the first in file order.
policy 61-late <<EOT
policies = ( { name = "late"; inherit = "default"; priority = 30; match = { users = ["$DAVE"]; };
  env = { GREETING = "late"; }; } );
EOT
check_equal "of two with one priority the first in file order wins" "by user" \
	"$(greeting dave | sed "s/^$host //")"

# Inheritance: a scalar or a list of the child replaces the parent's, the rest stays.
policy 62-chain <<EOT
policies = (
  { name = "parent"; inherit = "default"; namespaces = { hostname = "parent"; }; env = { ONE = "1"; TWO = "2"; }; },
  { name = "child"; inherit = "parent"; priority = 50; match = { users = ["$DAVE"]; }; env = { TWO = "two"; }; } );
EOT
check_equal "a child keeps what it does not set" parent "$(as dave -- hostname)"
policies_reset

# An edit counts from the next login on.
HELD=(kept)
hold kept alice
policy 70-edit <<EOT
policies = ( { name = "edited"; inherit = "students"; priority = 90; match = { groups = ["$STUDENTS"]; };
  namespaces = { hostname = "edited"; }; } );
EOT
check_equal "an edit counts at the next login" edited "$(as alice -- hostname)"
check_equal "and changes nothing for one that is there" "students-$ALICE" "$(held kept -- hostname)"
policies_reset

# What an edit would change, compared with what logins use: the live configuration, or the last valid one.
against() { # USER [PATH]
	ctl check ${2+"$2"} --against "$SITE_PREFIX-$1" --service "$SERVICE" 2>&1
}
cp -r "$CONF" "$WORK/edit"
sed -i 's/pids_max = 200/pids_max = 222/' "$WORK/edit/policy.d/50-groups.conf"
output=$(against alice "$WORK/edit")
check_matches "check --against compares with the live configuration" "^compared with $CONF, for logins" "$output"
check_matches "it shows the old value and its place" \
	"^  - cgroup.pids_max +200 +$CONF/policy.d/50-groups.conf:[0-9]+$" "$output"
check_matches "and the new one and its place" \
	"^  \+ cgroup.pids_max +222 +$WORK/edit/policy.d/50-groups.conf:[0-9]+$" "$output"
check_equal "and nothing else" 2 "$(grep -c '^  [-+]' <<<"$output")"
check_matches "others keep what they have" "^$BOB .*: no change" "$(against bob "$WORK/edit")"
cp "$WORK/edit/policy.d/50-groups.conf" "$CONF/policy.d/"
check_matches "an edit in place is compared with the last valid configuration" \
	"^compared with $STATE/policy, the last valid configuration, " "$(against alice)"
check_matches "and changes as much" '^  \+ cgroup.pids_max +222 ' "$(against alice)"
policy 70-broken <<<'policies = ('
FAILS_WITH=1 check_fails "a broken edit is a problem" against alice
check_matches "against a broken live configuration it is the last valid one, too" \
	"^compared with $STATE/policy, the last valid configuration, " "$(against alice "$WORK/edit")"
policies_reset

# Nobody matches and there is no default: refused.
rm -f "$CONF/policy.d/00-default.conf"
policy 50-groups <<EOT
policies = ( { name = "students"; match = { groups = ["$STUDENTS"]; };
  cgroup = { when_unavailable = "continue"; }; apparmor = { when_unavailable = "continue"; }; } );
EOT
log_mark
check "without a default a matched user gets in" as alice -- true
check_fails "and an unmatched one does not" as dave -- true
check_matches "with a log line that says why" "refused: user=$DAVE .*polic" "$(log_since)"
check "root still gets in" as root -- true
policies_reset

# Exempt groups.
settings <<EOT
exempt = { users = ["root"]; groups = ["$STAFF"]; };
EOT
check_equal "a member of an exempt group is on the host" "$(readlink /proc/$$/ns/pid)" \
	"$(as carol -- readlink /proc/self/ns/pid)"
check_differs "others are not" "$(readlink /proc/$$/ns/pid)" "$(as alice -- readlink /proc/self/ns/pid)"
settings_reset

done_testing
