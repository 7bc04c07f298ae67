# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The layers, one after the other, as the host has them and as the two logins find them.

show_machine() {
	local release
	release=$(. /etc/os-release && echo "$PRETTY_NAME")
	title "This machine"
	printf '  %s, Linux %s, %s\n' "$release" "$(uname -r)" "$(ssh -V 2>&1 | cut -d, -f1)"
	show_machine_cgroup
	if have apparmor; then
		echo "  AppArmor: on; the profiles cloister-default and cloister-restricted are loaded"
	else
		echo "  AppArmor: this kernel has none, so the policies here say apparmor.when_unavailable = \"continue\""
	fi
}

show_machine_cgroup() {
	local mount
	mount=$(cgroup2_mount)
	if [ -z "$mount" ]; then
		echo "  cgroup v2: not mounted, so the policies here say cgroup.when_unavailable = \"continue\""
	elif ! have cgroup2-controllers; then
		echo "  cgroup v2: at $mount, without the controllers that limits need, so the policies here say"
		echo "    cgroup.when_unavailable = \"continue\": logins get their cgroups, but no limits"
	else
		echo "  cgroup v2: at $mount; controllers: $(cat "$mount/cgroup.controllers")"
	fi
	disk_of_root >/dev/null || echo "  / is on no disk of its own: the policies here have no io limit"
}

# Two logins that stay, and what they find; and the same user on the host, outside of a cell.
show_layers() {
	hold student alice || die "$ALICE cannot log in: $(log_since)"
	hold staff bob || die "$BOB cannot log in: $(log_since)"
	HOST_MARK=/tmp/cloister-quickstart.$$
	undo_note file "$HOST_MARK"
	echo "of the host" >"$HOST_MARK"
	chmod 644 "$HOST_MARK"
	probe host
	probe student
	probe staff
	printf '\nThe column "host" is %s outside of a cell; the others are what ssh logins find.\n' "$ALICE"
	show_namespaces
	show_cgroups
	show_capabilities
	show_seccomp
	show_apparmor
	show_files
	show_network
	show_list
}

probe() { # WHO
	local command=(/usr/bin/python3 -I - "$HOST_MARK" "$SITE_PORT")
	case $1 in
	host)
		setpriv --reuid "$ALICE" --regid "$ALICE" --init-groups --reset-env "${command[@]}" \
			<"$HERE/demo/probe.py" >"$SITE_DIR/facts.host"
		;;
	*) held "$1" -- "${command[@]}" <"$HERE/demo/probe.py" >"$SITE_DIR/facts.$1" ;;
	esac
	[ -n "$(fact "$1" course)" ] || die "the probe fails as $1"
}

show_namespaces() {
	local name
	title "Namespaces (inode numbers)"
	head_row
	for name in user pid mnt ipc uts net cgroup; do
		fact_row "$name" "ns.$name"
		all_differ "$name" "$(fact host "ns.$name")" "$(fact student "ns.$name")" "$(fact staff "ns.$name")"
	done
	fact_row "host name" hostname
	fact_is hostname "students-$ALICE" student
	fact_is hostname staff staff
	fact_row "pid 1" pid1
	fact_is pid1 cloister-init
	fact_row "processes in sight" processes
	holds "processes of others are in sight" [ "$(fact student processes)" -le 8 -a "$(fact staff processes)" -le 8 ]
}

# cgroups: seen from the host, since a cell sees its own as the root.
show_cgroups() {
	local student staff file
	title "Control groups"
	head_row
	fact_row "seen from inside" cgroup
	student=$(cgroup_of alice)
	staff=$(cgroup_of bob)
	for file in pids.max memory.max memory.swap.max cpu.max io.max; do
		limit_row "$file, user" "$(dirname "$student")" "$(dirname "$staff")" "$file"
	done
	for file in pids.max memory.max; do
		limit_row "$file, session" "$student" "$staff" "$file"
	done
	printf '  on the host, student: %s\n' "$student"
	printf '  on the host, staff:   %s\n' "$staff"
	[ -z "$(cgroup2_mount)" ] || holds "the cells are not in cgroups of their own" cgroups_are_apart "$student" "$staff"
	show_limits_hold "$student" "$staff"
}

