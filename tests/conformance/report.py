# SPDX-License-Identifier: GPL-2.0-or-later
#
# What came out: for a terminal, as Markdown, JSON, or the Test Anything Protocol. Run by itself, `report.py FILE.json...` prints the
# Markdown of several machines in one table.

import json
import os
import platform
import re
import sys

MARKS = {"yes": "✔", "no": "✘", "cannot": "–", "lacking": "?"}

INTRODUCTION = """# Conformance

Every service by which one logs in, by every use that is made of a login. Each ✔ is a real login by that service, used in that way,
of which every process was looked at while it ran, from the host and, by a probe, from inside:

- its namespaces are the cell's, and none is the host's that the policy does not share; so will its children's be
- the five sets of capabilities, `Seccomp` and `NoNewPrivs`, the AppArmor label and the cgroup are what `cloister explain` says
- its user is the tenant; descriptors are 0, 1 and 2 for the probe, and for servers such as sshd none that names a namespace, a
  process, sealed memory or Cloister's state; the working folder is the one that the service gives
- the session keyring was made for this cell and is empty; `oom_score_adj` is 0; resource limits are those that the service set
- there is one record of the cell; a terminal of sshd and login is in utmp, or known to logind, as long as it is in use; where
  there is no utmp any more (Debian 13), logind knows sshd's sessions by the process that opened them
- and after the logout: no process, cgroup, record, file or mount of it is left on the host

"""

COMMAND = """Made in stock Debian guests, each release in one run, by

    tests/run vm conformance
    python3 tests/conformance/report.py /var/cache/cloister-tests/build/results/conformance-*.json >docs/conformance.md

and to be made on your own machine by `tests/conformance/run`, which needs root, an installed Cloister, and adds temporary users
(`--help` shows what else it can do).

sudo's resource limits are not compared: sudo and pam_limits both set them. With a terminal, sudo has a monitor of its own in
the cell, which stays root's (SECURITY.md); it is held to no more than CAP_SETUID and CAP_SETGID.
"""


def describe(machine):
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)', machine.read("/etc/os-release"), re.M))
    return {"system": release.get("PRETTY_NAME", "Linux"), "kernel": platform.release(),
            "cloister": machine.ctl("--version").stdout.strip().split()[-1]}


class Notes:
    """Reasons, numbered as they come, each once."""

    def __init__(self):
        self.texts = []

    def number(self, text):
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1


def mark(cell, notes):
    sign = MARKS[cell["result"]]
    return sign if cell["result"] == "yes" else "%s %d" % (sign, notes.number(cell["text"].strip().replace("\n", " ")))


def markdown(documents):
    notes, lines = Notes(), []
    columns = documents[0]["columns"]
    lines.append("| service | version | " + " | ".join(columns) + " |")
    lines.append("|---|---|" + ":-:|" * len(columns))
    for index, first in enumerate(documents[0]["rows"]):
        for document in documents:
            row = document["rows"][index]
            lines.append("| %s | %s | " % (first["service"] if document is documents[0] else "", row["version"]) +
                         " | ".join(mark(row["uses"][name], notes) for name in columns) + " |")
    lines.append("")
    lines.append("On " + "; ".join("%(system)s, Linux %(kernel)s" % document["machine"] for document in documents) +
                 ", with Cloister " + ", ".join(sorted({document["machine"]["cloister"] for document in documents})) + ".")
    lines.append("")
    lines += ["%d. %s" % (number, text) for number, text in enumerate(notes.texts, 1)]
    for document in documents:
        lines += ["- not looked at on %s: %s (%s)" % (document["machine"]["system"], name, why) for name, why in document["lacks"].items()]
    return INTRODUCTION + "\n".join(lines) + "\n\n" + COMMAND


def text_table(document):
    notes, columns = Notes(), document["columns"]
    width = max(len(row["service"]) for row in document["rows"]) + 2
    for number, name in enumerate(columns):
        print(" " * width + "   | " * number + "   " + name)
    for row in document["rows"]:
        print(row["service"].ljust(width) + "".join(mark(row["uses"][name], notes).replace(" ", "").ljust(5) for name in columns) + row["version"])
    for number, text in enumerate(notes.texts, 1):
        print("%3d  %s" % (number, text))
    for name, why in document["lacks"].items():
        print("not looked at: %s (%s)" % (name, why))


def told_as_committed(document):
    """docs/conformance.md, where it is there and all was run: its rows and columns are the program's."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "conformance.md")
    if document["complete"] and os.path.exists(path):
        with open(path) as file:
            table = [[word.strip() for word in line.strip()[1:-1].split("|")] for line in file if line.startswith("|")]
        told = (table[0][2:], [row[0] for row in table[2:] if row[0]])
        same = told == (document["columns"], [row["service"] for row in document["rows"]])
        yield "ok" if same else "not ok", "docs/conformance.md has these services and uses", ""


def tap(document):
    number = 0
    lines = [("ok", name, " # SKIP " + why) for name, why in document["lacks"].items()]
    for row in document["rows"]:
        for name, cell in row["uses"].items():
            if cell["result"] != "cannot":
                lines.append(("not ok" if cell["result"] == "no" else "ok", "%s: %s" % (row["service"], name),
                              " # SKIP " + cell["text"] if cell["result"] == "lacking" else
                              "\n" + "\n".join("#   " + line for line in cell["text"].splitlines()) if cell["text"] else ""))
    lines += list(told_as_committed(document))
    for word, name, rest in lines:
        number += 1
        print("%s %d - %s%s" % (word, number, name, rest))
    print("1..%d" % number)


def write(document, options):
    if options.markdown:
        with open(options.markdown, "w") as file:
            file.write(markdown([document]))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(document, file, indent=1, ensure_ascii=False)
    (tap if options.tap else text_table)(document)


def main(paths):
    documents = []
    for path in paths:
        with open(path) as file:
            documents.append(json.load(file))
    sys.stdout.write(markdown(documents))


if __name__ == "__main__":
    main(sys.argv[1:])
