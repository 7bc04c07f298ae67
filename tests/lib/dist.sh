# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a packager does, as an ordinary user: the release tarball builds, tests, installs and uninstalls without root
# and without touching anything outside DESTDIR.

dist_as_nobody() { # COMMAND...
	setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs -- \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME="$DIST" TMPDIR="$DIST/tmp" "$@"
}

dist_checks() {
	echo '# dist'
	DIST=$(mktemp -d /var/tmp/cloister-dist.XXXXXX)
	dist_steps
	chmod -R u+w "$DIST"
	rm -rf --one-file-system "$DIST"
	done_testing
}

dist_steps() {
	mkdir "$DIST/src" "$DIST/build" "$DIST/tmp"
	rsync -a --from0 --files-from="$BUILD/files" "$BUILD/src/" "$DIST/src/"
	chown -R nobody:nogroup "$DIST"
	check "autogen.sh" dist_in src ./autogen.sh
	check "configure, out of the tree" dist_in build ../src/configure --prefix=/usr --sysconfdir=/etc
	check "make distcheck" dist_in build make -s -j"$(nproc)" distcheck
	check "make" dist_in build make -s -j"$(nproc)"
	check "make install DESTDIR" dist_in build make -s install "DESTDIR=$DIST/dest"
	check_equal "the helper is the one setuid file" "usr/libexec/cloister/cloister-helper 4755" \
		"$(find "$DIST/dest" -perm /6000 -printf '%P %m\n')"
	check "all that the design names is installed" dist_installed
	echo edited >>"$DIST/dest/etc/cloister/cloister.conf"
	check "make install again keeps an administrator's edit" dist_keeps_edit
	check "make uninstall DESTDIR" dist_in build make -s uninstall "DESTDIR=$DIST/dest"
	check_equal "uninstall leaves the edited file alone, and only that" "etc/cloister/cloister.conf" \
		"$(find "$DIST/dest" ! -type d -printf '%P\n')"
}

dist_in() { # DIRECTORY COMMAND...
	(cd "$DIST/$1" && shift && dist_as_nobody "$@" >"$DIST/log" 2>&1) || {
		grep -aE -B 3 -A 3 'error|Error|FAIL|\*\*\*|left' "$DIST/log" | tail -n 30
		return 1
	}
}

dist_installed() {
	local path status=0
	for path in usr/lib/security/pam_cloister.so usr/libexec/cloister/cloister-helper \
		usr/libexec/cloister/cloister-init usr/libexec/cloister/cloister-mail usr/libexec/cloister/cloister-sendmail \
		usr/lib/systemd/system/cloister-mail.socket usr/lib/systemd/system/cloister-mail@.service usr/bin/cloister etc/cloister/cloister.conf \
		etc/cloister/policy.d/00-default.conf usr/share/cloister/seccomp/default.json \
		etc/apparmor.d/cloister-default etc/apparmor.d/cloister-default-audit etc/apparmor.d/cloister-nested etc/apparmor.d/cloister-restricted usr/share/pam-configs/cloister \
		usr/lib/sysusers.d/cloister.conf usr/lib/tmpfiles.d/cloister.conf; do
		[ -f "$DIST/dest/$path" ] || { echo "missing: $path" && status=1; }
	done
	return $status
}

dist_keeps_edit() {
	dist_in build make -s install "DESTDIR=$DIST/dest" && grep -qx edited "$DIST/dest/etc/cloister/cloister.conf"
}