cgroup_of() { # USER
	sed -n 's/^0:://p' "/proc/$(user_processes "$1" | head -n 1)/cgroup"
}

cgroups_are_apart() { # STUDENT STAFF
	[ "$1" != "$2" ] && case $1:$2 in
	*cloister*"$(id -u "$ALICE")"*:*cloister*"$(id -u "$BOB")"*) ;;
	*"$(id -u "$ALICE")"*cloister*:*"$(id -u "$BOB")"*cloister*) ;;
	*) false ;;
	esac
}

limit_row() { # LABEL STUDENT-CGROUP STAFF-CGROUP FILE
	row "$1" - "$(limit "$2" "$4")" "$(limit "$3" "$4")"
}

# As a reader likes it: sizes in MiB, CPU time in percent of one.
limit() { # CGROUP FILE
	local value
	value=$(limit_raw "$1" "$2")
	case $2:$value in
	*:'' | *:max*) echo "no limit" ;;
	*:none) echo "no ${2%%.*} controller" ;;
	memory*) echo "$((value >> 20)) MiB" ;;
	cpu*) echo "$((${value% *} * 100 / ${value#* }))%" ;;
	*) printf '%s\n' "$value" ;;
	esac
}

# Its value; nothing where the file is not there because nothing asked for the controller, none without controller.
limit_raw() { # CGROUP FILE
	local mount
	mount=$(cgroup2_mount)
	if [ -e "$mount$1/$2" ]; then
		sed 's/ [a-z]*=max//g' "$mount$1/$2" | xargs
	elif ! controller_exists "$2"; then
		echo none
	fi
}

controller_exists() { # FILE
	grep -qsw "${1%%.*}" "$(cgroup2_mount)/cgroup.controllers"
}

# What the policies say, where the kernel has the controller.
show_limits_hold() { # STUDENT-CGROUP STAFF-CGROUP
	limit_is "$(dirname "$1")" pids.max 64
	limit_is "$(dirname "$2")" pids.max 400
	limit_is "$(dirname "$1")" memory.max "256 MiB"
	limit_is "$(dirname "$2")" memory.max "1024 MiB"
	limit_is "$(dirname "$1")" cpu.max 50%
	limit_is "$(dirname "$2")" cpu.max 200%
	limit_is "$1" pids.max 32
	limit_is "$1" memory.max "192 MiB"
	! disk_of_root >/dev/null || limit_is "$(dirname "$1")" io.max "[0-9]*:[0-9]* wbps=$((20 << 20))"
}

limit_is() { # CGROUP FILE VALUE-REGEX
	! controller_exists "$2" || holds "$2 of $1: expected $3" grep -qx -- "$3" <<<"$(limit "$1" "$2")"
}

show_capabilities() {
	local set
	title "Capabilities"
	head_row
	for set in Inh Prm Eff Bnd Amb; do
		row "$(capability_set $set)" "$(capabilities host $set)" "$(capabilities student $set)" \
			"$(capabilities staff $set)"
	done
	for set in Inh Prm Eff Amb; do
		fact_is "Cap$set" 0000000000000000
	done
	fact_is CapBnd 0000000000000000 student
	printf '  staff may gain at most:\n'
	capability_names staff Bnd | fold -s -w 90 | sed 's/ *$//; s/^/    /'
	holds "staff: expected Docker's fourteen without NET_RAW and MKNOD" \
		[ "$(fact staff CapBnd)" = "$(printf '%016x' $((0xa80425fb & ~(1 << 13) & ~(1 << 27))))" ]
	fact_row "no_new_privs" NoNewPrivs
	fact_is NoNewPrivs 1
}

capability_set() { # SET
	case $1 in
	Inh) echo inheritable ;;
	Prm) echo permitted ;;
	Eff) echo effective ;;
	Bnd) echo bounding ;;
	Amb) echo ambient ;;
	esac
}

