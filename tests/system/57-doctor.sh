#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# doctor finds nothing serious on a good site. Then one thing after the other is broken: it finds that one, and nothing else,
# and the command that it gives mends it, as the next look shows.

. "$(dirname "$0")/../lib/test.sh"

# Commands that mend may call these.
mkdir "$WORK/bin"
ln -s "$CTL" "$WORK/bin/cloister"
cat >"$WORK/bin/editor" <<EOT
#!/bin/sh
sed -i "\$(cat "$WORK/edit")" "\$1"
EOT
chmod 755 "$WORK/bin/editor"

# Looks, and keeps what it finds as lines "SEVERITY ID SUBJECT", a tab, what, a tab, fix; in FOUND those of warnings and worse,
# sorted. Other sites of this machine are none of ours.
look() {
	LOOK_STATUS=0
	ctl doctor --json >"$WORK/now.json" 2>"$WORK/errors" || LOOK_STATUS=$?
	python3 - "$WORK/now.json" "$SITE_MODE" "$SITE_PREFIX" >"$WORK/now" <<-'EOT'
		import json, sys
		path, mode, prefix = sys.argv[1:]
		for f in json.load(open(path))["findings"]:
		    subject = f["subject"] or "-"
		    foreign = mode == "private" and (
		        f["area"] == "pam" and subject.startswith("cl") and not subject.startswith(prefix)
		        or f["area"] == "leftovers" and subject.startswith("/") and "/user-0/" not in subject)
		    if not foreign:
		        print(f["severity"], f["id"], subject, end="")
		        print("", f["what"], f["fix"] or "", sep="\t")
	EOT
	FOUND=$(cut -f 1 "$WORK/now" | grep -E '^(serious|warning) ' | sort)
}

field() { # ID SUBJECT COLUMN: of the finding of the last look; 2: what, 3: fix
	awk -F '\t' -v name="$1 $2" -v column="$3" 'substr($1, index($1, " ") + 1) == name { print $column; exit }' "$WORK/now"
}

# Something was broken: exactly this is new. Then it is mended, as the finding says.
finds() { # DESCRIPTION SEVERITY ID SUBJECT
	local fix
	look
	check_equal "$1: is found, and nothing else" "$2 $3 $4" "$(comm -13 <(printf '%s\n' "$GOOD") <(printf '%s\n' "$FOUND"))"
	[ "$2" != serious ] || check_equal "$1: exit status" 1 "$LOOK_STATUS"
	fix=$(field "$3" "$4" 3)
	check "$1: a command mends it" env PATH="$WORK/bin:$PATH" bash -c "${fix:-false}"
}

# Only what the machine itself is known for.
same_as_good() { # DESCRIPTION
	look
	check_equal "$1" "" "$(comm -13 <(printf '%s\n' "$GOOD") <(printf '%s\n' "$FOUND"))"
}

restore() {
	! mountpoint -q "$PROGRAMS" || umount -l "$PROGRAMS"
	chmod 4755 "$HELPER"
	chown root:root "$RUN" "$INIT"
	chmod 0755 "$INIT"
	rm -f "$DOOR" "$CONF/policy.d/60-broken.conf" "/var/spool/cron/crontabs/$ALICE"
	[ -z "$PROCESS" ] || kill "$PROCESS" 2>/dev/null
	if [ "$SITE_MODE" = installed ]; then
		cp -a "$WORK/sshd_config" /etc/ssh/sshd_config
		cp -a "$WORK/cron" /etc/pam.d/cron
		[ ! -e "$WORK/drop-in" ] || mv "$WORK/drop-in" "$DROP_IN"
		rm -rf /etc/systemd/system/user@.service.d "/var/lib/systemd/linger/$ALICE"
		sysctl -qw user.max_net_namespaces="$NET_NAMESPACES"
		[ -n "$TIMER" ] || systemctl disable --now cloister-sweep.timer
		systemctl daemon-reload
		apparmor_parser -r "$APPARMOR_PROFILES/cloister-default"
	fi
	rmdir "$ORPHAN" "$(dirname "$ORPHAN")" "$(dirname "$(dirname "$ORPHAN")")"
	test_cleanup
}

