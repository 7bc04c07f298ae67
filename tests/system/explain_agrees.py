# SPDX-License-Identifier: GPL-2.0-or-later
#
# explain_agrees.py SEED COUNT: COUNT generated policy sets, and one real login for each. What explain says must be what the
# manual's rules make of the set (policy_sets.py), and what the login then finds (agree.py). Prints "pass|NAME" or
# "fail|NAME|TEXT" lines for the caller. The site comes from the environment, see 13-explain-agrees.sh.

import glob
import json
import os
import socket
import subprocess
import sys

import agree
import policy_sets

E = os.environ
VIEW = E["VIEW"]
PATHS = ["/etc/passwd", "/tmp", "/var/tmp", "/dev/shm", "/run", "/proc/sys/kernel/pty", "/boot", "/opt"] + [
    VIEW + "/" + name for name in ("private", "hide", "file", "fixed", "source", "bind", "empty")]


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def tell(word, name, text=""):
    print("|".join([word, name] + ([text.replace("\n", "; ").replace("|", "/")] if text else [])), flush=True)


def describe():
    """What generator and comparison must know about this machine."""
    users = {E["SITE_PREFIX"] + "-" + name: None for name in ("alice", "bob", "carol", "dave")}
    for user in users:
        users[user] = output("id", "-Gn", user).split()
    machine = {"limits": E["HAVE_LIMITS"] == "yes", "apparmor": E["HAVE_APPARMOR"] == "yes"}
    lacks = {}
    if not machine["limits"]:
        lacks["cgroup.when_unavailable"] = "continue"
    if not machine["apparmor"]:
        lacks["apparmor.when_unavailable"] = "continue"
    place = {"users": users, "groups": [E["STUDENTS"], E["STAFF"]], "service": E["SERVICE"], "view": VIEW,
             "roots": lacks, "managers": E["MANAGERS"].split()}
    return place, machine


def replace_configuration(policy_set):
    for path in glob.glob(E["CONF"] + "/policy.d/*.conf"):
        os.unlink(path)
    lines = ['exempt = { users = ["root"]; groups = %s; };' % policy_sets.quote(policy_set["exempt"]),
             'cgroup_manager = "%s";' % policy_set["manager"]]
    if E["SITE_MODE"] != "installed":
        lines.append('placement = ( { service = "%s"; at = "credentials"; } );' % E["SERVICE"])
    files = {"cloister.conf": "\n".join(lines) + "\n"}
    files.update({"policy.d/" + name: text for name, text in policy_set["files"].items()})
    for name, text in files.items():
        with open(E["CONF"] + "/" + name, "w") as file:
            file.write(text)
        os.chmod(E["CONF"] + "/" + name, 0o644)


def explain(user):
    run = subprocess.run([E["CTL"], "--config", E["CONF"], "explain", user, "--service", E["SERVICE"], "--json"],
                         capture_output=True, text=True)
    return (json.loads(run.stdout), "") if run.returncode == 0 else (None, run.stderr)


# By the manual ------------------------------------------------------------------------------------------------------

def check_by_the_manual(policy_set, place, document):
    decision, name = policy_sets.choose(policy_set, place)
    yield from agree.expect("decision", decision, document["decision"])
    yield from agree.expect("policy", name, document["policy"])
    if decision == "cell" and document["policy"] == name:
        told = {item["key"]: item["value"] for item in document["settings"]}
        for key, value in policy_sets.effective(policy_set, name).items():
            if key == "namespaces.hostname":
                user = policy_set["user"]
                value = value.replace("%u", user).replace("%U", output("id", "-u", user)) or None
            yield from agree.expect(key, value, told[key])


# By a login ---------------------------------------------------------------------------------------------------------

def read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return None


def namespaces(pid):
    return {name: os.readlink("/proc/%s/ns/%s" % (pid, name))
            for name in ("user", "pid", "mnt", "ipc", "uts", "net", "cgroup")}


def process_of(user, pid_namespace):
    """sshd's process of the user: the one in that pid namespace."""
    found = subprocess.run(["pgrep", "-u", user, "-f", "^([a-z]+-)?sshd(-session)?: "], capture_output=True, text=True)
    for pid in found.stdout.split():
        if os.readlink("/proc/%s/ns/pid" % pid) == pid_namespace:
            return pid
    return None


def cgroup_files(pid):
    leaf = E["CGROUP2"] + next(line[3:] for line in read("/proc/%s/cgroup" % pid).splitlines() if line[:3] == "0::")
    return {level: {name: read(folder + "/" + name) for name in agree.LIMIT_FILES.values()}
            for level, folder in (("session", leaf), ("user", os.path.dirname(leaf)))}


