# SPDX-License-Identifier: GPL-2.0-or-later
#
# The uses: each does what its name says by one service, looks at every process that serves it meanwhile, and fails when
# anything is not as it should be. What makes no sense for a service says why.

import filecmp
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import machine
import reasons
from machine import CannotHold, E, Failed, Lacking, Log, wait_for
from services import ENVIRONMENT, Job, Probe, Started, Terminal, home, sshd_settings

USES = []


def use(name, ssh_only=None):
    """Registers a column. ssh_only: why services other than sshd do not have it."""
    def register(function):
        USES.append((name, function, ssh_only))
        return function
    return register


def needs(*programs):
    for program in programs:
        if not shutil.which(program, path=ENVIRONMENT["PATH"]):
            raise Lacking("no %s here" % program)


class Row:
    """One service and the user who tries it; what several uses share."""

    def __init__(self, service, user, others):
        self.service, self.user, self.others = service, user, others
        self.connection = None
        self.jobs = None

    def probe(self, *arguments):
        return Probe(self.user, *arguments)

    def cell_of(self, probe):
        return probe.cell(self.service.pam or "cloister-run", self.service.limits(), self.service.own_process)

    def judge(self, probe, folder=None, terminal=False):
        """The probe's own word, then every process of its cell."""
        cell = self.cell_of(probe)
        wrong = []
        if sorted(probe.facts["fds"]) != ["0", "1", "2"]:
            wrong.append("descriptors %s" % probe.facts["fds"])
        if terminal and not all(fd.startswith("/dev/pts/") for fd in probe.facts["fds"].values()):
            wrong.append("no terminal: %s" % probe.facts["fds"])
        expected = folder or self.service.folder(self.user)
        if probe.facts["cwd"] != expected:
            wrong.append("working folder %s, not %s" % (probe.facts["cwd"], expected))
        wrong += self.keyring(probe.facts["keyring"], cell)
        if wrong:
            raise Failed("; ".join(wrong))
        cell.judge()
        return cell

    def keyring(self, ring, cell):
        """A session keyring made for this cell: nothing in it, and of no other one of the run."""
        if ring["error"]:
            return ["keyring: errno %d" % ring["error"]]
        wrong = []
        if not ring["description"].endswith(";_ses") or ring["keys"] != 0:
            wrong.append("session keyring %s with %s keys" % (ring["description"], ring["keys"]))
        with KEYRINGS_LOCK:
            if KEYRINGS.setdefault(ring["id"], cell.id) != cell.id:
                wrong.append("session keyring %s is that of cell %s, too" % (ring["id"], KEYRINGS[ring["id"]]))
        return wrong

    def shared_cell(self):
        """sshd: the cell of the shared connection, which is opened by the first use that asks."""
        if not self.connection:
            self.service.connect(self.user, "-A", "-Y", "-o", "IdentityAgent=" + E["AGENT"])
            probe = self.probe()
            started = self.service.shared(self.user, probe.command)
            probe.wait(started)
            self.connection = self.cell_of(probe)
            probe.release()
            started.finish()
        return self.connection

    def close(self):
        """The end of the shared connection: nothing may be left of it."""
        if self.connection:
            cell, self.connection = self.connection, None
            self.service.disconnect(self.user)
            self.logged_out(cell)

    def logged_out(self, cell):
        cell.expect_gone()
        if self.service.utmp and machine.HAS_UTMP:
            wait_for("the end of logind's session", lambda: not machine.logged_in(self.user, "", cell.opener))

    def process(self, text, cell, started=None):
        """A process of the cell whose command has TEXT in it, once it is there."""
        def there():
            if started is not None and started.ended():
                raise Failed("ended early: " + started.said())
            return cell.find(lambda pid: text in machine.command_of(pid).replace("@notty", ""))
        return wait_for("a process of " + text, there)


KEYRINGS, KEYRINGS_LOCK, REFUSED_LOCK, MOSH_LOCK = {}, threading.Lock(), threading.Lock(), threading.Lock()


# Shells, commands -----------------------------------------------------------------------------------------------------

