#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real tools through network.mode = "nat": ssh's forwarding, which is bound by the same policy, apt-get, git over https, names,
# and large transfers over a path that is narrower than its ends.

. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cells.sh"
. "$(dirname "$0")/world.sh"
make_world
settings <<EOT
network = { name = "$NAME"; pool = "$POOL"; pool6 = "$POOL6"; };
deadline = 60; # the first cell with nat waits for modules of the kernel
EOT
FAR=$SITE_PREFIX-far
tools_cleanup() {
	nat_cleanup
	ip netns delete "$FAR" 2>/dev/null
}
trap tools_cleanup EXIT
share "$TESTS/lib/outside.py" "$TESTS/lib/net.py" >/dev/null
tools=$shared/outside.py

policy 60-tools <<EOT
policies = (
  { name = "tools"; inherit = "default"; priority = 100; match = { users = ["$ALICE", "$BOB"]; };
    network = { mode = "nat"; dns = ["192.168.99.5"]; }; },
  { name = "closed"; inherit = "tools"; priority = 100; match = { users = ["$CAROL"]; };
    network = { allow = ["tcp:8000"]; }; } );
EOT
check "a login by another policy" as dave -- true # compiles the filter
for user in alice bob carol; do
	hold_cell $user $user
done
bob4=$(held bob -- ip -4 -o addr show dev eth0 | sed -n 's/.* inet \([0-9.]*\).*/\1/p')
held bob -- "'$nat' serve /tmp/log 8080 >/tmp/ready 2>&1 </dev/null &"
wait_for held bob -- grep -q ready /tmp/ready

# ssh -L, -D and -R ----------------------------------------------------------------------------------------------

