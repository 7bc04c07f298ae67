#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# namespaces.nested: unshare and bubblewrap work in a cell, and who is root of a namespace of their own gets nowhere
# else: what is hidden or read-only stays so, what is the cell's stays the cell's.

. "$(dirname "$0")/../lib/test.sh"

nested=$(share "$TESTS/system/nested.py")/nested.py

# A file that only the view hides: everyone may read it.
hidden=$(dirname "$nested")/hidden
mkdir -m 755 "$hidden"
echo word >"$hidden/secret"
mkdir -m 755 "$hidden-not"
echo word >"$hidden-not/everyone"
(umask 077 && echo word >"$hidden-not/root")
policy 60-nested <<EOT
policies = ( { name = "nested"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
  namespaces = { nested = 12; }; apparmor = { profile = "cloister-nested"; };
  files = { hide = ["/root", "$hidden"]; }; } );
EOT
HELD=(nested)
hold nested alice || site_die "alice cannot log in"
pid=$(user_processes alice)

check_equal "unshare -Ur makes its root" 0 "$(held nested -- unshare -Ur id -u)"
check_equal "with one of each kind" 0 "$(held nested -- unshare -Urmpniuf --cgroup id -u)"
check_equal "bubblewrap works" "sh bwrap" \
	"$(held nested -- "bwrap --ro-bind / / --dev /dev --tmpfs /tmp --bind ~ /mnt --unshare-user --unshare-ipc --unshare-net \
		sh -c 'cat /proc/\$\$/comm /proc/\$PPID/comm && touch /mnt/from-sandbox && ! touch /tmp/../usr/x'" 2>/dev/null | xargs)"
check "and writes where it may" test -e "/home/$ALICE/from-sandbox"
check_fails "with a pid namespace of its own, the kernel gives it no /proc without the cell's masks" \
	held nested -- bwrap --ro-bind / / --unshare-all --proc /proc true
check "with a pid namespace of its own and no /proc, it works" held nested -- bwrap --ro-bind / / --unshare-all true
check "a mount in it works" held nested -- unshare -Urm mount -t tmpfs none /mnt
check_lacks "and is not seen outside" " /mnt " "$(held nested -- "unshare -Urm mount -t tmpfs none /mnt; cat /proc/mounts")"
check_equal "no_new_privs stays" "NoNewPrivs: 1" "$(held nested -- unshare -Ur grep NoNewPrivs /proc/self/status | xargs)"
check_equal "the filter stays" "Seccomp: 2" "$(held nested -- unshare -Ur grep Seccomp: /proc/self/status | xargs)"

# From the host: wherever namespaces are made, the cgroup is the cell's.
held nested -- 'unshare -Urmpf --cgroup sleep 7654 >/dev/null 2>&1 </dev/null &'
wait_for pgrep -u "$ALICE" -x -f 'sleep 7654'
check_equal "a process in a namespace of its own is in the cell's cgroup" "$(cat "/proc/$pid/cgroup")" \
	"$(cat "/proc/$(pgrep -u "$ALICE" -x -f 'sleep 7654')/cgroup")"

# Maps: one's own uid, and no other.
check_equal "a map of the user's own uid" "map: ok" "$(held nested -- "$nested" map "'0 $(id -u "$ALICE") 1'")"
check_equal "a map of the cell's root" "map: EPERM" "$(held nested -- "$nested" map "'0 0 1'")"
check_equal "a map of a range" "map: EPERM" "$(held nested -- "$nested" map "'0 $(id -u "$ALICE") 2'")"
check_equal "a map of subordinate ids" "map: EPERM" "$(held nested -- "$nested" map "'0 100000 65536'")"

