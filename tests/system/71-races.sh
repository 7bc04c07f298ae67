#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A tenant who changes a path as fast as the kernel lets them, while root walks it, builds views and opens cells; and one who
# starts the setuid helper in every way there is, and stops or kills it. Nothing is gained, nobody else is kept out, nothing hangs
# or stays. TRIES of the helper's path walks, VIEWS of its views, STORM of starts, LOGINS choose other numbers, SEED others.

. "$(dirname "$0")/../lib/test.sh"
. "$TESTS/system/cells.sh"
. "$TESTS/system/commands.sh"

TRIES=${TRIES:-10000} SEED=${SEED:-$RANDOM}
if [ "$SITE_MODE" = private ]; then
	: "${VIEWS:=200}" "${STORM:=150}" "${LOGINS:=30}"
else
	: "${VIEWS:=40}" "${STORM:=12}" "${LOGINS:=3}"
fi
note "seed $SEED"

HOME_OF_DAVE=$(getent passwd "$DAVE" | cut -d: -f6)
RACE=/home/$ALICE/race
SHARED=/srv/$SITE_PREFIX-races
FLIP=$SITE_DIR/flip
STORM_FOLDER=$SITE_DIR/storm
VIEW_RACE=$(test_program attack/view-race) || exit 1
program=$(test_program attack/flip) || exit 1
cp "$program" "$FLIP"

unmount_all() {
	local point
	while read -r point; do
		umount -l "$point"
	done < <(awk '$9 == "races-mount" || $10 == "races-mount" { print $5 }' /proc/self/mountinfo)
}

cleanup() {
	stop_flipping
	usermod -d "$HOME_OF_DAVE" "$DAVE" 2>/dev/null
	unmount_all
	rm -rf --one-file-system "$SHARED" "$RACE" "$FLIP" "$STORM_FOLDER"
	test_cleanup
}
trap cleanup EXIT
undo_note tree "$SHARED"
undo_note mount "$SHARED/x-d0/m"

# flip FOLDER [mount]: alice changes FOLDER/flip until stop_flipping.
FLIPPER=
flip() {
	mkfifo "$WORK/flip"
	# shellcheck disable=SC2094
	(tenant alice "$FLIP" "$@" <"$WORK/flip" >"$WORK/ready" 2>&1) &
	STARTED+=("$!")
	exec {FLIPPER}>"$WORK/flip"
	rm -f "$WORK/flip"
	wait_for grep -qx ready "$WORK/ready" || site_die "flip does not start: $(cat "$WORK/ready")"
}
stop_flipping() {
	[ -n "$FLIPPER" ] || return 0
	exec {FLIPPER}>&-
	FLIPPER=
	wait "${STARTED[-1]}"
	unset 'STARTED[-1]'
}

