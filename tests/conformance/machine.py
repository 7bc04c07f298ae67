# SPDX-License-Identifier: GPL-2.0-or-later
#
# What this machine says, always the kernel and root's records: processes, cells, and what a logout must not leave. Cell.judge()
# holds every process of a login against what `cloister explain` promises for it.

import functools
import glob
import json
import os
import re
import subprocess
import sys
import time

E = os.environ
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
import agree  # noqa: E402

NAMESPACES = ("user", "pid", "mnt", "ipc", "uts", "net", "cgroup")
TRIES = 20  # at least, before anything is given up
LIMIT = 60 if E["SITE_MODE"] == "private" else 150  # seconds for anything that a machine does in one


class Failed(Exception):
    """What a cell of the table does not hold."""


class CannotHold(Exception):
    """What makes no sense for this service, and why."""


class Lacking(Exception):
    """What this machine does not have."""


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=LIMIT, **options)


def read(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def read_bytes(path):
    """As read(), of one read(2): for what is asked of every process."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(fd, 8192)
    except OSError:
        return b""
    finally:
        os.close(fd)


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def wait_for(what, condition, limit=LIMIT):
    """The first true answer of condition(), asked often, if that is cheap, and for long: machines stand still at times."""
    until, tries = time.monotonic() + limit, 0
    while True:
        start = time.monotonic()
        answer = condition()
        if answer:
            return answer
        tries += 1
        if time.monotonic() > until and tries > TRIES:
            raise Failed("waited in vain for " + what)
        time.sleep(min(max(0.05, 2 * (time.monotonic() - start)), 1))


# Processes ----------------------------------------------------------------------------------------------------------

def namespaces(pid):
    return {name: link("/proc/%s/ns/%s" % (pid, name)) for name in NAMESPACES}


HOST = namespaces("self")


def limits_of(pid):
    return dict(re.findall(r"^(\S.*?) {2,}(\S+ +\S+)", read("/proc/%s/limits" % pid), re.M))


class Process:
    def __init__(self, pid):
        self.pid = pid
        self.status = dict(line.split(":\t", 1) for line in read("/proc/%s/status" % pid).splitlines() if ":\t" in line)
        self.uid = self.status.get("Uid", "-1").split()[0]
        self.name = self.status.get("Name", "")
        self.command = read("/proc/%s/cmdline" % pid).replace("\0", " ").strip()
        self.ns = None

    def look(self):
        """All that can be judged; False when it has ended meanwhile."""
        path = "/proc/%s/" % self.pid
        self.ns = namespaces(self.pid)
        self.children_ns = link(path + "ns/pid_for_children")
        self.label = read(path + "attr/current").strip("\0\n")
        self.oom = read(path + "oom_score_adj").strip()
        self.cgroup = next((line[3:] for line in read(path + "cgroup").splitlines() if line.startswith("0::")), "")
        self.limits = limits_of(self.pid)
        try:
            self.fds = {name: link(path + "fd/" + name) for name in os.listdir(path + "fd")}
        except OSError:
            return False
        return bool(self.ns["pid"]) and read(path + "stat").rpartition(")")[2].split()[:1] not in ([], ["Z"], ["X"])

    def __str__(self):
        return "%s (%s)" % (self.pid, self.command or self.name)


def pids():
    return [name for name in os.listdir("/proc") if name.isdigit()]


def uid_of(pid):
    """The real one; "" when the process has ended."""
    return (UID.search(read_bytes("/proc/%s/status" % pid)) or [b"", b""])[1].decode()


UID = re.compile(rb"^Uid:\t(\d+)", re.M)


def command_of(pid):
    return read_bytes("/proc/%s/cmdline" % pid).replace(b"\0", b" ").decode(errors="replace").strip()


def in_pid_namespace(ns):
    return [pid for pid in pids() if link("/proc/%s/ns/pid" % pid) == ns]


# What the machine has -------------------------------------------------------------------------------------------------

def has_apparmor():
    return read("/sys/module/apparmor/parameters/enabled").strip() == "Y"


def cgroup_root():
    return run("findmnt", "-n", "-t", "cgroup2", "-o", "TARGET").stdout.partition("\n")[0]


HAS_APPARMOR, CGROUPS = has_apparmor(), cgroup_root()
HAS_UTMP = os.path.isdir("/run/systemd/system") or read("/run/utmp") != ""
MAY_RAISE_LIMITS = int(re.search(r"^CapEff:\s*(\w+)", read("/proc/self/status"), re.M).group(1), 16) & agree.mask(["SYS_RESOURCE"]) != 0
HAS_CGROUPS = "memory" in read(CGROUPS + "/cgroup.controllers").split()


def lacks():
    """Layers that this kernel does not have: {assertion: reason}."""
    found = {}
    if not HAS_APPARMOR:
        found["AppArmor label"] = "no AppArmor in this kernel"
    if not HAS_CGROUPS:
        found["cgroup"] = "this kernel's cgroup v2 has no controllers"
    if not HAS_UTMP:
        found["utmp line"] = "neither utmp nor logind here"
    if not MAY_RAISE_LIMITS:
        found["resource limits of cloister run"] = "root lacks CAP_SYS_RESOURCE here"
    return found


def mounts():
    """Of the host: ours, and those of process 1. logind mounts and unmounts /run/user/UID in its own time."""
    found = set()
    for pid in ("self", "1"):
        for line in read("/proc/%s/mountinfo" % pid).splitlines():
            where = line.split()[4]
            if not where.startswith("/run/user/") and not where.startswith(E["WORK"] + "/"):
                found.add(line)
    return found


MOUNTS = mounts()


def utmp_lines(user):
    return {line.split()[1] for line in run("who").stdout.splitlines() if line.split()[0] == user}


def logged_in(user, line, opener):
    """Does the host have the user logged in there? By utmp, or logind's sessions; where there is no utmp any more, those of
    sshd do not name the terminal, but the process."""
    if line in utmp_lines(user):
        return True
    if not os.path.isdir("/run/systemd/system"):
        return False
    names = {line} if os.path.exists("/run/utmp") else {line, opener}
    sessions = [text.split() for text in run("loginctl", "list-sessions", "--no-legend").stdout.splitlines()]
    return any(user in words and names & set(words) for words in sessions)


def ctl(*arguments):
    return run(E["CTL"], *arguments)


def told(*arguments):
    """What the command says as JSON."""
    answer = ctl(*arguments, "--json")
    try:
        return json.loads(answer.stdout)
    except ValueError:
        words = (" ".join(arguments), answer.returncode, answer.stdout + answer.stderr)
        raise Failed("cloister %s: status %s: %s" % words) from None


def cells(user):
    return [cell for cell in told("list") if cell["user"] == user]


class Log:
    """What Cloister logged since the mark: in the journal, or in the file that tests/lib/logs.sh found."""

    def __init__(self):
        self.path = E["SITE_LOG"]
        if self.path == "journal":
            run("journalctl", "--sync")
            self.mark = re.search(r"^-- cursor: (.*)", run("journalctl", "-q", "-n", "1", "-o", "cat", "--show-cursor").stdout, re.M).group(1)
        else:
            self.mark = os.stat(self.path).st_size

    def lines(self, regex):
        if self.path == "journal":
            run("journalctl", "--sync")
            text = run("journalctl", "-q", "--no-pager", "-o", "short", "--after-cursor", self.mark).stdout
        else:
            with open(self.path, errors="replace") as file:
                file.seek(self.mark)
                text = file.read()
        return [line for line in text.splitlines() if re.search(regex, line)]


# Cells ----------------------------------------------------------------------------------------------------------------

# A process of sshd, tmux and the like has files of its own; none may be of the host's state, or lead out of the cell.
AT_JOB = re.compile(r"^/var/spool/cron/atjobs/[a-zA-Z][0-9a-f]+( \(deleted\))?$")  # what atd has a job read
SUSPECT = re.compile(r"^(/proc/|mnt:|user:|pid:|net:|ipc:|uts:|cgroup:|time:|anon_inode:\[pidfd\]|/memfd:|%s|%s)|\(deleted\)$" % (
    re.escape(E["RUN"]), re.escape(E["STATE"])))


class Cell:
    """own_process: the name of a process of the service itself that is in the cell, still root's (sudo's monitor)."""

    def __init__(self, record, service, opener_limits=None, own_process=None):
        self.record = record
        self.id, self.init = record["id"], str(record["init_pid"])
        self.user, self.uid = record["user"], str(record["uid"])
        self.opener = str(told("show", self.id)["opener_pid"])
        self.ns = namespaces(self.init)
        self.limits = limits_of(self.opener) if opener_limits is None else opener_limits
        self.values, self.own_process = promises(self.user, service), own_process

    def processes(self):
        """Those in the cell, but for cloister-init; and every other of the user, wherever it is."""
        inside, outside = [], []
        for pid in pids():
            if pid in (self.init, self.opener):
                continue
            ns = link("/proc/%s/ns/pid" % pid)
            if ns == self.ns["pid"]:
                inside.append(pid)
            elif uid_of(pid) == self.uid:
                outside.append((pid, ns))
        cells_of_user = cells(self.user) if outside else ()
        others = {link("/proc/%s/ns/pid" % cell["init_pid"]) for cell in cells_of_user if cell["id"] != self.id}
        for pid in inside + [pid for pid, ns in outside if ns not in others]:
            process = Process(pid)
            if process.status:
                yield process

    def find(self, like):
        """A process in the cell for which like(PID) holds; None when there is none."""
        return next((pid for pid in pids() if like(pid) and link("/proc/%s/ns/pid" % pid) == self.ns["pid"]), None)

    def judge(self):
        """Every process of the login, and the record."""
        found, wrong = 0, list(self.judge_record())
        for process in self.processes():
            if process.look():
                found += 1
                wrong += ["%s: %s" % (process, text) for text in self.judge_process(process)]
        if not found:
            wrong.append("the cell has no process")
        if wrong:
            raise Failed("; ".join(wrong))

    def judge_record(self):
        init = Process(self.init)
        if init.name != "cloister-init":
            yield "process 1 of the cell is %s" % init
        if init.uid == self.uid:
            yield "process 1 of the cell is the user's"
        if len([cell for cell in cells(self.user) if cell["id"] == self.id]) != 1:
            yield "no record of the cell"

    def judge_process(self, process):
        """Inside as explain says: the same text for each thing that is not so."""
        values, status = self.values, process.status
        host_net = values["network.mode"] == "host"
        for name in NAMESPACES:
            apart = values["namespaces." + {"mnt": "mount"}.get(name, name)] and not (name == "net" and host_net)
            yield from expect("%s namespace" % name, self.ns[name] if apart else HOST[name], process.ns[name])
            if apart and process.ns[name] == HOST[name]:
                yield "the host's %s namespace" % name
        yield from expect("pid namespace of its children", self.ns["pid"], process.children_ns)
        own = self.own_process and process.name == self.own_process and process.uid == "0"
        yield from expect("uids", " ".join(["0" if own else self.uid] * 3 + [self.uid]), " ".join(status["Uid"].split()))
        ambient = agree.mask(values["capabilities.ambient"])
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            more = agree.mask(["SETUID", "SETGID"]) if own and name in ("CapPrm", "CapEff") else 0
            yield from expect(name, "%016x" % (ambient | more), status[name])
        bounding = agree.mask(values["capabilities.bounding"]) | agree.mask(values["capabilities.add"])
        yield from expect("CapBnd", "%016x" % (bounding & ~agree.mask(values["capabilities.drop"])), status["CapBnd"])
        yield from expect("Seccomp", "0" if values["seccomp.profile"] == "unconfined" else "2", status["Seccomp"])
        yield from expect("NoNewPrivs", "%d" % values["no_new_privs"], status["NoNewPrivs"])
        if HAS_APPARMOR:
            profile = values["apparmor.profile"]
            yield from expect("AppArmor label", profile if profile == "unconfined" else profile + " (enforce)", process.label)
        if HAS_CGROUPS:
            yield from expect("cgroup", self.record["cgroup"].strip("/"), process.cgroup.strip("/"))
        yield from expect("oom_score_adj", "0", process.oom)
        first = 0 if process.name == "probe" else 1  # programs such as rsync change their soft limits
        for name, limit in self.limits.items():
            yield from expect(name, " ".join(limit.split()[first:]), " ".join(process.limits.get(name, "").split()[first:]))
        for name, target in process.fds.items():
            if SUSPECT.search(target) and not target.startswith("/tmp/") and not (name == "0" and AT_JOB.match(target)):
                yield "descriptor %s is %s" % (name, target)

    def left(self):
        """What is left of it, as words; nothing, after a logout. What is quickly asked comes first."""
        for pid in in_pid_namespace(self.ns["pid"]) if self.ns["pid"] != HOST["pid"] else ():
            yield "process %s" % Process(pid)
        for folder in (E["RUN"], E["STATE"]):
            for path in glob.glob(folder + "/**/*%s*" % self.id, recursive=True):
                yield "file " + path
        if HAS_CGROUPS and os.path.isdir(CGROUPS + "/" + self.record["cgroup"]):
            yield "cgroup " + self.record["cgroup"]
        now = mounts()
        yield from ("mount " + line for line in now - MOUNTS)
        yield from ("unmounted " + line for line in MOUNTS - now)
        yield from ("record " + cell["id"] for cell in cells(self.user) if cell["id"] == self.id)

    def expect_gone(self):
        try:
            wait_for("nothing", lambda: next(self.left(), None) is None)
        except Failed:
            raise Failed("left after the logout: " + "; ".join(self.left())) from None


@functools.cache
def promises(user, service):
    document = told("explain", user, "--service", service)
    if document["decision"] != "cell":
        raise Failed("explain says %s: %s" % (document["decision"], document["reason"]))
    return {item["key"]: item["value"] for item in document["settings"]}


def expect(what, expected, got):
    if expected != got:
        yield "%s is %s, not %s" % (what, got or "nothing", expected)
