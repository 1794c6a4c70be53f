#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that building, testing and drawing need, or names them in one
# sentence with the command that would. Silent when all is there. More packages may be given
# as PACKAGE:PROGRAM arguments.
missing=
program() { command -v "$2" >/dev/null 2>&1 || missing="$missing $1"; }
library() { pkg-config --exists "$2" 2>/dev/null || missing="$missing $1"; }

program gcc gcc
[ -e /usr/include/stdio.h ] || missing="$missing libc6-dev"
program pkg-config pkg-config
library libsqlite3-dev    sqlite3
library libyaml-dev       yaml-0.1
library libjansson-dev    jansson
library libhwloc-dev      hwloc
library libopenblas-dev   openblas
library libmd4c-html0-dev md4c-html
library libmd4c-dev       md4c            # the headers of both
library libcmocka-dev     cmocka
program gnuplot-nox       gnuplot
for extra in "$@"; do program "${extra%%:*}" "${extra##*:}"; done
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then become=; elif sudo -n true 2>/dev/null; then become=sudo; else become=no; fi
    if [ "$become" != no ]; then
        echo "installing:$missing"
        export DEBIAN_FRONTEND=noninteractive
        # Package lists may be older than the mirror: refresh them once before giving up.
        $become $install >/dev/null 2>&1 || { $become apt-get update -qq && $become $install >/dev/null; } && exit 0
    fi
fi
echo "missing packages:$missing; install them with: sudo $install" >&2
exit 1
