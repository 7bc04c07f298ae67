# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests of network.mode = "nat": an outside, which is a network namespace, and settings with pools of the test's own.
# shellcheck disable=SC2034

NAME=$(tr -cd 'a-z0-9' <<<"$SITE_PREFIX")
NAME=${NAME:0:8}n
BRIDGE=${NAME}0
OUTSIDE=$SITE_PREFIX-outside
POOL=100.64.112.0/24 POOL6=fd5c:6c6f:6973::/64
PREFIX=100.64.112 PREFIX6=fd5c:6c6f:6973::
GATEWAY_MAC=02:63:6c:00:00:01

forwarding4=$(cat /proc/sys/net/ipv4/ip_forward)
forwarding6=$(cat /proc/sys/net/ipv6/conf/all/forwarding)
nat_cleanup() {
	test_cleanup
	wait_for nothing_runs || helper sweep >/dev/null
	ip netns delete "$OUTSIDE" 2>/dev/null
	ip link delete "$SITE_PREFIX-o" 2>/dev/null
	ip link delete "$BRIDGE" 2>/dev/null
	ip link delete "${NAME}1" 2>/dev/null
	nft delete table inet "$NAME" 2>/dev/null
	nft delete table netdev "$NAME" 2>/dev/null
	echo "$forwarding4" >/proc/sys/net/ipv4/ip_forward
	echo "$forwarding6" >/proc/sys/net/ipv6/conf/all/forwarding
}
trap nat_cleanup EXIT

addresses_taken() {
	find "$RUN/net" -name '[0-9a-f]*'
}

out() {
	ip netns exec "$OUTSIDE" "$@"
}

# Documentation addresses are the world's public ones, and there are private networks in it, and a cloud's metadata. What is
# sent to its servers is in $WORK/outside, and what is sent to the host's, in $WORK/host.
make_world() {
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	shared=$(share "$TESTS/lib/nat.py")
	nat=$shared/nat.py
	ip netns delete "$OUTSIDE" 2>/dev/null
	ip netns add "$OUTSIDE"
	ip link add "$SITE_PREFIX-o" type veth peer name out0 netns "$OUTSIDE"
	ip addr add 198.51.100.1/24 dev "$SITE_PREFIX-o"
	ip addr add 2001:db8:60::1/64 dev "$SITE_PREFIX-o" nodad
	ip link set "$SITE_PREFIX-o" up
	out ip link set lo up
	out ip link set out0 up
	for address in 198.51.100.2/24 10.99.0.5/32 172.16.99.5/32 192.168.99.5/32 169.254.169.254/32 100.127.0.5/32; do
		out ip addr add $address dev out0
		[ $address = 198.51.100.2/24 ] || ip route add $address via 198.51.100.2
	done
	for address in 2001:db8:60::2/64 fd99::5/128 2002:a63::5/128; do
		out ip addr add $address dev out0 nodad
		[ $address = 2001:db8:60::2/64 ] || ip route add $address via 2001:db8:60::2
	done
	# The way back is known there: nothing depends on the outside being lost.
	out ip route add default via 198.51.100.1
	out ip route add default via 2001:db8:60::1
	start ready ip netns exec "$OUTSIDE" "$nat" serve "$WORK/outside" 53 8080 5432 5353
	start ready "$nat" serve "$WORK/host" 8080 5353
	host_address=$(ip -4 -o addr show scope global | grep -v "$SITE_PREFIX-o" | sed -n 's/.* inet \([0-9.]*\).*/\1/p' | head -n 1)

	settings <<EOT
deadline = 60; # the first cell with nat waits for modules of the kernel
network = { name = "$NAME"; pool = "$POOL"; pool6 = "$POOL6"; };
EOT
}
