# SPDX-License-Identifier: GPL-2.0-or-later
# One line for each check in TAP: pass, fail, skip or retry (it failed at the first try), the suite, the check's file
# and description.

/^# [0-9][0-9]-[a-z0-9-]+$/ || /^# (test|tests)[-\/][a-z0-9\/-]+$/ { context = $2 ": " }

/^(not )?ok / {
	description = $0
	sub(/^(not )?ok *[0-9]*( - )?/, "", description)
	kind = /^not/ ? "fail" : "pass"
	if (kind == "pass" && description ~ /# SKIP/)
		kind = strict == "yes" ? "fail" : "skip"
	sub(/ # SKIP /, " - ", description)
	printf "%s\t%s\t%s%s\n", kind, suite, context, description
}

/^# first try: not ok / {
	description = $0
	sub(/^# first try: not ok *[0-9]*( - )?/, "", description)
	printf "retry\t%s\t%s%s\n", suite, context, description
}