PROGRAMS=$(dirname "$HELPER")
INIT=$PROGRAMS/cloister-init
DOOR=/etc/pam.d/$SITE_PREFIX-door
DROP_IN=/usr/lib/systemd/system/user@.service.d/user@.service.conf
ORPHAN=$(cgroup2_mount)/cloister/user-0/0000doctor00
PROCESS='' TIMER=''
undo_note file "$DOOR"
if [ "$SITE_MODE" = installed ]; then
	cp -a /etc/ssh/sshd_config "$WORK/sshd_config"
	cp -a /etc/pam.d/cron "$WORK/cron"
	undo_save /etc/ssh/sshd_config
	undo_save /etc/pam.d/cron
	NET_NAMESPACES=$(cat /proc/sys/user/max_net_namespaces)
	TIMER=$(systemctl is-enabled cloister-sweep.timer | grep enabled)
fi
trap 'restore 2>/dev/null' EXIT

# A good site, with a cell that lives: nothing serious that Cloister could help.
HELD=(doctor)
hold doctor alice
look
GOOD=$FOUND
check_equal "nothing on standard error" "" "$(cat "$WORK/errors")"
expected=''
[ "$SITE_MODE" = installed ] || expected="serious pam-sshd sshd" # the machine's own
check_equal "a good site: nothing serious" "$expected" "$(grep '^serious' <<<"$GOOD")"
[ "$SITE_MODE" = private ] || check_equal "and the exit status says so" 0 "$LOOK_STATUS"
check_lacks "nothing of the live cell is a leftover" leftover "$FOUND"
record=$(find "$RUN/cells" -name '*.json' | head -n 1)
cp -p "$record" "$WORK/record"

# What is installed.
chmod 0755 "$HELPER"
finds "a helper without its setuid bit" serious helper-mode "$HELPER"
undo_note mount "$PROGRAMS"
mount --bind "$PROGRAMS" "$PROGRAMS"
mount -o remount,bind,nosuid "$PROGRAMS"
finds "a helper on a filesystem that is mounted nosuid" serious helper-nosuid "$HELPER"
chown "$ALICE" "$INIT"
finds "a cloister-init of a user" serious program-writable "$INIT"
chown "$ALICE" "$RUN"
finds "a run folder of a user" serious folder-owner "$RUN"
umount -l "$PROGRAMS"

# PAM: each edit on top of what mended the one before.
pam_edit '/^auth.*pam_cloister/d'
finds "no auth line" serious pam-auth-missing "$SERVICE"
pam_edit '/^session.*pam_cloister/d'
finds "no session line" serious pam-session-missing "$SERVICE"
pam_edit "\$a session optional pam_permit.so"
finds "a module after the last" warning pam-not-last "$SERVICE"
pam_edit -e '/^session.*pam_cloister/d' -e "1i session required $MODULE" -e "\$a session optional pam_systemd.so"
finds "before pam_systemd" warning pam-systemd-order "$SERVICE"
pam_edit '/^session.*pam_cloister/s/required/optional/'
finds "an optional line" serious pam-control "$SERVICE"
pam_edit '/^session.*pam_cloister/p'
finds "a line twice" serious pam-twice "$SERVICE"
pam_edit '1i auth sufficient pam_succeed_if.so uid eq 4294967294'
echo '/pam_succeed_if.so uid eq 4294967294/d' >"$WORK/edit"
finds "a line that may be skipped" serious pam-skipped "$SERVICE"
printf '%s\n' '@include common-auth' "auth required $MODULE" '@include common-session' "session required $MODULE" >"$DOOR"
# shellcheck disable=SC2016
echo "s/^placement = (/& { service = \"$SITE_PREFIX-door\"; at = \"fork\"; },/" >"$WORK/edit"
finds "a service that is not known" serious pam-placement "$SITE_PREFIX-door"
same_as_good "all of PAM is mended"
rm "$DOOR"
settings_reset
pam_restore

