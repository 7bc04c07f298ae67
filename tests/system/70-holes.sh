#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ways out that once were open, each shut for good.

. "$(dirname "$0")/../lib/test.sh"

FORK_SERVICE=$(test_program system/fork-service)
FORK_NAME=$SITE_PREFIX-fork
FORK_PAM=/etc/pam.d/$FORK_NAME
HOST_USER_NS=$(readlink /proc/self/ns/user)
HOME_OF_DAVE=$(getent passwd "$DAVE" | cut -d: -f6)

cleanup() {
	usermod -d "$HOME_OF_DAVE" "$DAVE"
	umount -l "$WORK/mnt" 2>/dev/null
	rm -f "$FORK_PAM"
	test_cleanup
}
undo_note file "$FORK_PAM"
trap cleanup EXIT

fork_pam() { # LINE...
	printf '%s\n' 'auth required pam_permit.so' 'account required pam_permit.so' "$@" | put_file "$FORK_PAM"
}

with_fork_service() {
	if [ "$SITE_MODE" = private ]; then
		printf 'placement = ( { service = "%s"; at = "credentials"; }, { service = "%s"; at = "fork"; } );\n' \
			"$SERVICE" "$FORK_NAME" | put_file "$CONF/cloister.conf"
	else
		settings <<<"placement = ( { service = \"$FORK_NAME\"; at = \"fork\"; } );"
	fi
}

# Services that fork more than once -----------------------------------------------------------------------------

with_fork_service
fork_pam "session required $MODULE"
check_differs "a service with fork placement runs its child in a cell" "$HOST_USER_NS" \
	"$("$FORK_SERVICE" "$FORK_NAME" "$ALICE" 'readlink /proc/self/ns/user')"
check_equal "its exit status passes" 7 "$("$FORK_SERVICE" "$FORK_NAME" "$ALICE" 'exit 7'; echo $?)"
exec {outside}</
check_equal "what the service has open is not its child's" "0 1 2 3" \
	"$("$FORK_SERVICE" "$FORK_NAME" "$ALICE" 'ls /proc/self/fd | xargs')"
exec {outside}>&-
check_equal "its child is where the service was" "/home/$ALICE" \
	"$(cd "/home/$ALICE" && "$FORK_SERVICE" "$FORK_NAME" "$ALICE" 'pwd -P')"
check_equal "or in the root, where the cell has no such folder" / \
	"$(cd "/home/$BOB" && "$FORK_SERVICE" "$FORK_NAME" "$ALICE" 'pwd -P')"
check_equal "its child has no capability" 0000000000000000 \
	"$("$FORK_SERVICE" "$FORK_NAME" "$ALICE" "sed -n 's/^CapEff:.//p' /proc/self/status")"

printf '#!/bin/sh\nreadlink /proc/self/ns/user >>%s/exec\n' "$WORK" >"$WORK/exec.sh"
chmod 755 "$WORK/exec.sh"
fork_pam "session required $MODULE" "session optional pam_exec.so $WORK/exec.sh"
check_differs "a module that forks after ours does not take the child's place" "$HOST_USER_NS" \
	"$("$FORK_SERVICE" "$FORK_NAME" "$ALICE" 'readlink /proc/self/ns/user')"
check_equal "and that module's own children stay on the host, at open and at close" \
	"$HOST_USER_NS $HOST_USER_NS" "$(xargs <"$WORK/exec")"

fork_pam "session required $MODULE"
policy 90-refuse <<-POLICY
	policies = ( { name = "refused"; inherit = "default"; priority = 99; match = { users = ["$ALICE"]; };
	  seccomp = { profile = "/nonexistent.json"; }; } );
POLICY
check_equal "a refused session is refused" 111 "$("$FORK_SERVICE" "$FORK_NAME" "$ALICE" true; echo $?)"
check_equal "a service that ignores that gets no child" 1 \
	"$("$FORK_SERVICE" -i "$FORK_NAME" "$ALICE" 'exit 0'; echo $?)"
policies_reset
settings_reset

