# SPDX-License-Identifier: GPL-2.0-or-later
#
# What cannot hold, by nature, and why: a cell of the table is to be one of these, for this very reason, or to hold. Where
# there is something to try it is tried: a job's descriptors are looked at, and login is given a command.

ONLY_A_SHELL = "it starts a login shell, and nothing else: a command that it is given does not run"
NO_TERMINAL = "a job has no terminal"
FILES = "its client speaks ssh; files come and go by sshd"
FORWARDS = "it forwards nothing: that is a part of the ssh protocol"
CONNECTIONS = "it has no connections that could be shared"
MOSH = "its client starts the server by ssh"
BY_SSH = "it works by ssh"
SAME_SSH = "it runs ssh(1), for which the other columns are: what it does in a login is tried once, see public key"

LOCAL = ("login", "su", "su -l", "su --pty", "runuser", "runuser -l", "sudo -i -u", "cron", "at", "cloister run")
TABLE = (
    (ONLY_A_SHELL, ("login",), ("command",)),
    (NO_TERMINAL, ("cron", "at"), ("shell with a terminal", "tmux", "screen")),
    (FILES, LOCAL, ("scp", "rsync", "sftp, internal", "sftp, external", "git", "sshfs")),
    (FORWARDS, LOCAL, ("-L", "-R", "-D", "-N", "agent", "X11")),
    (CONNECTIONS, LOCAL, ("ControlMaster",)),
    (MOSH, LOCAL, ("mosh",)),
    (BY_SSH, LOCAL, ("Ansible", "paramiko")),
    (SAME_SSH, ("sshd, password", "sshd, keyboard-interactive"), ("Ansible",)),
)
KNOWN = {(service, use): reason for reason, services, uses in TABLE for service in services for use in uses}