# The configuration.
policy 60-broken <<<"policies = ( { name = \"broken\"; inherit = \"default\"; priority = 70; match = { users = [\"$DAVE\"]; };
  cgroup = { pids_max = \"many\"; }; } );"
echo 's/"many"/100/' >"$WORK/edit"
finds "a broken policy" serious config-invalid "$CONF/policy.d/60-broken.conf"
check_matches "and that the last valid one is in force" 'the last valid policy, kept in .*, is in force' \
	"$(field config-invalid "$CONF/policy.d/60-broken.conf" 2)"
if have systemd; then
	settings <<<'cgroup_manager = "cgroupfs";'
	finds "two managers of cgroups" warning cgroup-writers -
else
	settings <<<'cgroup_manager = "systemd";'
	finds "a manager of cgroups that is not there" serious cgroup-manager -
fi
if have apparmor; then
	apparmor_parser -R "$APPARMOR_PROFILES/cloister-default"
	finds "a profile that is not loaded" serious apparmor-profile cloister-default
else
	skip "a profile that is not loaded: is found, and nothing else" "no AppArmor"
fi
rm -f "$CONF/policy.d/60-broken.conf"

# Leftovers: of a session that nobody closed.
release doctor
wait_for test ! -e "$record"
cp -p "$WORK/record" "$record"
finds "a record whose cell is gone" warning leftover-record "$(basename "$record" .json)"
check_fails "and the record is gone" test -e "$record"
mkdir -p "$ORPHAN"
finds "a cgroup without a record" warning leftover-cgroup "/cloister/user-0/0000doctor00"
mkdir -p "$ORPHAN"
sleep 600 &
PROCESS=$!
echo $PROCESS >"$ORPHAN/cgroup.procs"
finds "and one with processes" serious leftover-processes "/cloister/user-0/0000doctor00"
wait $PROCESS
PROCESS=''

# What only a machine of its own may have broken.
if [ "$SITE_MODE" = installed ]; then
	sed -i '1i UsePAM no' /etc/ssh/sshd_config
	finds "sshd without PAM" serious sshd-usepam /etc/ssh/sshd_config
	printf '%s\n' "Match User $ALICE" '	ChrootDirectory /srv' >>/etc/ssh/sshd_config
	echo '/^Match User/d; /ChrootDirectory/d' >"$WORK/edit"
	finds "a user whom sshd chroots" warning sshd-chroot "$ALICE"
	mv "$DROP_IN" "$WORK/drop-in"
	systemctl daemon-reload
	finds "user managers for everyone" serious user-manager user@.service
	mkdir -p /var/lib/systemd/linger
	touch "/var/lib/systemd/linger/$ALICE"
	finds "a user who lingers" warning linger "$ALICE"
	echo '0 0 * * * true' >"/var/spool/cron/crontabs/$ALICE"
	finds "a crontab outside of cells" serious jobs "$ALICE"
	sysctl -qw user.max_net_namespaces=0
	finds "no net namespaces" serious kernel-namespace net
	systemctl disable -q --now cloister-sweep.timer
	look
	check "the timer: a command mends it" bash -c "$(field sweep-timer cloister-sweep.timer 3)"
	look
	check_lacks "and it is mended" sweep-timer "$FOUND"
fi
same_as_good "all is mended"

# For others than root, and for people.
look_as_nobody() { # NAME=VALUE...
	env "$@" script -qec "setpriv --reuid=65534 --regid=65534 --clear-groups $CTL doctor" /dev/null
}
output=$(look_as_nobody TERM=xterm)
check_matches "others are told what was not looked at" 'what ended sessions left behind: not looked at' "$output"
check_matches "a terminal gets colours" $'\033\\[' "$output"
check_lacks "NO_COLOR is honoured" $'\033\\[' "$(look_as_nobody TERM=xterm NO_COLOR=1)"

done_testing