# A configuration of its own, for the site's stays what it is: conf NAME LINE...
conf() {
	local dir=$WORK/conf-$1
	shift
	mkdir -p "$dir/policy.d"
	cp "$CONF/cloister.conf" "$dir/"
	cp "$CONF/policy.d/00-default.conf" "$dir/policy.d/"
	[ $# -eq 0 ] || printf '%s\n' 'policies = ( { name = "raced"; inherit = "default"; priority = 99; match = { users = ["*"]; };' "$@" '} );' |
		sed "s/\"\\*\"/\"$ALICE\", \"$BOB\", \"$DAVE\"/" >"$dir/policy.d/90-raced.conf"
	printf '%s\n' "$dir"
}

# What others on this machine mount meanwhile, and remove, is not ours to compare.
views() { # ARGUMENT...
	# shellcheck disable=SC2016
	unshare --mount --propagation private bash -c '
		awk -v own="$1/" "\$5 ~ \"^/srv/\" && index(\$5, own) != 1 { print \$5 }" /proc/self/mountinfo | tac |
			xargs -r -n 1 umount -l
		shift
		exec "$@"' - "$SHARED" "$VIEW_RACE" view "$@"
}

install -d -o "$ALICE" -g "$ALICE" "$RACE" "$SHARED"

# Paths ----------------------------------------------------------------------------------------------------------

flip "$RACE"
for path in flip flip/m flip/passwd flip/../../../etc/passwd; do
	check "$TRIES walks through a tenant's folder: $path is never opened" \
		"$VIEW_RACE" path "$TRIES" "$RACE/$path" refused
done
check "$TRIES walks to the tenant's home find it, and nothing else" "$VIEW_RACE" path "$TRIES" "/home/$ALICE" opened

# Views ----------------------------------------------------------------------------------------------------------

check "$VIEWS views for the one who changes all below the own home are what they are without" \
	views "$VIEWS" "$ALICE" "$(conf plain)" opened
few=$((VIEWS / 10))
for what in "a source" "a target" "a hidden path" "a read-only path"; do
	case $what in
	"a source") lines="files = { mounts = ( { source = \"$RACE/flip\"; target = \"/mnt\"; } ); };" ;;
	"a target") lines="files = { mounts = ( { source = \"/etc\"; target = \"$RACE/flip\"; } ); };" ;;
	"a hidden path") lines="files = { hide = [\"$RACE/flip\"]; };" ;;
	"a read-only path") lines="files = { read_only = [\"$RACE/flip\"]; };" ;;
	esac
	check "$few views with $what in a tenant's folder are refused, every one" \
		views $few "$ALICE" "$(conf "${what##* }" "$lines")" refused
done
usermod -d "$RACE/flip" "$DAVE"
check "$VIEWS views for a home in another tenant's folder have a folder of that tenant there, if they are built" \
	views "$VIEWS" "$DAVE" "$(conf home)" either /home
usermod -d "$HOME_OF_DAVE" "$DAVE"
stop_flipping

# A mount of the host below a folder that a tenant renames: once it kept others out.
flip "$SHARED"
stop_flipping
point=$(find "$SHARED" -mindepth 2 -name m -type d | head -n 1)
check "the host mounts something in a tenant's folder" mount -t tmpfs races-mount "$point"
flip "$SHARED" mount
check "$VIEWS views of another user are built, whatever the tenant renames around that mount" \
	views "$VIEWS" "$BOB" "$(conf plain)" opened "$SHARED"
stop_flipping
unmount_all

# Whole logins, and commands -------------------------------------------------------------------------------------

look_before "$WORK/before"
flip "$RACE"
failed=0 outside=0
host=$(readlink /proc/self/ns/pid)
for ((i = 0; i < LOGINS; i++)); do
	found=$(as alice -- readlink /proc/self/ns/pid) || failed=$((failed + 1))
	[ "$found" != "$host" ] || outside=$((outside + 1))
	found=$(cd / && tenant alice "$CTL" run -- readlink /proc/self/ns/pid) || failed=$((failed + 1))
	[ "$found" != "$host" ] || outside=$((outside + 1))
done
stop_flipping
check_equal "$LOGINS logins and as many commands during that: all of them, in cells" "0 0" "$failed $outside"

# The setuid helper ----------------------------------------------------------------------------------------------

share "$TESTS/attack/helper-storm.py" >/dev/null
install -d -o "$ALICE" -g "$ALICE" "$STORM_FOLDER"
for i in 1 2 3 4; do
	tenant alice env STORM_DIR="$STORM_FOLDER" /usr/bin/python3 "$SITE_DIR/share/helper-storm.py" "$HELPER" "$CTL" "$STORM" \
		$((SEED + i)) >"$WORK/storm.$i" 2>&1 &
	STARTED+=("$!")
done
wait "${STARTED[@]}"
for i in 1 2 3 4; do
	check_matches "$STORM hostile starts of the helper, tenant $i: nothing gained, all ends" "^$STORM tries: .*, 0 wrong\$" \
		"$(cat "$WORK/storm.$i")"
done
check "some of them ran in a cell" grep -qE 'tries: [1-9]' "$WORK/storm.1"
check "the user gets in after that" as alice -- true
sweep
check_nothing_left "nothing of it is left after a sweep" "$WORK/before"

done_testing
