# SPDX-License-Identifier: GPL-2.0-or-later
#
# Policy sets by chance, but the same for the same seed: each a whole configuration of a few policies that inherit from
# one another, match by group, user and service, and compete by priority; and what must come of it for one login, worked
# out from the manual alone. Every set is valid.

import random

MIB = 1 << 20
CALLS_TO_DENY = ["getpriority", "getitimer", "sched_getparam", "semget"]
CALLS_TO_ALLOW = ["add_key", "request_key", "keyctl"]
NAMES = ["GREETING", "COURSE", "EDITOR_OF", "QUOTE"]


def quote(value):
    """A value as libconfig writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"%s"' % value
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "( %s )" % ", ".join(group(item) for item in value)
    if isinstance(value, list):
        return "[%s]" % ", ".join(quote(item) for item in value)
    return group(value)


def group(settings):
    return "{ %s }" % " ".join("%s = %s;" % (key, quote(value)) for key, value in settings.items())


def nested(flat):
    """{"a.b": 1} as {"a": {"b": 1}}."""
    tree = {}
    for key, value in flat.items():
        *folders, name = key.split(".")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = value
    return tree


class Generator:
    """One set. `place` names users with their groups, the service, a folder with things to show and to hide, and what the
    machine has."""

    def __init__(self, seed, number, place):
        self.chance = random.Random("%s/%d" % (seed, number))
        shared = random.Random("%s" % seed)
        self.place = place
        # Few filters in all sets together: compiling one takes longer than a login.
        self.filters = [self.security(shared) for _ in range(6)]

    # One value of each kind -----------------------------------------------------------------------------------------

    def security(self, chance):
        """What a filter is made of, always written as a whole."""
        bounding = chance.choice([["NONE"], ["DEFAULT"], ["CHOWN", "KILL", "NET_BIND_SERVICE"], ["ALL"]])
        profile = chance.choice(["default", "default", "default", "unconfined"])
        deny = chance.sample(CALLS_TO_DENY, chance.randint(0, 2)) if profile == "default" else []
        allow = chance.sample(CALLS_TO_ALLOW, chance.randint(0, 2)) if profile == "default" else []
        ambient = chance.random() < 0.4 and bounding[0] == "CHOWN"
        return {
            "mode": chance.choice(["enforce", "enforce", "enforce", "audit"]),
            "capabilities.bounding": bounding,
            "capabilities.add": ["SYS_PTRACE"] if bounding == ["DEFAULT"] and chance.random() < 0.5 else [],
            "capabilities.drop": ["KILL"] if bounding == ["DEFAULT"] and chance.random() < 0.5 else [],
            "capabilities.ambient": ["NET_BIND_SERVICE"] if ambient else [],
            "namespaces.identity": "plain" if ambient else chance.choice(["natural", "plain"]),
            "seccomp.profile": profile, "seccomp.deny": deny, "seccomp.allow": allow,
            "seccomp.action": chance.choice(["errno", "errno", "kill"]),
        }

    def limits(self, prefix, scale):
        chance, limits = self.chance, {}
        if chance.random() < 0.6:
            limits["pids_max"] = chance.randint(40, 400) * scale
        if chance.random() < 0.5:
            limits["memory_max"] = "%dM" % (chance.randint(128, 400) * scale)
        if chance.random() < 0.4:
            limits["memory_high"] = chance.randint(96, 127) * scale * MIB
        if chance.random() < 0.4:
            limits["swap_max"] = chance.choice([0, "16M", 64 * MIB])
        if chance.random() < 0.4:
            limits["cpu_max"] = "%d%%" % chance.choice([120, 150, 200, 333])
        if chance.random() < 0.4:
            limits["cpu_weight"] = chance.randint(1, 10000)
        return {prefix + key: value for key, value in limits.items()}

    def files(self):
        chance, view, files = self.chance, self.place["view"], {}
        if chance.random() < 0.4:
            files["files.home"] = chance.choice(["bind", "tmpfs", "readonly"])
        if chance.random() < 0.5:
            files["files.private"] = chance.sample(["/tmp", "/var/tmp", "/dev/shm", "/run", view + "/private"],
                                                   chance.randint(1, 5))
        if chance.random() < 0.5:
            files["files.tmp_size"] = chance.choice(["1M", "16M", 64 * MIB, "1G"])
        if chance.random() < 0.4:
            files["files.pts"] = chance.choice(["host", "private"])
        if chance.random() < 0.6:
            files["files.hide"] = chance.sample(["/root", "/boot", view + "/hide", view + "/file"],
                                                chance.randint(1, 4))
        if chance.random() < 0.5:
            files["files.read_only"] = chance.sample([view + "/fixed", "/var/tmp", "/opt"], chance.randint(0, 3))
        if chance.random() < 0.5:
            files["files.mounts"] = chance.choice([
                [{"target": view + "/empty", "options": "rw,noexec,size=%dM" % chance.randint(1, 64)}],
                [{"source": view + "/source", "target": view + "/bind", "options": chance.choice(["ro", "rw,noexec"])}],
                [{"source": view + "/source", "target": view + "/bind", "options": "ro"},
                 {"target": view + "/empty", "options": "size=2M"}]])
        return files

    def settings(self):
        """Settings of one policy."""
        chance, own = self.chance, {}
        own.update(self.limits("cgroup.", 2))
        if chance.random() < 0.6:
            own.update(self.limits("cgroup.session.", 1))
        own.update(self.files())
        for key, odds in (("ipc", 0.3), ("cgroup", 0.3)):
            if chance.random() < odds:
                own["namespaces." + key] = chance.random() < 0.5
        if chance.random() < 0.4:
            own["namespaces.uts"] = chance.random() < 0.6
            own["namespaces.hostname"] = chance.choice(["%u", "cell-%U", ""]) if own["namespaces.uts"] else ""
        if chance.random() < 0.3:
            own["namespaces.nested"] = chance.choice([0, 3, 64])
        if chance.random() < 0.3:
            own["network.mode"] = chance.choice(["isolated", "host"])
        if chance.random() < 0.4:
            own["no_new_privs"] = chance.random() < 0.7
        if chance.random() < 0.5:
            own.update(chance.choice(self.filters))
        if chance.random() < 0.5:
            own["apparmor.profile"] = chance.choice(["cloister-default", "cloister-nested", "cloister-restricted", "unconfined"])
        if chance.random() < 0.6:
            own["env"] = {name: chance.choice(["plain", "%u", "/srv/%g", "100%%", "a b", "%h/x"])
                          for name in chance.sample(NAMES, chance.randint(1, 3))}
        return own

    def match(self):
        chance, place = self.chance, self.place
        match = {}
        if chance.random() < 0.6:
            match["match.groups"] = chance.sample(place["groups"], chance.randint(1, 2))
        if chance.random() < 0.4:
            match["match.users"] = chance.sample(sorted(place["users"]), chance.randint(1, 3))
        if chance.random() < 0.3 or not match:
            match["match.services"] = chance.sample([place["service"], "su", "login"], chance.randint(1, 2))
        return match

    # A whole set ----------------------------------------------------------------------------------------------------

    def generate(self):
        """{user, files: {name: text}, policies: in file order, exempt}."""
        chance, policies = self.chance, []
        for n in range(chance.randint(3, 7)):
            policy = {"name": "p%d" % n}
            parents = [p["name"] for p in policies]
            if parents and chance.random() < 0.75:
                policy["inherit"] = chance.choice(parents)
            else:
                policy.update(self.place["roots"])
                policy.update(chance.choice(self.filters))
            if chance.random() < 0.6:
                policy["priority"] = chance.randint(0, 3)
            if chance.random() < 0.75:
                policy.update(self.match())
            policy.update(self.settings())
            policies.append(policy)
        if chance.random() < 0.85:
            policy = {"name": "default"}
            policy.update(self.place["roots"])
            policy.update(chance.choice(self.filters))
            policy.update(self.settings())
            policies.append(policy)
        # A child may stand before its parent, and in an earlier file.
        chance.shuffle(policies)
        cuts = sorted(chance.sample(range(1, len(policies)), min(2, len(policies) - 1)))
        files = {}
        for n, (start, end) in enumerate(zip([0] + cuts, cuts + [len(policies)])):
            files["%d0-set.conf" % (n + 1)] = "policies = (\n%s\n);\n" % ",\n".join(
                "  " + group(nested(policy)) for policy in policies[start:end])
        exempt = chance.random() < 0.1
        return {"user": chance.choice(sorted(self.place["users"])), "files": files, "policies": policies,
                "exempt": [chance.choice(self.place["groups"])] if exempt else [],
                "manager": chance.choice(self.place["managers"])}


# What must come of it -----------------------------------------------------------------------------------------------

def chain(policies, policy):
    """From the eldest ancestor to the policy itself."""
    names = {p["name"]: p for p in policies}
    line = [policy]
    while "inherit" in line[0]:
        line.insert(0, names[line[0]["inherit"]])
    return line


def priority(policies, policy):
    return [p["priority"] for p in [{"priority": 0}] + chain(policies, policy) if "priority" in p][-1]


def matches(policy, user, groups, service):
    parts = [part for part in ("match.groups", "match.users", "match.services") if part in policy]
    return bool(parts) and all([
        "match.groups" not in policy or set(policy["match.groups"]) & set(groups),
        "match.users" not in policy or user in policy["match.users"],
        "match.services" not in policy or service in policy["match.services"]])


def choose(policy_set, place):
    """(decision, name of the policy or None)."""
    user, policies = policy_set["user"], policy_set["policies"]
    groups = place["users"][user]
    if set(groups) & set(policy_set["exempt"]):
        return "exempt", None
    found = [p for p in policies if p["name"] != "default" and matches(p, user, groups, place["service"])]
    best = max(found, key=lambda p: priority(policies, p), default=None)  # max keeps the first of equals
    if best is None:
        best = next((p for p in policies if p["name"] == "default"), None)
    return ("cell", best["name"]) if best else ("refuse", None)


def number(value):
    """Sizes and percentages as explain gives them."""
    if isinstance(value, str) and value[:-1].isdigit() and value[-1] in "MG%":
        return int(value[:-1]) * {"M": MIB, "G": 1 << 30, "%": 1}[value[-1]]
    return value


def effective(policy_set, name):
    """The chain's values of all keys that simply replace their parent's."""
    policies = policy_set["policies"]
    values = {}
    for policy in chain(policies, next(p for p in policies if p["name"] == name)):
        for key, value in policy.items():
            if key not in ("name", "inherit", "env", "files.mounts", "seccomp.allow", "seccomp.deny",
                           "capabilities.add", "capabilities.drop") and not key.startswith("match."):
                values[key] = number(value)
    return values
