# SPDX-License-Identifier: GPL-2.0-or-later
#
# The services: how each starts a command, or a shell on a terminal, for a user. A started thing ends with its session.

import fcntl
import functools
import os
import pty
import pwd
import re
import secrets
import select
import struct
import subprocess
import termios
import threading
import time

import machine
from machine import E, Failed, run, wait_for

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TERM": "xterm",
               "HOME": "/root", "SSH_ASKPASS": E.get("ASKPASS", ""), "SSH_ASKPASS_REQUIRE": "force"}


def home(user):
    return pwd.getpwnam(user).pw_dir


class Probe:
    """The program that looks around from inside, and waits; found on the host by a word that only it has."""

    def __init__(self, user, *arguments):
        self.folder = home(user) + "/.conformance"
        self.token = "t" + secrets.token_hex(6)
        self.command = " ".join([E["PROBE"], self.folder, self.token] + list(arguments))
        self.facts, self.pid = None, None

    def path(self, ending):
        return "%s/%s.%s" % (self.folder, self.token, ending)

    def wait(self, started=None, limit=machine.LIMIT):
        """Its facts, and its process on the host; started: what ran it, whose early end is a failure with what it said."""
        def there():
            if os.path.exists(self.path("facts")):
                return True
            if started is not None and started.ended() and not os.path.exists(self.path("facts")):
                raise Failed("the probe did not run: " + started.said())
            return False
        wait_for("the probe", there, limit)
        self.facts = machine.json.loads(machine.read(self.path("facts")))
        self.pid = wait_for("the probe's process", self.find)
        return self

    def find(self):
        return next((pid for pid in machine.pids() if self.runs(pid)), None)

    def runs(self, pid):
        return machine.command_of(pid).split()[:3] == self.command.split()[:3]

    def alive(self):
        return self.runs(self.pid)

    def cell(self, service, limits=None, own_process=None):
        """The cell that it is in, by its pid namespace."""
        ns = machine.link("/proc/%s/ns/pid" % self.pid)
        user = pwd.getpwuid(os.stat(self.folder).st_uid).pw_name
        for record in machine.cells(user):
            if machine.link("/proc/%s/ns/pid" % record["init_pid"]) == ns:
                return machine.Cell(record, service, limits, own_process)
        raise Failed("the probe is in no cell: process %s" % machine.Process(self.pid))

    def release(self):
        with open(self.path("end"), "w"):
            pass


class Started:
    """A command with pipes."""

    def __init__(self, argv, **options):
        self.output, self.argv = b"", argv
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        **dict({"env": ENVIRONMENT, "cwd": "/"}, **options))
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while chunk := self.process.stdout.read1(65536):
            self.output += chunk

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def ended(self):
        return self.process.poll() is not None

    def said(self):
        self.reader.join(2)
        return self.output.decode(errors="replace").strip()[-400:]

    def finish(self, status=0):
        """Waits for its end; status None: any."""
        try:
            self.process.stdin.close()
        except OSError:
            pass
        wait_for("the end of " + self.argv[0], self.ended)
        if status is not None and self.process.returncode != status:
            raise Failed("%s: status %s: %s" % (self.argv[0], self.process.returncode, self.said()))
        return self

    def abort(self):
        if not self.ended():
            self.process.kill()
            self.process.wait()


class Terminal(Started):
    """A command that leads a session on a pseudoterminal of its own."""

    def __init__(self, argv, **options):
        self.output, self.argv, self.closing = b"", argv, False
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.process = subprocess.Popen(["setsid", "--ctty"] + argv, stdin=slave, stdout=slave, stderr=slave,
                                        **dict({"env": ENVIRONMENT, "cwd": "/"}, **options))
        os.close(slave)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while not self.closing:
            try:
                if select.select([self.master], [], [], 0.1)[0]:
                    self.output += os.read(self.master, 65536)
            except OSError:  # nobody has it open: login hangs it up and opens it anew
                if self.process.poll() is not None:
                    return
                time.sleep(0.05)

    def asks(self):
        return re.search(rb"[$#>%] (\x1b\[[0-9;?]*[a-zA-Z]|\x1b\(B|\x0f)*$", self.output)

    def prompt(self):
        """Waits for a shell that asks, from here on."""
        def asks():
            if self.ended():
                raise Failed("no shell: " + self.said())
            return self.asks()
        try:
            wait_for("a shell's prompt", asks)
        except Failed as reason:
            raise Failed("%s; the terminal has %r" % (reason, self.output[-400:])) from None
        return self

    def type(self, text):
        os.write(self.master, text.encode())

    def finish(self, status=0):
        wait_for("the end of " + self.argv[0], self.ended)
        self.reader.join(1)
        self.closing = True
        self.reader.join()  # or it might read from the next one, which has the number of this descriptor
        os.close(self.master)
        if status is not None and self.process.returncode != status:
            raise Failed("%s: status %s: %s" % (self.argv[0], self.process.returncode, self.said()))
        return self


