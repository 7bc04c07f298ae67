# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A site: where logins happen. Temporary users in groups, a stock sshd whose PAM stack ends in pam_cloister, policies
# and a log, with the same functions for two kinds:
#
#   private    any Debian machine: an sshd of our own on 127.0.0.1, with its own PAM service and a build that was
#              configured for this place (site_configure_flags) and installed into it; the machine's sshd, its
#              configuration and /etc/cloister are not touched
#   installed  a machine of its own (the virtual machine): Cloister installed into /, the stock ssh.service
#
# Everything made is first written to $SITE/site/undo, so that site_down, or the next site_up after a kill, undoes it.
# The caller decides when: `site_trap; site_up`. A test that runs under such a caller calls site_attach.
#
#   SITE         its directory (/var/lib/cloister-site); its parents must belong to root
#   SITE_MODE    private or installed
#   SITE_PREFIX  of the temporary users, groups and the PAM service (clt)

SITE_LIB=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
SITE=${SITE:-/var/lib/cloister-site}
SITE_MODE=${SITE_MODE:-private}
SITE_PREFIX=${SITE_PREFIX:-clt}
SITE_TIMEOUT=${SITE_TIMEOUT:-300}

# shellcheck source-path=SCRIPTDIR
. "$SITE_LIB/logs.sh"
# shellcheck source-path=SCRIPTDIR
. "$SITE_LIB/processes.sh"
# shellcheck source-path=SCRIPTDIR
. "$SITE_LIB/undo.sh"

site_die() {
	printf 'site: %s\n' "$*" >&2
	exit 1
}

# What a private build is configured with.
site_configure_flags() {
	printf '%s\n' "--prefix=$SITE/inst" "--sysconfdir=$SITE/etc" "--with-rundir=$SITE/run" \
		"--with-statedir=$SITE/state" "--with-unitdir=$SITE/inst/units"
}

# Names and paths that tests use; the same in every process of a run.
# shellcheck disable=SC2034
site_names() {
	SITE_DIR=$SITE/site
	ALICE=$SITE_PREFIX-alice BOB=$SITE_PREFIX-bob CAROL=$SITE_PREFIX-carol DAVE=$SITE_PREFIX-dave
	STUDENTS=$SITE_PREFIX-students STAFF=$SITE_PREFIX-staff
	if [ "$SITE_MODE" = private ]; then
		SERVICE=$SITE_PREFIX-sshd
		CONF=$SITE/etc/cloister RUN=$SITE/run STATE=$SITE/state
		HELPER=$SITE/inst/libexec/cloister/cloister-helper
		CTL=$SITE/inst/bin/cloister
		MODULE=$SITE/inst/lib/security/pam_cloister.so
		SECCOMP_PROFILES=$SITE/inst/share/cloister/seccomp APPARMOR_PROFILES=$SITE/etc/apparmor.d
	else
		SERVICE=sshd
		CONF=/etc/cloister RUN=/run/cloister STATE=/var/lib/cloister
		HELPER=/usr/libexec/cloister/cloister-helper
		CTL=/usr/bin/cloister
		MODULE=pam_cloister.so
		SECCOMP_PROFILES=/usr/share/cloister/seccomp APPARMOR_PROFILES=/etc/apparmor.d
	fi
	PAM_FILE=/etc/pam.d/$SERVICE
	SSH_CONFIG=$SITE_DIR/ssh_config
}

# have WHAT: does this machine have it? WHAT is apparmor, cgroup2-controllers, systemd or a command.
have() {
	case $1 in
	apparmor) [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] ;;
	systemd) [ -d /run/systemd/system ] ;;
	cgroup2-controllers) grep -qw memory "$(cgroup2_mount)/cgroup.controllers" 2>/dev/null ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

cgroup2_mount() {
	findmnt -n -t cgroup2 -o TARGET | head -n 1
}

# Logins ---------------------------------------------------------------------------------------------------------

# as USER [SSH-OPTION...] [-- COMMAND...]: a login of its own. USER is alice, bob, carol, dave or root.
as() {
	local user=$1 options=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	timeout --foreground "$SITE_TIMEOUT" ssh -F "$SSH_CONFIG" "${options[@]}" "$user" "$@"
}

# A login that stays, and commands in it: hold NAME USER [SSH-OPTION...]; held NAME [SSH-OPTION...] -- COMMAND...;
# release NAME. Each hold is one connection, so one cell.
hold() {
	local name=$1 user=$2
	shift 2
	as "$user" -M -S "$SITE_DIR/held/$name" -o ControlPersist=yes "$@" -- true </dev/null >/dev/null
}

held() {
	local name=$1 options=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	timeout --foreground "$SITE_TIMEOUT" ssh -F "$SSH_CONFIG" -S "$SITE_DIR/held/$name" "${options[@]}" nobody "$@"
}

release() { # NAME...
	local name
	for name; do
		ssh -F "$SSH_CONFIG" -S "$SITE_DIR/held/$name" -O exit nobody >/dev/null 2>&1 || true
	done
}

# Host pids of sshd's user processes of a user, one a line.
user_processes() { # USER
	pgrep -u "$SITE_PREFIX-$1" -f '^([a-z]+-)?sshd(-session)?: '
}

