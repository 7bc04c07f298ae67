#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the tests of network.mode = "nat".
#
#   serve LOG PORT...        TCP and UDP, IPv4 and IPv6, on all addresses: tells each client the address that it comes
#                            from (on port 53, a resolver the address of any name), and writes "PROTOCOL PORT ADDRESS TEXT" of it to LOG; prints "ready"
#   try TEXT <QUESTIONS      each line "PROTOCOL ADDRESS PORT" or "ping ADDRESS 0", all at once; prints each with "ok ANSWER" or "no WHY"
#   spoof TEXT DEVICE <FRAMES
#                            each line "DESTINATION-MAC SOURCE-MAC SOURCE DESTINATION PORT": a UDP datagram with TEXT, past the
#                            kernel's own stack; and false ARP replies for each source
#   flood ADDRESS PORT COUNT as many connections, by one UDP datagram each
#   sniff DEVICE SECONDS     prints the addresses of the packets that are seen and are not our own

import os
import socket
import struct
import sys
import threading
import time

PATIENCE = float(os.environ.get("PATIENCE", "4"))


def serve(log, *ports):
    out = open(log, "a", buffering=1)

    def note(protocol, port, peer, text):
        out.write(f"{protocol} {port} {peer.removeprefix('::ffff:')} {text.decode(errors='replace').strip()}\n")

    def answer(port, peer, text):
        if port != 53 or len(text) < 17 or text[4:6] != b"\0\1":
            return peer.removeprefix("::ffff:").encode()
        end = text.index(b"\0", 12) + 5  # a question of DNS: the address of the outside for A, nothing else for others
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton("198.51.100.2")
        is_a = text[end - 4 : end - 2] == b"\0\1"
        return text[:2] + b"\x81\x80\0\1\0" + (b"\1" if is_a else b"\0") + bytes(4) + text[12:end] + record * is_a

    def tcp(port):
        server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        while True:
            client, peer = server.accept()
            client.settimeout(10)
            try:
                note("tcp", port, peer[0], client.recv(100))
                client.sendall(peer[0].removeprefix("::ffff:").encode())
            except OSError:
                pass
            client.close()

    def udp(port):
        server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        server.bind(("::", port))
        while True:
            text, control, _, peer = server.recvmsg(2000, 100)
            note("udp", port, peer[0], text)
            own = [(*item[:2], item[2][:16] + bytes(4)) for item in control]  # answer from where it was sent to
            try:
                server.sendmsg([answer(port, peer[0], text)], own, 0, peer)
            except OSError:
                pass

    for port in map(int, ports):
        for run in (tcp, udp):
            threading.Thread(target=run, args=(port,)).start()
    time.sleep(0.5)
    print("ready", flush=True)


def ping(address, text):
    six = ":" in address
    with socket.socket(
        socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    ) as sock:
        sock.settimeout(PATIENCE)
        sock.connect((address, 0))
        sock.send(struct.pack("!BBHHH", 128 if six else 8, 0, 0, 0, 1) + text.encode())
        return "pong" if sock.recv(100)[8:] == text.encode() else "?"


def ask(protocol, address, port, text):
    if protocol == "ping":
        return ping(address, text)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(family, kind) as sock:
        sock.settimeout(PATIENCE)
        sock.connect((address, int(port)))
        sock.sendall(text.encode())
        return sock.recv(100).decode()


def attempt(text):
    lines = [line.split() for line in sys.stdin if line.strip()]
    answers = {}

    def one(line):
        start = time.monotonic()
        try:
            answers[tuple(line)] = "ok " + ask(*line, text)
        except OSError as error:
            answers[tuple(line)] = f"no {error}, after {time.monotonic() - start:.0f} s"

    threads = [threading.Thread(target=one, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for line in lines:
        print(*line, answers[tuple(line)])


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def datagram(source, destination, port, text):
    udp = struct.pack("!4H", 4242, port, 8 + len(text), 0) + text
    if ":" in source:
        head = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, destination)
        padded = udp + b"\0" * (len(udp) % 2)
        udp = udp[:6] + struct.pack("!H", checksum(head + struct.pack("!II", len(udp), 17) + padded)) + udp[8:]
        return 0x86DD, struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + head + udp
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 7, 0, 64, 17, 0)
    head += socket.inet_aton(source) + socket.inet_aton(destination)
    return 0x0800, head[:10] + struct.pack("!H", checksum(head)) + head[12:] + udp


def spoof(text, device):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((device, 0))
    for line in sys.stdin:
        to, by, source, destination, port = line.split()
        kind, packet = datagram(source, destination, int(port), text.encode())
        if ":" not in source:
            arp = struct.pack("!HHBBH", 1, 0x800, 6, 4, 2) + mac(by) + socket.inet_aton(source)
            arp += mac(to) + socket.inet_aton(destination)
            sock.send(mac(to) + mac(by) + b"\x08\x06" + arp)
            sock.send(b"\xff" * 6 + mac(by) + b"\x08\x06" + arp)
        sock.send(mac(to) + mac(by) + struct.pack("!H", kind) + packet)
        sock.send(mac(to) + mac(by) + struct.pack("!HHH", 0x8100, 0, kind) + packet)
    print("sent")


def flood(address, port, count):
    for source in range(10000, 10000 + int(count)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("", source))
            try:
                sock.sendto(b"flood", (address, int(port)))
            except OSError:
                pass
    print("sent")


def sniff(device, seconds):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind((device, 0))
    own = open(f"/sys/class/net/{device}/address").read().strip()
    until = time.monotonic() + float(seconds)
    print("ready", flush=True)
    while (left := until - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            frame, address = sock.recvfrom(2000)
        except TimeoutError:
            break
        if address[2] != socket.PACKET_OUTGOING and frame[6:12] != mac(own):
            print(frame[0:6].hex(":"), frame[6:12].hex(":"), frame[12:14].hex(), flush=True)


if __name__ == "__main__":
    {"serve": serve, "try": attempt, "spoof": spoof, "flood": flood, "sniff": sniff}[sys.argv[1]](*sys.argv[2:])
