#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the objects may hold. An object that is compiled for one instruction set defines exactly one
# public symbol, so that nothing of it can stand in for code that runs everywhere. Code that runs
# everywhere holds no wide vectors. Kernels do not print, lock, map memory or leave; that a run does
# not allocate is seen by `attest check`, for a cost formula may.
bad=0
complain() { echo "$1"; bad=1; }
objects=$(find "$BUILD/kernels" "$BUILD/harness" -name '*.o')
[ -n "$objects" ] || { echo "there are no objects below $BUILD"; exit 1; }

# Kernels: kernels/METHOD/VARIANT.ISA.o and kernels/core/NAME.ISA.o
for o in $(echo "$objects" | grep -E '/kernels/[a-z0-9_]+/[a-z0-9_]+\.[a-z0-9]+\.o$'); do
    n=$(nm -g --defined-only "$o" | grep -vc ' __\(odr_\)\?asan')
    [ "$n" = 1 ] || complain "$o defines $n public symbols"
    forbidden=$(nm -u "$o" | awk '{print $2}' | grep -xE \
        'mmap|munmap|printf|fprintf|puts|putchar|fopen|exit|_exit|pthread_.*|getenv')
    [ -z "$forbidden" ] || complain "$o calls $(echo "$forbidden" | tr '\n' ' ')"
done

# x86-64 only: registers that a CPU without AVX (or without AVX-512) does not have.
registers() { objdump -d --no-show-raw-insn "$1" | grep -cE "$2"; }
if [ "$(uname -m)" = x86_64 ]; then
    for o in $objects; do
        case $o in
            *.avx512.o|*.avx512bf16.o) continue;;
            *.avx2.o) wide='%zmm|%k[1-7]';;
            *)        wide='%ymm|%zmm';;
        esac
        n=$(registers "$o" "$wide")
        [ "$n" = 0 ] || complain "$o uses wider registers than it may, $n times"
    done
fi
exit $bad
