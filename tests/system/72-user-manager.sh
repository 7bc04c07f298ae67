#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# systemd's manager of a user runs what lies in the user's home, on the host: only exempt users have one.

. "$(dirname "$0")/../lib/test.sh"

if ! have systemd || [ "$SITE_MODE" != installed ]; then
	skip "a tenant's units do not run" "no systemd here that reads the installed units"
	done_testing
	exit
fi

UNITS=$(getent passwd "$DAVE" | cut -d: -f6)/.config/systemd/user
uid=$(id -u "$DAVE")
install -d -o "$DAVE" -g "$DAVE" "$(dirname "$(dirname "$UNITS")")" "$(dirname "$UNITS")" "$UNITS" "$UNITS/default.target.wants"
printf '%s\n' '[Service]' "ExecStart=/usr/bin/touch $UNITS/ran" '[Install]' 'WantedBy=default.target' >"$UNITS/out.service"
ln -s ../out.service "$UNITS/default.target.wants/out.service"

systemctl daemon-reload
check_equal "the login works" "$DAVE" "$(as dave -- id -un)"
sleep 2
check_equal "the tenant's user manager does not start" no \
	"$(systemctl show -P ConditionResult "user@$uid.service"; [ -e "$UNITS/ran" ] && echo ran)"
loginctl enable-linger "$DAVE"
sleep 3
check_fails "nor does it with linger" test -e "$UNITS/ran"
loginctl disable-linger "$DAVE"
check "an exempt user may have one" helper exempt 0
check_fails "a tenant may not" helper exempt "$uid"
rm -rf "$UNITS"

done_testing
