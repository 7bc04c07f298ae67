#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Limits with cgroup_manager = "cgroupfs".

MANAGER=cgroupfs
. "$(dirname "$0")/limits.sh"