@use("shell with a terminal")
def shell(row):
    if isinstance(row.service, Job):
        job_has_no_terminal(row)
    if row.service.ssh:
        row.shared_cell()
    terminal, probe = row.service.terminal(row.user), row.probe()
    try:
        terminal.type(probe.command + "\n")
        probe.wait(terminal)
        cell = row.judge(probe, terminal=True)
        line = probe.facts["fds"]["0"].removeprefix("/dev/")
        if row.service.utmp and machine.HAS_UTMP:
            wait_for("%s on %s in who(1) or loginctl" % (row.user, line),
                     lambda: machine.logged_in(row.user, line, cell.opener))
        probe.release()
        terminal.type("exit 7\n")
        terminal.finish(7 if row.service.name != "login" else None)
        if row.service.utmp and os.path.exists("/run/utmp"):
            wait_for("%s on %s gone from who(1)" % (row.user, line), lambda: line not in machine.utmp_lines(row.user))
        if not row.service.ssh:
            row.logged_out(cell)
    finally:
        probe.release()
        terminal.abort()


def once(row, look):
    """A login with one command, which is looked at, ends, and leaves nothing."""
    probe = row.probe()
    started = row.service.command(row.user, probe.command)
    try:
        probe.wait(started)
        look(probe)
        cell = row.judge(probe)
    finally:
        probe.release()
    started.finish()
    cell.expect_gone()


@use("command")
def command(row):
    if row.service.terminal_only:
        return only_a_shell(row)
    if isinstance(row.service, Job):
        return job_finishes(row, 0)
    once(row, lambda probe: None)


def only_a_shell(row):
    """A command that it is given does not run."""
    probe = row.probe()
    started = Terminal([row.user if word == "USER" else word for word in row.service.shell] + probe.command.split())
    try:
        wait_for("a shell, or the end", lambda: started.ended() or started.asks() or os.path.exists(probe.path("facts")))
        if os.path.exists(probe.path("facts")):
            raise Failed("it ran a command")
    finally:
        probe.release()
        started.abort()
    raise CannotHold(reasons.ONLY_A_SHELL)


# Files, over the shared connection ------------------------------------------------------------------------------------

class Files:
    """A file to send, a place for it in the home, and one for what comes back."""

    def __init__(self, row):
        word = secrets.token_hex(4)
        self.local, self.back = "%s/%s" % (E["WORK"], word), "%s/%s.back" % (E["WORK"], word)
        self.remote = "%s/.conformance/%s" % (home(row.user), word)
        with open(self.local, "wb") as file:
            file.write(os.urandom(50000))

    @staticmethod
    def touch(path):
        with open(path, "w"):
            pass

    def check(self, what):
        if not filecmp.cmp(self.local, what, shallow=False):
            raise Failed("%s is not what was sent" % what)


def ssh_command(row, *options):
    return " ".join(["ssh", *row.service.channel(row.user), *options])


GATED_SSH = """#!/usr/bin/python3
import os, select, subprocess, sys, time
ssh = subprocess.Popen(["ssh"] + sys.argv[1:], stdin=subprocess.PIPE)
while not os.path.exists("%s"):
    time.sleep(0.05)
while select.select([0], [], []) and (data := os.read(0, 65536)):
    ssh.stdin.write(data)
    ssh.stdin.flush()
ssh.stdin.close()
sys.exit(ssh.wait())
"""


@use("scp", reasons.FILES)
def scp(row):
    cell, files = row.shared_cell(), Files(row)
    # An ssh whose input waits for a file: so the server waits, too.
    gate, program = files.local + ".gate", files.local + ".ssh"
    with open(program, "w") as file:
        file.write(GATED_SSH % gate)
    os.chmod(program, 0o700)
    base = ["scp", "-q", *row.service.channel(row.user)]
    for protocol, server in (("-s", "sftp-server"), ("-O", "scp ")):
        started = Started(base + ["-S", program, protocol, files.local, "%s:%s" % (row.user, files.remote)])
        try:
            row.process(server, cell, started)
            cell.judge()
            files.touch(gate)
            started.finish()
        finally:
            files.touch(gate)
            started.abort()
        files.check(files.remote)
        Started(base + [protocol, "%s:%s" % (row.user, files.remote), files.back]).finish()
        files.check(files.back)
        os.unlink(gate)
        os.unlink(files.remote)


