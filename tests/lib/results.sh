# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the suites of a run came to. A suite prints TAP; results_of counts it and shows what is worth a look.

# results_of SUITE [strict] COMMAND...: runs it; every check it prints is counted, and with strict a skip is a failure.
# A suite that ends badly without a failed check, or without any check, is a failure too.
results_of() {
	local suite=$1 strict=no output=$RESULTS/$1.tap status=0
	shift
	if [ "$1" = strict ]; then
		strict=yes
		shift
	fi
	# In the background, so that a signal is taken at once.
	(
		set -o pipefail
		"$@" 2>&1 | tee "$output" | results_show
	) &
	wait $! || status=$?
	awk -v suite="$suite" -v strict="$strict" -f "$RESULTS_LIB/results.awk" "$output" >"$output.counts"
	# In one piece: suites may run beside each other.
	cat "$output.counts" >>"$RESULTS/all"
	if ! grep -aqE '^(not )?ok ' "$output"; then
		printf 'fail\t%s\tno check ran%s\n' "$suite" "$(results_last "$output")" >>"$RESULTS/all"
	elif [ "$status" -ne 0 ] && ! grep -aqE '^not ok ' "$output"; then
		printf 'fail\t%s\tended with status %s\n' "$suite" "$status" >>"$RESULTS/all"
	fi
}

# What a suite said last, as a reason.
results_last() { # OUTPUT
	tail -n 3 "$1" | tr '\t\n' '  ' | cut -c1-300 | sed 's/^/: /'
}

# Everything but the checks that passed and the counts.
results_show() {
	grep --line-buffered -avE '^ok [0-9]+( - [^#]*)?$|^1\.\.[0-9]+$|^TAP version|^# ok' | sed -u 's/^/    /' || true
}

results_count() { # pass, fail or skip
	awk -F '\t' -v kind="$1" '$1 == kind { n++ } END { print n + 0 }' "$RESULTS/all"
}

# The end of a run: every skip and failure again, then the one line that counts.
results_summary() {
	local failed
	failed=$(results_count fail)
	awk -F '\t' '$1 == "skip" { print "skipped: " $2 ": " $3 }' "$RESULTS/all"
	awk -F '\t' '$1 == "retry" { print "failed at the first try: " $2 ": " $3 }' "$RESULTS/all"
	awk -F '\t' '$1 == "fail" { print "FAILED: " $2 ": " $3 }' "$RESULTS/all"
	printf '%d passed, %d failed, %d skipped\n' "$(results_count pass)" "$failed" "$(results_count skip)"
	[ "$failed" -eq 0 ]
}

RESULTS_LIB=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
