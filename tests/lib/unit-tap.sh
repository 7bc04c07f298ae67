# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `make check` as one stream of TAP: each cmocka test is a check, and a program that printed no TAP is one.

unit_check() { # BUILD-DIRECTORY [TESTS]
	local dir=$1 log status=0
	find "$dir/tests" \( -name '*.log' -o -name '*.trs' \) -delete
	CMOCKA_MESSAGE_OUTPUT=TAP make -C "$dir" -k check ${2+"TESTS=$2"} >"$dir/check.out" 2>&1 || status=$?
	while IFS= read -r log; do
		unit_log "$dir" "${log%.trs}"
	done < <(find "$dir/tests" -name '*.trs' | LC_ALL=C sort)
	if [ "$status" -ne 0 ]; then
		tail -n 15 "$dir/check.out" | sed 's/^/# /'
	fi
	return "$status"
}

unit_log() { # BUILD-DIRECTORY PATH-WITHOUT-SUFFIX
	local name=${2#"$1"/} verdict planned
	verdict=$(sed -n 's/^:global-test-result: //p' "$2.trs")
	printf '# %s\n' "$name"
	planned=$(grep -acE '^(not )?ok ' "$2.log" || true)
	if [ "$planned" -gt 0 ]; then
		unit_skips <"$2.log"
	fi
	case $verdict:$planned in
	PASS:0) printf 'ok - %s\n' "$name" ;;
	SKIP:0) printf 'ok - %s # SKIP %s\n' "$name" "$(tail -n 1 "$2.log" | tr -d '#')" ;;
	PASS:* | SKIP:*) ;;
	*)
		if ! unit_skips <"$2.log" | grep -aq '^not ok'; then
			printf 'not ok - %s ended with %s\n' "$name" "$verdict"
			tail -n 20 "$2.log" | sed 's/^/# /'
		fi
		;;
	esac
}

# cmocka says "not ok N # SKIP name" for a skipped test, and the test says why in a line before, "skipped: ...".
unit_skips() {
	awk '/^skipped: / { reason = substr($0, 10); next }
		/^not ok [0-9]+ # SKIP / { printf "ok %s - %s # SKIP %s\n", $3, $6, reason; next }
		{ print }'
}
