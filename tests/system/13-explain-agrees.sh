#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What explain says is what a login gets: 50 generated policy sets, a real login for each, and every setting that /proc, the
# cgroup or the file view shows is compared. SEED and SETS choose others; a failure names the set, and the same seed makes
# it again.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"

SEED=${SEED:-cloister}
VIEW=$SITE_DIR/view

agrees_cleanup() {
	rm -rf --one-file-system "$VIEW"
	test_cleanup
}
trap agrees_cleanup EXIT

# What policies show, hide and mount.
mkdir -p "$VIEW"/{private,hide,fixed,source,bind,empty}
touch "$VIEW"/{file,hide/inside,source/inside,private/inside}
chmod -R a+rX "$VIEW"

facts=$(share "$(test_program system/facts)")/facts
limits=no apparmor=no
! have cgroup2-controllers || limits=yes
! have apparmor || apparmor=yes
[ $limits = yes ] || skip "limits are as explain says" "this kernel's cgroup v2 has no controllers"
[ $apparmor = yes ] || skip "AppArmor's label is as explain says" "this kernel has no AppArmor"

printf '# seed %s\n' "$SEED"
while IFS='|' read -r word name text; do
	case $word in
	pass) pass "$name" ;;
	fail) fail "$name" "$text" ;;
	*) fail "$word $name $text" ;;
	esac
done < <(FACTS=$facts VIEW=$VIEW HAVE_LIMITS=$limits HAVE_APPARMOR=$apparmor CGROUP2=$(cgroup2_mount) \
	MANAGERS=$(managers | xargs) CONF=$CONF CTL=$CTL SSH_CONFIG=$SSH_CONFIG SERVICE=$SERVICE STUDENTS=$STUDENTS \
	STAFF=$STAFF SITE_MODE=$SITE_MODE SITE_PREFIX=$SITE_PREFIX PYTHONDONTWRITEBYTECODE=1 \
	python3 "$TESTS/system/explain_agrees.py" "$SEED" "${SETS:-50}" 2>&1 || echo "fail|the comparison ended early")

done_testing
