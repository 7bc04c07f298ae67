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
	check "clang-tidy" lint_tidy
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
		lib config helper pam_module ctl mail)
}

# Nothing has been configured: what configure and the makefiles define is made up.
lint_tidy() {
	local flags
	mkdir -p "$BUILD/tidy"
	{
		echo '#define PACKAGE_VERSION "0"'
		sed -nE 's/^AC_DEFINE(_UNQUOTED)?\(\[([A-Z_]+)\].*/#define \2 1/p' "$BUILD/src/configure.ac"
	} >"$BUILD/tidy/config.h"
	flags=$(cd "$BUILD/src" && grep -hoE -- "-DCL_[A-Z_]+='\"" Makefile.am ./*/Makemodule.am | sort -u | sed "s,'\"\$,\"/x\",")
	flags+=" -std=gnu11 -D_GNU_SOURCE -I$BUILD/tidy -I. -Iinclude -iquote helper -iquote config -iquote pam_module"
	# shellcheck disable=SC2016
	(cd "$BUILD/src" && printf '%s\0' {lib,config,helper,helper/init,pam_module,ctl,mail}/*.c |
		FLAGS=$flags xargs -0 -n 4 -P "$(nproc)" sh -c 'exec clang-tidy --quiet "$@" -- $FLAGS 2>/dev/null' sh)
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
