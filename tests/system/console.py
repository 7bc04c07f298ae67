#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Whoever sits at a console: console.py NAME STEP... A step that begins with ? waits until what is shown matches, others are typed,
# with a return unless they are control characters. NAME is ttyN, a virtual terminal, whose screen is /dev/vcsN and whose keys are
# put into its queue; or a serial port and a file, NAME:FILE, into which goes what comes from there. Prints what is shown at last.

import fcntl
import os
import re
import sys
import termios
import time

LIMIT = 90


class Screen:
    def __init__(self, name):
        self.name = name

    def shown(self):
        try:
            with open("/dev/vcs" + self.name[3:], "rb") as screen:
                text = screen.read().decode("latin-1")
        except FileNotFoundError:  # nobody has the terminal open
            return ""
        return "\n".join(text[at:at + 80].rstrip() for at in range(0, len(text), 80)).strip()

    def type(self, text):
        for key in text:
            terminal = os.open("/dev/" + self.name, os.O_RDWR | os.O_NOCTTY)  # hung up between two logins: opened anew
            fcntl.ioctl(terminal, termios.TIOCSTI, key.encode())
            os.close(terminal)


class Line:
    def __init__(self, name):
        self.name, self.file = name.split(":")

    def shown(self):
        with open(self.file, "rb") as said:
            text = said.read().decode("latin-1")
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[\x00\r]", "", text)[-2000:].strip()

    def type(self, text):
        with open("/dev/" + self.name, "wb", buffering=0) as line:
            line.write(text.encode())


def wait_for(console, regex):
    until = time.monotonic() + LIMIT
    while not re.search(regex, console.shown()):
        if time.monotonic() > until:
            sys.exit("no %r on %s:\n%s" % (regex, console.name, console.shown()))
        time.sleep(0.05)


def main(name, *steps):
    console = Line(name) if ":" in name else Screen(name)
    for step in steps:
        if step.startswith("?"):
            wait_for(console, step[1:])
        else:
            console.type(step if step < " " else step + "\r")
    print(console.shown())


main(*sys.argv[1:])
