#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""on_terminal.py OWNER COMMAND...: the command leads a session on a terminal of OWNER's, which anyone of group tty may write to.
What comes on standard input is typed there; what is written there goes to standard output. Ends with the command."""
import os
import pty
import pwd
import select
import shutil
import subprocess
import sys
import time


def relay(process, master):
    sources = [0, master]
    while process.poll() is None:
        for source in select.select(sources, [], [], 0.1)[0]:
            try:
                data = os.read(source, 65536)
            except OSError:  # nobody has it open: login hangs it up and opens it anew
                time.sleep(0.05)
                continue
            if data:
                os.write(1 if source == master else master, data)
            elif source == 0:
                sources.remove(0)


master, slave = pty.openpty()
shutil.chown(os.ttyname(slave), pwd.getpwnam(sys.argv[1]).pw_uid, "tty")
os.chmod(os.ttyname(slave), 0o620)
child = subprocess.Popen(["setsid", "--ctty"] + sys.argv[2:], stdin=slave, stdout=slave, stderr=slave)
os.close(slave)
relay(child, master)
while select.select([master], [], [], 0.2)[0]:
    try:
        os.write(1, os.read(master, 65536))
    except OSError:
        break
