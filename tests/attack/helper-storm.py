#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# helper-storm.py HELPER COMMAND TRIES SEED: a local user starts the setuid helper, and `cloister run`, in all the ways that the
# kernel lets a user choose for a setuid program: limits, descriptors, masks, signals, timers, folders, arguments, environment;
# and stops or kills what was started, at any moment. What ran must have been in a cell; nothing may stay for long, and no file
# may turn up. Prints what went wrong, and last how many tries there were and how they ended; with status 1 if any went wrong.

import ctypes, os, random, resource, select, shutil, signal, sys, tempfile, time

HELPER, COMMAND, TRIES, SEED = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
HANG_SECONDS = 90
PR_SET_CHILD_SUBREAPER = 36
HOST = os.readlink("/proc/self/ns/pid")
# A limit may end any of these programs: then it says nothing.
SCRIPT = "echo GOT uid=$(id -u) caps=$(sed -n 's/^CapPrm:.//p' /proc/self/status) pid=$(readlink /proc/self/ns/pid)"
rng = random.Random(SEED)

LIMITS = [
    (resource.RLIMIT_NOFILE, list(range(3, 21))),
    (resource.RLIMIT_FSIZE, [0, 1, 4096]),
    (resource.RLIMIT_AS, [1 << 20, 8 << 20, 64 << 20]),
    (resource.RLIMIT_DATA, [0, 1 << 20, 16 << 20]),
    (resource.RLIMIT_STACK, [16 << 10, 128 << 10, 1 << 20]),
    (resource.RLIMIT_NPROC, [0, 1, 5]),
    (resource.RLIMIT_CPU, [0, 1]),
    (resource.RLIMIT_MEMLOCK, [0]),
    (resource.RLIMIT_MSGQUEUE, [0]),
    (resource.RLIMIT_SIGPENDING, [0]),
    (resource.RLIMIT_NICE, [0]),
    (resource.RLIMIT_CORE, [resource.RLIM_INFINITY]),
]
ENVIRONMENT = {
    "LD_PRELOAD": "/tmp/evil.so", "LD_LIBRARY_PATH": ".", "LD_AUDIT": "evil.so", "GCONV_PATH": ".", "LOCPATH": ".",
    "GLIBC_TUNABLES": "glibc.malloc.check=3", "MALLOC_CHECK_": "3", "TZ": "/etc/shadow", "TMPDIR": ".", "NLSPATH": "%N",
    "PATH": ".:/tmp", "HOME": "/root", "IFS": "/", "SHELLOPTS": "xtrace", "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=./bus",
    "SYSTEMD_LOG_LEVEL": "debug", "NOTIFY_SOCKET": "./notify", "LISTEN_FDS": "3", "LIBSECCOMP_LOG": "1", "NFT": "x",
}


def words():
    """Arguments of the helper: its verbs, and what they do not expect."""
    verbs = ["run", "handoff", "end", "status", "sweep", "enter", "kill", "exempt", "", "--help", "../x"]
    rest = ["", "-", "0", "root", "aaaaaaaaaaaa", "../../etc/passwd", "%n%s", "\n", "x" * 100000, "\xff\xfe"]
    return [rng.choice(verbs)] + [rng.choice(rest) for _ in range(rng.choice([0, 0, 1, 1, 2, 500]))]


def plan():
    run = rng.random() < 0.6
    argv = [COMMAND, "run", "--", "/bin/sh", "-c", SCRIPT] if run else [HELPER] + words()
    env = {k: v for k, v in ENVIRONMENT.items() if rng.random() < 0.3}
    if rng.random() < 0.2:
        env.update({f"X{i}": "y" * 100000 for i in range(rng.randrange(12))})
    calm = run and rng.random() < 0.25
    return {
        "argv": argv if rng.random() > 0.02 else [],
        "path": argv[0],
        "env": env,
        "limits": [] if calm else [(r, rng.choice(v)) for r, v in LIMITS if rng.random() < 0.2],
        "close": [] if calm else [fd for fd in (0, 1, 2) if rng.random() < 0.15],
        "fill": rng.choice([0, 0, 0, 200]),
        "umask": rng.choice([0, 0o22, 0o777]),
        "ignored": rng.random() < 0.3,
        "blocked": rng.random() < 0.3,
        "timer": rng.choice([0, 0, 0, rng.random() / 3 + 0.001]),
        "folder": rng.choice(["here", "gone", "shut", "root"]),
        "signal": rng.choice([None, None, signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGHUP]),
        "after": rng.choice([0, rng.random() / 50, rng.random() / 5, rng.random()]),
    }


