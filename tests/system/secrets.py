#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# secrets.py listen PATH...       as root: a socket at each path that is free, for everyone; prints "ready" once, and the paths
# secrets.py reach NAME PID PORT PATH...        what of the host the caller reaches, a line each: the path, or a name from the list below
# secrets.py hold NAME            as a neighbour, until standard input ends: sockets, memory, files, a process that anyone may
#                                 use; prints its pid and port

import ctypes
import errno
import os
import signal
import socket
import stat
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET)
SHM_KEY, SHM_SIZE, IPC_CREAT = 0x434C0001, 4096, 0o1000
FOLDERS = ("/dev/shm/", "/tmp/", "/var/tmp/")
SYSLOG_ACTION_READ_ALL = 3
SYS_BPF, SYS_PERF_EVENT_OPEN = 321, 298


def connects(address, family=socket.AF_UNIX, kinds=KINDS):
    for kind in kinds:
        with socket.socket(family, kind) as sock:
            sock.settimeout(2)
            try:
                sock.connect(address)
                return True
            except OSError:
                pass
    return False


def reads(path):
    """A socket that answers, a folder with something in it, a file or device with a byte in it."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISSOCK(mode):
            return connects(path)
        if stat.S_ISDIR(mode):
            return bool(os.listdir(path))
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return bool(os.read(fd, 1))
    except OSError as e:
        return e.errno == errno.EAGAIN
    finally:
        os.close(fd)


def kernel_log():
    return LIBC.klogctl(SYSLOG_ACTION_READ_ALL, ctypes.create_string_buffer(4096), 4096) > 0


def segment():
    return LIBC.shmget(SHM_KEY, SHM_SIZE, 0) >= 0


def queue(name):
    return LIBC.mq_open(b"/" + name.encode(), os.O_RDONLY) >= 0


def signals(pid):
    try:
        os.kill(pid, 0)
        return True
    except OSError:
        return False


def reach_kernel():
    yield "the kernel's log", kernel_log()
    yield "bpf(2)", LIBC.syscall(SYS_BPF, 0, 0, 0) >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS)
    yield "perf_event_open(2)", LIBC.syscall(SYS_PERF_EVENT_OPEN, 0, 0, -1, -1, 0) >= 0 or \
        ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS, errno.EACCES)


def reach_neighbour(name, pid, port):
    yield "a neighbour's abstract socket", connects("\0" + name)
    yield "a neighbour's port", connects(("127.0.0.1", port), socket.AF_INET, (socket.SOCK_STREAM,))
    yield "a neighbour's System V segment", segment()
    yield "a neighbour's POSIX queue", queue(name)
    yield "a neighbour's shared memory", reads("/dev/shm/" + name)
    yield "a neighbour's file in /tmp", reads("/tmp/" + name)
    yield "a neighbour's file in /var/tmp", reads("/var/tmp/" + name)
    yield "a neighbour's process, by a signal", signals(pid)
    yield "a neighbour's process, in /proc", reads("/proc/%d/cmdline" % pid)


def reach(name, pid, port, paths):
    for path in paths:
        if reads(path):
            print(path)
    for what, reached in [*reach_kernel(), *reach_neighbour(name, int(pid), int(port))]:
        if reached:
            print(what)


def listen(paths):
    sockets = []
    for path in paths:
        if not os.path.lexists(path):
            sock = socket.socket(socket.AF_UNIX)
            sock.bind(path)
            os.chmod(path, 0o666)
            sock.listen(64)
            sockets.append(sock)
            print("made", path, file=sys.stderr)
    print("ready", flush=True)
    signal.pause()


def write(path):
    with open(path, "w", encoding="ascii") as file:
        file.write("a secret\n")
    os.chmod(path, 0o644)


def hold(name):
    os.umask(0)
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind("\0" + name)
    abstract.listen(8)
    port = socket.socket()
    port.bind(("0.0.0.0", 0))
    port.listen(8)
    if LIBC.shmget(SHM_KEY, SHM_SIZE, IPC_CREAT | 0o666) < 0 or \
            LIBC.mq_open(b"/" + name.encode(), os.O_RDWR | os.O_CREAT, 0o666, None) < 0:
        raise OSError(ctypes.get_errno(), "shmget or mq_open")
    for folder in FOLDERS:
        write(folder + name)
    LIBC.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: whoever may, may
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        print(os.getpid(), port.getsockname()[1], flush=True)
        sys.stdin.read()
    finally:
        LIBC.mq_unlink(b"/" + name.encode())
        LIBC.shmctl(LIBC.shmget(SHM_KEY, SHM_SIZE, 0), 0, None)
        for folder in FOLDERS:
            os.unlink(folder + name)


def main():
    verb, arguments = sys.argv[1], sys.argv[2:]
    if verb == "listen":
        listen(arguments)
    elif verb == "hold":
        hold(*arguments)
    else:
        reach(*arguments[:3], arguments[3:])


main()
