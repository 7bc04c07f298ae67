# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tests of limits, refusals and leftovers ask the host about cells: always the kernel and the log, never Cloister.

# The site's users do not change while a test runs.
declare -A USER_IDS
for user in alice bob carol dave; do
	USER_IDS[$user]=$(id -u "$SITE_PREFIX-$user")
done

user_id() { # alice…
	printf '%s\n' "${USER_IDS[$1]-$(id -u "$SITE_PREFIX-$1")}"
}

hold_cell() { # HOLD USER
	HELD+=("$1")
	hold "$1" "$2" || site_die "no login to hold"
}

# Host pid of cloister-init in the cell of a held login.
init_of() { # HOLD
	local ns
	ns=$(held "$1" -- readlink /proc/self/ns/pid) || return 1
	lsns -n -r -t pid -o NS,PID | awk -v ns="${ns//[^0-9]/}" '$1 == ns { print $2 }'
}

# The directories of its two cgroups.
cgroup_of() { # PID
	printf '%s%s\n' "$(cgroup2_mount)" "$(sed -n 's/^0:://p' "/proc/$1/cgroup")"
}

counter() { # FILE KEY
	awk -v key="$2" '$1 == key { print $2 }' "$1"
}

# The cgroup managers that this machine can have. Without controllers the second makes groups without limits.
managers() {
	! have systemd || echo systemd
	echo cgroupfs
}

# A payload on the host where every cell sees it.
put_program() { # NAME
	install -m 755 "$(test_program "system/$1")" "$SITE_DIR/$1"
}

# start_in HOLD NAME COMMAND...: runs until stop_in NAME ends its standard input; what it says is in $WORK/NAME.
declare -A JOB_PID JOB_FD
start_in() {
	local hold=$1 name=$2 fd
	shift 2
	mkfifo "$WORK/$name.in"
	(
		for fd in "${JOB_FD[@]}"; do
			exec {fd}>&-
		done
		held "$hold" -- "$@" <"$WORK/$name.in" >"$WORK/$name" 2>&1
	) &
	JOB_PID[$name]=$!
	exec {fd}>"$WORK/$name.in"
	JOB_FD[$name]=$fd
}

stop_in() { # NAME: its exit status
	local fd=${JOB_FD[$1]} pid=${JOB_PID[$1]}
	exec {fd}>&-
	unset "JOB_FD[$1]" "JOB_PID[$1]"
	rm -f "$WORK/$1.in"
	wait "$pid"
}

said() { # NAME REGEX
	grep -Eq -- "$2" "$WORK/$1"
}

# What a login must not leave ------------------------------------------------------------------------------------

site_uids() { # SEPARATOR
	local IFS=$1
	printf '%s' "${USER_IDS[*]}"
}

# Regular expression of the cgroups in which cells of the site's users are.
cell_cgroup_regex() {
	local uids
	uids=$(site_uids '|')
	printf '/cloister/user-(%s)(/|$)|/user-(%s)-cloister\\.slice(/|$)' "$uids" "$uids"
}

# Processes of the site's users, whatever is in a cell of theirs, and helpers. logind's own manager of a user's
# services is not of a login's making.
cell_processes() {
	local pid regex
	regex=$(cell_cgroup_regex)
	{
		pgrep -u "$(site_uids ,)" || true
		pgrep -f "^[^ ]*sshd(-session)?: $SITE_PREFIX-" || true
		grep -lE "^0::.*($regex)" /proc/[0-9]*/cgroup 2>/dev/null | cut -d/ -f3
		find /proc/[0-9]*/exe -maxdepth 0 -lname "$HELPER*" 2>/dev/null | cut -d/ -f3
	} | sort -un | while read -r pid; do
		grep -q '/user@[0-9]*\.service' "/proc/$pid/cgroup" 2>/dev/null ||
			ps -o pid=,user=,stat=,args= -p "$pid" || true
	done
}

# logind mounts and unmounts /run/user/UID in its own time.
host_mounts() {
	grep -v ' /run/user/[0-9]* ' /proc/self/mountinfo
}

