#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# seccomp: the shipped profile answers each call that Docker's default denies as Docker's does; any Docker/OCI profile
# loads as it is; allow and deny on top; unconfined.

. "$(dirname "$0")/../lib/test.sh"

PERF_EVENT_OPEN=298 # a call that says EFAULT for a wrong address, and EPERM or ENOSYS when it is filtered
EPERM=1 EFAULT=14
program=$(test_program probe/probe-syscalls) || exit 1
shared=$(share "$TESTS/lib/net.py" "$program")
net=$shared/net.py

mode() { # MODE-AND-FILTERS of a process in a new login of alice
	as alice -- sed -n "'s/^Seccomp:\t//p'" /proc/self/status
}

seccomp_policy() { # SECCOMP-BLOCK
	policy 60-seccomp <<-EOT
		policies = ( { name = "filtered"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
		  seccomp = { $1 }; } );
	EOT
}

check_equal "the shell is filtered" 2 "$(mode)"
HELD=(plain)
hold plain alice
check_equal "so is sshd's own process" 2 "$(sed -n 's/^Seccomp:\t//p' "/proc/$(user_processes alice)/status")"
release plain
check_fails "unshare -Ur is refused" as alice -- unshare -Ur true
check_fails "unshare -U with one of each is refused" as alice -- unshare -Umpniuf true

# The probe's own checks, one for each call.
probe=$(as alice -- "$shared/probe-syscalls")
while IFS= read -r line; do
	case $line in
	'ok '*) pass "default profile: ${line#ok * - }" ;;
	'not ok '*) fail "default profile: ${line#not ok * - }" ;;
	esac
done <<<"$probe"
check_matches "the probe ran to its end" '^1\.\.[1-9]' "$probe"

# A profile of the administrator's.
cat >"$shared/no-chmod.json" <<'EOT'
{ "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [ { "names": ["chmod", "fchmod", "fchmodat", "fchmodat2", "no_such_call"],
                  "action": "SCMP_ACT_ERRNO", "errnoRet": 13 } ] }
EOT
check_equal "chmod works under the default profile" "" "$(as alice -- 'touch f && chmod 600 f' 2>&1)"
seccomp_policy "profile = \"$shared/no-chmod.json\";"
check_matches "a profile that denies chmod denies it, with its errno" "f.*Permission denied" \
	"$(as alice -- 'touch f && LC_ALL=C chmod 644 f' 2>&1)"
check_equal "and nothing else" "600" "$(as alice -- stat -c %a f)"
check_matches "a call that libseccomp does not know is reported" 'no_such_call' \
	"$(ctl --config "$CONF" check 2>&1)"
check "and is no error" ctl --config "$CONF" check

# Debian's container profile, as its package has it.
profile=${CLOISTER_TEST_OCI_PROFILE:-/usr/share/containers/seccomp.json}
if [ -e "$profile" ]; then
	cp "$profile" "$shared/containers.json"
	chmod 644 "$shared/containers.json"
	seccomp_policy "profile = \"$shared/containers.json\";"
	check_equal "Debian's container profile loads unchanged" 2 "$(mode)"
	check_equal "and denies what it denies" $EPERM "$(as alice -- "$net" errno $PERF_EVENT_OPEN)"
	check_equal "and allows what it allows" "" "$(as alice -- 'chmod 600 f' 2>&1)"
	check_fails "unshare -Ur is refused under it too" as alice -- unshare -Ur true
else
	for what in "Debian's container profile loads unchanged" "and denies what it denies" \
		"and allows what it allows" "unshare -Ur is refused under it too"; do
		skip "$what" "$profile is not there"
	done
fi

# allow, deny and action, on top of the default profile.
policies_reset
check_equal "the default profile denies perf_event_open" $EPERM "$(as alice -- "$net" errno $PERF_EVENT_OPEN)"
seccomp_policy 'allow = ["perf_event_open"];'
check_equal "allow lets it through" $EFAULT "$(as alice -- "$net" errno $PERF_EVENT_OPEN)"
seccomp_policy 'deny = ["mkdir", "mkdirat"];'
check_matches "deny takes a call away" "Operation not permitted" "$(as alice -- 'LC_ALL=C mkdir d' 2>&1)"
seccomp_policy 'action = "kill"; deny = ["mkdir", "mkdirat"];'
check_matches "action kill ends who makes it" "^(159|Bad system call)" \
	"$(as alice -- 'mkdir d; echo $?' 2>&1)"
check_equal "and the rest of the cell lives" alive "$(as alice -- 'mkdir d 2>/dev/null; echo alive' 2>/dev/null)"

seccomp_policy 'profile = "unconfined";'
check_equal "unconfined is without a filter" 0 "$(mode)"

# A profile that can't be read is a refused login.
seccomp_policy "profile = \"$shared/missing.json\";"
log_mark
check_fails "a missing profile refuses the login" as alice -- true
check_matches "with the key and its place" 'seccomp\.profile.*60-seccomp\.conf:[0-9]+|60-seccomp\.conf:[0-9]+.*seccomp\.profile' \
	"$(log_since)"

done_testing