capability_names() { # WHO SET
	capsh --decode="$(fact "$1" "Cap$2")" | sed 's/.*=//; s/cap_//g; s/,/ /g'
}

capabilities() { # WHO SET
	local names
	names=$(capability_names "$1" "$2" | wc -w)
	if [ "$names" = 0 ]; then
		echo none
	else
		echo "$names"
	fi
}

show_seccomp() {
	title "seccomp (a call's answer; EFAULT, ENOENT, ENOTTY or EIO is the kernel's own: the call got through)"
	head_row
	row "mode, filters" "$(seccomp_mode host)" "$(seccomp_mode student)" "$(seccomp_mode staff)"
	fact_is Seccomp 2
	fact_row "unshare CLONE_NEWUSER" unshare
	fact_is unshare EPERM
	fact_row "mount" mount
	fact_is mount EPERM
	fact_row "ioctl TIOCSTI" tiocsti
	fact_is tiocsti EPERM
	fact_row "ptrace TRACEME" ptrace
	fact_is ptrace EPERM student
	fact_is ptrace ok staff
}

seccomp_mode() { # WHO
	case $(fact "$1" Seccomp) in
	0) echo off ;;
	2) echo "filter, $(fact "$1" Seccomp_filters)" ;;
	*) echo "mode $(fact "$1" Seccomp)" ;;
	esac
}

show_apparmor() {
	title "AppArmor"
	if ! have apparmor; then
		echo "  not in this kernel"
		return
	fi
	head_row
	fact_row "profile" apparmor
	fact_row "mode" apparmor.mode
	fact_is apparmor cloister-restricted student
	fact_is apparmor cloister-default staff
	fact_is apparmor.mode enforce
}

show_files() {
	title "Files"
	head_row
	fact_row "a file in host's /tmp" tmp
	fact_is tmp seen host
	fact_is tmp "not there"
	fact_row "size of /tmp" tmp.size
	fact_is tmp.size "16 MiB" student
	fact_is tmp.size "256 MiB" staff
	fact_row "/home" home
	fact_is home "$ALICE" student
	fact_is home "$BOB" staff
	fact_row "/root" root
	fact_row "/run" run
	fact_row "/run/user" run.user
	fact_is run.user "$(id -u "$ALICE")" student
	fact_is run.user "$(id -u "$BOB")" staff
	fact_row "/dev" dev
	fact_row "disks in /dev" disks
	fact_is disks 0
	fact_row "owner of /etc/passwd" owner
	fact_row "/srv" srv
	fact_is srv "$BOB" staff
	fact_row "writing to /srv" srv.write
	fact_is srv.write EROFS staff
	fact_row "mounts" mounts
}

show_network() {
	title "Network"
	head_row
	fact_row "interfaces" interfaces
	fact_is interfaces lo
	fact_row "127.0.0.1:$SITE_PORT, sshd" connect
	fact_is connect connected host
	fact_is connect ECONNREFUSED
}

show_list() {
	title "What the administrator sees (cloister list)"
	ctl list >"$SITE_DIR/list"
	indent <"$SITE_DIR/list"
	holds "$ALICE is not in the list" grep -q " $ALICE *students " "$SITE_DIR/list"
	holds "$BOB is not in the list" grep -q " $BOB *staff " "$SITE_DIR/list"
}

# What each policy changed: the values whose source is the policy's own file.
show_policies() {
	show_policy "$ALICE" 50-students.conf
	show_policy "$BOB" 60-staff.conf
	fact_is course "/srv/$BOB" staff
}

show_policy() { # USER FILE
	title "What $2 changed for $1 (cloister explain $1)"
	ctl explain "$1" --service "$SERVICE" >"$SITE_DIR/explain"
	grep '^matched by' "$SITE_DIR/explain" | indent
	grep "$CONF/policy.d/$2:" "$SITE_DIR/explain" | grep -v '^policy \|^priority' |
		sed "s,$CONF/policy.d/,," | indent || true
	holds "no value comes from $2" grep -q "^cgroup.pids_max .*$2:" "$SITE_DIR/explain"
}
