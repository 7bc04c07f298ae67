# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a test in tests/system/ sources first: checks, and the site that tests/system/run made.

set -u
set -o pipefail

# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/site.sh"
site_attach

TESTS=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
WORK=$(mktemp -d)
chmod 755 "$WORK"

# Each test starts from the standard site and leaves it so.
test_cleanup() {
	rm -rf --one-file-system "$WORK"
	release "${HELD[@]}"
	policies_reset
	settings_reset
	pam_restore
}
HELD=()
trap test_cleanup EXIT

# A test program that the build made: in the tree here, or where the build puts it.
test_program() { # PATH below tests/
	local directory
	for directory in "${CLOISTER_BUILD:+$CLOISTER_BUILD/tests}" "$TESTS"; do
		if [ -n "$directory" ] && [ -x "$directory/$1" ]; then
			printf '%s\n' "$directory/$1"
			return
		fi
	done
	site_die "test program $1 was not built"
}