def child(p, out):
    """Never returns."""
    os.setsid()
    null = os.open("/dev/null", os.O_RDWR)
    for fd, source in ((0, null), (1, out), (2, null)):
        os.dup2(source, fd)
    for _ in range(p["fill"]):
        os.set_inheritable(os.dup(null), True)
    if p["folder"] == "gone":
        os.mkdir("gone"); os.chdir("gone"); os.rmdir("../gone")
    elif p["folder"] == "shut":
        os.mkdir("shut"); os.chdir("shut"); os.chmod(".", 0)
    elif p["folder"] == "root":
        os.chdir("/")
    if p["ignored"]:
        for s in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(s, signal.SIG_IGN)
    if p["blocked"]:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    os.umask(p["umask"])
    for fd in p["close"]:
        os.close(fd)
    if p["timer"]:
        signal.setitimer(signal.ITIMER_REAL, p["timer"])
    for which, value in p["limits"]:
        resource.setrlimit(which, (value, value))
    os.execve(p["path"], p["argv"] or [""], p["env"])


def watch(pid, out, p):
    """Signals it, and reads until it and all that hold its output have ended. (output, hung)"""
    begin, output, sent, stopped, ended = time.monotonic(), b"", p["signal"] is None, None, False
    while time.monotonic() - begin < HANG_SECONDS:
        now = time.monotonic() - begin
        if not sent and now >= p["after"] and not ended:
            sent = True
            try:
                os.kill(pid, p["signal"])
                stopped = now if p["signal"] == signal.SIGSTOP else None
            except PermissionError:
                pass  # root's by now, as it should be
        if stopped is not None and now >= stopped + 0.3 and not ended:
            stopped = None
            try:
                os.kill(pid, rng.choice([signal.SIGCONT, signal.SIGKILL]))
                os.kill(pid, signal.SIGCONT)
            except PermissionError:
                pass
        if not ended:
            ended = os.waitpid(pid, os.WNOHANG)[0] == pid
        if select.select([out], [], [], 0.005)[0]:
            block = os.read(out, 65536)
            if not block:
                if ended:
                    return output, False
                time.sleep(0.005)
            output += block
    return output, True


def judge(output, folder):
    """What is wrong with the outcome, or None."""
    for line in output.decode("latin-1").splitlines():
        if line.startswith("GOT "):
            got = dict(word.split("=", 1) for word in line.split()[1:])
            if got["uid"] not in ("", str(os.getuid())) or got["caps"].strip("0") or got["pid"] == HOST:
                return "ran with " + line
    for base, folders, files in os.walk(folder):
        if files or any(os.lstat(os.path.join(base, d)).st_uid != os.getuid() for d in folders):
            return "left files: " + " ".join(files + folders)
    return None


def reap(seconds):
    """Orphans of what was killed are ours. How many do not end in this time?"""
    until = time.monotonic() + seconds
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                if time.monotonic() >= until:
                    with open(f"/proc/self/task/{os.getpid()}/children") as children:
                        return len(children.read().split())
                time.sleep(0.02)
        except ChildProcessError:
            return 0


def main():
    ran = wrong = 0
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in range(TRIES):
        p, folder = plan(), tempfile.mkdtemp(prefix="storm-", dir=os.environ.get("STORM_DIR", "/tmp"))
        os.chdir(folder)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                child(p, writer)
            finally:
                os._exit(99)
        os.close(writer)
        output, hung = watch(pid, reader, p)
        os.close(reader)
        trouble = "does not end" if hung else judge(output, folder)
        ran += b"GOT " in output
        if trouble:
            wrong += 1
            shown = {k: v for k, v in p.items() if k != "env"}
            print(f"WRONG seed {SEED} try {number}: {trouble}: {str(shown)[:300]}", flush=True)
        reap(0)
        os.chdir("/")
        for d in os.listdir(folder):
            os.chmod(os.path.join(folder, d), 0o700)
        shutil.rmtree(folder)
    left = reap(HANG_SECONDS)
    if left:
        wrong += 1
        print(f"WRONG seed {SEED}: {left} processes do not end", flush=True)
    print(f"{TRIES} tries: {ran} ran in a cell, {wrong} wrong", flush=True)
    return 1 if wrong else 0


sys.exit(main())
