# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the tests of `cloister run` and `cloister enter`: a tenant outside of every cell, and what a process can tell of its
# layers. tests/lib/test.sh and cells.sh come first.

# tenant USER COMMAND...: as the user, on the host, without a login. What a shell starts in the background ignores SIGINT
# and SIGQUIT, and so would all that it starts.
tenant() {
	local name=$SITE_PREFIX-$1
	shift
	(cd / && exec env --default-signal=INT,QUIT setpriv --reuid "$name" --regid "$name" --init-groups --reset-env "$@")
}

# A script that prints what it finds around it, the same text for the same layers. Its argument: the host's namespaces.
# shellcheck disable=SC2034
put_layers() {
	cat >"$WORK/layers" <<-'EOT'
		#!/bin/bash
		sed -nE '/^(Uid|Gid|Groups|Cap[A-Z][a-z]+|NoNewPrivs|Seccomp|Seccomp_filters):/p' /proc/self/status
		printf 'label %s\n' "$(cat /proc/self/attr/current 2>/dev/null)"
		for ns in user pid mnt ipc uts net cgroup; do
			case " $1 " in
			*" $(readlink "/proc/self/ns/$ns") "*) echo "$ns of the host" ;;
			*) echo "$ns of its own" ;;
			esac
		done
		cat /proc/self/uid_map /proc/self/gid_map /proc/self/oom_score_adj /proc/self/cgroup /proc/sys/user/max_*_namespaces
		awk '{ print "mount", $4, $5, $6, $7, $8, $9 }' /proc/self/mountinfo | sed -E 's/(shared|master|propagate_from):[0-9]+//g' | sort
		uname -n
		id
		echo "pid 1 is $(cat /proc/1/comm) of $(stat -c %u /proc/1)"
		cut -d: -f1 -s /proc/net/dev | sort
		echo "$HOME $USER $LOGNAME $SHELL $GREETING $XDG_RUNTIME_DIR"
		pwd
	EOT
	chmod 755 "$WORK/layers"
	LAYERS=$(share "$WORK/layers")/layers
	HOST_NAMESPACES=$(readlink /proc/self/ns/{user,pid,mnt,ipc,uts,net,cgroup} | xargs)
}

# cell_pid USER COMMAND-REGEX: the host's pid of a process in a cell.
cell_pid() {
	pgrep -u "$(user_id "$1")" -f -- "$2" | head -n 1
}

# background NAME COMMAND...: a process of the host, its output in $WORK/NAME, its pid in PID.
background() {
	local name=$1
	shift
	"$@" >"$WORK/$name" 2>"$WORK/$name.err" </dev/null &
	PID=$!
	STARTED+=("$PID")
}

# The pid of `cloister` itself below what background started.
relay_of() { # PID
	local pid
	for pid in "$1" $(descendants "$1"); do
		[ "$(readlink "/proc/$pid/exe" 2>/dev/null)" != "$(readlink -f "$CTL")" ] || printf '%s\n' "$pid"
	done | head -n 1
}