def version_of(package):
    return run("dpkg-query", "-W", "-f", "${Version}", package).stdout or "unknown version"


class Service:
    """What all have. working_folder: "home" or "caller"; utmp: whether the host's records name its terminal."""
    ssh, terminal_only, utmp, own_process = False, False, False, None

    def __init__(self, name, pam, package, program, argv, shell, working_folder="home"):
        self.name, self.pam, self.package, self.program = name, pam, package, program
        self.argv, self.shell, self.working_folder = argv, shell, working_folder

    def version(self):
        return "%s %s" % (self.package, version_of(self.package))

    def lacks(self):
        """Why this machine has no such service; None when it does."""
        if machine.run("sh", "-c", 'command -v "$0"', self.program, env=ENVIRONMENT).returncode != 0:
            return "no %s here" % self.program
        if self.pam and not pam_has_module(self.pam):
            return "/etc/pam.d/%s does not have pam_cloister" % self.pam
        return None

    def command(self, user, text):
        with Outside() as outside:
            return Started(fill(self.argv, user, text), cwd=caller_folder(user), pass_fds=[outside])

    def terminal(self, user):
        with Outside() as outside:
            return Terminal(fill(self.shell, user), cwd=caller_folder(user), pass_fds=[outside]).prompt()

    def limits(self):
        """Resource limits that its sessions have; None: those of the process that opened it."""
        return None

    def folder(self, user):
        return home(user) if self.working_folder == "home" else caller_folder(user)


class Outside:
    """A descriptor that a careless caller leaves open: the host's root folder. It must not be found inside."""

    def __enter__(self):
        self.fd = os.open("/", os.O_RDONLY)
        return self.fd

    def __exit__(self, *_):
        os.close(self.fd)


def caller_folder(user):
    """Where su and its like are called: a command without a login stays there."""
    return home(user) + "/.conformance"


def fill(argv, user, text=""):
    return [{"USER": user, "TEXT": text}.get(word, word) for word in argv]


def pam_has_module(service, depth=0):
    text = machine.read("/etc/pam.d/" + service)
    if re.search(r"^\s*-?session\s.*pam_cloister\.so", text, re.M):
        return True
    included = re.findall(r"^@include\s+(\S+)|^\s*-?session\s+(?:include|substack)\s+(\S+)", text, re.M)
    return depth < 8 and any(pam_has_module(a or b, depth + 1) for a, b in included)


class Ssh(Service):
    """sshd, by one way to prove who one is. Uses share a connection where they need none of their own."""
    ssh, utmp = True, True

    def __init__(self, method):
        super().__init__("sshd, " + method, E["SERVICE"], "openssh-server", "/usr/sbin/sshd", None, None)
        self.method = method
        self.options = {
            "public key": ["-o", "PreferredAuthentications=publickey"],
            "password": ["-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password"],
            "keyboard-interactive": ["-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=keyboard-interactive"],
        }[method] + ["-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=1"]
        self.sockets = {}

    def version(self):
        return "OpenSSH " + version_of(self.package)

    def lacks(self):
        settings = sshd_settings()
        word = {"public key": "pubkeyauthentication", "password": "passwordauthentication",
                "keyboard-interactive": "kbdinteractiveauthentication"}[self.method]
        if settings.get(word) != ["yes"]:
            return "sshd_config says %s no" % word
        return super().lacks()

    def base(self):
        return ["ssh", "-F", E["SSH_CONFIG"]] + self.options

    def channel(self, user):
        """ssh's words for a channel of the user's shared connection."""
        return ["-F", E["SSH_CONFIG"], "-o", "ControlMaster=no", "-o", "ControlPath=" + self.sockets[user]]

    def connect(self, user, *options):
        path = "%s/%s" % (E["WORK"], secrets.token_hex(4))
        answer = run(*self.base(), *options, "-M", "-S", path, "-o", "ControlPersist=yes", user, "true",
                     env=dict(ENVIRONMENT, DISPLAY=E["X_DISPLAY"], XAUTHORITY=E["X_AUTHORITY"]), stdin=subprocess.DEVNULL)
        if answer.returncode != 0:
            raise Failed("no connection: " + answer.stderr.strip())
        self.sockets[user] = path

    def disconnect(self, user):
        if user in self.sockets:
            run("ssh", *self.channel(user), "-O", "exit", user)
            del self.sockets[user]

    def shared(self, user, text, *options):
        return Started(["ssh", *self.channel(user), *options, user, text])

    def command(self, user, text):
        return Started(self.base() + [user, text])

    def terminal(self, user):
        return Terminal(["ssh", *self.channel(user), "-tt", user]).prompt()