@use("rsync", reasons.FILES)
def rsync(row):
    needs("rsync")
    cell, files = row.shared_cell(), Files(row)
    base = ["rsync", "-e", ssh_command(row)]
    # With a list of files that has no end yet, the server waits.
    started = Started(base + ["--files-from=-", E["WORK"], "%s:%s" % (row.user, os.path.dirname(files.remote))])
    try:
        row.process("rsync --server", cell, started)
        cell.judge()
        started.type(os.path.basename(files.local) + "\n")
        started.finish()
    finally:
        started.abort()
    files.check(files.remote)
    Started(base + ["%s:%s" % (row.user, files.remote), files.back]).finish()
    files.check(files.back)


def sftp(row, kind, server):
    subsystems = dict(line.split(None, 1) for line in sshd_settings().get("subsystem", []))
    name = next((name for name, value in subsystems.items() if ("internal-sftp" in value) == (kind == "internal")), None)
    if not name:
        raise Lacking("sshd_config has no such subsystem")
    cell, files = row.shared_cell(), Files(row)
    started = Started(["sftp", "-q", *row.service.channel(row.user), "-s", name, "-b", "-", row.user])
    try:
        started.type("put %s %s\n" % (files.local, files.remote))
        row.process(server, cell, started)
        cell.judge()
        started.type("get %s %s\n" % (files.remote, files.back))
        started.finish()
    finally:
        started.abort()
    files.check(files.remote)
    files.check(files.back)


@use("sftp, internal", reasons.FILES)
def sftp_internal(row):
    sftp(row, "internal", "internal-sftp")


@use("sftp, external", reasons.FILES)
def sftp_external(row):
    sftp(row, "external", "sftp-server")


