# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# deps_install SET...: the Debian packages that building and testing need, from the machine's own apt sources.
# Nothing happens when all are there. No service of the machine is started, stopped or enabled by it.

# Each set is a list of packages, used by its name.
# shellcheck disable=SC2034
{
DEPS_tools="git rsync"
DEPS_build="autoconf autoconf-archive automake build-essential libtool pkg-config libapparmor-dev libcap-dev
	libconfig-dev libjansson-dev libmnl-dev libnftables-dev libpam0g-dev libseccomp-dev libsystemd-dev libcmocka-dev"
DEPS_site="openssh-server openssh-client openssh-sftp-server passwd login procps iproute2 util-linux bsdutils
	libcap2-bin libpam-runtime libpam-modules python3"
DEPS_system="$DEPS_site rsync xauth socat expect file"
DEPS_tenants="tmux screen vim zsh mc nano htop man-db less gnupg git gcc gdb make strace perl python3-venv nodejs
	default-jre-headless iputils-ping cron at sudo mount"
DEPS_lint="shellcheck cppcheck clang-tidy xz-utils"
DEPS_fuzz="clang libclang-rt-dev"
}

deps_missing() { # PACKAGE...
	local package
	for package; do
		dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -qx 'install ok installed' ||
			printf '%s\n' "$package"
	done
}

deps_install() { # SET...
	local set missing variable
	for set; do
		variable=DEPS_$set
		# shellcheck disable=SC2046,SC2086
		missing+=" $(deps_missing ${!variable})"
	done
	[ -n "${missing// /}" ] || return 0
	# shellcheck disable=SC2086
	deps_apt $missing
}

deps_apt() { # PACKAGE...
	local had_sshd=yes status=0
	printf 'installing %s\n' "$*" >&2
	[ -e /usr/sbin/sshd ] || had_sshd=no
	(
		# Also when it is interrupted.
		[ -e /usr/sbin/policy-rc.d ] || trap 'rm -f /usr/sbin/policy-rc.d' EXIT
		deps_hold_services
		deps_apt_get "$@"
	) || status=$?
	# A server that came with us is not to be up after the next boot.
	if [ $had_sshd = no ] && [ -e /usr/sbin/sshd ] && command -v systemctl >/dev/null; then
		systemctl disable ssh.service ssh.socket >/dev/null 2>&1 || true
	fi
	return $status
}

# invoke-rc.d(8) asks it whether a service may start.
deps_hold_services() {
	[ ! -e /usr/sbin/policy-rc.d ] || return 0
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
}

deps_apt_get() { # PACKAGE...
	local output
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null 2>&1 && return
	apt-get update -qq </dev/null >&2
	output=$(apt-get install -y -qq --no-install-recommends "$@" </dev/null 2>&1) && return
	printf '%s\n' "$output" | tail -n 30 >&2
	return 1
}

# deps_file PACKAGE PATH DIRECTORY: prints where the file of a package is that is not to be installed; fetched once.
deps_file() {
	local file=$3$2 work
	if [ -e "$2" ]; then
		file=$2
	elif [ ! -e "$file" ]; then
		work=$(mktemp -d)
		deps_download "$work" "$1"
		mkdir -p "$3"
		dpkg-deb --fsys-tarfile "$work"/*.deb | tar -C "$3" -xf - ".$2" || true
		rm -rf "$work"
	fi
	[ -e "$file" ] && printf '%s\n' "$file"
}

deps_download() ( # DIRECTORY PACKAGE
	cd "$1" || return
	apt-get -o APT::Sandbox::User=root -qq download "$2" </dev/null >&2 && return
	apt-get update -qq </dev/null >&2
	apt-get -o APT::Sandbox::User=root -qq download "$2" </dev/null >&2
)
