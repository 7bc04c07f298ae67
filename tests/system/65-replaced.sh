#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the host replaces while cells live: renamed over, or removed and made anew. The kernel takes away a mount on what goes,
# in every mount namespace. What is hidden for good then is what lies in a hidden folder, and, with Landlock, the rest but /etc.

. "$(dirname "$0")/../lib/test.sh"

place=/srv/$SITE_PREFIX-replaced in_etc=/etc/$SITE_PREFIX-replaced
undo_note tree "$place"
undo_note file "$in_etc"
clear_place() {
	test_cleanup
	rm -rf --one-file-system "$place" "$place.old"
	rm -f "$in_etc"
}
trap clear_place EXIT

mkdir -p "$place"/{folder,single,fixed,target}
echo word | tee "$place"/{folder,single,fixed,target}/file "$place/source" "$in_etc" >/dev/null
chmod 666 "$place"/*/file
chmod 644 "$in_etc" "$place/source"

replace() { # FILE TEXT: as editors and programs do
	printf '%s\n' "$2" >"$1.new"
	chmod --reference="$1" "$1.new"
	mv "$1.new" "$1"
}

view() { # USER NAME LANDLOCK
	policy "60-$2" <<-EOT
		policies = ( { name = "$2"; inherit = "default"; priority = 100; match = { users = ["$1"]; };
		  files = { landlock = $3; hide = ["/root", "$place/folder", "$place/single/file", "$in_etc"];
		            read_only = ["$place/fixed/file"];
		            mounts = ( { source = "$place/source"; target = "$place/target/file"; options = "ro"; } ); }; } );
	EOT
}
view "$ALICE" plain false
check_matches "check warns of a file" "60-plain.conf:2: .*files.hide: \"$place/single/file\" is a file" \
	"$(ctl --config "$CONF" check 2>&1)"
check_matches "in /etc, too" "\"$in_etc\" is a file" "$(ctl --config "$CONF" check 2>&1)"
check_lacks "but not of a folder" "\"$place/folder\"" "$(ctl --config "$CONF" check 2>&1)"
HELD=(plain)
hold plain alice || site_die "alice cannot log in"
if [ "$(python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))')" -ge 2 ]; then
	HELD+=(wall)
	view "$BOB" wall true
	check_lacks "check does not warn where Landlock holds" "60-wall.conf:.*\"$place/single/file\"" \
		"$(ctl --config "$CONF" check 2>&1)"
	check_matches "which is not in /etc" "60-wall.conf:.*\"$in_etc\"" "$(ctl --config "$CONF" check 2>&1)"
	hold wall bob || site_die "bob cannot log in"
else
	skip "a second wall" "this kernel has no Landlock, or an old one"
fi

sees() { # HOLD FILE: what is in it
	held "$1" -- "cat '$2' 2>/dev/null" || echo "nothing"
}
for hold in "${HELD[@]}"; do
	check_equal "$hold: a folder is hidden" nothing "$(sees "$hold" "$place/folder/file")"
	check_equal "$hold: a file is hidden" "" "$(sees "$hold" "$place/single/file")"
	check_equal "$hold: in /etc, too" "" "$(sees "$hold" "$in_etc")"
	check_equal "$hold: a file can be read" word "$(sees "$hold" "$place/fixed/file")"
	check_fails "$hold: but not written" held "$hold" -- "echo more >>$place/fixed/file"
done

for file in "$place"/{{folder,single,fixed,target}/file,source} "$in_etc"; do
	replace "$file" new
done
for hold in "${HELD[@]}"; do
	check_equal "$hold: in a hidden folder, what is new is hidden" nothing "$(sees "$hold" "$place/folder/file")"
	check_equal "$hold: a new file in /etc is seen, as cloister.conf(5) says" new "$(sees "$hold" "$in_etc")"
	check_equal "$hold: so is one that takes the place of a mount's target" new "$(sees "$hold" "$place/target/file")"
done
check_equal "a new file in the place of a hidden one is seen, as cloister.conf(5) says" new "$(sees plain "$place/single/file")"
check "one in the place of a read-only one can be written as its mode says" held plain -- "echo more >>$place/fixed/file"
check_equal "the next login sees neither of the hidden ones, and the mount" new \
	"$(as alice -- "cat $place/single/file $in_etc $place/target/file")"
if [ ${#HELD[@]} -gt 1 ]; then
	check_equal "with Landlock, a new file in the place of a hidden one is out of reach" nothing \
		"$(sees wall "$place/single/file")"
	check_fails "and one in the place of a read-only one is not written" held wall -- "echo more >>$place/fixed/file"
fi

# A folder that goes takes what covers it along.
mv "$place/folder" "$place/gone"
mkdir -m 755 "$place/folder"
echo newer >"$place/folder/file"
for hold in "${HELD[@]}"; do
	check_equal "$hold: a hidden folder of another name is hidden" nothing "$(sees "$hold" "$place/gone/file")"
done
check_equal "a new folder in the place of a hidden one is seen" newer "$(sees plain "$place/folder/file")"
[ ${#HELD[@]} -eq 1 ] || check_equal "but not with Landlock" nothing "$(sees wall "$place/folder/file")"

done_testing
