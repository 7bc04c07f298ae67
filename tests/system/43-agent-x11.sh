#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Agent and X11 forwarding work, and their sockets are the cell's: nothing of them is on the host.

. "$(dirname "$0")/../lib/test.sh"

shared=$(share "$TESTS/lib/net.py")
net=$shared/net.py
HELD=(agent x11)

# The agent.
ssh-keygen -q -t ed25519 -N '' -C "key of the client's agent" -f "$WORK/key"
eval "$(ssh-agent -s -a "$WORK/agent")" >/dev/null
STARTED+=("$SSH_AGENT_PID")
ssh-add -q "$WORK/key"
check_fails "without -A there is no agent" as alice -- ssh-add -l
hold agent alice -A -o IdentityAgent="$WORK/agent"
check_equal "with -A its key is there" "$(ssh-add -l)" "$(held agent -A -- ssh-add -l)"
# shellcheck disable=SC2016
socket=$(held agent -A -- 'echo $SSH_AUTH_SOCK')
check_matches "its socket has a path" '^/' "$socket"
check "which is in the cell" held agent -A -- test -S "$socket"
check_fails "and not on the host" test -e "$socket"
check "it signs: the login key of the agent works from the cell" held agent -A -- \
	"ssh-keygen -q -Y sign -n test -f <(ssh-add -L) </etc/hostname >/tmp/signature"

# X11: a server's socket at the client, with a cookie of its own.
cookie=00112233445566778899aabbccddeeff
for display in $(seq 40 99); do
	[ -e "/tmp/.X11-unix/X$display" ] || break
done
[ -d /tmp/.X11-unix ] || install -d -m 1777 /tmp/.X11-unix
export XAUTHORITY=$WORK/xauthority
touch "$XAUTHORITY"
xauth -q add ":$display" MIT-MAGIC-COOKIE-1 $cookie
exec {server}< <(exec "$net" x-server "/tmp/.X11-unix/X$display")
STARTED+=($!)
read -r -t 60 ready <&"$server"
check_equal "the client's X server is ready" ready "$ready"

export DISPLAY=:$display
hold x11 alice -Y
# shellcheck disable=SC2016
remote=$(held x11 -Y -- 'echo $DISPLAY')
check_matches "there is a display" '^localhost:[0-9]+' "$remote"
number=${remote#localhost:}
port=$((6000 + ${number%.*}))
check "its port listens in the cell" held x11 -Y -- "$net" listening "$port"
check_fails "and not on the host" "$net" listening "$port"
fake=$(held x11 -Y -- 'xauth list | tail -n 1' | awk '{ print $3 }')
check_matches "xauth in the cell has a cookie for it" '^[0-9a-f]{32}$' "$fake"
check_differs "which is not the client's" "$cookie" "$fake"
check_equal "an X client in the cell gets the server's answer" ok "$(held x11 -Y -- "$net" x-client "$port" "$fake")"
read -r -t 60 seen <&"$server"
check_equal "and the server saw the client's own cookie" "$cookie" "$seen"
check_fails "the client's display is not the host's X socket in the cell" held x11 -- test -e "/tmp/.X11-unix/X$display"
rm -f "/tmp/.X11-unix/X$display"

done_testing
