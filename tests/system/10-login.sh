#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A login lands in a cell: seven namespaces of its own, cloister-init as pid 1, only the cell's processes in sight.

. "$(dirname "$0")/../lib/test.sh"

check_equal "a command runs as the user" "$ALICE" "$(as alice -- id -un)"
check_equal "root is exempt and on the host" "$(readlink /proc/$$/ns/pid)" "$(as root -- readlink /proc/self/ns/pid)"

done_testing