@functools.cache
def sshd_settings():
    found = {}
    for line in run(*E["SSHD_T"].split()).stdout.splitlines():
        word, _, value = line.partition(" ")
        found.setdefault(word, []).append(value)
    return found


class Login(Service):
    terminal_only, utmp = True, True


class Sudo(Service):
    """With a terminal, its monitor runs beside the command. Resource limits are what sudo and pam_limits make of the caller's: they
    are not compared."""
    own_process = "sudo"

    def limits(self):
        return {}


class Run(Service):
    def version(self):
        return "cloister " + machine.ctl("--version").stdout.split()[-1]

    def limits(self):
        return None if machine.MAY_RAISE_LIMITS else {}  # the helper has lower ones, and gives its command the caller's


class Job(Service):
    """cron and at: a command that a daemon runs later."""

    def command(self, user, text):
        return self.submit(user, [text])[0]

    def submit(self, user, texts):
        raise NotImplementedError


class Submitted:
    """A job's process is a daemon's: that it ends is seen by its cell."""

    def ended(self):
        return False

    def said(self):
        return ""

    def finish(self, status=0):
        return self

    def abort(self):
        pass


class Cron(Job):
    def submit(self, user, texts):
        """All once, in the next minute, if that is not too soon."""
        at = time.strftime("%M %H * * *", time.localtime(time.time() + 75))
        for _ in range(2):  # cron looks for a newer second: one that has just begun may have looked in this one
            subprocess.run(["crontab", "-u", user, "-"], input="".join("%s %s\n" % (at, text) for text in texts), text=True, check=True)
            time.sleep(1.1)
        return [Submitted() for _ in texts]

    def remove(self, user):
        run("crontab", "-r", "-u", user)


class At(Job):
    def submit(self, user, texts):
        for text in texts:
            answer = run("setpriv", "--reuid", user, "--regid", user, "--init-groups", "--reset-env", "at", "now",
                         input=text + "\n", cwd=home(user))
            if answer.returncode != 0:
                raise Failed("at: " + answer.stderr)
        return [Submitted() for _ in texts]

    def remove(self, user):
        pass


TENANT = ["setpriv", "--reuid", "USER", "--regid", "USER", "--init-groups", "--reset-env"]


def all_services():
    """The rows, in the order in which they are shown."""
    return [Ssh("public key"), Ssh("password"), Ssh("keyboard-interactive"),
            Login("login", "login", "login", "/bin/login", None, ["/bin/login", "-f", "USER"]),
            Service("su", "su", "util-linux", "su", ["su", "USER", "-c", "TEXT"], ["su", "USER"], "caller"),
            Service("su -l", "su-l", "util-linux", "su", ["su", "-l", "USER", "-c", "TEXT"], ["su", "-l", "USER"]),
            Service("su --pty", "su", "util-linux", "su", ["su", "--pty", "USER", "-c", "TEXT"], ["su", "--pty", "USER"], "caller"),
            Service("runuser", "runuser", "util-linux", "runuser", ["runuser", "USER", "-c", "TEXT"], ["runuser", "USER"], "caller"),
            Service("runuser -l", "runuser-l", "util-linux", "runuser", ["runuser", "-l", "USER", "-c", "TEXT"], ["runuser", "-l", "USER"]),
            Sudo("sudo -i -u", "sudo-i", "sudo", "sudo", ["sudo", "-i", "-u", "USER", "sh", "-c", "TEXT"], ["sudo", "-i", "-u", "USER"]),
            Cron("cron", "cron", "cron", "/usr/sbin/cron", None, None),
            At("at", "atd", "at", "at", None, None),
            Run("cloister run", None, "cloister", E["CTL"], TENANT + [E["CTL"], "run", "--", "sh", "-c", "TEXT"],
                    TENANT + [E["CTL"], "run"])]
