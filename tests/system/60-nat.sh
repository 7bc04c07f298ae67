#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# network.mode = "nat": the outside is reached, and nothing else is: not the host, not the neighbours, not private networks;
# whatever a tenant with raw sockets and its own routes may send. The "outside" is a network namespace of the test.

. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/cells.sh"
. "$(dirname "$0")/world.sh"
make_world

policy 60-nat <<EOT
policies = (
  { name = "nat"; inherit = "default"; priority = 100; match = { users = ["$ALICE"]; };
    network = { mode = "nat"; }; },
  { name = "attacker"; inherit = "nat"; priority = 100; match = { users = ["$BOB"]; };
    namespaces = { identity = "plain"; };
    capabilities = { bounding = ["ALL"]; ambient = ["NET_RAW", "NET_ADMIN"]; };
    seccomp = { profile = "unconfined"; }; apparmor = { profile = "unconfined"; }; },
  { name = "narrow"; inherit = "nat"; priority = 100; match = { users = ["$CAROL"]; };
    network = { dns = ["192.168.99.5"]; allow = ["tcp:8080", "tcp:8000", "10.99.0.5:5432", "udp:172.16.99.5:5353", "fd99::/64", "198.51.100.1:8080",
                         "$PREFIX.0/24", "2001:db8:60::2"]; rate = "8M"; }; } );
EOT

check "a login by another policy" as dave -- true # compiles the filter
wait_for nothing_runs

# A host that forwards nothing is not made to.
echo 0 >/proc/sys/net/ipv4/ip_forward
check_refused "without net.ipv4.ip_forward" alice 'stage=network' "key=network.mode \($CONF/policy.d/60-nat.conf:3\)" \
	'sysctl -w net.ipv4.ip_forward=1'
check_matches "cloister check warns" '60-nat.conf:3: .*net.ipv4.ip_forward is 0 on this host' \
	"$(ctl --config "$CONF" check 2>&1)"
check_equal "and it still forwards nothing" 0 "$(cat /proc/sys/net/ipv4/ip_forward)"
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
check_refused "without net.ipv6.conf.all.forwarding" alice 'sysctl -w net.ipv6.conf.all.forwarding=1, or pool6 = ""'
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
check_fails "a refused login leaves no bridge" ip link show "$BRIDGE"

HELD=(alice bob carol)
check "a login" hold alice alice
check "another's" hold bob bob
check "a third one's" hold carol carol

addresses=$(held alice -- ip -o addr show dev eth0)
alice4=$(sed -n 's/.* inet \([0-9.]*\).*/\1/p' <<<"$addresses")
alice6=$(sed -n 's/.* inet6 \([0-9a-f:]*\).*/\1/p' <<<"$addresses")
alice_mac=$(held alice -- cat /sys/class/net/eth0/address)
bob4=$(held bob -- ip -4 -o addr show dev eth0 | sed -n 's/.* inet \([0-9.]*\).*/\1/p')
bob_mac=$(held bob -- cat /sys/class/net/eth0/address)
bob6=$(held bob -- ip -6 -o addr show dev eth0 | sed -n 's/.* inet6 \([0-9a-f:]*\).*/\1/p')
check_matches "an address of the pool" "^${PREFIX//./\\.}\.[0-9]+$" "$alice4"
check_matches "and of the pool of IPv6, no other" "^${PREFIX6}[0-9a-f]+$" "$alice6"
check_differs "not the neighbour's" "$alice4" "$bob4"
check_fails "a tenant changes no address" held alice -- ip addr add 100.64.112.99/32 dev eth0
check_fails "and no route" held alice -- ip route add 192.0.2.0/24 dev eth0

