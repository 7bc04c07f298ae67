# SPDX-License-Identifier: GPL-2.0-or-later
#
# Does a login get what explain says? compare() holds the document of `cloister explain --json` against facts: what a
# process in the cell found (facts.c), and what the host's /proc and cgroup files say about sshd's process of the user.
# One function for each key; a key without one can't be seen from outside.

import os

CAPABILITIES = """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
    SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP
    MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE""".split()
DOCKER = 0xa80425fb
ST_RDONLY, ST_NOSUID, ST_NODEV, ST_NOEXEC = 1, 2, 4, 8
EPERM, SIGSYS = 1, 31


def mask(names):
    with open("/proc/sys/kernel/cap_last_cap") as file:
        everything = (1 << (int(file.read()) + 1)) - 1
    words = {"NONE": 0, "ALL": everything, "DEFAULT": DOCKER}
    return sum_of(words.get(name, 1 << CAPABILITIES.index(name) if name in CAPABILITIES else 0) for name in names)


def sum_of(bits):
    total = 0
    for bit in bits:
        total |= bit
    return total


class Facts:
    """The lines of facts.c, the host's view of the same login, and what the machine is like."""

    def __init__(self, text, host):
        self.status, self.ns, self.env, self.paths, self.calls = {}, {}, {}, {}, {}
        self.label, self.hostname, self.nested = None, None, None
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            getattr(self, "take_" + word, lambda rest: None)(rest)
        self.host = host

    def take_status(self, rest):
        name, _, value = rest.partition(":\t")
        self.status[name] = value

    def take_ns(self, rest):
        name, self_ns = rest.split()
        self.ns[name] = self_ns

    def take_env(self, rest):
        name, _, value = rest.partition("=")
        self.env[name] = value

    def take_path(self, rest):
        path, *words = rest.split(" ")
        self.paths[path] = dict(word.split("=") for word in words) if words != ["absent"] else None

    def take_call(self, rest):
        name, kind, value = rest.split()
        self.calls[name] = (kind, int(value))

    def take_label(self, rest):
        self.label = rest

    def take_hostname(self, rest):
        self.hostname = rest

    def take_nested(self, rest):
        self.nested = rest


# Each is given the value that explain tells, all of explain's values, and the facts, and yields what disagrees. -------

CHECKS = {}


def check(*keys):
    def register(function):
        for key in keys:
            CHECKS[key] = function
        return function
    return register


def expect(what, expected, got):
    if expected != got:
        yield "%s: expected %s, got %s" % (what, expected, got)


@check("namespaces.user", "namespaces.pid", "namespaces.mount", "namespaces.ipc", "namespaces.uts", "namespaces.net",
       "namespaces.cgroup")
def check_namespace(key, value, values, facts):
    name = {"mount": "mnt"}.get(key.split(".")[1], key.split(".")[1])
    own = facts.ns[name] != facts.host["ns"][name]
    yield from expect("%s namespace of its own" % name, value, own)
    yield from expect("%s namespace of sshd's process" % name, facts.ns[name], facts.host["process_ns"][name])


@check("network.mode")
def check_network(key, value, values, facts):
    yield from expect("net namespace of the host", value == "host", facts.ns["net"] == facts.host["ns"]["net"])


@check("namespaces.hostname")
def check_hostname(key, value, values, facts):
    yield from expect("hostname", value or facts.host["hostname"], facts.hostname)


@check("namespaces.nested")
def check_nested(key, value, values, facts):
    yield from expect("max_user_namespaces", str(value), facts.nested)


@check("namespaces.identity")
def check_identity(key, value, values, facts):
    yield from expect("owner of /etc/passwd", {"natural": "0", "plain": "65534"}[value],
                      facts.paths["/etc/passwd"]["uid"])


LIMIT_FILES = {"pids_max": "pids.max", "memory_max": "memory.max", "memory_high": "memory.high",
               "swap_max": "memory.swap.max", "cpu_max": "cpu.max", "cpu_weight": "cpu.weight"}


