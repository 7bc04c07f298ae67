#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Names where the host runs systemd-resolved, the real one: /etc/resolv.conf is a link into /run, and the server in it is on the
# host's loopback, which no cell with a network of its own reaches.

. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cells.sh"

if [ "$SITE_MODE" != installed ] || ! have systemd; then
	skip "names by systemd-resolved" "the machine's resolver is not ours"
	done_testing
	exit
fi

. "$(dirname "$0")/world.sh"
RESOLVED=systemd-resolved.service

restore() {
	systemctl stop $RESOLVED
	systemctl mask $RESOLVED 2>/dev/null
	nat_cleanup
	rm -f /etc/resolv.conf
	put_file /etc/resolv.conf <"$RESOLV_CONF"
}

# The machine's own is kept outside of what the test removes.
RESOLV_CONF=$SITE_DIR/saved/resolv.conf
cp /etc/resolv.conf "$RESOLV_CONF"
trap restore EXIT
make_world
systemctl unmask $RESOLVED 2>/dev/null
check "systemd-resolved runs" systemctl start $RESOLVED
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf

servers() { # ADDRESS...: those of the host's link to the outside, for all names
	resolvectl dns "$SITE_PREFIX-o" "$@" && resolvectl domain "$SITE_PREFIX-o" '~.' && resolvectl flush-caches
}
address_of() { # NAME: in a login of alice's
	as alice -- getent ahostsv4 "$1" 2>&1 | awk '{ print $1; exit }'
}
asked() { # NAME, of the servers outside
	grep -aq "^udp 53 .*$1" "$WORK/outside"
}
mode() { # MODE
	policy 60-resolved <<-EOT
		policies = ( { name = "resolved"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
		  network = { mode = "$1"; }; } );
	EOT
}
nameservers() { # COMMAND...: a login, or a command in one
	"$@" -- cat /etc/resolv.conf | sed -n 's/^nameserver //p' | xargs
}

check "it is told of a server" servers 198.51.100.2
check_equal "the host's programs ask it" "nameserver 127.0.0.53 198.51.100.2" "$(sed -n '/^nameserver/p' /etc/resolv.conf) $(getent ahostsv4 host.example | awk '{ print $1; exit }')"
check "and it asks the server" asked host

mode host
check_equal "with the host's network, a cell has the host's servers" 127.0.0.53 "$(nameservers as alice)"
check_equal "and names" 198.51.100.2 "$(address_of shared.example)"
check "by systemd-resolved" asked shared

mode nat
check_equal "with nat, a cell has the servers that systemd-resolved asks" 198.51.100.2 "$(nameservers as alice)"
check_equal "and names" 198.51.100.2 "$(address_of own.example)"
check "from them" asked own
hold_cell a alice
check "another server" servers 192.168.99.5
check_equal "is that of the next login" 192.168.99.5 "$(nameservers as alice)"
check_equal "a cell that lives keeps its own" 198.51.100.2 "$(nameservers held a)"
release a
check "no server is known any more" servers ''
check_equal "a cell then has none, and never the host's loopback" '' "$(nameservers as alice)"

mode isolated
check_fails "without a network there is nobody to ask" as alice -- cat /etc/resolv.conf
check_matches "and the host's is not reached" '^udp .* no ' "$(as alice -- "$nat" try X <<<"udp 127.0.0.53 53" 2>&1)"

done_testing