# sshd without the auth line: ssh -N would go on ------------------------------------------------------------------

pam_edit '/^auth.*pam_cloister/d'
check_equal "without the auth line, ssh -N gets no process" 255 \
	"$(timeout 60 ssh -F "$SSH_CONFIG" -N alice >/dev/null 2>&1; echo $?)"
pam_restore

# A root process that listens, as a systemd socket unit does, and prints where.
root_listener() {
	/usr/bin/python3 -c '
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666); s.listen(1)
print(sys.argv[1], flush=True)
s.settimeout(60)
try: s.accept(); time.sleep(1)
except OSError: pass' "$WORK/root-listener"
}

# The setuid helper, started by hand -----------------------------------------------------------------------------

install -m 755 "$(test_program system/handoff-forger)" "$WORK/forger"
as_user() { # COMMAND...: outside of any cell
	setpriv --reuid "$ALICE" --regid "$ALICE" --clear-groups -- "$@"
}
check_equal "the helper hears no one but a login service" 7 "$(as_user "$WORK/forger" "$HELPER" </dev/null | grep -c ': refused$')"
check_fails "nor does it sweep for a user" as_user "$HELPER" sweep
check_fails "or kill" as_user "$HELPER" kill aaaaaaaaaaaa
check_equal "a socket that pid 1 or root listens on is no hand-off" refused "$(
	root_listener | as_user /usr/bin/python3 -c '
import socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.stdin.readline().strip())
print("refused" if subprocess.run([sys.argv[1], "handoff"], pass_fds=[3], preexec_fn=lambda: __import__("os").dup2(s.fileno(), 3),
      stderr=subprocess.DEVNULL, timeout=60).returncode == 1 else "open")' "$HELPER")"

# Capabilities and root's files -----------------------------------------------------------------------------------

ambient_policy() { # IDENTITY
	policy 90-ambient <<-POLICY
		policies = ( { name = "ambient"; inherit = "default"; priority = 99; match = { users = ["$DAVE"]; };
		  namespaces = { identity = "$1"; };
		  capabilities = { bounding = ["DAC_OVERRIDE"]; ambient = ["DAC_OVERRIDE"]; }; } );
	POLICY
}
ambient_policy natural
check_fails "ambient capabilities and natural identity do not go together" ctl --config "$CONF" check
ambient_policy plain
check "with plain identity they do" ctl --config "$CONF" check
check_equal "an ambient capability does not count for root's files" refused \
	"$(as dave -- '{ cat /etc/shadow || touch /etc/cloister-hole; } >/dev/null 2>&1 && echo open || echo refused')"
policies_reset

# Homes that NSS should not say -----------------------------------------------------------------------------------

for home in /proc /home / // /run /dev /etc/.. /run/user; do
	usermod -d "$home" "$DAVE" 2>/dev/null || sed -i "s|^\($DAVE:.*:\)[^:]*\(:[^:]*\)\$|\1$home\2|" /etc/passwd
	view=$(as dave -- 'ls -d /proc/[0-9]* | wc -l; ls /home /run/dbus 2>/dev/null; cat /proc/kallsyms 2>/dev/null | head -n 1')
	check_lacks "a home of $home undoes nothing" "$SITE_PREFIX-|system_bus|[a-f0-9]{16}|^[0-9]{3}" "$view"
	check_matches "and the login works with $home" '^[0-9]+$' "$view"
done
usermod -d "$HOME_OF_DAVE" "$DAVE"

# Mounts that the host makes later ---------------------------------------------------------------------------------

mkdir "$WORK/mnt"
HELD+=(later)
hold later dave
undo_note directory /srv/cloister-later
undo_note mount /srv/cloister-later
mkdir -p /srv/cloister-later
mount -t tmpfs later /srv/cloister-later
touch /srv/cloister-later/seen
check_equal "what the host mounts later does not appear in a running cell" '' \
	"$(held later -- ls /srv/cloister-later)"
umount /srv/cloister-later
rmdir /srv/cloister-later

done_testing
