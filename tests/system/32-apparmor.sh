#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# AppArmor: every process of a login is under the policy's profile, in enforce mode: shell, command, scp, sftp-server
# and sshd's own process, which is what internal-sftp is. A profile of the administrator's holds for each of them.

. "$(dirname "$0")/../lib/test.sh"

LABEL='cloister-default (enforce)'
LABELLED=("a command" "an interactive shell" "sshd's own process" "all processes under internal-sftp"
	"sftp-server" "all processes under it" "scp" "the restricted profile, by name")
DENIED=("a shell" "scp" "scp by its old protocol" "internal-sftp" "sftp-server" "rsync")
if ! have apparmor; then
	for what in "${LABELLED[@]}"; do
		skip "label of $what" "this kernel has no AppArmor"
	done
	for what in "${DENIED[@]}"; do
		skip "a custom profile binds $what" "this kernel has no AppArmor"
	done
	skip "unconfined is unconfined" "this kernel has no AppArmor"
	log_mark
	policy 60-aa <<-EOT
		policies = ( { name = "aa"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
		  apparmor = { when_unavailable = "refuse"; }; } );
	EOT
	check_fails "without AppArmor a policy that needs it refuses the login" as alice -- true
	check_matches "and the log names the key" 'apparmor' "$(log_since)"
	policies_reset
	check "when_unavailable = continue lets it in" as alice -- true
	done_testing
	exit
fi

labels() { # of all host processes of alice, each once
	local pid
	for pid in $(pgrep -u "$ALICE"); do
		cat "/proc/$pid/attr/current" 2>/dev/null
	done | sort -u
}

none_left() {
	! pgrep -u "$ALICE"
}

check_equal "label of a command" "$LABEL" "$(as alice -- cat /proc/self/attr/current)"
check_matches "label of an interactive shell" "^cloister-default \(enforce\)" \
	"$(echo 'cat /proc/$$/attr/current; exit' | as alice -tt 2>&1 | tr -d '\r')"

# Sessions that stand still: sftp reads its next command from a pipe that nothing is written to.
mkfifo "$WORK/commands"
sftp_hold() { # SUBSYSTEM
	sftp -q -F "$SSH_CONFIG" -s "$1" -b "$WORK/commands" alice >/dev/null 2>&1 &
	sftp=$!
	exec {commands}>"$WORK/commands"
	echo 'ls' >&"$commands"
}
sftp_release() {
	exec {commands}>&-
	wait "$sftp"
	wait_for none_left
}

wait_for none_left
sftp_hold sftp-internal
wait_for user_processes alice
# The first is the process that was placed; sftp is a child that executes nothing.
pid=$(user_processes alice | head -n 1)
wait_for grep -qx "$LABEL" "/proc/$pid/attr/current"
check_equal "label of sshd's own process" "$LABEL" "$(cat "/proc/$pid/attr/current")"
check "internal-sftp is at work" wait_for pgrep -u "$ALICE" -f '@internal-sftp$'
check_equal "label of all processes under internal-sftp" "$LABEL" "$(labels)"
sftp_release
sftp_hold sftp
wait_for pgrep -u "$ALICE" -x sftp-server
check_equal "label of sftp-server" "$LABEL" "$(cat "/proc/$(pgrep -u "$ALICE" -x sftp-server)/attr/current")"
check_equal "label of all processes under it" "$LABEL" "$(labels)"
sftp_release

# The old scp protocol runs scp at the other end; a slow one stays long enough to be looked at.
as alice -- 'head -c 4M /dev/zero >large'
scp -q -O -l 400 -F "$SSH_CONFIG" alice:large "$WORK/" >/dev/null 2>&1 &
scp=$!
wait_for pgrep -u "$ALICE" -x scp
check_equal "label of scp" "$LABEL" "$(cat "/proc/$(pgrep -u "$ALICE" -x scp | head -n 1)/attr/current")"
kill $scp
wait $scp
wait_for none_left

policy 60-aa <<EOT
policies = ( { name = "aa"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
  apparmor = { profile = "cloister-restricted"; }; } );
EOT
check_equal "label of the restricted profile, by name" "cloister-restricted (enforce)" \
	"$(as alice -- cat /proc/self/attr/current)"

# A profile of our own, which denies one file: through every door.
cat >"$WORK/profile" <<EOT
abi <abi/3.0>,
profile $SITE_PREFIX-custom flags=(attach_disconnected,mediate_deleted) {
  capability,
  network,
  file,
  signal,
  ptrace,
  unix,
  deny /home/*/secret rwl,
}
EOT
undo_note apparmor "$SITE_DIR/custom-profile"
cp "$WORK/profile" "$SITE_DIR/custom-profile"
apparmor_parser -r "$SITE_DIR/custom-profile"
policy 60-aa <<EOT
policies = ( { name = "aa"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
  apparmor = { profile = "$SITE_PREFIX-custom"; }; } );
EOT
secret=/home/$ALICE/secret
echo word >"$secret"
echo word >"/home/$ALICE/open"
chown "$ALICE:" "$secret" "/home/$ALICE/open"

check_door() { # NAME COMMAND...: gets the file "open" and not the file "secret"; FILE stands for the name
	local name=$1
	shift
	check "with a custom profile, $name works" "${@//FILE/open}"
	check_fails "a custom profile binds $name" "${@//FILE/secret}"
}
# shellcheck disable=SC2317
get_sftp() { # SUBSYSTEM FILE
	echo "get $2 $WORK/got" | sftp -q -F "$SSH_CONFIG" -s "$1" -b - alice
}
check_door "a shell" as alice -- cat FILE
check_door "scp" scp -q -F "$SSH_CONFIG" alice:FILE "$WORK/got"
check_door "scp by its old protocol" scp -q -O -F "$SSH_CONFIG" alice:FILE "$WORK/got"
check_door "internal-sftp" get_sftp sftp-internal FILE
check_door "sftp-server" get_sftp sftp FILE
check_door "rsync" rsync -e "ssh -F $SSH_CONFIG" alice:FILE "$WORK/got"
apparmor_parser -R "$SITE_DIR/custom-profile"

log_mark
check_fails "a profile that is not loaded refuses the login" as alice -- true
check_matches "with the key and its place" '60-aa\.conf:[0-9]+' "$(log_since | grep apparmor)"
policy 60-aa <<EOT
policies = ( { name = "aa"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
  apparmor = { profile = "unconfined"; }; } );
EOT
check_equal "unconfined is unconfined" "unconfined" "$(as alice -- cat /proc/self/attr/current)"
policy 60-aa <<EOT
policies = ( { name = "aa"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
  apparmor = { profile = "$SITE_PREFIX-custom"; when_unavailable = "continue"; }; } );
EOT
check "when_unavailable = continue lets it in" as alice -- true

done_testing
