#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Takes the walk of CONTRIBUTING.md word by word, in a copy of the tree: each block that follows a
# path is written to it, then the commands are run. A new method needs no edit elsewhere.
set -eu
build=${BUILD:-build}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -a LICENSE Makefile README.md CONTRIBUTING.md experiments harness kernels papers tests "$copy"
mkdir "$copy/build" "$copy/results"
cp -a "$build"/embedded.* "$build"/kernels "$build"/harness "$copy/build"       # what is built already
cd "$copy"

# The path is the last word of the paragraph before the block, between backquotes.
awk '/^```(c|yaml|md)$/ { system("mkdir -p $(dirname " path ")"); inside = 1; next }
     /^```/          { inside = 0; next }
     inside          { print > path; next }
     /`[a-z_\/.]+`$/ { path = $0; sub(/`$/, "", path); sub(/.*`/, "", path) }' CONTRIBUTING.md
[ -f kernels/walked_attention/recurrent.v.c ] && [ -f papers/walked/claims.yaml ]

say() { echo "walk: $1" >&2; exit 1; }
make BUILD=build CC="${CC:-cc}" >make.log 2>&1 || { tail make.log >&2; say "make failed"; }
build/attest check 'walked_attention*' >check.log 2>&1 || { tail check.log >&2; say "the check failed"; }
grep -q 'right *wrong\|, 0 wrong' check.log || say "nothing was checked"
build/attest bench walked_attention:T=1024:f32:fwd --budget 100ms -q >bench.log 2>&1 ||
    { cat bench.log >&2; say "the bench failed"; }
build/attest reproduce walked -p smoke -q >reproduce.log 2>&1 || { cat reproduce.log >&2; say "reproduce failed"; }
grep -q 'reproduced.*W-linear\|W-linear.*reproduced' reproduce.log || { cat reproduce.log >&2; say "no verdict"; }
[ -s results/figures/walked/length.svg ] || say "no figure"
[ -s results/report/walked.html ] || say "no report"
