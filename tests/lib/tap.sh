# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Checks in the Test Anything Protocol. A test file sources this, calls check and its relatives, and ends with
# done_testing: a file that stops before that has failed, whatever it printed.

TAP_COUNT=0
TAP_FAILED=0

tap_name() { # DESCRIPTION: no '#' and no newline, which mean something in TAP
	printf '%s' "$*" | tr '#\n' '= '
}

pass() { # DESCRIPTION
	TAP_COUNT=$((TAP_COUNT + 1))
	printf 'ok %d - %s\n' "$TAP_COUNT" "$(tap_name "$1")"
}

# A failure, with what explains it.
fail() { # DESCRIPTION [TEXT]
	TAP_COUNT=$((TAP_COUNT + 1))
	TAP_FAILED=$((TAP_FAILED + 1))
	printf 'not ok %d - %s\n' "$TAP_COUNT" "$(tap_name "$1")"
	[ -z "${2-}" ] || note "$2"
	return 0
}

note() { # TEXT
	printf '%s\n' "$1" | tr -d '\0' | head -n 40 | cut -c1-400 | sed 's/^/#   /'
}

# What this kernel or machine lacks; in the virtual machine nothing may be skipped.
skip() { # DESCRIPTION REASON
	TAP_COUNT=$((TAP_COUNT + 1))
	printf 'ok %d - %s # SKIP %s\n' "$TAP_COUNT" "$(tap_name "$1")" "$(tap_name "$2")"
}

check() { # DESCRIPTION COMMAND...
	local description=$1 output status=0
	shift
	output=$("$@" 2>&1) || status=$?
	if [ "$status" -eq 0 ]; then
		pass "$description"
	else
		fail "$description" "exit status $status: $*
$output"
	fi
}

# The command must run and fail; with FAILS_WITH set, with that status.
check_fails() { # DESCRIPTION COMMAND...
	local description=$1 output status=0
	shift
	output=$("$@" 2>&1) || status=$?
	if [ "$status" -eq 0 ] || [ "$status" -eq 127 ] || [ "$status" -ne "${FAILS_WITH:-$status}" ]; then
		fail "$description" "exit status $status${FAILS_WITH:+, expected $FAILS_WITH}: $*
$output"
	else
		pass "$description"
	fi
}

check_equal() { # DESCRIPTION EXPECTED ACTUAL
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "expected: $2
got:      $3"
	fi
}

check_differs() { # DESCRIPTION UNWANTED ACTUAL: and it must not be empty
	if [ -n "$3" ] && [ "$2" != "$3" ]; then
		pass "$1"
	else
		fail "$1" "should be something else: $3"
	fi
}

check_matches() { # DESCRIPTION EXTENDED-REGEX TEXT: some line matches
	if grep -Eq -- "$2" <<<"$3"; then
		pass "$1"
	else
		fail "$1" "no line matches: $2
$3"
	fi
}

check_lacks() { # DESCRIPTION EXTENDED-REGEX TEXT: no line matches
	if grep -Eq -- "$2" <<<"$3"; then
		fail "$1" "a line matches: $2
$3"
	else
		pass "$1"
	fi
}

done_testing() {
	printf '1..%d\n' "$TAP_COUNT"
	[ "$TAP_FAILED" -eq 0 ]
}