def host_facts(user, pid_namespace):
    home = os.path.expanduser("~" + user)
    pid = process_of(user, pid_namespace)
    if pid is None:
        return None
    status = dict(line.split(":\t", 1) for line in read("/proc/%s/status" % pid).splitlines() if ":\t" in line)
    return {"ns": namespaces("self"), "process_ns": namespaces(pid), "status": status, "home": home, "view": VIEW,
            "label": read("/proc/%s/attr/current" % pid), "cgroup": cgroup_files(pid), "hostname": socket.gethostname(),
            "ino": {path: agree.host_inode(path) for path in PATHS + [home]},
            "denied_by_default": policy_sets.CALLS_TO_ALLOW, "env_names": policy_sets.NAMES}


def login(user):
    """(what facts.c printed, the host's facts, what ssh said); without facts the login was refused."""
    alias = user[len(E["SITE_PREFIX"]) + 1:]
    words = [E["FACTS"]] + ["call:" + name for name in policy_sets.CALLS_TO_DENY + policy_sets.CALLS_TO_ALLOW]
    ssh = subprocess.Popen(["timeout", "120", "ssh", "-F", E["SSH_CONFIG"], alias] + words + PATHS +
                           [os.path.expanduser("~" + user)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
    lines = []
    for line in ssh.stdout:
        lines.append(line)
        if line == "ready\n":
            break
    text = "".join(lines)
    facts = agree.Facts(text, None)
    if text.endswith("ready\n"):
        facts.host = host_facts(user, facts.ns.get("pid"))
    ssh.stdin.close()
    message = ssh.stderr.read()
    ssh.wait()
    return (facts if facts.host else None), message


def check_by_login(document, facts, message, machine):
    if document["decision"] == "refuse":
        yield from agree.expect("login", "refused", "let in" if facts else "refused")
    elif facts is None:
        yield "login: refused: " + message
    elif document["decision"] == "exempt":
        yield from agree.expect("namespaces", facts.host["ns"], facts.ns)
    else:
        yield from agree.compare(document, facts, machine)


# Would it be noticed? -----------------------------------------------------------------------------------------------

def spoiled(key, value):
    """Another value of the key."""
    others = {"namespaces.identity": ("natural", "plain"), "network.mode": ("isolated", "host"),
              "mode": ("enforce", "audit"), "seccomp.action": ("errno", "kill"),
              "seccomp.profile": ("default", "unconfined"), "files.home": ("bind", "tmpfs"),
              "apparmor.profile": ("cloister-default", "unconfined")}
    listed = {"capabilities.bounding": ["SYS_TIME"], "capabilities.add": ["SYS_TIME"], "capabilities.drop": ["ALL"],
              "capabilities.ambient": ["SYS_TIME"], "seccomp.allow": policy_sets.CALLS_TO_ALLOW,
              "seccomp.deny": policy_sets.CALLS_TO_DENY, "files.private": [VIEW + "/private"],
              "files.hide": [VIEW + "/hide"], "files.read_only": ["/opt"]}
    if key in others:
        return others[key][value == others[key][0]]
    if key in listed:
        return [item for item in listed[key] if item not in value] or []
    if key == "files.mounts":
        return [] if value else [{"source": "tmpfs", "target": VIEW + "/empty", "options": "rw,nosuid,nodev"}]
    if key == "env":
        return {**value, policy_sets.NAMES[0]: "spoiled"}
    if key == "namespaces.hostname":
        return (value or "") + "x"
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else 7


def would_notice(key, document, facts, machine):
    wrong = dict(document, settings=[
        dict(item, value=spoiled(key, item["value"])) if item["key"] == key else item for item in document["settings"]])
    return any(text.startswith(key + ": ") for text in agree.compare(wrong, facts, machine))


# --------------------------------------------------------------------------------------------------------------------

def one_set(seed, number, place, machine):
    """(document, facts) of a login that got a cell as it should, else None."""
    policy_set = policy_sets.Generator(seed, number, place).generate()
    replace_configuration(policy_set)
    document, problem = explain(policy_set["user"])
    if document is None:
        tell("fail", "set %d is valid" % number, problem)
        return None
    name = "set %d: %s gets %s" % (number, policy_set["user"], document["policy"] or document["decision"])
    wrong = list(check_by_the_manual(policy_set, place, document))
    tell("fail" if wrong else "pass", name + ", as the manual says", "\n".join(wrong))
    facts, message = login(policy_set["user"])
    wrong = list(check_by_login(document, facts, message, machine))
    tell("fail" if wrong else "pass", name + ", and so does the login", "\n".join(wrong))
    return (document, facts) if not wrong and document["decision"] == "cell" else None


def main():
    seed, count = sys.argv[1], int(sys.argv[2])
    place, machine = describe()
    good = [pair for pair in (one_set(seed, n, place, machine) for n in range(count)) if pair]
    for key in agree.keys(machine):
        noticed = any(would_notice(key, document, facts, machine) for document, facts in good)
        tell("pass" if noticed else "fail", "a wrong %s would be noticed" % key)


main()
