#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a tenant who may make user namespaces tries from inside one, with every capability over it: a line for each
# attempt, "NAME: ok" or "NAME: ERRNO". What is to come of it is 64-nested.sh's to say.
#
#   attempts FILE FOLDER  in new user, mount, ipc, uts and net namespaces, as their root
#   depth                 how many user namespaces fit into each other
#   map MAP               a new user namespace with this uid_map: ok or the errno
#   proc                  in new user, mount and pid namespaces: a proc of their own

import ctypes
import errno
import os
import sys

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, DETACH = 1, 2, 4, 8, 32, 4096, 16384, 2
BPF, KEYCTL, PERF_EVENT_OPEN, IO_URING_SETUP, OPEN_TREE, MOUNT_SETATTR = 321, 250, 298, 425, 428, 442

libc = ctypes.CDLL(None, use_errno=True)
UID, GID = os.getuid(), os.getgid()
if UID == 0:
    sys.exit("not for the host's root")


def call(function, *arguments):
    def text(argument):
        return argument.encode() if isinstance(argument, str) else argument

    if function(*[text(argument) for argument in arguments]) < 0:
        raise OSError(ctypes.get_errno(), "")


def number(*arguments):
    call(libc.syscall, *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])


def mount(source, target, fstype, flags=0, data=None):
    call(libc.mount, source, target, fstype, ctypes.c_ulong(flags), data)


def unmount(target):
    call(libc.umount2, target, DETACH)


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def read(path):
    with open(path, "rb") as file:
        return file.read(1)


def attempt(name, function, *arguments):
    try:
        result = function(*arguments)
        print("%s: %s" % (name, result if isinstance(result, str) else "ok"))
    except OSError as error:
        print("%s: %s" % (name, errno.errorcode.get(error.errno, error.errno)))


def unshare(flags, uid=0, gid=0, uid_map=None):
    call(libc.unshare, flags)
    if flags & NEWUSER:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", uid_map or "%d %d 1" % (uid, UID))
        write("/proc/self/gid_map", "%d %d 1" % (gid, GID))


def points(below="/"):
    with open("/proc/self/mountinfo") as lines:
        found = [line.split()[4] for line in lines]
    return [point for point in found if point != "/" and point.startswith(below)]


def unmount_all(found):
    """The names of those that went, the last one mounted first."""
    gone = []
    for point in reversed(found):
        try:
            unmount(point)
            gone.append(point)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EACCES):
                gone.append("%s %s" % (point, errno.errorcode[error.errno]))
    return " ".join(gone) or "none of %s" % ("many" if len(found) > 10 else "too few")


def folder(name):
    os.mkdir("/tmp/" + name)
    return "/tmp/" + name


def copy_of_root(covers):
    target = folder("copy")
    mount("/", target, None, BIND | REC)
    return unmount_all([point for point in points(target + "/") if point[len(target):] in covers])


def see(folder_, name, *paths):
    """Mounts an overlay, and says what of the hidden it shows."""
    mount("overlay", folder(name), "overlay", 0, "lowerdir=" + folder_)
    return "shows " + " ".join(path for path in paths if os.path.exists("/tmp/%s/%s" % (name, path)))


def open_through_overlay(below):
    for name in ("upper", "work", "merged"):
        folder(name)
    mount("overlay", "/tmp/merged", "overlay", 0, "lowerdir=%s,upperdir=/tmp/upper,workdir=/tmp/work" % below)
    with open("/tmp/merged/everyone"):
        pass
    read("/tmp/merged/root")


def set_attributes(path, set_, clear):
    attributes = (ctypes.c_uint64 * 4)(set_, clear, 0, 0)
    number(MOUNT_SETATTR, -100, ctypes.c_char_p(path.encode()), 0, attributes, 32)


def own_cgroup_namespace(before):
    """What a cgroup2 of a cgroup namespace of its own lets one do: only what the cell's own tree is."""
    call(libc.unshare, NEWCGROUP)
    mount("none", folder("cgroup"), "cgroup2")
    for what in (lambda: os.mkdir("/tmp/cgroup/mine"), lambda: write("/tmp/cgroup/cgroup.procs", "0"),
                 lambda: write("/tmp/cgroup/../cgroup/cgroup.procs", "0"),
                 lambda: write("/tmp/cgroup/pids.max", "max"), lambda: write("/tmp/cgroup/memory.max", "max")):
        try:
            what()
            return "gave way"
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.ENOENT, errno.EROFS):
                raise
    return before