# What its root may do, and what not.
held nested -- "$nested" attempts "$hidden/secret" "$hidden-not" >"$WORK/attempts"
attempt() { # RESULT NAME
	check_equal "$2: $1" "$2: $1" "$(grep -F "$2: " "$WORK/attempts" | head -n 1)"
}
attempt EPERM "mount in the cell's namespace"
attempt EPERM "unmount in the cell's namespace"
attempt EPERM "rename the cell"
attempt EPERM "cgroup2 of the cell's namespace"
attempt 0 uid
attempt ok tmpfs
attempt ok bind
attempt ok "devpts of its own"
attempt ok "hostname of its own"
attempt EPERM proc
attempt EPERM sysfs
attempt EINVAL "proc without what covers it"
attempt EINVAL "root without what covers it"
attempt EINVAL "root without what covers it, by open_tree"
attempt EINVAL "root without what covers it, by overlay"
attempt "none of many" unmounted
attempt "none of many" "unmounted of a copy"
attempt EINVAL "move what covers"
for path in / /home /proc /tmp; do
	attempt EPERM "nosuid off $path"
done
attempt EPERM "nodev off /tmp"
attempt EPERM "writable /proc/sys"
attempt EPERM "writable /sys"
attempt EPERM "a disk"
attempt EPERM "a device"
attempt ENOENT "read a secret"
attempt EACCES "read shadow"
attempt EACCES "read a file of root's by overlay"
attempt EPERM "own a file of root's"
for kind in user mnt net pid; do
	attempt EPERM "return to the cell's $kind"
done
attempt EACCES "namespaces of pid 1"
attempt EPERM "signal pid 1"
attempt EROFS sysctl
for call in bpf keyctl perf io_uring; do
	attempt EPERM "$call"
done
attempt "kept out" "cgroup2 of its own namespace"
# At the end: the kernel takes back what has ended a little later.
as_many() {
	[ "$(held nested -- "$nested" depth)" = "12 ENOSPC" ]
}
held nested -- pkill -KILL -x sleep # the first of its pid namespace: it would not mind SIGTERM
check "the cell can make as many as the policy says, inside each other, and no more" wait_for as_many

# With a whole proc, pid namespaces have theirs; who may write to what is there are the owners.
policy 60-whole <<EOT
policies = ( { name = "whole"; inherit = "default"; priority = 100; match = { users = ["$BOB"]; };
  namespaces = { nested = 100; }; apparmor = { profile = "cloister-nested"; }; files = { proc = "whole"; }; } );
EOT
HELD+=(whole)
hold whole bob || site_die "bob cannot log in"
held whole -- "$nested" proc >"$WORK/attempts"
attempt ok proc
attempt 1 pid
check_lacks "nothing that moves the host is writable or readable in it" ": ok" \
	"$(grep -E '^(sysrq|kcore|sysctl): ' "$WORK/attempts")"
# These two are everybody's to open on any host; writing asks for a capability, or sets a trigger of the writer's own.
check_equal "nor is in the cell's" "" "$(held whole -- 'find /proc/[a-z]* ! -path "/proc/pressure/*" ! -name ns_last_pid \
	-type f -perm /222 -writable -print' 2>/dev/null | head -n 3)"
check_fails "a pid cannot be chosen" held whole -- 'echo 100 >/proc/sys/kernel/ns_last_pid'
check_equal "bubblewrap shows its own processes alone" "bwrap ps" \
	"$(held whole -- bwrap --ro-bind / / --unshare-all --proc /proc ps -e -o comm= | xargs)"
if have podman && have crun; then
	held whole -- 'mkdir -p tree/usr tree/proc tree/sys tree/dev && cd tree && ln -s usr/bin usr/lib usr/lib64 usr/sbin .'
	held whole -- 'mkdir -p .config/containers && cat >.config/containers/containers.conf' <<-EOT
		[containers]
		keyring = false
		cgroups = "disabled"
		netns = "host"
	EOT
	# shellcheck disable=SC2016
	check_equal "podman runs a container" "0 1" "$(held whole -- 'podman run --rm -v /usr:/usr:ro --rootfs $HOME/tree \
		sh -c "id -u; echo \$\$"' 2>"$WORK/podman" | xargs)"
	tail -n 3 "$WORK/podman" | sed 's/^/# /'
else
	skip "podman runs a container" "podman and crun are not installed"
fi

release nested whole
done_testing