@use("git", reasons.FILES)
def git(row):
    needs("git")
    cell, files, probe = row.shared_cell(), Files(row), row.probe()
    environment = dict(ENVIRONMENT, GIT_SSH_COMMAND=ssh_command(row), GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null")
    local, remote = files.local + ".git", files.remote + ".git"
    hook = remote + "/hooks/pre-receive"
    for argv in (["init", "-q", "-b", "main", local], ["init", "-q", "--bare", "-b", "main", remote],
                 ["-C", local, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "--allow-empty", "-m", "pushed"]):
        subprocess.run(["git"] + argv, env=environment, check=True)
    os.makedirs(os.path.dirname(hook), exist_ok=True)
    with open(hook, "w") as file:
        file.write("#!/bin/sh\nexec %s\n" % probe.command)
    os.chmod(hook, 0o755)
    subprocess.run(["chown", "-R", row.user + ":", remote], check=True)
    started = Started(["git", "-C", local, "push", "-q", "%s:%s" % (row.user, remote), "main"], env=environment)
    try:
        probe.wait(started)
        row.process("git-receive-pack", cell, started)
        cell.judge()
        probe.release()
        started.finish()
    finally:
        probe.release()
        started.abort()
    Started(["git", "clone", "-q", "%s:%s" % (row.user, remote), files.back], env=environment).finish()
    if "pushed" not in machine.run("git", "-C", files.back, "log", "--format=%s", env=environment).stdout:
        raise Failed("the clone does not have what was pushed")


# Forwarding -----------------------------------------------------------------------------------------------------------

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def read_all(peer):
    data = b""
    peer.settimeout(machine.LIMIT)
    while chunk := peer.recv(4096):
        data += chunk
    return data.decode(errors="replace")


def ask(port, hello=b""):
    try:
        with socket.create_connection(("127.0.0.1", port), machine.LIMIT) as peer:
            if hello:
                peer.sendall(b"\5\1\0")
                peer.recv(2)
                peer.sendall(hello)
                if peer.recv(10)[1:2] != b"\0":
                    return ""
            return read_all(peer)
    except OSError as error:
        return str(error)


class Server(threading.Thread):
    """Says a word to whoever connects, on the host."""

    def __init__(self, word):
        super().__init__(daemon=True)
        self.word, self.server = word, socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            with peer:
                peer.sendall(self.word.encode())


def with_listener(row, reach):
    """A server in the cell; reach(its port) must say its word."""
    cell, probe = row.shared_cell(), row.probe("listen")
    started = row.service.shared(row.user, probe.command)
    try:
        probe.wait(started)
        answer = reach(probe.facts["port"])
        if answer != probe.token:
            raise Failed("the cell's port said: " + answer)
        cell.judge()
    finally:
        probe.release()
    started.finish()


def forward(row, option, specification):
    answer = machine.run("ssh", *row.service.channel(row.user), "-O", "forward", option, specification, row.user)
    if answer.returncode != 0:
        raise Failed("%s: %s" % (option, answer.stderr))


@use("-L", reasons.FORWARDS)
def forward_local(row):
    def reach(cell_port):
        port = free_port()
        forward(row, "-L", "127.0.0.1:%d:127.0.0.1:%d" % (port, cell_port))
        return ask(port)
    with_listener(row, reach)
    server, port = Server("the host"), free_port()
    forward(row, "-L", "127.0.0.1:%d:127.0.0.1:%d" % (port, server.port))
    if "the host" in ask(port):
        raise Failed("it reaches the host's loopback")


@use("-R", reasons.FORWARDS)
def forward_remote(row):
    cell, server, port = row.shared_cell(), Server("the client"), free_port()
    forward(row, "-R", "127.0.0.1:%d:127.0.0.1:%d" % (port, server.port))
    probe = row.probe("connect", str(port), "00")
    started = row.service.shared(row.user, probe.command)
    try:
        probe.wait(started)
        if probe.facts["answer"] != "the client":
            raise Failed("the forwarded port said: " + probe.facts["answer"])
        if "refused" not in ask(port):
            raise Failed("the port listens on the host")
        cell.judge()
    finally:
        probe.release()
    started.finish()


@use("-D", reasons.FORWARDS)
def forward_dynamic(row):
    def reach(cell_port):
        port = free_port()
        forward(row, "-D", "127.0.0.1:%d" % port)
        return ask(port, b"\5\1\0\1" + socket.inet_aton("127.0.0.1") + struct.pack("!H", cell_port))
    with_listener(row, reach)


@use("-N", reasons.FORWARDS)
def no_command(row):
    """A login that asks for no session: only sshd's own process is there, and it is in the cell."""
    server, port = Server("the host"), free_port()
    before = {cell["id"] for cell in machine.cells(row.user)}
    started = Started(row.service.base() + ["-N", "-L", "127.0.0.1:%d:127.0.0.1:%d" % (port, server.port), row.user])
    try:
        def opened():
            if started.ended():
                raise Failed("ssh -N ended: " + started.said())
            return next((cell for cell in machine.cells(row.user) if cell["id"] not in before), None)
        cell = machine.Cell(wait_for("a cell", opened), row.service.pam)
        row.process("sshd", cell, started)
        wait_for("the forwarded port", lambda: "refused" not in ask(port))
        if "the host" in ask(port):
            raise Failed("it reaches the host's loopback")
        cell.judge()
    finally:
        started.abort()
    cell.expect_gone()


@use("agent", reasons.FORWARDS)
def agent(row):
    cell = row.shared_cell()
    started = row.service.shared(row.user, "ssh-add -L; echo $SSH_AUTH_SOCK", "-A", "-o", "IdentityAgent=" + E["AGENT"]).finish()
    key, path = started.said().split("\n")[-2:]
    if key.split()[:2] != machine.read(E["AGENT_KEY"]).split()[:2]:
        raise Failed("the agent has another key: " + key)
    if os.path.exists(path):
        raise Failed("its socket %s is on the host" % path)
    cell.judge()


@use("X11", reasons.FORWARDS)
def x11(row):
    needs("xauth")
    cell = row.shared_cell()
    environment = dict(ENVIRONMENT, DISPLAY=E["X_DISPLAY"], XAUTHORITY=E["X_AUTHORITY"])
    base = ["ssh", *row.service.channel(row.user), "-Y", row.user]
    display, cookie = Started(base + ["echo $DISPLAY; xauth list | tail -n 1"], env=environment).finish().said().split("\n")[-2:]
    port, cookie = 6000 + int(float(display.partition(":")[2])), cookie.split()[2]
    if cookie == E["X_COOKIE"]:
        raise Failed("the cell has the client's own cookie")
    name, data = b"MIT-MAGIC-COOKIE-1", bytes.fromhex(cookie)
    hello = struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(data)) + name + bytes(2) + data
    probe = row.probe("connect", str(port), hello.hex())
    started = Started(base + [probe.command], env=environment)
    try:
        probe.wait(started)
        if probe.facts["answer"] != "cookie " + E["X_COOKIE"]:
            raise Failed("the display said: " + probe.facts["answer"])
        if "refused" not in ask(port):
            raise Failed("the display listens on the host")
        cell.judge()
    finally:
        probe.release()
    started.finish()


