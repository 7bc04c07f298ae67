#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the tests of network.mode = "nat": what real tools talk to.
#
#   certificate FOLDER NAME    an authority and a server's certificate of it: FOLDER/ca.pem, FOLDER/server.pem (with its key)
#   https PEM PORT FOLDER      serves the folder; prints "ready"
#   sink PORT                  takes what a client sends, on all addresses, and answers with its SHA-256; prints "ready"
#   push ADDRESS PORT BYTES    sends so many to a sink; prints "sent" if all has arrived as it was
#   socks PROXY ADDRESS PORT TEXT
#                              asks a server (nat.py serve) through the SOCKS proxy at that port; prints the answer, or "no WHY"

import datetime
import functools
import hashlib
import http.server
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading


def certificate(folder, name):
    make = by_openssl if shutil.which("openssl") else by_library
    make(folder, name)


def by_openssl(folder, name):
    def openssl(*arguments, **more):
        subprocess.run(["openssl", *arguments], check=True, cwd=folder, stderr=subprocess.DEVNULL, **more)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=test authority")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", f"/CN={name}")
    sign = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "/dev/stdin"]
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.crt", *sign, input=f"subjectAltName=DNS:{name}".encode())
    with open(f"{folder}/server.pem", "w") as out:
        for part in "server.crt", "server.key":
            out.write(open(f"{folder}/{part}").read())


def by_library(folder, name):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def subject(text):
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    def sign(who, key, issuer, issuer_key, extension):
        now = datetime.datetime.utcnow()
        builder = x509.CertificateBuilder(subject(issuer), subject(who), key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=30))
        made = builder.add_extension(extension, critical=True).sign(issuer_key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM)

    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    with open(f"{folder}/ca.pem", "wb") as out:
        out.write(sign("test authority", authority, "test authority", authority, x509.BasicConstraints(True, None)))
    with open(f"{folder}/server.pem", "wb") as out:
        out.write(sign(name, own, "test authority", authority, x509.SubjectAlternativeName([x509.DNSName(name)])))
        pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        out.write(own.private_bytes(pem, pkcs8, serialization.NoEncryption()))


def https(pem, port, folder):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    server = http.server.ThreadingHTTPServer(("", int(port)), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("ready", flush=True)
    server.serve_forever()


def sink(port):
    def take(client):
        seen = hashlib.sha256()
        while data := client.recv(65536):
            seen.update(data)
        client.sendall(seen.hexdigest().encode())
        client.close()

    server = socket.create_server(("::", int(port)), family=socket.AF_INET6, dualstack_ipv6=True)
    print("ready", flush=True)
    while True:
        threading.Thread(target=take, args=(server.accept()[0],)).start()


def push(address, port, count):
    data = os.urandom(int(count))
    with socket.create_connection((address, int(port)), timeout=60) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        print("sent" if sock.recv(100).decode() == hashlib.sha256(data).hexdigest() else "not what was sent")


def socks(proxy, address, port, text):
    try:
        with socket.create_connection(("127.0.0.1", int(proxy)), timeout=20) as sock:
            sock.sendall(b"\5\1\0")
            sock.recv(2)
            sock.sendall(b"\5\1\0\1" + socket.inet_aton(address) + struct.pack("!H", int(port)))
            code = sock.recv(10)[1:2]
            if code != b"\0":
                raise OSError(f"refused with {code}")
            sock.sendall(text.encode())
            print(sock.recv(100).decode())
    except OSError as error:
        print(f"no {error}")


if __name__ == "__main__":
    commands = {"certificate": certificate, "https": https, "sink": sink, "push": push, "socks": socks}
    commands[sys.argv[1]](*sys.argv[2:])
