#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A cell that cannot be built as its policy says is a refused login, `ssh -N` included: one log line that names the
# stage, the key and where it was written, and nothing left behind.

# shellcheck disable=SC2034
PARTS="policy seccomp apparmor cgroup files session_max environment ids init state state_filesystem deadline message"
. "$(dirname "$0")/refusals.sh"
