#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The conformance matrix: every service by every use. `run`, beside it, makes the place and starts it; see there for the options.

import argparse
import json
import queue
import sys
import threading
import time
import traceback

import reasons
import report

parser = argparse.ArgumentParser(prog="tests/conformance/run", description="The conformance matrix of Cloister.")
parser.add_argument("--service", action="append", metavar="S", help="only this row (may be repeated)")
parser.add_argument("--use", action="append", metavar="U", help="only this column (may be repeated)")
parser.add_argument("--markdown", metavar="FILE", help="write the table there")
parser.add_argument("--json", metavar="FILE", help="write the results there")
parser.add_argument("--tap", action="store_true", help="print the Test Anything Protocol, not a table")
OPTIONS = parser.parse_args()

import machine  # noqa: E402  it looks at the machine at once
import services  # noqa: E402
import uses  # noqa: E402
from machine import E  # noqa: E402


def selected(given, names, what):
    for name in given or ():
        if name not in names:
            parser.error("no %s %s; there are: %s" % (what, name, ", ".join(names)))
    return [name for name in names if not given or name in given]


def attempt(row, function, ssh_only):
    """One cell of the table: (yes | no | cannot | lacking, text, seconds)."""
    start = time.monotonic()
    try:
        if ssh_only and not row.service.ssh:
            raise machine.CannotHold(ssh_only)
        function(row)
        word, text = "yes", ""
    except machine.CannotHold as reason:
        word, text = "cannot", str(reason)
    except machine.Lacking as reason:
        word, text = "lacking", str(reason)
    except machine.Failed as reason:
        word, text = "no", str(reason)
    except Exception:  # whatever it is, the other cells are still to be tried
        word, text = "no", traceback.format_exc(limit=-3)
    return {"result": word, "text": text, "seconds": round(time.monotonic() - start, 1)}


def as_known(service, use, cell):
    """A cell that cannot hold does so for the reason that is known, and one that has a reason does not hold."""
    known = reasons.KNOWN.get((service.name, use), "")
    if cell["result"] == "cannot" and cell["text"] != known:
        return dict(cell, result="no", text="cannot hold, and the reason is not in reasons.py: " + cell["text"])
    if cell["result"] == "yes" and known:
        return dict(cell, result="no", text="it holds; reasons.py says: " + known)
    return cell


def told(service, use, cell):
    rest = "" if cell["result"] in ("yes", "cannot") else ": " + cell["text"].strip().replace("\n", " | ")
    print("# %s: %s: %s, %.1f s%s" % (service, use, cell["result"], cell["seconds"], rest), flush=True)


def work(todo, user, columns, results):
    """Takes rows until none is left; each worker has a user of its own."""
    others = {"refused": E["REFUSED_USER"], "mosh": E["MOSH_USER"]}
    while True:
        try:
            service = todo.get_nowait()
        except queue.Empty:
            return
        reason = service.lacks()
        row, cells = uses.Row(service, user, others), {}
        for name, function, ssh_only in uses.USES:
            if name in columns:
                cells[name] = {"result": "lacking", "text": reason, "seconds": 0} if reason else \
                    as_known(service, name, attempt(row, function, ssh_only))
                told(service.name, name, cells[name])
        last = attempt(row, lambda row: row.close(), None)
        if last["result"] != "yes":
            next(reversed(cells.values())).update(last)
        results[service.name] = {"service": service.name, "version": service.version(), "uses": cells}


def main():
    everything = services.all_services()
    rows = selected(OPTIONS.service, [service.name for service in everything], "service")
    columns = selected(OPTIONS.use, [name for name, _, _ in uses.USES], "use")
    uses.XServer(E["X_SOCKET"])
    todo, results, threads = queue.Queue(), {}, []
    # cron waits for its minute: first. Then sshd, whose rows are long.
    for service in sorted((s for s in everything if s.name in rows), key=lambda s: 0 if s.name == "cron" else 1 if s.ssh else 2):
        todo.put(service)
    for user in E["USERS"].split():
        threads.append(threading.Thread(target=work, args=(todo, user, columns, results)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    document = {"machine": report.describe(machine), "columns": columns, "lacks": machine.lacks(), "complete": not (OPTIONS.service or OPTIONS.use),
                "rows": [results[name] for name in rows]}
    report.write(document, OPTIONS)
    return 0 if all(cell["result"] != "no" for row in document["rows"] for cell in row["uses"].values()) else 1


sys.exit(main())
