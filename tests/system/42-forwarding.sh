#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -L, -R and -D end in the cell: a forward reaches the cell's loopback and never the host's, a forwarded port listens
# in the cell and not on the host, and the host's Unix sockets are out of reach.

. "$(dirname "$0")/../lib/test.sh"

shared=$(share "$TESTS/lib/net.py")
net=$shared/net.py
HELD=(cell other)

# Servers: one on the host, one in the cell, each on its own loopback. The cell's keeps the name of its port in /tmp.
host_port=
start host_port "$net" listen "from the host"
hold cell alice
hold other alice
held cell -- "'$net' listen 'from the cell' >/tmp/port 2>/dev/null </dev/null &"
# shellcheck disable=SC2317
cell_port_known() {
	cell_port=$(held cell -- cat /tmp/port) && [ -n "$cell_port" ]
}
wait_for cell_port_known

check_equal "the host's server answers on the host" "from the host" "$("$net" ask "$host_port")"
check_equal "the cell's answers in the cell" "from the cell" "$(held cell -- "$net" ask "$cell_port")"
check_fails "the host's loopback is not the cell's" held cell -- "$net" ask "$host_port"
check_fails "nor is that of another cell of the user" held other -- "$net" ask "$cell_port"

# A port of the client that nothing uses.
free_port() {
	python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
forward() { # OPTION SPECIFICATION: adds it to the connection of the cell
	ssh -F "$SSH_CONFIG" -S "$SITE_DIR/held/cell" -O forward "$1" "$2" nobody
}

# -L
port=$(free_port)
check "-L to the cell's port" forward -L "127.0.0.1:$port:127.0.0.1:$cell_port"
check_equal "reaches the cell" "from the cell" "$("$net" ask "$port")"
port=$(free_port)
check "-L by the name localhost" forward -L "127.0.0.1:$port:localhost:$cell_port"
check_equal "reaches the cell too" "from the cell" "$("$net" ask "$port")"
port=$(free_port)
check "-L to the host's port" forward -L "127.0.0.1:$port:127.0.0.1:$host_port"
check_fails "reaches nothing" "$net" ask "$port"
address=$(ip -4 -o addr show scope global | sed -n 's/.* inet \([0-9.]*\).*/\1/p' | head -n 1)
port=$(free_port)
check "-L to the host's sshd by the host's address" forward -L "127.0.0.1:$port:${address:-127.0.0.2}:$SITE_PORT"
check_fails "reaches nothing" "$net" ask "$port"

# -L to Unix sockets.
start ready "$net" listen-unix "/run/$SITE_PREFIX-host.sock" "from the host"
check_equal "a socket in the host's /run answers on the host" "from the host" \
	"$("$net" ask-unix "/run/$SITE_PREFIX-host.sock")"
port=$(free_port)
check "-L to the host's socket" forward -L "127.0.0.1:$port:/run/$SITE_PREFIX-host.sock"
check_fails "reaches nothing" "$net" ask "$port"
rm -f "/run/$SITE_PREFIX-host.sock"
held cell -- "'$net' listen-unix /tmp/cell.sock 'from the cell' >/dev/null 2>&1 </dev/null &"
wait_for held cell -- test -S /tmp/cell.sock
port=$(free_port)
check "-L to the cell's socket" forward -L "127.0.0.1:$port:/tmp/cell.sock"
check_equal "reaches the cell" "from the cell" "$("$net" ask "$port")"

# -R: the client's server, here the host's, seen from the cell.
port=$(free_port)
check "-R from the cell's loopback to the client" forward -R "127.0.0.1:$port:127.0.0.1:$host_port"
check_equal "reaches the client" "from the host" "$(held cell -- "$net" ask "$port")"
check "the port listens in the cell" held cell -- "$net" listening "$port"
check_fails "and not on the host" "$net" listening "$port"
check_fails "nor in another cell" held other -- "$net" listening "$port"
check "-R of a Unix socket" forward -R "/tmp/back.sock:127.0.0.1:$host_port"
check_equal "reaches the client" "from the host" "$(held cell -- "$net" ask-unix /tmp/back.sock)"
check_fails "and is not in the host's /tmp" test -e /tmp/back.sock
wildcard=$(free_port)
check "-R on all addresses" forward -R "*:$wildcard:127.0.0.1:$host_port"
check_fails "listens on none of the host's" "$net" listening "$wildcard"

# -D
proxy=$(free_port)
check "-D" forward -D "127.0.0.1:$proxy"
check_equal "reaches the cell's port" "from the cell" "$("$net" ask-socks "$proxy" "$cell_port")"
check_fails "and not the host's" "$net" ask-socks "$proxy" "$host_port"

# -W and -N: no session is asked for at all.
check_fails "-W to the host's port reaches nothing" sh -c \
	"timeout 60 ssh -F '$SSH_CONFIG' -W 127.0.0.1:$host_port alice </dev/null | grep 'from the host'"
port=$(free_port)
as alice -N -L "127.0.0.1:$port:127.0.0.1:$host_port" 2>/dev/null &
STARTED+=("$!")
wait_for "$net" listening "$port"
check_fails "ssh -N with -L to the host's port reaches nothing" "$net" ask "$port"

done_testing
