#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The conformance matrix, see tests/conformance/run: every service by every use. On a machine of its own all PAM files get the
# module, and the machine's cron and atd run the jobs; elsewhere PAM files, cron and atd are private, in a mount namespace. The
# results stay in /var/tmp/cloister-conformance.json on a machine of its own, whence tests/run fetches them for
# docs/conformance.md.

# CONFORMANCE_ONLY: options of the program, to try a part.

# shellcheck disable=SC2034
. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/conformance/place.sh"

SERVICES="login su su-l runuser runuser-l sudo sudo-i cron atd"

restore() {
	local name
	if [ "$SITE_MODE" = installed ]; then
		[ ! -d "$WORK/stock" ] || cp -a "$WORK/stock/." /etc/pam.d/
		rm -f /etc/ssh/sshd_config.d/00-conformance.conf
	else
		cp "$WORK/sshd_config" "$SITE_DIR/sshd_config"
	fi
	sshd_restart
	for name in "${CONFORMANCE_NAMES[@]}" "$CONFORMANCE_REFUSED" "$CONFORMANCE_MOSH"; do
		undo_user "$name"
	done
	rm -f "$CONF/policy.d/60-conformance.conf"
	test_cleanup
}
CONFORMANCE_REFUSED='' CONFORMANCE_MOSH=''

# The module in PAM files of a folder, where no file that they include has it.
pam_lines() { # DIRECTORY
	local service
	for service in $SERVICES; do
		if [ -e "$1/$service" ] && ! grep -qE '^session[[:space:]]+include[[:space:]]+(su|runuser)$' "$1/$service"; then
			[ "$1" != /etc/pam.d ] || undo_save "/etc/pam.d/$service"
			pam_standard "$1/$service" >"$WORK/lines"
			put_file "$1/$service" <"$WORK/lines"
		fi
	done
}

allow_methods() {
	if [ "$SITE_MODE" = installed ]; then
		undo_note file /etc/ssh/sshd_config.d/00-conformance.conf
		put_file /etc/ssh/sshd_config.d/00-conformance.conf <<<'KbdInteractiveAuthentication yes'
	else
		cp "$SITE_DIR/sshd_config" "$WORK/sshd_config"
		sed -i 's/^KbdInteractiveAuthentication no/KbdInteractiveAuthentication yes/' "$SITE_DIR/sshd_config"
		CONFORMANCE_SSHD_T="/usr/sbin/sshd -T -f $SITE_DIR/sshd_config"
	fi
	sshd_restart
}

# Spools as the machine's, but empty.
private_place() {
	local name
	mkdir "$WORK/pam.d" "$WORK/spool"
	cp -a /etc/pam.d/. "$WORK/pam.d/"
	pam_lines "$WORK/pam.d"
	for name in crontabs atjobs atspool; do
		[ ! -d "/var/spool/cron/$name" ] || install -d -m "$(stat -c %a "/var/spool/cron/$name")" \
			-o "$(stat -c %u "/var/spool/cron/$name")" -g "$(stat -c %g "/var/spool/cron/$name")" "$WORK/spool/$name"
	done
	[ ! -e /var/spool/cron/atjobs/.SEQ ] || cp -a /var/spool/cron/atjobs/.SEQ "$WORK/spool/atjobs/"
	CONFORMANCE_WITHIN=(unshare -m --propagation private "$TESTS/conformance/private" "$WORK")
}

trap restore EXIT
conformance_place
settings <<<'deadline = 60;' # cron opens six sessions at once, where a processor may be emulated, and busy
allow_methods
JSON=/var/tmp/cloister-conformance.json
if [ "$SITE_MODE" = installed ]; then
	cp -a /etc/pam.d "$WORK/stock"
	pam_lines /etc/pam.d
else
	private_place
	JSON=$WORK/conformance.json
fi
# shellcheck disable=SC2086
conformance_run --tap --json "$JSON" ${CONFORMANCE_ONLY-}