# wait_for COMMAND...: until it succeeds; fails when it has not within a minute (two and a half under emulation). Asked
# often if that is cheap: where processors are emulated, looking must not take the time of what is looked for.
wait_for() {
	local start took rest tries=0 until=$((SECONDS + 60))
	[ "$SITE_MODE" = private ] || until=$((SECONDS + 150))
	while :; do
		start=${EPOCHREALTIME/[.,]/}
		! "$@" >/dev/null 2>&1 || return 0
		tries=$((tries + 1))
		[ $SECONDS -lt $until ] || [ $tries -lt 20 ] || return 1
		took=$((2 * (${EPOCHREALTIME/[.,]/} - start)))
		[ $took -gt 100000 ] || took=100000
		[ $took -lt 1000000 ] || took=1000000
		printf -v rest '%06d' $((took % 1000000))
		sleep "$((took / 1000000)).$rest"
	done
}

helper() {
	"$HELPER" "$@"
}

# The administrator's command.
ctl() {
	"$CTL" "$@"
}

# Policies, settings, PAM ----------------------------------------------------------------------------------------

# policy NAME <<EOF: writes or replaces policy.d/NAME.conf at once.
policy() {
	put_file "$CONF/policy.d/$1.conf"
}

put_file() { # PATH, content on standard input
	cat >"$1.new"
	chmod 644 "$1.new"
	mv "$1.new" "$1"
}

# The standard policies: what is shipped for everyone, and one for each group. What this machine lacks may be absent.
policies_reset() {
	local file
	for file in "$CONF"/policy.d/*; do
		case $file in
		*/00-default.conf | */50-groups.conf) ;;
		*) rm -f "$file" ;;
		esac
	done
	sed "$(continue_edits)" "$SITE_DIR/00-default.conf" | policy 00-default
	policy 50-groups <<-POLICIES
		policies = (
		  { name = "students"; inherit = "default"; priority = 10; match = { groups = ["$STUDENTS"]; };
		    namespaces = { hostname = "students-%u"; };
		    cgroup = { pids_max = 200; memory_max = "512M"; swap_max = 0; cpu_max = "150%"; };
		    env = { GREETING = "students-%u"; }; },
		  { name = "staff"; inherit = "default"; priority = 20; match = { groups = ["$STAFF"]; };
		    namespaces = { hostname = "staff"; };
		    cgroup = { pids_max = 300; memory_max = "768M"; };
		    capabilities = { bounding = ["DEFAULT"]; };
		    env = { GREETING = "staff"; }; } );
	POLICIES
}

# continue_edits: a sed script that lets the shipped policy do without what this machine lacks.
continue_edits() {
	have cgroup2-controllers ||
		printf '%s\n' 's/# \(when_unavailable = "refuse";\)/\1/;/^ *when_unavailable/s/refuse/continue/'
	have apparmor || printf '%s\n' '/apparmor/s/when_unavailable = "refuse"/when_unavailable = "continue"/'
}

# settings <<EOF: cloister.conf, after what the site itself needs.
settings() {
	{
		[ "$SITE_MODE" = installed ] ||
			printf 'placement = ( { service = "%s"; at = "credentials"; } );\n' "$SERVICE"
		cat
	} | put_file "$CONF/cloister.conf"
}

settings_reset() {
	settings </dev/null
}

# pam_edit SED-ARGUMENT...: changes the service's PAM file; pam_restore gives the standard one back.
pam_edit() {
	sed "$@" "$PAM_FILE" | put_file "$PAM_FILE"
}

pam_restore() {
	put_file "$PAM_FILE" <"$SITE_DIR/pam"
}

# The distribution's own stack, with our two lines where they belong.
pam_standard() { # STOCK-FILE
	sed "/^@include common-auth/a auth required $MODULE" "$1"
	echo "session required $MODULE"
}

# sshd -----------------------------------------------------------------------------------------------------------

sshd_restart() {
	if [ "$SITE_MODE" = installed ]; then
		systemctl restart ssh.service
	else
		sshd_stop
		sshd_start
	fi
	wait_for sshd_listens || site_die "sshd does not listen on port $SITE_PORT"
}

sshd_listens() {
	(exec 3<>"/dev/tcp/127.0.0.1/$SITE_PORT") 2>/dev/null
}

sshd_stop() {
	local pid
	pid=$(cat "$SITE_DIR/sshd.pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null || true
	wait_for sshd_gone "$pid" || site_die "sshd, process $pid, does not end"
}

# One that nobody reaps has ended all the same: not every container has an init that does.
sshd_gone() { # PID
	! grep -qs '^State:.[^Z]' "/proc/$1/status"
}

sshd_start() {
	undo_note listener "$SITE_DIR/sshd_config"
	"$SITE_DIR/$SERVICE" -f "$SITE_DIR/sshd_config" || site_die "sshd does not start"
	wait_for test -s "$SITE_DIR/sshd.pid"
}

# Only what is below is about making and removing a site.
# shellcheck source-path=SCRIPTDIR
. "$SITE_LIB/site-up.sh"
