# SPDX-License-Identifier: GPL-2.0-or-later
#
# paramiko_login.py METHOD USER LOCAL REMOTE COMMAND: a login by paramiko; a file by sftp, then the command, whose status it passes.

import os
import sys

import paramiko

method, user, local, remote, command = sys.argv[1:]
transport = paramiko.Transport(("127.0.0.1", int(os.environ["PORT"])))
security = transport.get_security_options()  # what emulated processors are quick with comes first
security.kex = sorted(security.kex, key=lambda name: name != "ecdh-sha2-nistp256")
security.key_types = sorted(security.key_types, key=lambda name: name != "ecdsa-sha2-nistp256")
transport.start_client(timeout=120)
if method == "public key":
    transport.auth_publickey(user, paramiko.ECDSAKey.from_private_key_file(os.environ["KEY"]))
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
os._exit(status)  # its thread may still be there: in Python's own end that has crashed
