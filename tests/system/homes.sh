# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests of homes: where dave's is, what the policy makes of it, and what dave sees of it.
# shellcheck disable=SC2034,SC2154

uid=$(user_id dave) gid=$(id -g "$DAVE") home_of_dave=$(getent passwd "$DAVE" | cut -d: -f6)

# As it is for the user who logs in: each line a fact.
cat >"$WORK/look" <<'EOT'
echo "pwd $PWD"
echo "home $HOME"
echo "mark $(cat ~/mark 2>/dev/null)"
(: >~/new) 2>/dev/null && echo "written" || echo "refused"
for folder in "$(dirname "$HOME")" /home; do
	for name in "$folder"/*; do
		[ ! -e "$name" ] || [ "$folder" = / ] || echo "beside $name"
	done
done
EOT

home_is() { # PATH
	HOME_NOW=$1
	wait_for usermod -d "$1" "$DAVE" || fail "usermod -d $1"
}

make_home() { # PATH
	mkdir -p "$1"
	echo "of $1" >"$1/mark"
	chown -R "$uid:$gid" "$1"
	chmod 700 "$1"
}

files_home() { # bind, readonly, tmpfs [MORE]
	policy 60-homes <<-EOT
		policies = ( { name = "homes"; inherit = "default"; priority = 100; match = { users = ["$DAVE"]; };
		  files = { home = "$1"; ${2-} }; } );
	EOT
	POLICY=$1
}

look() {
	LOOK=$(as dave -- bash -s <"$WORK/look" 2>"$WORK/errors")
}

fact() { # NAME
	sed -n "s/^$1 \{0,1\}//p" <<<"$LOOK"
}

# The home is there, with what the host has in it, can or cannot be written to, and nobody else's is.
check_home() { # DESCRIPTION MARK written|refused
	look
	check_equal "$POLICY: $1: the login is in the home" "$HOME_NOW" "$(fact pwd)"
	check_equal "$POLICY: $1: which has what it should" "$2" "$(fact mark)"
	check_matches "$POLICY: $1: writing is $3" "^$3\$" "$LOOK"
	check_equal "$POLICY: $1: no other home is seen" "$HOME_NOW" "$(fact beside)"
}

# The login works, in /, and tells what it would tell without Cloister.
check_no_home() { # DESCRIPTION [ERROR]
	look
	check_equal "$POLICY: $1: the login is in /" / "$(fact pwd)"
	check_equal "$POLICY: $1: no other home is seen" "" "$(fact beside)"
	[ $# -lt 2 ] || check_matches "$POLICY: $1: the user is told" "Could not chdir to home directory $HOME_NOW: $2" "$(cat "$WORK/errors")"
}
