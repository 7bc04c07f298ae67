#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Of the refusals, those that need AppArmor, controllers of cgroup v2 or a machine of one's own.

# shellcheck disable=SC2034
PARTS="apparmor cgroup ids"
. "$(dirname "$0")/refusals.sh"