class XServer(threading.Thread):
    """The client's X server: says which cookie it was given."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(path)
        self.server.listen(8)
        self.start()

    def run(self):
        while True:
            peer, _ = self.server.accept()
            with peer:
                peer.settimeout(machine.LIMIT)
                head = peer.recv(12, socket.MSG_WAITALL)
                if len(head) == 12:
                    name, data = struct.unpack("<HH", head[6:10])
                    rest = peer.recv(name + -name % 4 + data + -data % 4, socket.MSG_WAITALL)
                    peer.sendall(b"cookie " + rest[name + -name % 4:][:data].hex().encode())


# Sessions that stay ---------------------------------------------------------------------------------------------------

@use("ControlMaster", reasons.CONNECTIONS)
def control_master(row):
    cell, probes = row.shared_cell(), [row.probe(), row.probe()]
    started = [row.service.shared(row.user, probe.command) for probe in probes]
    try:
        for probe, channel in zip(probes, started):
            probe.wait(channel)
            if row.judge(probe).id != cell.id:
                raise Failed("a channel is in a cell of its own")
    finally:
        for probe in probes:
            probe.release()
    for channel in started:
        channel.finish()


def multiplexer(row, program, begin, detach, attach, client):
    """A probe in a window survives the detaching of its client, and a new client finds it."""
    if isinstance(row.service, Job):
        job_has_no_terminal(row)
    needs(program)
    cell = row.shared_cell() if row.service.ssh else None
    terminal, probe = row.service.terminal(row.user), row.probe()
    try:
        terminal.type("%s %s\n" % (begin, probe.command))
        probe.wait(terminal)
        cell = row.judge(probe, terminal=True)
        attached = lambda: cell.find(client)
        typed_until("the client's end", terminal, detach, lambda: not attached())
        if not probe.alive():
            raise Failed("the window did not stay")
        terminal.type(KILL_LINE + attach + "\n")
        wait_for("a new client", attached)
        cell.judge()
        probe.release()
        wait_for("the end of " + program, lambda: not attached())
        terminal.type("exit\n")
        terminal.finish(None)
        if not row.service.ssh:
            cell.expect_gone()
    except Failed as reason:
        raise Failed("%s; the terminal has %r" % (reason, terminal.output[-400:])) from None
    finally:
        probe.release()
        terminal.abort()


KILL_LINE = "\x15"


def typed_until(what, terminal, keys, condition):
    """What is typed while a terminal changes hands may be lost: the keys again, after a while."""
    for _ in range(10):
        terminal.type(keys)
        try:
            return wait_for(what, condition, machine.LIMIT / 30)
        except Failed:
            continue
    return wait_for(what, condition)


def again(attach):
    """The server may not know yet that its client has gone."""
    return "for i in 1 2 3 4 5 6 7 8 9; do %s && break; sleep 1; done" % attach


@use("tmux")
def tmux(row):
    multiplexer(row, "tmux", "tmux -f /dev/null new-session", "\x02d", again("tmux attach"),
                lambda pid: machine.read("/proc/%s/comm" % pid).startswith("tmux: client"))


@use("screen")
def screen(row):
    multiplexer(row, "screen", "screen -c /dev/null", "\x01d", again("screen -r"),
                lambda pid: machine.command_of(pid).startswith("screen"))


@use("mosh", reasons.MOSH)
def mosh(row):
    """By a policy with the host's network: mosh's datagrams come from outside, and nothing comes into a network of a cell's own."""
    needs("mosh", "mosh-server")
    user = row.others["mosh"]
    with MOSH_LOCK:
        row.service.connect(user)
        probe = Probe(user)
        terminal = Terminal(["mosh", "--experimental-remote-ip=remote", "--ssh=ssh " + " ".join(row.service.channel(user)), user, "--",
                             *probe.command.split()])
        try:
            probe.wait(terminal)
            cell = probe.cell(row.service.pam)
            row.process("mosh-server", cell, terminal)
            cell.judge()
            probe.release()
            terminal.finish(None)
        finally:
            probe.release()
            terminal.abort()
            row.service.disconnect(user)
        cell.expect_gone()