cell_cgroups() {
	find "$(cgroup2_mount)" -type d 2>/dev/null | grep -E "$(cell_cgroup_regex)" || true
}

cell_units() {
	have systemd || return 0
	systemctl list-units --all --plain --no-legend 'cloister-*.scope' 'user-*-cloister.slice'
	find /run/systemd/transient /run/systemd/system.control -name '*cloister*' 2>/dev/null
}

# On a machine of our own: all of the kernel's. Elsewhere others come and go, and only what we could have is looked at.
host_namespaces() {
	[ "$SITE_MODE" = private ] || lsns -n -r -o NS,TYPE -t "$1" | sort
}

# Files below the run and state folders, but for the locks and what is kept on purpose.
cell_files() {
	find "$RUN" "$STATE" ! -type d ! -path "$RUN/locks/*" ! -path "$STATE/policy/*" ! -path "$STATE/seccomp/*" \
		! -path "$STATE/hits/*" |
		sort
	find "$STATE" -name '*.new*' -o -name '*.tmp*' | sort
}

# Everything that could be left, as text.
leftovers() {
	printf 'processes:\n%s\ncgroups:\n%s\nunits:\n%s\nfiles:\n%s\n' "$(cell_processes)" "$(cell_cgroups)" \
		"$(cell_units)" "$(cell_files)"
	printf 'namespaces:\n%s\n%s\n%s\n' "$(host_namespaces user)" "$(host_namespaces pid)" "$(host_namespaces net)"
	printf 'mounts:\n%s\nsockets:\n%s\n' "$(host_mounts)" "$(grep -F "$RUN" /proc/net/unix)"
}

no_processes() {
	[ -z "$(cell_processes)" ]
}

nothing_runs() {
	[ -z "$(cell_processes)$(cell_cgroups)$(find "$RUN/cells" -type f)" ]
}

# A temporary file of a helper that was killed as it wrote is left for as long as somebody might be writing it: as if that were over.
sweep() {
	find "$RUN" "$STATE" -name '*.tmp' -exec touch -d '-1 hour' {} +
	helper sweep >/dev/null
}

# A look at the machine as it should be: earlier logins have ended, by themselves or swept.
look_before() { # FILE
	wait_for nothing_runs || helper sweep >/dev/null
	leftovers >"$1"
}

# The difference to an earlier look.
same_leftovers() { # FILE
	leftovers | diff "$1" -
}

# What ends by itself gets the time to end: systemd drops units, the kernel reaps, in their own time.
check_nothing_left() { # DESCRIPTION FILE
	wait_for same_leftovers "$2"
	check "$1" same_leftovers "$2"
}

# Refusals -------------------------------------------------------------------------------------------------------

# What Cloister logged since the mark about the site's users: on a shared machine others log too, and what such a
# machine lacks is said at every login.
site_log() {
	local uids
	uids=$(site_uids '|')
	log_since | if [ "$SITE_MODE" = private ]; then
		grep -E "$SITE_PREFIX-|$SITE/|uid[= ]($uids) " | grep -vE 'going on without AppArmor|runs without cgroup\.' || true
	else
		cat
	fi
}

# A refused login: one log line, in which all of these are, and no way in.
check_refused() { # DESCRIPTION USER REGEX...
	local description=$1 user=$2 output status=0 lines regex
	shift 2
	log_mark
	output=$(as "$user" -- echo INSIDE 2>&1) || status=$?
	lines=$(site_log)
	check "$description: refused" test "$status" -ne 0 -a "${output/INSIDE/}" = "$output"
	check_one_line "$description: one log line" "$lines"
	for regex; do
		check_matches "$description: it says $regex" "$regex" "$lines"
	done
}

check_one_line() { # DESCRIPTION TEXT
	if [ "$(grep -c . <<<"$2")" = 1 ]; then
		pass "$1"
	else
		fail "$1" "$2"
	fi
}

# ssh -N ends too, instead of staying for its forwards.
check_refused_forwarding() { # DESCRIPTION USER
	local status=0
	SITE_TIMEOUT=60 as "$2" -N </dev/null >/dev/null 2>&1 || status=$?
	check_equal "$1: ssh -N ends" 255 "$status"
}
