#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Users and groups in a directory: a real slapd, and sssd between it and NSS. A group of the directory has its policy; while the
# directory is down the cache answers; and where nobody can tell who is in a group, that is a refusal in time, never a hang, and
# never the policy of those who are in none.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

if [ "$SITE_MODE" != installed ]; then
	skip "groups of a directory" "the machine's NSS is not ours"
	done_testing
	exit
fi

EVE=$SITE_PREFIX-eve
PUPILS=$SITE_PREFIX-pupils
LDAP=ldap://127.0.0.1:3899
SLAPD=$WORK/slapd.pid
FORK_SERVICE=$(test_program system/fork-service)
FORK_NAME=$SITE_PREFIX-fork

restore() {
	end_directory
	pkill -CONT -x sssd_nss
	systemctl stop sssd.service
	systemctl mask sssd.service 2>/dev/null
	rm -f "/etc/pam.d/$FORK_NAME" /etc/sssd/sssd.conf /var/lib/sss/db/* /var/lib/sss/mc/*
	put_file /etc/nsswitch.conf <"$WORK/nsswitch"
	rm -rf --one-file-system "/home/${EVE:?}"
	test_cleanup
}

end_directory() {
	[ ! -e "$SLAPD" ] || kill -KILL "$(cat "$SLAPD")" 2>/dev/null
	rm -f "$SLAPD"
}

directory() {
	/usr/sbin/slapd -f "$WORK/slapd.conf" -h "$LDAP"
	wait_for ldapsearch -x -LLL -H "$LDAP" -b dc=test -s base
	undo_process "$(cat "$SLAPD")"
}

make_directory() {
	mkdir "$WORK/db"
	cat >"$WORK/slapd.conf" <<-CONFIG
		include /etc/ldap/schema/core.schema
		include /etc/ldap/schema/cosine.schema
		include /etc/ldap/schema/nis.schema
		modulepath /usr/lib/ldap
		moduleload back_mdb
		pidfile $SLAPD
		database mdb
		maxsize 16777216
		suffix dc=test
		directory $WORK/db
	CONFIG
	slapadd -f "$WORK/slapd.conf" <<-LDIF
		dn: dc=test
		objectClass: domain
		dc: test

		dn: uid=$EVE,dc=test
		objectClass: account
		objectClass: posixAccount
		uid: $EVE
		cn: Eve
		uidNumber: 64001
		gidNumber: 64002
		homeDirectory: /home/$EVE
		loginShell: /bin/bash

		dn: cn=$EVE,dc=test
		objectClass: posixGroup
		cn: $EVE
		gidNumber: 64002

		dn: cn=$PUPILS,dc=test
		objectClass: posixGroup
		cn: $PUPILS
		gidNumber: 64003
		memberUid: $EVE
	LDIF
	directory
}

# Entries expire at once: the directory is asked whenever it is there. The cache in memory, which serves even without sssd, is off.
make_client() {
	undo_save /etc/nsswitch.conf
	undo_note file /etc/sssd/sssd.conf
	cp /etc/nsswitch.conf "$WORK/nsswitch"
	mkdir -p /etc/sssd
	put_file /etc/sssd/sssd.conf <<-CONFIG
		[sssd]
		config_file_version = 2
		services = nss
		domains = test
		[nss]
		memcache_timeout = 0
		entry_negative_timeout = 0
		[domain/test]
		id_provider = ldap
		auth_provider = none
		access_provider = permit
		ldap_uri = $LDAP
		ldap_search_base = dc=test
		ldap_schema = rfc2307
		ldap_id_use_start_tls = false
		entry_cache_timeout = 1
		offline_timeout = 1
		offline_timeout_random_offset = 0
		ldap_network_timeout = 2
		ldap_opt_timeout = 2
		ldap_search_timeout = 2
	CONFIG
	chmod 600 /etc/sssd/sssd.conf
	# From 2.10 on sssd is no root any more.
	! grep -qs '^User=sssd' /usr/lib/systemd/system/sssd.service || { chown root:sssd /etc/sssd/sssd.conf && chmod 640 /etc/sssd/sssd.conf; }
	systemctl unmask sssd.service 2>/dev/null
	systemctl start sssd.service || journalctl -n 20 -u sssd.service --no-pager
	sed -i -E 's/^((passwd|group):.*files)/\1 sss/' /etc/nsswitch.conf
}

host_name_of() { # USER: of its cell, or "refused"
	SITE_TIMEOUT=120 timeout 120 ssh -F "$SSH_CONFIG" -l "$1" dave 'cat /proc/sys/kernel/hostname' 2>/dev/null || echo refused
}

undo_note file "/etc/pam.d/$FORK_NAME"
trap restore EXIT
make_directory
make_client
install -d -m 700 "/home/$EVE"
wait_for id "$EVE"
chown "$EVE:" "/home/$EVE"
policy 60-pupils <<-POLICY
	policies = ( { name = "pupils"; inherit = "default"; priority = 5; match = { groups = ["$PUPILS"]; };
	  namespaces = { hostname = "pupils"; }; } );
POLICY
check_equal "a group of the directory has its policy" pupils "$(host_name_of "$EVE")"
check_matches "explain says why" "group $PUPILS" "$(ctl explain "$EVE")"

kill -STOP "$(cat "$SLAPD")"
check_equal "a directory that hangs: the cache knows the group" pupils "$(host_name_of "$EVE")"
end_directory
check_equal "one that is down: so it does" pupils "$(host_name_of "$EVE")"
check_differs "who is in no group of it logs in" refused "$(host_name_of "$DAVE")"

systemctl stop sssd.service
rm -f /var/lib/sss/db/*
check_equal "nobody knows the user: no login" refused "$(host_name_of "$EVE")"
log_mark
check_equal "nobody can tell who is in the group: no login by another policy" refused "$(host_name_of "$DAVE")"
check_matches "the log names the group, and the policy's line" \
	"refused: user=$DAVE .*stage=policy key=match.groups .*60-pupils.conf:1.: cannot tell whether $DAVE is in group $PUPILS" "$(log_since)"
check_matches "explain agrees" "cannot tell whether $DAVE is in group $PUPILS" "$(ctl explain "$DAVE")"
check_equal "a user whose policy does not depend on it logs in" "students-$ALICE" "$(host_name_of "$ALICE")"
check_equal "so does root" root "$(as root -- id -un)"

# sshd waits by itself for the user's groups, before PAM: a service that does not shows what Cloister does.
put_file "/etc/pam.d/$FORK_NAME" <<<"session required $MODULE"
settings <<<"placement = ( { service = \"$FORK_NAME\"; at = \"fork\"; } );"
systemctl start sssd.service
wait_for pgrep -x sssd_nss
pkill -STOP -x sssd_nss
log_mark
timeout 100 "$FORK_SERVICE" "$FORK_NAME" "$DAVE" true
check_equal "a look-up that hangs ends in a refusal" 111 $?
check_matches "which is logged" "refused: user=$DAVE service=$FORK_NAME stage=handoff" "$(log_since)"
pkill -CONT -x sssd_nss
settings_reset
directory
check_equal "with all of it again, the group has its policy" pupils "$(wait_for id "$EVE"; host_name_of "$EVE")"
done_testing
