# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Three columns, and checks of what they say.

CHECKED=0
WRONG=0
COLUMN='  %-21s %-25s %-25s %s\n'

title() { # WORDS
	printf '\n%s\n' "$1"
}

head_row() { # LABEL
	# shellcheck disable=SC2059
	printf "$COLUMN" "${1-}" host "student ($ALICE)" "staff ($BOB)"
}

row() { # LABEL HOST STUDENT STAFF
	# shellcheck disable=SC2059
	printf "$COLUMN" "$@"
}

# A fact KEY of WHO (host, student, staff), as the probe told it.
fact() { # WHO KEY
	sed -n "s/^$2\t//p" "$SITE_DIR/facts.$1"
}

# The row of one fact; what is longer than a column is cut.
fact_row() { # LABEL KEY
	row "$1" "$(short_fact host "$2")" "$(short_fact student "$2")" "$(short_fact staff "$2")"
}

short_fact() { # WHO KEY
	fact "$@" | sed -E 's/^(.{22}).{3,}$/\1.../'
}

holds() { # WHAT IS WRONG OTHERWISE, COMMAND...
	local message=$1
	shift
	CHECKED=$((CHECKED + 1))
	"$@" >/dev/null 2>&1 && return
	WRONG=$((WRONG + 1))
	printf '  !! %s\n' "$message"
}

# The fact has this value: for the student and the staff, or for whom is named.
fact_is() { # KEY VALUE [WHO...]
	local key=$1 value=$2 who
	shift 2
	[ $# -gt 0 ] || set -- student staff
	for who; do
		holds "$who: expected $value" [ "$(fact "$who" "$key")" = "$value" ]
	done
}

# Three values, none like another.
all_differ() { # LABEL A B C
	holds "$1 is not apart" [ "$2" != "$3" -a "$3" != "$4" -a "$2" != "$4" ]
}

indent() {
	sed 's/^/  /'
}