# What a login answers to many questions at once: each expected "ok FROM" or "no".
check_answers() { # DESCRIPTION HOLD TEXT <"EXPECTED PROTOCOL ADDRESS PORT"
	local expected=() questions=() answers i answer
	while read -r i answer; do
		expected+=("$i")
		questions+=("$answer")
	done
	mapfile -t answers < <(printf '%s\n' "${questions[@]}" | held "$2" -- env PATIENCE="${PATIENCE:-8}" "$nat" try "$3")
	for i in "${!questions[@]}"; do
		answer=${answers[$i]#"${questions[$i]} "}
		if [ "${expected[$i]}" = no ]; then
			check_matches "$1: no ${questions[$i]}" '^no ' "$answer"
		else
			check_equal "$1: ${questions[$i]}" "ok ${expected[$i]}" "$answer"
		fi
	done
}

# The neighbour serves on all its addresses.
held bob -- "'$nat' serve /tmp/log 8080 5353 >/tmp/ready 2>&1 </dev/null &"
wait_for held bob -- grep -q ready /tmp/ready

reach() { # the questions of a cell with the default list
	cat <<-EOT
		198.51.100.1 tcp 198.51.100.2 8080
		198.51.100.1 udp 198.51.100.2 5353
		2001:db8:60::1 tcp 2001:db8:60::2 8080
		2001:db8:60::1 udp 2001:db8:60::2 5353
		pong ping 198.51.100.2 0
		pong ping 2001:db8:60::2 0
	EOT
}
private() {
	cat <<-EOT
		no ping 10.99.0.5 0
		no ping 198.51.100.1 0
		no ping $PREFIX.1 0
		no ping $bob4 0
		no ping 2001:db8:60::1 0
		no ping $bob6 0
		no tcp 10.99.0.5 8080
		no udp 10.99.0.5 5353
		no tcp 172.16.99.5 8080
		no tcp 192.168.99.5 8080
		no tcp 169.254.169.254 8080
		no udp 169.254.169.254 5353
		no tcp 100.127.0.5 8080
		no tcp fd99::5 8080
		no udp fd99::5 5353
		no tcp 2002:a63::5 8080
		no tcp 198.51.100.1 8080
		no udp 198.51.100.1 5353
		no tcp ${host_address:-198.51.100.1} 8080
		no tcp 2001:db8:60::1 8080
		no udp 2001:db8:60::1 5353
		no tcp $PREFIX.1 8080
		no udp $PREFIX.1 5353
		no tcp ${PREFIX6}1 8080
		no udp ${PREFIX6}1 5353
		no tcp 127.0.0.1 8080
		no udp $PREFIX.255 5353
		no udp 198.51.100.255 5353
		no tcp $bob4 8080
		no udp $bob4 5353
		no tcp $bob6 8080
		no udp $bob6 5353
	EOT
}
check_answers "from a cell" alice default < <(reach && private)
check_equal "the outside saw the cell's packets, and the host's address only" 4 \
	"$(grep -cE ' (198\.51\.100\.1|2001:db8:60::1) default$' "$WORK/outside")"

check_equal "the host saw none" "" "$(grep default "$WORK/host")"
check_equal "nor did the neighbour" "" "$(held bob -- cat /tmp/log)"

# network.allow
check_answers "with a list" carol narrow <<-EOT
	198.51.100.1 tcp 198.51.100.2 8080
	no tcp 198.51.100.2 5432
	no udp 198.51.100.2 5353
	198.51.100.1 tcp 10.99.0.5 5432
	198.51.100.1 udp 10.99.0.5 5432
	no tcp 10.99.0.5 8080
	198.51.100.1 udp 172.16.99.5 5353
	no tcp 172.16.99.5 5353
	no tcp 192.168.99.5 8080
	2001:db8:60::1 tcp fd99::5 8080
	2001:db8:60::1 udp 2001:db8:60::2 5353
	$(held carol -- ip -4 -o addr show dev eth0 | sed -n 's/.* inet \([0-9.]*\).*/\1/p') tcp 198.51.100.1 8080
	no udp 198.51.100.1 5353
	no tcp $PREFIX.1 22
	no tcp $bob4 8080
	no tcp 2001:db8:60::1 8080
EOT

# Names.
check_equal "the cell's resolv.conf has the policy's server" "nameserver 192.168.99.5" \
	"$(held carol -- grep nameserver /etc/resolv.conf)"
check_lacks "or the host's, but none of its loopback" 'nameserver (127\.|::1$)' "$(held alice -- cat /etc/resolv.conf)"
check_matches "it is there, and the cell's" 'By Cloister' "$(held alice -- cat /etc/resolv.conf)"
check_fails "it cannot be written to" held bob -- sh -c 'echo >/etc/resolv.conf'
check_answers "the policy's server can be asked" carol names <<-EOT
	198.51.100.1 udp 192.168.99.5 53
	198.51.100.1 tcp 192.168.99.5 53
	no udp 192.168.99.5 5353
	no udp 198.51.100.2 53
EOT
# Tools, by a name, and more than fits into a packet.
mkdir "$WORK/www"
head -c 1500000 /dev/urandom >"$WORK/www/large"
if command -v git >/dev/null; then
	git init -q --bare "$WORK/www/repository.git"
	git -C "$WORK/www/repository.git" -c user.name=a -c user.email=a@b commit-tree -m first \
		"$(git -C "$WORK/www/repository.git" hash-object -w -t tree /dev/null)" >"$WORK/commit"
	git -C "$WORK/www/repository.git" update-ref HEAD "$(cat "$WORK/commit")"
	git -C "$WORK/www/repository.git" update-server-info
fi
chmod -R a+rX "$WORK/www"
out python3 -m http.server 8000 --directory "$WORK/www" >"$WORK/http" 2>&1 &
STARTED+=("$!")
wait_for out bash -c ': </dev/tcp/127.0.0.1/8000'
check_equal "a name resolves" 198.51.100.2 "$(held carol -- getent ahostsv4 outside.test | sed -n '1s/ .*//p')"
sum=$(sha256sum <"$WORK/www/large")
fetch() { # COMMAND
	held carol -- "$1" | sha256sum
}
check_equal "python fetches a large file" "$sum" "$(fetch \
	'python3 -c "import shutil, sys, urllib.request as u; shutil.copyfileobj(u.urlopen(\"http://outside.test:8000/large\"), sys.stdout.buffer)"')"
! command -v curl >/dev/null || check_equal "so does curl" "$sum" "$(fetch 'curl -s http://outside.test:8000/large')"
! command -v wget >/dev/null || check_equal "and wget" "$sum" "$(fetch 'wget -qO- http://outside.test:8000/large')"
! command -v git >/dev/null || check_equal "git clones" "$(cat "$WORK/commit")" \
	"$(held carol -- 'cd /tmp && git clone -q http://outside.test:8000/repository.git && git -C repository rev-parse HEAD')"
! command -v ping >/dev/null || check_matches "ping pings" ' 0% packet loss' "$(held alice -- ping -c 1 198.51.100.2)"
cell_field() { # FIELD: of alice's cell, as list tells it
	ctl list --json | python3 -c 'import json, sys
print(*[c["network"][sys.argv[1]] for c in json.load(sys.stdin) if c["user"] == sys.argv[2]])' "$@" "$ALICE"
}
check_equal "list tells the address" "nat $alice4 $alice6 None" "$(cell_field mode) $(cell_field address) $(cell_field address6) $(cell_field rate)"
check_matches "show tells the rate" "^network +nat $PREFIX.* 8388608 bits a second" \
	"$(ctl show "$(ctl list --json | python3 -c 'import json, sys
print(*[c["id"] for c in json.load(sys.stdin) if c["user"] == sys.argv[1]])' "$CAROL")")"

check_equal "explain knows" "yes network.dns" "$(ctl --config "$CONF" explain "$ALICE" --service "$SERVICE" --can /etc/resolv.conf |
	sed -nE '1s/^yes.*/yes/p; s/.*(network\.dns).*/\1/p' | sort -r | xargs)"

# Into a cell: from the host, and from an outside that knows the way.
check_matches "the host reaches no server in a cell" '^tcp .* no ' "$(PATIENCE=5 "$nat" try host <<<"tcp $bob4 8080")"
check_matches "nor does the outside" '^tcp .* no ' "$(PATIENCE=5 out "$nat" try outside <<<"tcp $bob4 8080")"
check_matches "nor by IPv6" '^udp .* no ' "$(PATIENCE=5 out "$nat" try outside <<<"udp $bob6 5353")"
check_equal "nothing has arrived" "" "$(held bob -- cat /tmp/log)"

# Raw packets of a tenant that may send them: false sources, false link addresses, and frames past the bridge.
(held bob -- timeout 120 "$nat" sniff eth0 100000 >"$WORK/sniffed" 2>/dev/null) &
STARTED+=("$!")
wait_for grep -q ready "$WORK/sniffed"
spoofs() {
	local to source by
	for to in "$GATEWAY_MAC" "$alice_mac" ff:ff:ff:ff:ff:ff 01:80:c2:00:00:00 01:80:c2:00:00:0e 01:00:5e:00:00:01; do
		for by in "$bob_mac" "$alice_mac" "$GATEWAY_MAC"; do
			for source in "$alice4" "$PREFIX.1" 198.51.100.2 10.99.0.5 0.0.0.0 "$PREFIX.77"; do
				printf '%s %s %s %s 5353\n' "$to" "$by" "$source" 198.51.100.2 "$to" "$by" "$source" 198.51.100.1 "$to" "$by" \
					"$source" "$PREFIX.1" "$to" "$by" "$source" "$alice4"
			done
			for source in "$alice6" "${PREFIX6}1" 2001:db8:60::2 fe80::1; do
				printf '%s %s %s %s 5353\n' "$to" "$by" "$source" 2001:db8:60::2 "$to" "$by" "$source" 2001:db8:60::1 "$to" "$by" \
					"$source" "$alice6"
			done
		done
	done
	# With the right source, to what is not allowed, and by other ways than the gateway.
	for to in "$alice_mac" ff:ff:ff:ff:ff:ff 01:80:c2:00:00:00 01:80:c2:00:00:0e "$GATEWAY_MAC"; do
		printf '%s %s %s %s 5353\n' "$to" "$bob_mac" "$bob4" 198.51.100.1 "$to" "$bob_mac" "$bob4" "$alice4" \
			"$to" "$bob_mac" "$bob4" 10.99.0.5 "$to" "$bob_mac" "$bob4" 255.255.255.255 "$to" "$bob_mac" "$bob6" ff02::1
	done
}
held alice -- "'$nat' serve /tmp/log 5353 >/tmp/ready 2>&1 </dev/null &"
wait_for held alice -- grep -q ready /tmp/ready
check_equal "an attacker sends false packets" sent "$(spoofs | held bob -- "$nat" spoof FALSE eth0)"
check_equal "and a true one" sent \
	"$(held bob -- "$nat" spoof TRUE eth0 <<<"$GATEWAY_MAC $bob_mac $bob4 198.51.100.2 5353")"
wait_for grep -q TRUE "$WORK/outside"
check "which arrives" grep -q TRUE "$WORK/outside"
check_equal "no false one is seen outside" "" "$(grep FALSE "$WORK/outside")"
check_equal "none is seen by the host" "" "$(grep FALSE "$WORK/host")"
check_equal "none is seen by the neighbour" "" "$(held alice -- cat /tmp/log)"
check_matches "the host knows the neighbour by its own link address" "lladdr $alice_mac PERMANENT" \
	"$(ip neigh show dev "$BRIDGE" | grep "^$alice4 ")"
check_matches "and the bridge by its own port" "^$alice_mac .*static" "$(bridge fdb show br "$BRIDGE")"

# It takes the neighbour's place, as far as it can.
check "an attacker takes the neighbour's addresses" held bob -- "ip link set eth0 down && ip link set eth0 address $alice_mac &&
	ip link set eth0 up && ip addr add $alice4/32 dev eth0 && ip route replace $PREFIX.1 dev eth0 &&
	ip neigh replace $PREFIX.1 lladdr $GATEWAY_MAC dev eth0 && ip route replace default via $PREFIX.1 src $alice4"
PATIENCE=4 check_answers "and is not heard" bob stolen <<<"no udp 198.51.100.2 5353"
check_equal "not at all" "" "$(grep stolen "$WORK/outside")"
check_answers "while the neighbour is" alice after < <(reach)
check_lacks "an attacker sees no packets of others" "$alice_mac|33:33:|01:00:5e|ff:ff:ff" "$(cat "$WORK/sniffed")"
release bob

# Without the rules: all of them, or those of one family.
gone() { # FAMILY
	if [ "$SITE_MODE" = installed ] && [ "$1" = inet ]; then
		nft flush ruleset
	else
		nft delete table "$1" "$NAME"
	fi
}
# What the flush leaves open is open to all, so these are served by the rules alone.
check "the rules are taken away" gone inet
all_no() {
	sed 's/^[^ ]* /no /'
}
PATIENCE=4 check_answers "without rules" alice flushed < <( (reach && private) | all_no)
check_equal "nothing was seen outside" "" "$(grep flushed "$WORK/outside")"
check_equal "nothing was seen by the host" "" "$(grep flushed "$WORK/host")"
PATIENCE=2 "$nat" try INTO <<<"udp $alice4 5353" >/dev/null
PATIENCE=2 out "$nat" try INTO <<<"udp $alice4 5353" >/dev/null
check_equal "and nothing comes in" "" "$(held alice -- cat /tmp/log)"
check "the next login" hold bob bob
check_answers "brings them back, for all" alice restored < <(reach && private)
check_answers "with their lists" carol restored <<-EOT
	198.51.100.1 tcp 198.51.100.2 8080
	no udp 198.51.100.2 5353
EOT

# Without rules, and with raw packets: by whatever way they reach the host's stack.
check "the rules are taken away once more" nft flush table inet "$NAME"
diagnose() { # doctor's findings about the network, "ID SUBJECT" or "ID"
	ctl doctor --json | python3 -c 'import json, sys
for f in json.load(sys.stdin)["findings"]:
    if f["area"] == "network" and f["severity"] in ("serious", "warning") and f["id"] != "nat-dns":
        print(f["id"], *filter(None, [f["subject"] if len(sys.argv) > 1 else None]))' "$@" | sort -u | xargs
}
mend() { # ID: by the command that doctor gives
	PATH=$WORK/bin:$PATH bash -c "$(ctl doctor --json | python3 -c 'import json, sys
print(*[f["fix"] for f in json.load(sys.stdin)["findings"] if f["id"] == sys.argv[1]][:1])' "$1")"
}
mkdir "$WORK/bin"
ln -s "$CTL" "$WORK/bin/cloister"
check_equal "doctor sees it" nat-rules "$(diagnose)"
check "and how it is mended" mend nat-rules
check_equal "as it says then" "" "$(diagnose)"
check_answers "a sweep brings them back" carol swept <<-EOT
	198.51.100.1 tcp 198.51.100.2 8080
	no udp 198.51.100.2 5353
EOT
nft insert rule inet "$NAME" "$(nft list table inet "$NAME" | sed -n 's/.*chain \(c-[0-9a-f]*\) .*/\1/p' | head -n 1)" accept
check_equal "doctor sees a rule that somebody added" nat-rules "$(diagnose)"
check "and how it is mended" mend nat-rules
check_equal "as it says then" "" "$(diagnose)"
# By another, as many as before: what is refused would be let through.
replace_rule() { # FAMILY CHAIN RULE BY
	local handle
	handle=$(nft -a list chain "$1" "$NAME" "$2" | grep -F -- "$3" | sed -n '1s/.*# handle //p')
	nft replace rule "$1" "$NAME" "$2" handle "$handle" "$4"
}
own=$(nft list table inet "$NAME" | sed -n 's/.*chain \(c-[0-9a-f]*\) .*/\1/p' | head -n 1)
while read -r family chain rule by; do
	check "a rule of $chain is replaced by another" replace_rule "$family" "$chain" "${rule//_/ }" "$by"
	check_equal "doctor sees it" nat-rules "$(diagnose)"
	check "and how it is mended" mend nat-rules
	check_equal "as it says then" "" "$(diagnose)"
done <<-EOT
	inet unless-public ip_daddr ip daddr { 10.0.0.0/8 } goto refuse
	inet $own goto_refuse accept
	netdev ${own/c/i} ether_saddr ether saddr 02:02:02:02:02:02 drop
EOT
replace_rule inet unless-public 'ip daddr' 'ip daddr { 10.0.0.0/8 } goto refuse'
check "the next login mends it, too" as alice -- true
check_equal "as doctor says" "" "$(diagnose)"
tc filter del dev "$BRIDGE" ingress
check_equal "doctor sees that a guard is gone" "nat-guard $BRIDGE" "$(diagnose subject)"
check "and how it is mended" mend nat-guard
nft "add table inet ${NAME}x; add chain inet ${NAME}x forward { type filter hook forward priority 5; policy drop; }; \
	add rule inet ${NAME}x forward accept"
check_equal "doctor sees another firewall" "nat-firewall inet ${NAME}x forward" "$(diagnose subject)"
check "and how it is mended" mend nat-firewall
check_equal "all is well" "" "$(diagnose)"
nft delete table inet "${NAME}x"
check "those that pin sources are taken away" gone netdev
bob4=$(held bob -- ip -4 -o addr show dev eth0 | sed -n 's/.* inet \([0-9.]*\).*/\1/p')
bob6=$(held bob -- ip -6 -o addr show dev eth0 | sed -n 's/.* inet6 \([0-9a-f:]*\).*/\1/p')
bob_mac=$(held bob -- cat /sys/class/net/eth0/address)
true_sources() {
	local to
	for to in "$GATEWAY_MAC" "$alice_mac" ff:ff:ff:ff:ff:ff 01:80:c2:00:00:00 01:80:c2:00:00:0e 01:00:5e:00:00:01; do
		printf "$to $bob_mac %s %s 5353\n" "$bob4" 198.51.100.1 "$bob4" "$PREFIX.1" "$bob4" 198.51.100.2 "$bob4" "$alice4" \
			"$bob4" 255.255.255.255 0.0.0.0 255.255.255.255 "$bob6" 2001:db8:60::1 "$bob6" 2001:db8:60::2 "$bob6" "$alice6" \
			"$bob6" ff02::1 fe80::1 ff02::1
	done
}
check_equal "an attacker sends all it can" "sent sent" \
	"$({ true_sources && spoofs; } | held bob -- "$nat" spoof LAWLESS eth0) $(sleep 1; echo sent)"
check_equal "nothing is seen outside" "" "$(grep LAWLESS "$WORK/outside")"
check_equal "nor by the host" "" "$(grep LAWLESS "$WORK/host")"
check_equal "nor by the neighbour" "" "$(held alice -- cat /tmp/log)"

# Many at once.
logins=()
for n in 1 2 3 4 5 6; do
	as alice -- ip -4 -o addr show dev eth0 >"$WORK/many-$n" &
	logins+=("$!")
done
wait "${logins[@]}"
check_equal "logins at the same time have addresses of their own" 6 "$(cat "$WORK"/many-* | sed 's/.* inet //' | sort -u | wc -l)"
check_answers "and brought the rules back" alice many < <(reach)

# The table of connections is the host's: one cell has a part of it.
count=/proc/sys/net/netfilter/nf_conntrack_count
before=$(cat "$count")
check_equal "a cell makes more connections than it may" sent "$(held alice -- "$nat" flood 198.51.100.2 9 5000)"
after=$(cat "$count")
check "many of them count ($before, then $after)" test $((after - before)) -ge 1000
check "not all" test $((after - before)) -le 4500
check_answers "its neighbours have theirs" carol flooded <<-EOT
	198.51.100.1 tcp 198.51.100.2 8080
EOT

# A list whose rules fill more than 64 KiB: a sweep knows whose they are, and leaves them.
policy 61-long <<EOT
policies = ( { name = "long"; inherit = "nat"; priority = 100; match = { users = ["$DAVE"]; };
  network = { allow = ["10.99.0.5:5432"$(printf ', "[fd98:1111:2222:3333:4444:5555:6666:%s]:5432"' {1001..1500})]; }; } );
EOT
check "a list of 501 places is valid" ctl --config "$CONF" check
HELD+=(long)
check "a login with it" hold long dave
check "its rules are many" test "$(cat "$RUN"/net/*[0-9a-f] | wc -c)" -gt 66000
check "a sweep" helper sweep
check_answers "leaves its rules" long long <<-EOT
	198.51.100.1 tcp 10.99.0.5 5432
	no tcp 198.51.100.2 8080
EOT
release long
rm -f "$CONF/policy.d/61-long.conf"

# What is left.
echo 0123456789012345678901234567890 | cut -c1-12 >"$RUN/net/00f0"
check_equal "doctor sees the address of a cell that is no more" leftover-address "$(diagnose)"
check "a sweep" helper sweep
check_fails "frees the address of a cell that is no more" test -e "$RUN/net/00f0"
check_matches "the record names the port" "\"port\": \"$NAME-" "$(cat "$RUN"/cells/*.json)"
check_matches "the rate is on the host's end" "tbf .* rate 83[0-9]+Kbit|tbf .* rate 8388608bit|tbf .* rate 8388Kbit" \
	"$(tc qdisc show | grep "$NAME-")"
connections() {
	grep "src=$alice4 " /proc/net/nf_conntrack
}
printf 'tcp 198.51.100.2 8080\n' | held alice -- "$nat" try fresh >/dev/null
[ ! -e /proc/net/nf_conntrack ] || check "the kernel knows its connections" connections
release alice bob carol
wait_for nothing_runs
check_fails "a closed cell leaves no connection" connections
check_equal "a closed cell leaves no port" "" "$(ip -o link show | grep "$NAME-")"
check_lacks "and no rules" 'chain [ci]-' "$(nft list table inet "$NAME"; nft list table netdev "$NAME")"
check_equal "and no address taken" "" "$(addresses_taken)"

# A bridge of that name which is another's.
ip link delete "$BRIDGE"
ip link add "$BRIDGE" address 02:00:00:00:00:99 type bridge
check_refused "with a bridge of another's" alice 'stage=network' 'key=network.name' "a device $BRIDGE is there, and it is not Cloister's"
check_lacks "which stays as it is" "$PREFIX" "$(ip addr show "$BRIDGE")"
ip link delete "$BRIDGE"

# A crash, after the name was changed.
check "a login" hold alice alice
settings <<EOT
deadline = 60;
network = { name = "${NAME}b"; pool = "$POOL"; pool6 = "$POOL6"; };
EOT
rm -f "$RUN"/cells/*
check "a sweep" helper sweep
check_lacks "finds the rules in the tables of the old name" 'chain [ci]-' \
	"$(nft list table inet "$NAME"; nft list table netdev "$NAME")"
check_equal "and the port, and the address" "" "$(ip -o link show | grep "$NAME-")$(addresses_taken)"
release alice
wait_for no_processes

# A full pool, of the size that it has unless set; in a guest, which is slow, of a smaller one.
[ "$SITE_MODE" = private ] && size=20 || size=24
settings <<EOT
deadline = 60;
network = { name = "$NAME"; pool = "100.64.112.0/$size"; };
EOT
check "a login with a pool of $((2 ** (32 - size) - 3)) addresses" hold alice alice
id=$(basename "$(find "$RUN/cells" -name '*.json')" .json)
fill() { # ID: of whom all free addresses are
	python3 - "$RUN/net" "$1" "$size" <<-'EOT'
		import os, sys
		for slot in range(2, 2 ** (32 - int(sys.argv[3])) - 1):
		    path = f"{sys.argv[1]}/{slot:04x}"
		    if not os.path.exists(path) or not open(path).read().count("rule"):
		        open(path, "w").write(sys.argv[2] + "\n")
	EOT
}
fill "$id"
check_refused "when all addresses are taken" bob 'stage=network' 'key=network.pool \(.*/cloister\.conf:[0-9]+\)' "all addresses of 100.64.112.0/$size are taken"
check_equal "doctor sees it" nat-pool "$(diagnose)"
fill "$(echo 0123456789012345678901234567890 | cut -c1-"${#id}")"
check "addresses of cells that are no more are free" hold bob bob
check "a sweep" helper sweep
check_equal "frees all of them" 2 "$(find "$RUN/net" -name '[0-9a-f]*' ! -name '*.resolv' | wc -l)"
check_answers "and of use, without IPv6" bob last <<-EOT
	198.51.100.1 tcp 198.51.100.2 8080
	no tcp 2001:db8:60::2 8080
EOT
done_testing