def attempts(secret, below):
    outside = {kind: os.open("/proc/self/ns/" + kind, os.O_RDONLY) for kind in ("user", "mnt", "net", "pid")}
    unshare(NEWUSER)
    # Over what is still the cell's, its root is nobody.
    attempt("mount in the cell's namespace", mount, "none", "/tmp", "tmpfs")
    attempt("unmount in the cell's namespace", unmount, "/proc/sys")
    attempt("rename the cell", call, libc.sethostname, "x", 1)
    attempt("cgroup2 of the cell's namespace", mount, "none", "/tmp", "cgroup2")
    unshare(NEWNS | NEWIPC | NEWUTS | NEWNET)
    covers = points()
    attempt("uid", lambda: str(os.getuid()))
    attempt("tmpfs", mount, "none", folder("tmpfs"), "tmpfs")
    attempt("bind", mount, "/usr", folder("usr"), None, BIND)
    attempt("devpts of its own", mount, "none", folder("pts"), "devpts", 0, "newinstance")
    attempt("hostname of its own", call, libc.sethostname, "nested", 6)

    attempt("proc", mount, "proc", folder("proc"), "proc", NOSUID | NODEV | NOEXEC)
    attempt("sysfs", mount, "sysfs", folder("sysfs"), "sysfs", NOSUID | NODEV | NOEXEC | RDONLY)
    attempt("proc without what covers it", mount, "/proc", folder("proc-alone"), None, BIND)
    attempt("root without what covers it", mount, "/", folder("root-alone"), None, BIND)
    attempt("root without what covers it, by open_tree", number, OPEN_TREE, -100, ctypes.c_char_p(b"/"), 1)
    attempt("root without what covers it, by overlay", see, "/", "over", secret.strip("/"))
    attempt("unmounted", unmount_all, covers)
    attempt("unmounted of a copy", copy_of_root, covers)
    attempt("move what covers", mount, "/proc/sys", folder("moved"), None, 8192)
    for path in ("/", "/home", "/proc", "/tmp"):
        attempt("nosuid off %s" % path, set_attributes, path, 0, NOSUID)
    attempt("nodev off /tmp", set_attributes, "/tmp", 0, NODEV)
    attempt("writable /proc/sys", set_attributes, "/proc/sys", 0, RDONLY)
    attempt("writable /sys", mount, None, "/sys", None, REMOUNT | BIND)
    attempt("a disk", mount, "/dev/null", folder("disk"), "ext4")
    attempt("a device", os.mknod, "/tmp/tmpfs/device", 0o60666, os.makedev(8, 0))
    attempt("read a secret", read, secret)
    attempt("read shadow", read, "/etc/shadow")
    attempt("read a file of root's by overlay", open_through_overlay, below)
    attempt("own a file of root's", os.chown, "/etc/hosts", 0, 0)
    for kind, descriptor in outside.items():
        attempt("return to the cell's %s" % kind, call, libc.setns, descriptor, 0)
    attempt("namespaces of pid 1", os.open, "/proc/1/ns/mnt", os.O_RDONLY)
    attempt("signal pid 1", os.kill, 1, 9)
    attempt("sysctl", write, "/proc/sys/kernel/core_pattern", "|/bin/false")
    attempt("bpf", number, BPF, 0, 0, 0)
    attempt("keyctl", number, KEYCTL, 1, 0)
    attempt("perf", number, PERF_EVENT_OPEN, 0, 0, 0, -1, 0)
    attempt("io_uring", number, IO_URING_SETUP, 1, 0)
    attempt("cgroup2 of its own namespace", own_cgroup_namespace, "kept out")


def depth():
    deep = 0
    try:
        while deep < 64:
            unshare(NEWUSER, UID, GID)
            deep += 1
    except OSError as error:
        print("%d %s" % (deep, errno.errorcode[error.errno]))


def proc():
    unshare(NEWUSER | NEWNS | NEWPID)
    pid = os.fork()
    if pid == 0:
        attempt("proc", mount, "proc", folder("own-proc"), "proc", NOSUID | NODEV | NOEXEC)
        attempt("pid", lambda: os.readlink("/tmp/own-proc/self"))
        attempt("sysrq", write, "/tmp/own-proc/sysrq-trigger", "h")
        attempt("kcore", read, "/tmp/own-proc/kcore")
        attempt("sysctl", write, "/tmp/own-proc/sys/kernel/core_pattern", "|/bin/false")
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(pid, 0)


command = sys.argv[1]
if command == "attempts":
    attempts(*sys.argv[2:])
elif command == "depth":
    depth()
elif command == "map":
    attempt("map", unshare, NEWUSER, 0, 0, sys.argv[2])
elif command == "proc":
    proc()