@use("sshfs", reasons.FILES)
def sshfs(row):
    needs("sshfs")
    if not os.path.exists("/dev/fuse"):
        raise Lacking("no /dev/fuse here")
    cell, files = row.shared_cell(), Files(row)
    mounted = files.local + ".mount"
    os.mkdir(mounted)
    started = Started(["sshfs", "-f", *row.service.channel(row.user), "%s:.conformance" % row.user, mounted])
    try:
        wait_for("the mount", lambda: os.path.ismount(mounted) or (started.ended() and started.finish()))
        shutil.copyfile(files.local, mounted + "/" + os.path.basename(files.remote))
        files.check(files.remote)
        row.process("sftp-server", cell, started)
        cell.judge()
    finally:
        subprocess.run(["umount", "-l", mounted], check=False, stderr=subprocess.DEVNULL)
    started.finish(None)


@use("Ansible", reasons.BY_SSH)
def ansible(row):
    needs("ansible-playbook")
    if row.service.method != "public key":
        raise CannotHold(reasons.SAME_SSH)
    cell, files, probe = row.shared_cell(), Files(row), row.probe()
    book = files.local + ".yml"
    with open(book, "w") as file:
        file.write("- hosts: all\n  gather_facts: false\n  tasks:\n  - ping:\n  - copy: { src: %s, dest: %s }\n  - command: %s\n"
                   % (files.local, files.remote, probe.command))
    environment = dict(ENVIRONMENT, ANSIBLE_SSH_ARGS=" ".join(row.service.channel(row.user)), ANSIBLE_LOCAL_TEMP=E["WORK"],
                       ANSIBLE_PYTHON_INTERPRETER="/usr/bin/python3", ANSIBLE_NOCOLOR="1", ANSIBLE_PIPELINING="1")
    started = Started(["ansible-playbook", "-i", row.user + ",", book], env=environment)
    try:
        probe.wait(started, 4 * machine.LIMIT)  # it starts Python again and again
        cell.judge()
        probe.release()
        started.finish()
    finally:
        probe.release()
        started.abort()
    files.check(files.remote)


@use("paramiko", reasons.BY_SSH)
def paramiko(row):
    if not importlib.util.find_spec("paramiko"):
        raise Lacking("no paramiko here")
    files, probe = Files(row), row.probe()
    here = os.path.dirname(os.path.abspath(__file__))
    started = Started(["/usr/bin/python3", here + "/paramiko_login.py", row.service.method, row.user, files.local, files.remote,
                       probe.command], env=dict(ENVIRONMENT, PORT=E["PORT"], KEY=E["KEY"], PASSWORD=E["PASSWORD"]))
    try:
        probe.wait(started)
        cell = row.judge(probe)
        probe.release()
        started.finish()
    finally:
        probe.release()
        started.abort()
    files.check(files.remote)
    cell.expect_gone()


@use("editor's server")
def editor(row):
    """A daemon that outlives the command by which it was started, as long as its login lasts, and no longer."""
    if isinstance(row.service, Job):
        return job_finishes(row, 1)
    daemon, probe = row.probe(), row.probe()
    text = "setsid -f %s </dev/null >/dev/null 2>&1" % daemon.command
    if row.service.ssh:
        row.shared_cell()
        row.service.shared(row.user, text).finish()  # an editor connects anew to what it started
        started = row.service.shared(row.user, probe.command)
    elif row.service.terminal_only:
        started = row.service.terminal(row.user)
        started.type("%s\n%s; exit\n" % (text, probe.command))
    else:
        started = row.service.command(row.user, "%s; %s" % (text, probe.command))
    try:
        daemon.wait(started)
        probe.wait(started)
        cell = row.judge(probe)
        if row.judge(daemon).id != cell.id:
            raise Failed("the daemon is in another cell")
        probe.release()
        started.finish(None if row.service.terminal_only else 0)
        if row.service.ssh and not daemon.alive():
            raise Failed("the daemon ended with a channel")
        row.close()
        cell.expect_gone()
    finally:
        probe.release()
        daemon.release()


# Ends -----------------------------------------------------------------------------------------------------------------

VICTIMS = ("opener", "cloister-init", "the tenant's process")


