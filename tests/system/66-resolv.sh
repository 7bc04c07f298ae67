#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# /etc/resolv.conf where it is a link into /run, as with systemd-resolved, which a cell does not see. The host that has it so is
# a mount namespace of the test's, in which `cloister run` starts.

. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cells.sh"
. "$(dirname "$0")/world.sh"
make_world

undo_note directory /run/systemd
undo_note directory /run/systemd/resolve
mkdir -p /run/systemd/resolve
trap 'nat_cleanup; rmdir --ignore-fail-on-non-empty /run/systemd/resolve /run/systemd' EXIT

check "a login" as dave -- true # compiles the filter
mode() { # MODE [KEYS]
	policy 60-resolv <<-EOT
		policies = ( { name = "resolv"; inherit = "default"; priority = 100; match = { users = ["$DAVE"]; };
		  network = { mode = "$1"; ${2-} }; } );
	EOT
}

# on_host PREPARATION COMMAND...: where the host's resolv.conf is as systemd-resolved makes it, and what PREPARATION does there.
on_host() {
	local prepare=$1
	shift
	# shellcheck disable=SC2016
	unshare -m --propagation private bash -c '
		set -e
		mkdir -p "$1/over"
		mount -t tmpfs over "$1/over"
		mkdir "$1/over/etc" "$1/over/work"
		mount -t overlay -o "lowerdir=/etc,upperdir=$1/over/etc,workdir=$1/over/work" over /etc
		rm -f /etc/resolv.conf
		ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
		mount -t tmpfs -o mode=755,uid=65534 resolve /run/systemd/resolve
		cd /run/systemd/resolve
		printf "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch test.example\n" >stub-resolv.conf
		printf "nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch test.example\n" >resolv.conf
		eval "$2"
		cd /
		shift 2
		exec "$@"' - "$WORK" "$prepare" "$@"
}

in_cell() { # PREPARATION [COMMAND...]
	local prepare=$1
	shift
	on_host "$prepare" "$CTL" run --user "$DAVE" -- "${@:-cat}" /etc/resolv.conf 2>&1
}
explained() { # PREPARATION
	on_host "$1" "$CTL" --config "$CONF" explain "$DAVE" --service cloister-run --can /etc/resolv.conf | sed -n '1s/[: ].*//p'
}

stub="nameserver 127.0.0.53
options edns0 trust-ad
search test.example"

mode host
check_equal "with the host's network, the cell has the host's servers" "$stub" "$(in_cell :)"
check_equal "explain knows" yes "$(explained :)"
check_matches "it cannot be written to" 'Permission denied|Read-only' "$(in_cell 'chmod 666 stub-resolv.conf' truncate -s 0)"
check_matches "nothing is shown that the user may not read" 'Permission denied' "$(in_cell 'chmod 600 stub-resolv.conf')"
for instead in 'mkdir -m 700 closed; echo secret >closed/file; ln -sf closed/file stub-resolv.conf' \
	'rm stub-resolv.conf; mkfifo stub-resolv.conf' 'rm stub-resolv.conf; mkdir stub-resolv.conf' 'rm stub-resolv.conf'; do
	check_matches "what is no file that the user reaches is left out: $instead" 'No such file or directory' "$(in_cell "$instead")"
done
check_equal "a file of the host's is as it was" "nameserver 192.0.2.1" \
	"$(in_cell 'rm /etc/resolv.conf; echo nameserver 192.0.2.1 >/etc/resolv.conf')"
mode isolated
check_matches "without a network there is nobody to ask" 'No such file or directory' "$(in_cell :)"
check_equal "explain knows, too" no "$(explained :)"
mode nat
check_equal "with nat, the cell has the servers that the host itself asks" "nameserver 192.0.2.53
nameserver 2001:db8::53
search test.example" "$(in_cell : | grep -v '^#')"
check_equal "explain knows that" yes "$(explained :)"
check_lacks "without them, none of the host's loopback" nameserver "$(in_cell 'rm resolv.conf')"
mode nat 'dns = ["192.168.99.5"]'
check_equal "the policy's servers are there, whatever the host has" "nameserver 192.168.99.5" "$(in_cell : | grep nameserver)"

done_testing