free_port() {
	python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
forward() { # HOLD OPTION SPECIFICATION
	ssh -F "$SSH_CONFIG" -S "$SITE_DIR/held/$1" -O forward "$2" "$3" nobody
}
local_forward() { # HOLD ADDRESS PORT TEXT: what the server at the other end says
	local port
	port=$(free_port)
	forward "$1" -L "127.0.0.1:$port:$2:$3" >/dev/null || return
	"$nat" try "$4" <<<"tcp 127.0.0.1 $port" | sed 's/^[^ ]* [^ ]* [^ ]* //'
}
proxy=$(free_port)
check "-D" forward alice -D "127.0.0.1:$proxy"
proxy_of_carol=$(free_port)
check "of another" forward carol -D "127.0.0.1:$proxy_of_carol"

check_equal "-L reaches a server outside, from the host's address" "ok 198.51.100.1" \
	"$(local_forward alice 198.51.100.2 8080 FORWARDED)"
check_equal "by its name" "ok 198.51.100.1" "$(local_forward alice outside.test 8080 FORWARDED)"
check_equal "so does -D" 198.51.100.1 "$("$tools" socks "$proxy" 198.51.100.2 8080 FORWARDED)"
check_equal "the server saw them" 3 "$(grep -c FORWARDED "$WORK/outside")"
for place in 10.99.0.5 172.16.99.5 169.254.169.254 198.51.100.1 "$PREFIX.1" "$bob4" 127.0.0.1; do
	check_matches "-L does not reach $place" '^(no .*|ok )$' "$(local_forward alice "$place" 8080 REFUSED)"
	check_matches "nor does -D" '^no ' "$("$tools" socks "$proxy" "$place" 8080 REFUSED)"
done
check_matches "-L does not reach a port that the policy leaves out" '^(no .*|ok )$' \
	"$(local_forward carol 198.51.100.2 8080 REFUSED)"
check_matches "nor does -D" '^no ' "$("$tools" socks "$proxy_of_carol" 198.51.100.2 8080 REFUSED)"
check_equal "nobody saw anything of it" "" "$(grep -h REFUSED "$WORK/outside" "$WORK/host"; held bob -- cat /tmp/log)"

client_port=
start client_port "$TESTS/lib/net.py" listen "of the client"
port=$(free_port)
check "-R" forward alice -R "127.0.0.1:$port:127.0.0.1:$client_port"
check_equal "listens in the cell, and leads to the client" "of the client" "$(held alice -- "$shared/net.py" ask "$port")"
check_fails "it does not listen on the host" "$TESTS/lib/net.py" ask "$port"
check_fails "nor in another cell" held bob -- "$shared/net.py" ask "$port"
check "-R on all addresses" forward alice -R "*:8080:127.0.0.1:$client_port"
alice4=$(held alice -- ip -4 -o addr show dev eth0 | sed -n 's/.* inet \([0-9.]*\).*/\1/p')
check_matches "is not reached by another cell" ' no ' "$(held bob -- "$nat" try INTO <<<"tcp $alice4 8080")"
check_matches "nor by the host" ' no ' "$(PATIENCE=3 "$nat" try INTO <<<"tcp $alice4 8080")"
check_matches "nor from outside" ' no ' "$(PATIENCE=3 out "$nat" try INTO <<<"tcp $alice4 8080")"

# A server of files: http, and https with an authority of its own ------------------------------------------------

www=$WORK/www
mkdir -p "$www/debian" "$WORK/tls" "$WORK/deb/DEBIAN" "$WORK/deb/usr/share/doc/outside"
"$tools" certificate "$WORK/tls" outside.test || site_die "no certificate"
install -m 644 "$WORK/tls/ca.pem" "$shared/ca.pem"
printf '%s\n' "Package: outside" "Version: 1.0" "Architecture: all" "Maintainer: nobody <nobody@outside.test>" \
	"Description: what comes from outside" >"$WORK/deb/DEBIAN/control"
head -c 300000 /dev/urandom >"$WORK/deb/usr/share/doc/outside/data"
chmod -R u=rwX,go=rX "$WORK/deb"
dpkg-deb --root-owner-group -b "$WORK/deb" "$www/debian/outside_1.0_all.deb" >/dev/null
{
	cat "$WORK/deb/DEBIAN/control"
	printf '%s\n' "Filename: ./outside_1.0_all.deb" "Size: $(stat -c %s "$www/debian/outside_1.0_all.deb")" \
		"SHA256: $(sha256sum <"$www/debian/outside_1.0_all.deb" | cut -d' ' -f1)"
} >"$www/debian/Packages"
git init -q --bare "$www/repository.git"
commit=$(git -C "$www/repository.git" -c user.name=a -c user.email=a@b commit-tree -m first \
	"$(git -C "$www/repository.git" hash-object -w -t tree /dev/null)")
git -C "$www/repository.git" update-ref HEAD "$commit"
git -C "$www/repository.git" update-server-info
chmod -R a+rX "$www"
chmod 755 "$WORK"
start ready ip netns exec "$OUTSIDE" "$tools" https "$WORK/tls/server.pem" 8443 "$www" 2>"$WORK/https"
out python3 -m http.server 8000 --directory "$www" >"$WORK/http" 2>&1 &
STARTED+=("$!")
wait_for out bash -c ': </dev/tcp/127.0.0.1/8000' 2>/dev/null

# apt-get of a tenant, with folders of the tenant's own.
cat >"$shared/apt" <<'EOT'
set -e
mkdir -p ~/apt/state/lists/partial ~/apt/cache/archives/partial ~/apt/etc
cd ~/apt
: >status
echo 'deb [trusted=yes] http://outside.test:8000/debian ./' >etc/sources.list
cat >etc/apt.conf <<EOF
Dir::State "$HOME/apt/state"; Dir::State::status "$HOME/apt/status"; Dir::Cache "$HOME/apt/cache"; Dir::Log "$HOME/apt";
Dir::Etc::sourcelist "$HOME/apt/etc/sources.list"; Dir::Etc::sourceparts "/dev/null"; Acquire::Languages "none";
Dir::State "$HOME/apt/state"; Dir::State::status "$HOME/apt/status"; Dir::Cache "$HOME/apt/cache"; Dir::Log "$HOME/apt";
Dir::Etc::sourcelist "$HOME/apt/etc/sources.list"; Dir::Etc::sourceparts "/dev/null"; Acquire::Languages "none";
EOF
export APT_CONFIG=$HOME/apt/etc/apt.conf
apt-get -q update
apt-get -q download outside
dpkg-deb -f outside_1.0_all.deb Description
EOT
check_equal "apt-get fetches lists and a package" "what comes from outside" \
	"$(held alice -- "sh $shared/apt 2>&1" | tee "$WORK/apt" | tail -n 1)"
grep -q "what comes" "$WORK/apt" || note "$(cat "$WORK/apt" "$WORK/http")"
check_equal "as it was" "$(sha256sum <"$www/debian/outside_1.0_all.deb")" \
	"$(held alice -- "sha256sum <apt/outside_1.0_all.deb")"

clone() { # HOLD [ENVIRONMENT]
	held "$1" -- "cd /tmp && rm -rf repository && ${2-} git clone -q https://outside.test:8443/repository.git &&
		git -C repository rev-parse HEAD" 2>&1
}
check_equal "git clones over https" "$commit" "$(clone alice "GIT_SSL_CAINFO=$shared/ca.pem")"
check_matches "and checks who serves" 'certificate|CA' "$(clone alice)"
check_matches "a policy without that port has it refused" 'Failed to connect|[Cc]ould not connect|[Cc]ouldn.t connect' \
	"$(clone carol "GIT_SSL_CAINFO=$shared/ca.pem")"
check_equal "names resolve there all the same" 198.51.100.2 "$(held carol -- getent ahostsv4 outside.test | sed -n '1s/ .*//p')"

# A narrow link behind the outside: too large packets are told of, in both families ------------------------------

ip netns add "$FAR"
out ip link add near0 mtu 1280 type veth peer name far0 mtu 1280 netns "$FAR"
far() {
	ip netns exec "$FAR" "$@"
}
out ip addr add 203.0.113.1/24 dev near0
out ip addr add 2001:db8:61::1/64 dev near0 nodad
far ip addr add 203.0.113.2/24 dev far0
far ip addr add 2001:db8:61::2/64 dev far0 nodad
out ip link set near0 up
far ip link set far0 up
far ip link set lo up
# The far end offers to take what does not fit through.
far ip route add default via 203.0.113.1 advmss 1460
far ip route add default via 2001:db8:61::1 advmss 1440
out sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip route add 203.0.113.0/24 via 198.51.100.2
ip route add 2001:db8:61::/64 via 2001:db8:60::2
start ready ip netns exec "$FAR" "$tools" sink 9000
for address in 203.0.113.2 2001:db8:61::2; do
	check_equal "a large upload to $address passes" sent "$(held alice -- "$tools" push $address 9000 2000000 2>&1)"
	check_matches "after the cell has learned how narrow the path is" 'mtu 1280' "$(held alice -- ip route get $address)"
done
release alice bob carol
done_testing
