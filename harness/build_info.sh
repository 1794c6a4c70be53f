#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes build_info.c: what this binary is made of, and a hash of each variant's object code, so
# that a stored row says which code it measured. Usage: build_info.sh CC FLAGS OBJECT...
cc=$1 flags=$2
shift 2
commit=$(git rev-parse HEAD 2>/dev/null) || commit=unknown
dirty=1
[ "$commit" != unknown ] && git diff --quiet HEAD -- kernels harness Makefile 2>/dev/null && dirty=0
# What the program is made of, tests aside. The same by hand: see build_sources in build_info.h.
sources=$(find kernels harness Makefile -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d' ' -f1)
echo '#include "harness/build_info.h"'
echo "const char build_commit[] = \"$commit\";"
echo "const char build_sources[] = \"$sources\";"
echo "const int build_dirty = $dirty;"
echo "const char build_compiler[] = \"$($cc --version | head -n 1)\";"
echo "const char build_flags[] = \"$flags\";"
echo 'const CodeHash code_hashes[] = {'
objcopy=$($cc -print-prog-name=objcopy)      # the one for that compiler's objects
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
for object in "$@"; do
    # Debug sections hold paths; the code itself does not.
    "$objcopy" --strip-debug "$object" "$stripped"
    name=$(echo "${object#*kernels/}" | sed 's/\.o$//; s![/.]!_!g')
    echo "    { \"$name\", \"$(sha256sum "$stripped" | cut -d' ' -f1)\" },"
done
echo '    { 0, 0 } };'
