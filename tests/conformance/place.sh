# shellcheck shell=bash
# shellcheck disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the conformance matrix finds before it: temporary users with a key and a password, policies about them alone, an agent, an
# X display. For run, on the machine of an administrator, and for tests/system/conformance.sh, at a site of the tests.

CONFORMANCE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
CONFORMANCE_USERS=${CONFORMANCE_USERS:-3} # that log in at the same time
CONFORMANCE_NAMES=()
CONFORMANCE_WITHIN=() # a command that runs the program

conformance_user() { # NAME
	local home
	site_make_user "$1" ''
	home=$(getent passwd "$1" | cut -d: -f6)
	# A hash that emulated processors are quick with, too; the password itself cannot be guessed.
	printf '%s:%s\n' "$1" "$CONFORMANCE_PASSWORD" | chpasswd -c SHA512 -s 1000
	install -d -m 700 -o "$1" -g "$1" "$home/.ssh" "$home/.conformance"
	install -m 600 -o "$1" -g "$1" "$SITE_DIR/key.pub" "$home/.ssh/authorized_keys"
	: >"$home/.hushlogin"
}

conformance_place() {
	local number
	CONFORMANCE_PASSWORD=$(head -c 18 /dev/urandom | base64)
	for ((number = 1; number <= CONFORMANCE_USERS; number++)); do
		CONFORMANCE_NAMES+=("$SITE_PREFIX-c$number")
	done
	CONFORMANCE_REFUSED=$SITE_PREFIX-refused CONFORMANCE_MOSH=$SITE_PREFIX-mosh
	for number in "${CONFORMANCE_NAMES[@]}" "$CONFORMANCE_REFUSED" "$CONFORMANCE_MOSH"; do
		conformance_user "$number"
	done
	mkdir -p "$SITE_DIR/conformance"
	chmod 755 "$SITE_DIR/conformance"
	install -m 755 "$(conformance_probe)" "$SITE_DIR/conformance/probe"
	printf '#!/bin/sh\necho "%s"\n' "$CONFORMANCE_PASSWORD" >"$SITE_DIR/conformance/askpass"
	chmod 700 "$SITE_DIR/conformance/askpass"
	{
		for number in "${CONFORMANCE_NAMES[@]}" "$CONFORMANCE_REFUSED" "$CONFORMANCE_MOSH"; do
			printf 'Host %s\n\tUser %s\n' "$number" "$number"
		done
		cat "$SSH_CONFIG"
	} >"$SITE_DIR/conformance/ssh_config"
	chmod 600 "$SITE_DIR/conformance/ssh_config"
	undo_note file "$CONF/policy.d/60-conformance.conf"
	conformance_policies | policy 60-conformance
}

# The test program of the build, or one made now.
conformance_probe() {
	local path
	for path in ${CLOISTER_BUILD:+"$CLOISTER_BUILD/tests/conformance/probe"} "$CONFORMANCE/probe"; do
		if [ -x "$path" ]; then
			printf '%s\n' "$path"
			return
		fi
	done
	cc -O1 -static -D_GNU_SOURCE "$CONFORMANCE/probe.c" -o "$SITE_DIR/probe" || site_die "no probe, and no compiler to make it"
	printf '%s\n' "$SITE_DIR/probe"
}

# As everyone's; but a process may be asked for its keyring, screen finds a folder for its sockets, and mosh a network.
conformance_policies() {
	local names
	names=$(printf '"%s", ' "${CONFORMANCE_NAMES[@]}")
	cat <<-POLICIES
		policies = (
		  { name = "conformance"; inherit = "default"; priority = 1000; match = { users = [${names%, }]; };
		    seccomp = { allow = ["keyctl"]; }; env = { SCREENDIR = "/tmp/screen-%u"; }; },
		  { name = "conformance-mosh"; inherit = "conformance"; priority = 1000; match = { users = ["$CONFORMANCE_MOSH"]; };
		    network = { mode = "host"; }; },
		  { name = "conformance-refused"; inherit = "conformance"; priority = 1000; match = { users = ["$CONFORMANCE_REFUSED"]; };
		    seccomp = { profile = "/nonexistent"; when_unavailable = "refuse"; }; } );
	POLICIES
}

# With an agent and a display of the client's while it runs.
conformance_run() { # OPTION...
	local work status=0 display agent
	work=$(mktemp -d)
	ssh-keygen -q -t ed25519 -N '' -C agent -f "$work/agent-key"
	eval "$(ssh-agent -s -a "$work/agent")" >/dev/null
	agent=$SSH_AGENT_PID
	undo_process "$agent"
	SSH_AUTH_SOCK=$work/agent ssh-add -q "$work/agent-key"
	[ -d /tmp/.X11-unix ] || install -d -m 1777 /tmp/.X11-unix
	for display in $(seq 40 99); do
		[ -e "/tmp/.X11-unix/X$display" ] || break
	done
	undo_note file "/tmp/.X11-unix/X$display"
	touch "$work/xauthority"
	! have xauth || XAUTHORITY=$work/xauthority xauth -q add ":$display" MIT-MAGIC-COOKIE-1 00112233445566778899aabbccddeeff
	env SITE_MODE="$SITE_MODE" SITE_LOG="$SITE_LOG" CTL="$CTL" RUN="$RUN" STATE="$STATE" SERVICE="$SERVICE" SSH_CONFIG="$SITE_DIR/conformance/ssh_config" \
		PORT="$SITE_PORT" KEY="$SITE_DIR/key" PASSWORD="$CONFORMANCE_PASSWORD" ASKPASS="$SITE_DIR/conformance/askpass" \
		PROBE="$SITE_DIR/conformance/probe" WORK="$work" USERS="${CONFORMANCE_NAMES[*]}" REFUSED_USER="$CONFORMANCE_REFUSED" \
		MOSH_USER="$CONFORMANCE_MOSH" AGENT="$work/agent" AGENT_KEY="$work/agent-key.pub" X_SOCKET="/tmp/.X11-unix/X$display" \
		X_DISPLAY=":$display" X_AUTHORITY="$work/xauthority" X_COOKIE=00112233445566778899aabbccddeeff \
		SSHD_T="${CONFORMANCE_SSHD_T:-/usr/sbin/sshd -T}" PYTHONDONTWRITEBYTECODE=1 "${CONFORMANCE_WITHIN[@]}" /usr/bin/python3 "$CONFORMANCE/matrix.py" "$@" || status=$?
	kill "$agent" 2>/dev/null || true
	rm -rf --one-file-system "$work" "/tmp/.X11-unix/X$display"
	return "$status"
}
