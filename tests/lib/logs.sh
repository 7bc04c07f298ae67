# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where the machine's log is, and what Cloister wrote to it since a mark. The journal where systemd runs, a syslog
# daemon's file, or a collector of our own on a machine that has neither. CLOISTER_LOG names the file by hand.

LOG_RUN=/run/cloister-site-log

log_is_live() {
	[ -S /dev/log ] && logger -u /dev/log -p authpriv.debug -t cloister-site 'is anyone listening' 2>/dev/null
}

log_collector_runs() {
	local pid
	[ -e "$LOG_RUN/pid" ] && read -r pid <"$LOG_RUN/pid" && [ -d "/proc/$pid" ] &&
		tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q log-collector
}

# Sets SITE_LOG to "journal" or a file.
log_up() { # OWNER PIDFILE
	if [ -n "${CLOISTER_LOG-}" ]; then
		SITE_LOG=$CLOISTER_LOG
	elif [ -d /run/systemd/journal ] && journalctl -n 0 >/dev/null 2>&1; then
		SITE_LOG=journal
	else
		mkdir -p "$LOG_RUN/owners"
		printf '%s\n%s\n' "$1" "$2" >"$LOG_RUN/owners/$(basename "$SITE")"
		exec {log_lock}>"$LOG_RUN/lock"
		flock "$log_lock"
		log_find
		exec {log_lock}>&-
	fi
}

log_find() {
	local line
	if log_collector_runs; then
		SITE_LOG=$LOG_RUN/log
		return
	fi
	if log_is_live; then
		for SITE_LOG in /var/log/auth.log /var/log/secure /var/log/syslog /var/log/messages; do
			[ ! -e "$SITE_LOG" ] || return 0
		done
		site_die "something listens on /dev/log; name the file that it writes in CLOISTER_LOG"
	fi
	SITE_LOG=$LOG_RUN/log
	: >>"$SITE_LOG"
	# Others may come to share it: it is no child of this run, and the locks are not for it to keep.
	# shellcheck disable=SC2153
	exec {log_ready}< <(exec setsid --fork "${SITE_LIB-}/log-collector" "$SITE_LOG" "$LOG_RUN" {log_lock}>&- {SITE_LOCK}>&- 2>/dev/null)
	read -r -t 10 line <&"$log_ready" || true
	[ "${line-}" = ready ] || site_die "the log collector does not start"
	exec {log_ready}<&-
}

log_down() {
	local i
	rm -f "$LOG_RUN/owners/$(basename "$SITE")"
	[ -d "$LOG_RUN/owners" ] && rmdir "$LOG_RUN/owners" 2>/dev/null || return 0
	mkdir -p "$LOG_RUN/owners"
	for i in {1..50}; do
		log_collector_runs || break
		sleep 0.1
	done
	[ "$i" = 50 ] || rm -rf "$LOG_RUN"
}

# From here on: what log_since prints.
log_mark() {
	if [ "$SITE_LOG" = journal ]; then
		journalctl --sync
		LOG_MARK=$(journalctl -q -n 1 -o cat --show-cursor | sed -n 's/^-- cursor: //p')
	else
		log_settle
		LOG_MARK=$(($(stat -c %s "$SITE_LOG") + 1))
	fi
}

# Messages arrive in order: when ours is there, so is all that was logged before it.
log_settle() {
	local word i
	word=settled-$$-$RANDOM$RANDOM
	logger -p authpriv.debug -t cloister-site "$word"
	for i in {1..200}; do
		tail -n 200 "$SITE_LOG" | grep -qa -- "$word" && return
		sleep 0.05
	done
	site_die "the log does not arrive in $SITE_LOG (tried $i times)"
}

# All log lines since the mark.
log_all_since() {
	if [ "$SITE_LOG" = journal ]; then
		journalctl --sync
		journalctl -q --no-pager -o short --after-cursor "$LOG_MARK"
	else
		log_settle
		tail -c "+$LOG_MARK" "$SITE_LOG" | grep -av 'cloister-site'
	fi
}

# Those of Cloister.
log_since() {
	log_all_since | grep -aE '(cloister(-helper|-init)?|pam_cloister)(\[[0-9]+\]|\([^)]*\)):' || true
}
