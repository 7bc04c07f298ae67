# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds outside the source tree. Sources are copied by content, so a second build makes only what changed, and the
# tree itself stays clean. The caller sets BUILD, a directory of its own; build_tree gives $BUILD/NAME.

BUILD_TOP=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)

build_sources() { # copies the tracked and the new files to $BUILD/src
	local file
	mkdir -p "$BUILD/src"
	git -c safe.directory='*' -C "$BUILD_TOP" ls-files -z --cached --others --exclude-standard |
		while IFS= read -r -d '' file; do
			[ ! -e "$BUILD_TOP/$file" ] || printf '%s\0' "$file"
		done | LC_ALL=C sort -zu >"$BUILD/files.new"
	if [ -e "$BUILD/files" ]; then
		LC_ALL=C comm -z -23 "$BUILD/files" "$BUILD/files.new" | (cd "$BUILD/src" && xargs -0 -r rm -f --)
	fi
	rsync --checksum -lp --chmod=go-w --from0 --files-from="$BUILD/files.new" "$BUILD_TOP/" "$BUILD/src/"
	mv "$BUILD/files.new" "$BUILD/files"
}

# Of the files that configure and the makefiles come from.
build_inputs() {
	(cd "$BUILD/src" && git hash-object --stdin-paths < <(tr '\0' '\n' <"$BUILD/files" |
		grep -E '(^|/)(configure\.ac|autogen\.sh|[^/]*\.am|[^/]*\.m4)$')) | sha256sum
}

build_bootstrap() {
	local inputs
	inputs=$(build_inputs)
	[ "$inputs" != "$(cat "$BUILD/bootstrapped" 2>/dev/null)" ] || return 0
	rm -f "$BUILD/bootstrapped"
	(cd "$BUILD/src" && ./autogen.sh) || return 1
	echo "$inputs" >"$BUILD/bootstrapped"
}

# build_tree NAME CONFIGURE-FLAG...: configures when needed, and makes everything, test programs too.
build_tree() {
	local dir=$BUILD/$1 key
	shift
	build_bootstrap || return 1
	key=$(printf '%s\n' "$(cat "$BUILD/bootstrapped")" "$@")
	mkdir -p "$dir"
	if [ "$key" != "$(cat "$dir/configured-with" 2>/dev/null)" ]; then
		rm -rf "$dir"
		mkdir -p "$dir"
		(cd "$dir" && "$BUILD/src/configure" "$@") || return 1
		printf '%s\n' "$key" >"$dir/configured-with"
	fi
	make -C "$dir" -j"$(nproc)" all && make -C "$dir" -j"$(nproc)" check-programs
}
