# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# From a source tree to programs in the demonstration's own prefix. Nothing is written into the source tree; what was
# built is kept in $CACHE, so that a second run compiles only what has changed.

CACHE=${CLOISTER_CACHE:-/var/cache/cloister-tests}/quickstart

# step WORDS: the line of a step that takes a while; step_done [WORDS] ends it, with the seconds that it took.
step() {
	STEP_SINCE=$SECONDS
	printf '%-50s' "$* ..."
}

step_done() {
	printf ' %s%d s\n' "${1:+$1, }" $((SECONDS - STEP_SINCE))
}

step_failed() { # WORDS [LOGFILE]
	printf ' failed\n'
	[ -z "${2-}" ] || tail -n 25 "$2" >&2
	die "$1"
}

quick_packages() {
	local sets=(build site) since=$SECONDS
	# shellcheck disable=SC2034
	DEPS_apparmor=apparmor
	! have apparmor || sets+=(apparmor)
	deps_install "${sets[@]}" || die "the packages cannot be installed"
	step "packages"
	STEP_SINCE=$since
	step_done "present"
}

quick_build() {
	local log=$CACHE/log
	mkdir -p "$CACHE/src" "$CACHE/build"
	exec {CACHE_LOCK}>"$CACHE/lock"
	flock -w 120 "$CACHE_LOCK" || die "another run builds in $CACHE"
	quick_copy
	step "configuring"
	quick_configure >"$log" 2>&1 || step_failed "configure fails; the log is $log" "$log"
	step_done
	step "compiling"
	quick_compile "$log" || step_failed "the build fails; the log is $log" "$log"
	step_done "$(grep -c '^  CC ' "$log" || true) files"
	step "installing into $SITE"
	make -C "$CACHE/build" install >"$log" 2>&1 || step_failed "make install fails; the log is $log" "$log"
	step_done
	exec {CACHE_LOCK}>&-
}

# Times are kept, so make sees what has changed since.
quick_copy() {
	tar -C "$HERE" -c --exclude=./.git --exclude=./autom4te.cache --exclude='*.o' --exclude='*.lo' . |
		tar -C "$CACHE/src" -x --no-same-owner
	# A tree that was configured in place would keep its settings.
	rm -f "$CACHE/src/config.status" "$CACHE/src/Makefile" "$CACHE/src/config.h"
}

quick_configure() {
	local flags
	mapfile -t flags < <(site_configure_flags)
	[ -x "$CACHE/src/configure" ] || (cd "$CACHE/src" && ./autogen.sh) || return
	cd "$CACHE/build" || return
	[ -e Makefile ] && [ "$(cat flags 2>/dev/null)" = "${flags[*]}" ] && return
	"$CACHE/src/configure" "${flags[@]}" && printf '%s\n' "${flags[*]}" >flags
}

# A dot for every ten files.
quick_compile() { # LOG
	make -C "$CACHE/build" -j"$(nproc)" all 2>&1 | tee "$1" |
		awk '/^  CC / && ++n % 10 == 0 { printf "."; fflush() }'
}