@check(*["cgroup." + level + name for level in ("", "session.") for name in LIMIT_FILES])
def check_limit(key, value, values, facts):
    level = "session" if ".session." in key else "user"
    name = LIMIT_FILES[key.split(".")[-1]]
    text = facts.host["cgroup"][level].get(name)
    if text is None:  # where nothing is limited, the controller may be off
        text = {"cpu.max": "max 1", "cpu.weight": "100"}.get(name, "max")
    if name == "cpu.max":
        quota, period = text.split()
        text = "max" if quota == "max" else "%g" % (int(quota) * 100 / int(period))
    expected = "100" if value == "default" else str(value)
    yield from expect("%s of the %s's cgroup" % (name, level), expected, text)


@check("capabilities.bounding", "capabilities.add", "capabilities.drop")
def check_bounding(key, value, values, facts):
    bounding = mask(values["capabilities.bounding"]) | mask(values["capabilities.add"])
    bounding &= ~mask(values["capabilities.drop"])
    for whose, status in (("CapBnd", facts.status), ("CapBnd of sshd's process", facts.host["status"])):
        yield from expect(whose, "%016x" % bounding, status["CapBnd"])


@check("capabilities.ambient")
def check_ambient(key, value, values, facts):
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        yield from expect(name, "%016x" % mask(value), facts.status[name])
        yield from expect(name + " of sshd's process", "%016x" % mask(value), facts.host["status"][name])


@check("no_new_privs")
def check_no_new_privs(key, value, values, facts):
    for status in (facts.status, facts.host["status"]):
        yield from expect("NoNewPrivs", str(int(value)), status["NoNewPrivs"])


@check("seccomp.profile")
def check_seccomp(key, value, values, facts):
    for status in (facts.status, facts.host["status"]):
        yield from expect("Seccomp", "0" if value == "unconfined" else "2", status["Seccomp"])


def refusal(values):
    return ("signal", SIGSYS) if values["seccomp.action"] == "kill" else ("errno", EPERM)


@check("seccomp.allow", "seccomp.deny", "seccomp.action", "mode")
def check_calls(key, value, values, facts):
    passes = values["seccomp.profile"] == "unconfined" or values["mode"] == "audit"
    for name, result in facts.calls.items():
        denied = name in values["seccomp.deny"] or (
            name in facts.host["denied_by_default"] and name not in values["seccomp.allow"])
        if passes or not denied:
            yield from expect("%s is let through" % name, True, result not in (("signal", SIGSYS), ("errno", EPERM)))
        else:
            yield from expect("%s is refused" % name, refusal(values), result)


@check("apparmor.profile")
def check_label(key, value, values, facts):
    profile = values["apparmor.profile"]
    if profile == "unconfined":
        expected = "unconfined"
    elif values["mode"] == "audit":
        expected = profile + "-audit (complain)"
    else:
        expected = profile + " (enforce)"
    yield from expect("AppArmor label", expected, facts.label)
    yield from expect("AppArmor label of sshd's process", expected, facts.host["label"])


def path_of(facts, path):
    return facts.paths.get(path) or {"ino": "none", "flags": "0", "tmpfs": "0", "size": "0", "entries": "none", "mode": "none"}


def has_flag(fact, flag):
    return bool(int(fact["flags"]) & flag)


@check("files.home")
def check_home(key, value, values, facts):
    home = path_of(facts, facts.host["home"])
    yield from expect("home is a tmpfs", value == "tmpfs", home["tmpfs"] == "1")
    yield from expect("home is read-only", value == "readonly", has_flag(home, ST_RDONLY))
    yield from expect("home is the host's", value != "tmpfs", home["ino"] == facts.host["ino"][facts.host["home"]])