def kill_and_see(row, victim, probe, cell):
    """Killed without a goodbye: all of the cell ends by itself, and a sweep finds what is left on the host."""
    pid = {"opener": cell.opener, "cloister-init": cell.init, "the tenant's process": probe.pid}[victim]
    os.kill(int(pid), signal.SIGKILL)
    wait_for("the end of the cell's processes, %s killed" % victim, lambda: not machine.in_pid_namespace(cell.ns["pid"]))
    if victim == "opener":
        machine.ctl("sweep")
    cell.expect_gone()


@use("SIGKILL of each process")
def killed(row):
    if isinstance(row.service, Job):
        return job_killed(row)
    for victim in VICTIMS:
        probe = row.probe()
        if row.service.terminal_only:
            started = row.service.terminal(row.user)
            started.type("exec %s\n" % probe.command)
        else:
            started = row.service.command(row.user, probe.command)
        try:
            probe.wait(started)
            kill_and_see(row, victim, probe, row.cell_of(probe))
            started.finish(None)
        finally:
            probe.release()
            started.abort()


class Refusal:
    """What the log says of a refused open, and a command that must not run."""

    def __init__(self, row):
        self.user, self.service = row.others["refused"], row.service.pam or "cloister-run"
        self.marker = "%s/.conformance/%s" % (home(self.user), secrets.token_hex(6))
        self.log, self.command = Log(), "touch " + self.marker

    def lines(self):
        return self.log.lines(r"refused: user=%s service=%s " % (self.user, self.service))

    def judge(self):
        lines = self.lines()
        if os.path.exists(self.marker):
            os.unlink(self.marker)
            raise Failed("the command ran")
        if len(lines) != 1 or " stage=seccomp key=seccomp.profile" not in lines[0]:
            raise Failed("the log says: " + ("; ".join(lines) or "nothing"))
        if machine.cells(self.user):
            raise Failed("there is a cell")


@use("refused open")
def refused(row):
    """A policy that cannot be built: nothing of the user's runs, and one line says why."""
    if isinstance(row.service, Job):
        return jobs_of(row).refusal.judge()
    with REFUSED_LOCK:
        refusal = Refusal(row)
        if row.service.terminal_only:
            Terminal([refusal.user if word == "USER" else word for word in row.service.shell]).finish(None)
        else:
            started = row.service.command(refusal.user, refusal.command).finish(None)
            if started.process.returncode == 0:
                raise Failed("it says that all went well")
        wait_for("a refusal in the log", refusal.lines)
        refusal.judge()


# Jobs: all of a row's at once, because cron is asked only each minute -------------------------------------------------

class Jobs:
    def __init__(self, row):
        self.plain, self.foreground, self.daemon = row.probe(), row.probe(), row.probe()
        self.killed = {victim: row.probe() for victim in VICTIMS}
        texts = [self.plain.command, "setsid -f %s </dev/null >/dev/null 2>&1; %s" % (self.daemon.command, self.foreground.command)]
        self.all = [self.plain, self.foreground, self.daemon] + list(self.killed.values())
        self.refusal = Refusal(row)
        row.service.submit(self.refusal.user, [self.refusal.command])
        row.service.submit(row.user, texts + [probe.command for probe in self.killed.values()])
        try:
            for probe in self.all:
                probe.wait(limit=machine.LIMIT + 120)  # cron's minute has to come first
            wait_for("a refusal in the log", self.refusal.lines)
        finally:
            row.service.remove(row.user)
            row.service.remove(self.refusal.user)


def jobs_of(row):
    if row.jobs is None:
        row.jobs = Jobs(row)
    return row.jobs


def job_has_no_terminal(row):
    probe = jobs_of(row).plain
    if any(fd.startswith(("/dev/pts/", "/dev/tty")) for fd in probe.facts["fds"].values()):
        raise Failed("a job has a terminal: %s" % probe.facts["fds"])
    raise CannotHold(reasons.NO_TERMINAL)


def job_finishes(row, number):
    jobs = jobs_of(row)
    probe = (jobs.plain, jobs.foreground)[number]
    cell = row.judge(probe)
    if number == 1 and row.judge(jobs.daemon).id != cell.id:
        raise Failed("the daemon is in another cell")
    probe.release()
    cell.expect_gone()


def job_killed(row):
    jobs = jobs_of(row)
    for victim, probe in jobs.killed.items():
        kill_and_see(row, victim, probe, row.cell_of(probe))
