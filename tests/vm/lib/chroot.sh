# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The build chroot of a release, and building in it. Sources are copied in by
# content, so a rebuild makes only what changed. /proc is mounted in a mount
# namespace that ends with the build, in a pid namespace that takes every
# process of the build along: nothing is left behind on any way out.

chroot_key() { # SUITE
	key_of "$1" -- lib/common.sh lib/chroot.sh packages/build
}

chroot_dir() { # SUITE
	printf '%s/%s/chroot-%s\n' "$CACHE" "$1" "$(chroot_key "$1")"
}

vm_chroot() {
	need_args 1 'chroot SUITE' "$@"
	check_suite "$1"
	with_lock "$CACHE/$1/chroot.lock" ensure_chroot "$1"
}

ensure_chroot() { # SUITE
	local suite=$1 dir work begun=$SECONDS
	dir=$(chroot_dir "$suite")
	[ ! -d "$dir" ] || return 0
	work=$dir.tmp
	say "building the $suite build chroot"
	rm -rf --one-file-system "$CACHE/$suite"/chroot-*
	mkdir -p "$CACHE/$suite"
	debian_tree "$suite" "$work" apt "$(package_list build | paste -sd,)"
	: >"$work/etc/resolv.conf"
	echo '127.0.0.1 localhost' >"$work/etc/hosts"
	mkdir -p "$work/build"
	mv "$work" "$dir"
	say "built it in $((SECONDS - begun)) s"
}

vm_build() {
	need_args 3 'build SUITE SRCDIR OUTTAR' "$@"
	check_suite "$1"
	[ -d "$2" ] || die "no such directory: $2"
	with_lock "$CACHE/$1/chroot.lock" build_locked "$@"
}

build_locked() { # SUITE SRCDIR OUTTAR
	local dir
	rm -f "$3"
	ensure_chroot "$1"
	dir=$(chroot_dir "$1")
	copy_sources "$2" "$dir/build"
	if ! build_in "$dir"; then
		[ -e "$dir/build/built-before" ] || die "the build failed"
		say "the incremental build failed, building from clean sources"
		rm -rf "$dir/build/src" "$dir/build/files" "$dir/build/built-before"
		copy_sources "$2" "$dir/build"
		build_in "$dir" || die "the build failed"
	fi
	touch "$dir/build/built-before"
	pack_build "$dir/build" "$3"
}

source_files() { # SRCDIR
	local file
	git -C "$1" ls-files -z --cached --others --exclude-standard |
		while IFS= read -r -d '' file; do
			[ ! -e "$1/$file" ] && [ ! -L "$1/$file" ] || printf '%s\0' "$file"
		done | LC_ALL=C sort -zu
}

# Copies what differs, whatever its date, and drops what the source dropped.
copy_sources() { # SRCDIR BUILD
	local build=$2
	mkdir -p "$build/src"
	source_files "$1" >"$build/files.new"
	if [ -e "$build/files" ]; then
		LC_ALL=C comm -z -23 "$build/files" "$build/files.new" |
			(cd "$build/src" && xargs -0 -r rm -f --)
	fi
	rsync --checksum -lp --from0 --files-from="$build/files.new" "$1/" "$build/src/"
	mv "$build/files.new" "$build/files"
}

build_in() { # CHROOT
	unshare --mount --pid --fork --kill-child --mount-proc="$1/proc" \
		chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/build \
		CCACHE_DIR=/build/ccache CCACHE_MAXSIZE=500M /bin/sh -eu -c "$BUILD_SCRIPT" </dev/null >&2
}

BUILD_SCRIPT=$(
	cat <<'EOF'
cd /build/src
inputs=$(find . \( -name configure.ac -o -name Makefile.am -o -name autogen.sh -o -name '*.m4' \
	-o -name '*.in' \) -not -name 'aclocal.m4' -not -path './m4/lt*' -not -path './m4/libtool.m4' \
	-not -name Makefile.in -not -name config.h.in -exec sha256sum {} + | LC_ALL=C sort | sha256sum)
if [ ! -e Makefile ] || [ "$inputs" != "$(cat /build/configured 2>/dev/null)" ]; then
	rm -f /build/configured
	./autogen.sh
	./configure CC='ccache gcc' --prefix=/usr --sysconfdir=/etc --libexecdir=/usr/libexec
	echo "$inputs" >/build/configured
fi
make -j2
if make -n check-programs >/dev/null 2>&1; then
	make -j2 check-programs
fi
rm -rf /build/dest
make -s install DESTDIR=/build/dest
EOF
)

pack_build() { # BUILD OUTTAR
	local build=$1 out=$2 stage=$1/pack
	rm -rf "$stage"
	mkdir -p "$stage/src"
	mv "$build/dest" "$stage/root"
	if [ -d "$build/src/tests" ]; then
		rsync -a --exclude='*.o' --exclude='*.lo' --exclude='.deps/' --exclude='.dirstamp' \
			"$build/src/tests" "$stage/src/"
	fi
	tar -C "$stage" --numeric-owner --owner=0 --group=0 -cf "$out.$BASHPID.tmp" root src
	mv "$out.$BASHPID.tmp" "$out"
	rm -rf "$stage"
}