@check("files.private")
def check_private(key, value, values, facts):
    for path in ("/run", "/dev/shm"):  # a tmpfs on the host, too: told apart by its size alone
        yield from expect("%s is a tmpfs" % path, True, path not in value or path_of(facts, path)["tmpfs"] == "1")
    for path in ("/tmp", "/var/tmp", facts.host["view"] + "/private"):
        yield from expect("%s is the host's" % path, path not in value,
                          path_of(facts, path)["ino"] == facts.host["ino"][path])
        if path in value:
            yield from expect("%s is a tmpfs" % path, "1", path_of(facts, path)["tmpfs"])


@check("files.tmp_size")
def check_tmp_size(key, value, values, facts):
    for path in values["files.private"]:
        yield from expect("size of %s" % path, str(value), path_of(facts, path)["size"])
    if values["files.home"] == "tmpfs":
        yield from expect("size of the home", str(value), path_of(facts, facts.host["home"])["size"])


@check("files.pts")
def check_pts(key, value, values, facts):
    yield from expect("the count of terminals is seen", value == "host", path_of(facts, "/proc/sys/kernel/pty")["entries"] != "0")


@check("files.hide")
def check_hide(key, value, values, facts):
    view = facts.host["view"]
    for path in (view + "/hide", "/boot"):
        got = path_of(facts, path)
        yield from expect("%s is the host's" % path, path not in value, got["ino"] == facts.host["ino"][path])
        if path in value:
            yield from expect("entries of the hidden %s" % path, "-1" if got["mode"] == "40000" else "0",
                              got["entries"])
    yield from expect("%s is the host's" % (view + "/file"), view + "/file" not in value,
                      path_of(facts, view + "/file")["ino"] == facts.host["ino"][view + "/file"])


@check("files.read_only")
def check_read_only(key, value, values, facts):
    for path in (facts.host["view"] + "/fixed", "/opt", "/var/tmp"):
        yield from expect("%s is read-only" % path, path in value, has_flag(path_of(facts, path), ST_RDONLY))


@check("files.mounts")
def check_mounts(key, value, values, facts):
    targets = {mount["target"]: mount for mount in value}
    for name in ("bind", "empty"):
        path = facts.host["view"] + "/" + name
        yield from expect("%s is a mount" % path, path in targets,
                          path_of(facts, path)["ino"] != facts.host["ino"][path])
    for path, mount in targets.items():
        options, got = mount["options"].split(","), path_of(facts, path)
        for word, flag in (("ro", ST_RDONLY), ("nosuid", ST_NOSUID), ("nodev", ST_NODEV), ("noexec", ST_NOEXEC)):
            yield from expect("%s of %s" % (word, path), word in options, has_flag(got, flag))
        if mount["source"] == "tmpfs":
            size = [option[5:] for option in options if option.startswith("size=")]
            yield from expect("size of %s" % path, size[0] if size else None, "%dM" % (int(got["size"]) >> 20))
        else:
            yield from expect("source of %s" % path, facts.host["ino"][mount["source"]], got["ino"])


@check("env")
def check_env(key, value, values, facts):
    for name in facts.host["env_names"]:
        yield from expect("$" + name, value.get(name), facts.env.get(name))


# ----------------------------------------------------------------------------------------------------------------------

def keys(machine):
    """The keys that can be compared on this machine."""
    return [key for key in CHECKS
            if (machine["limits"] or not key.startswith("cgroup.")) and
            (machine["apparmor"] or key != "apparmor.profile")]


def compare(document, facts, machine):
    """What disagrees, as "KEY: WHAT: expected X, got Y"."""
    values = {item["key"]: item["value"] for item in document["settings"]}
    found = []
    for key in keys(machine):
        for text in CHECKS[key](key, values[key], values, facts):
            found.append("%s: %s" % (key, text))
    return found


def host_inode(path):
    try:
        return str(os.stat(path).st_ino)
    except OSError:
        return "none"
