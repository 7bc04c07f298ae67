#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Limits with cgroup_manager = "systemd".

MANAGER=systemd
. "$(dirname "$0")/limits.sh"
