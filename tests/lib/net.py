#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Small servers and clients for the tests, on a host or in a cell.
#
#   listen TEXT                     a server on 127.0.0.1: prints its port, answers each connection with TEXT
#   listen-unix PATH TEXT           the same on a Unix socket
#   ask PORT | ask-unix PATH        prints what the server says; exits 1 when nothing answers
#   ask-socks PROXYPORT PORT        the same for 127.0.0.1:PORT, through a SOCKS 5 proxy
#   bind PORT                       exits 0 when it may bind 127.0.0.1:PORT
#   listening PORT                  exits 0 when something listens on that TCP port here
#   x-server PATH                   an X server's socket: prints the cookie of the first client, answers "ok"
#   x-client PORT COOKIE            an X client of 127.0.0.1:PORT, prints the answer
#   errno NUMBER                    makes the system call with arguments 0 0 -1 -1 0, prints errno

import ctypes
import os
import socket
import struct
import sys

LIMIT = 30  # seconds that a connection may stay silent


def serve(sock, text):
    sock.listen(16)
    while True:
        peer = sock.accept()[0]
        peer.sendall(text.encode() + b"\n")
        peer.close()


def listen(text):
    sock = socket.create_server(("127.0.0.1", 0))
    print(sock.getsockname()[1], flush=True)
    serve(sock, text)


def listen_unix(path, text):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    os.chmod(path, 0o777)
    print("ready", flush=True)
    serve(sock, text)


def read_all(sock):
    sock.settimeout(LIMIT)
    data = b""
    while chunk := sock.recv(4096):
        data += chunk
    return data


def answer(sock):
    data = read_all(sock)
    sys.stdout.write(data.decode())
    return 0 if data else 1


def ask(port):
    return answer(socket.create_connection(("127.0.0.1", int(port)), LIMIT))


def ask_unix(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    return answer(sock)


def ask_socks(proxy, port):
    sock = socket.create_connection(("127.0.0.1", int(proxy)), LIMIT)
    sock.sendall(b"\5\1\0")
    if sock.recv(2) != b"\5\0":
        return 1
    sock.sendall(b"\5\1\0\1" + socket.inet_aton("127.0.0.1") + struct.pack("!H", int(port)))
    reply = sock.recv(10)
    return answer(sock) if reply[1:2] == b"\0" else 1


def bind(port):
    socket.create_server(("127.0.0.1", int(port))).close()


def listening(port):
    wanted = f":{int(port):04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):
            with open(table, encoding="ascii") as file:
                for fields in map(str.split, file):
                    if fields[1].endswith(wanted) and fields[3] == "0A":
                        return 0
    return 1


def pad(data):
    return data + bytes(-len(data) % 4)


PROTOCOL = b"MIT-MAGIC-COOKIE-1"


def x_server(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    sock.listen(1)
    print("ready", flush=True)
    peer = sock.accept()[0]
    peer.settimeout(LIMIT)
    head = peer.recv(12, socket.MSG_WAITALL)
    order = "<" if head[:1] == b"l" else ">"
    name, data = struct.unpack(order + "HH", head[6:10])
    rest = peer.recv(name + -name % 4 + data + -data % 4, socket.MSG_WAITALL)
    print(rest[name + -name % 4 :][:data].hex(), flush=True)
    peer.sendall(b"ok")


def x_client(port, cookie):
    sock = socket.create_connection(("127.0.0.1", int(port)), LIMIT)
    data = bytes.fromhex(cookie)
    sock.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(PROTOCOL), len(data)) + pad(PROTOCOL) + pad(data))
    return answer(sock)


def errno(number):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall(int(number), 0, 0, -1, -1, 0)
    print(ctypes.get_errno())


def main():
    try:
        return globals()[sys.argv[1].replace("-", "_")](*sys.argv[2:])
    except OSError as error:
        print(error, file=sys.stderr)
        return 1


sys.exit(main())
