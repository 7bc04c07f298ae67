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
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/processes.sh"
site_attach

TESTS=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
WORK=$(mktemp -d)
chmod 755 "$WORK"

# Each test starts from the standard site and leaves it so.
test_cleanup() {
	rm -rf --one-file-system "$WORK" "$SITE_DIR/share"
	end_started
	release "${HELD[@]}"
	policies_reset
	settings_reset
	pam_restore
}
HELD=()
trap test_cleanup EXIT

# What runs in the background, and what that started: a function there is a shell with the command below it.
end_started() {
	local pid
	for pid in "${STARTED[@]}"; do
		# shellcheck disable=SC2046
		kill $(descendants "$pid") "$pid" 2>/dev/null
	done
}

# share FILE...: copies programs or data to where a cell sees and runs them, root's; prints the directory.
share() {
	local dir=$SITE_DIR/share
	mkdir -p "$dir"
	chmod 755 "$dir"
	cp "$@" "$dir/"
	chmod -R a+rX "$dir"
	printf '%s\n' "$dir"
}

# start VARIABLE COMMAND...: runs it in the background until the test ends; its first line of output to VARIABLE.
start() {
	local -n start_line=$1
	local descriptor
	shift
	exec {descriptor}< <(exec "$@")
	STARTED+=("$!")
	# shellcheck disable=SC2034
	read -r -t 60 start_line <&"$descriptor" || site_die "$* does not start"
}
STARTED=()

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
