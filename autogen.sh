#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Make ./configure from configure.ac. Needs autoconf, automake, libtool, pkg-config and autoconf-archive.
set -e
cd "$(dirname "$0")"
mkdir -p m4
exec autoreconf --force --install --warnings=all,no-portability
