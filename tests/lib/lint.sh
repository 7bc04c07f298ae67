# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Static checks that take seconds. The compiler's own are in the build (--enable-werror).

lint() {
	echo '# lint'
	local file
	while IFS= read -r file; do
		check "shellcheck $file" lint_shell "$BUILD/src/$file"
	done < <(lint_shell_files)
	check "cppcheck" lint_c
	check "every source file names its licence" lint_licences
	done_testing
}

lint_files() {
	tr '\0' '\n' <"$BUILD/files"
}

lint_shell_files() {
	local file
	lint_files | while IFS= read -r file; do
		case $file in
		*.sh) printf '%s\n' "$file" ;;
		*) ! head -c 64 "$BUILD/src/$file" | head -n 1 | grep -aqE '^#!.*[/ ](ba|da)?sh( |$)' || printf '%s\n' "$file" ;;
		esac
	done
}

lint_shell() { # FILE: where its sources are found
	(cd "$(dirname "$1")" && shellcheck -x -e SC1091 "$(basename "$1")")
}

# memleak: cppcheck does not know the cleanup attribute. The sanitizers look for leaks.
lint_c() {
	(cd "$BUILD/src" && cppcheck -q -j"$(nproc)" --error-exitcode=1 --inline-suppr --std=c11 \
		--enable=warning,performance,portability --suppress=missingIncludeSystem \
		--suppress=missingInclude --suppress=memleak -D_GNU_SOURCE -Iinclude -Ihelper -Iconfig -Ipam_module \
		lib config helper pam_module ctl)
}

lint_licences() {
	local file status=0
	while IFS= read -r file; do
		if ! head -n 3 "$BUILD/src/$file" | grep -q SPDX-License-Identifier; then
			printf '%s\n' "$file"
			status=1
		fi
	done < <(lint_files | grep -E '\.(c|h|sh)$')
	return $status
}
