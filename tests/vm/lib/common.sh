# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Helpers of vm: messages, package lists, the machine's Debian archives, locks.

say() {
	printf 'vm: %s\n' "$*" >&2
}

die() {
	say "$*"
	exit 1
}

need_args() { # COUNT USAGE ARGS...
	local count=$1 usage=$2
	shift 2
	[ $# -ge "$count" ] || die "usage: vm $usage"
}

check_suite() {
	[[ $1 =~ ^[a-z]+$ ]] || die "not a Debian suite: $1"
}

check_name() {
	[[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$ ]] || die "not an instance name: $1"
}

package_list() { # FILE
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$VM_DIR/packages/$1"
}

# One hash of the contents and relative names of files and of extra words.
key_of() { # WORD... -- PATH...
	local words=()
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	{
		printf '%s\n' "${words[@]}"
		(cd "$VM_DIR" && find "$@" -type f -printf '%m %p\n' | LC_ALL=C sort)
		(cd "$VM_DIR" && find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 cat)
	} | sha256sum | cut -c1-16
}

vm_deps() {
	local missing=() package
	while read -r package; do
		dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null |
			grep -x 'install ok installed' >/dev/null || missing+=("$package")
	done < <(package_list outer)
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${missing[*]}"
	apt_update_if_needed
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		"${missing[@]}" >&2 </dev/null
}

debian_targets() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
		LC_ALL=C sort -u
}

apt_update_if_needed() {
	debian_targets | grep '^Debian|Debian|' >/dev/null && return
	apt-get update -qq >&2
}

archive_of() { # LABEL
	debian_targets | sed -n "s/^Debian|$1|//p" | sed -n 1p
}

# The machine's own apt configuration names the archives; only those whose
# Release file says that they are Debian's are taken, for the wanted suite.
apt_lines() { # SUITE
	local main security
	apt_update_if_needed
	main=$(archive_of Debian)
	security=$(archive_of Debian-Security)
	[ -n "$main" ] || die "this machine's apt sources name no Debian archive"
	printf 'deb %s %s main\n' "$main" "$1" "$main" "$1-updates"
	[ -z "$security" ] || printf 'deb %s %s-security main\n' "$security" "$1"
}

apt_options() {
	apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date)' || true
}

# A Debian tree at DIR, without network names left in it. The namespaces take
# mmdebstrap's mounts and processes along, however it ends.
debian_tree() { # SUITE DIR VARIANT PACKAGES(comma) HOOKOPTIONS...
	local suite=$1 dir=$2 variant=$3 packages=$4 options=() line
	shift 4
	while read -r line; do
		options+=(--aptopt="${line%;}")
	done < <(apt_options)
	apt_lines "$suite" | unshare --mount --pid --fork --kill-child --mount-proc mmdebstrap --quiet --mode=root --format=directory \
		--variant="$variant" --include="$packages" "${options[@]}" \
		--aptopt='Acquire::Languages "none"' \
		"$@" "$suite" "$dir" - >&2
	rm -rf "$dir"/etc/apt/sources.list "$dir"/etc/apt/apt.conf.d/99mmdebstrap \
		"$dir"/etc/resolv.conf "$dir"/var/cache/apt/*.bin
}

# Runs a command in a subshell with the lock held, shared after -s.
with_lock() { # [-s] FILE CMD...
	local mode=-x file
	if [ "$1" = -s ]; then
		mode=-s
		shift
	fi
	file=$1
	shift
	mkdir -p "$(dirname "$file")"
	(
		flock "$mode" 9
		"$@"
	) 9>"$file"
}
