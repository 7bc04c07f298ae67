# SPDX-License-Identifier: GPL-2.0-or-later
#
# paramiko_login.py METHOD USER LOCAL REMOTE COMMAND: a login by paramiko; a file by sftp, then the command, whose status it passes.

import os
import sys

import paramiko

method, user, local, remote, command = sys.argv[1:]
transport = paramiko.Transport(("127.0.0.1", int(os.environ["PORT"])))
transport.start_client(timeout=120)
if method == "public key":
    transport.auth_publickey(user, paramiko.Ed25519Key.from_private_key_file(os.environ["KEY"]))
elif method == "password":
    transport.auth_password(user, os.environ["PASSWORD"], fallback=False)
else:
    transport.auth_interactive(user, lambda title, text, prompts: [os.environ["PASSWORD"] for _ in prompts])
sftp = paramiko.SFTPClient.from_transport(transport)
sftp.put(local, remote)
sftp.close()
channel = transport.open_session()
channel.exec_command(command)
status = channel.recv_exit_status()
transport.close()
sys.exit(status)
