#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the targets with clang, AddressSanitizer, UndefinedBehaviorSanitizer and libFuzzer, and lets
# each look for trouble: tests/fuzz/run.sh MAKE SECONDS TARGET...
# What it learns is kept below build/sanitized/fuzz/corpus; an input that fails, in findings beside.
# In the environment: FUZZ_JOBS, how many at a time (default: 2); FUZZ_CC, which clang; FUZZ_SEED, so
# that two runs try the same inputs first (default: others each time).
make=$1 seconds=$2
shift 2
here=$PWD/build/sanitized/fuzz
mkdir -p "$here/corpus" "$here/findings" "$here/log"
if ! echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return !d && n; }' |
     clang -fsanitize=fuzzer -x c - -o "$here/probe" 2>/dev/null; then
    echo 'not fuzzed: clang is not here, or has no fuzzer (apt-get install clang libclang-rt-14-dev)'
    exit 0
fi
$make fuzzers CC="${FUZZ_CC:-clang}" SANITIZE=1 BUILD=build/sanitized || exit 1
TMPDIR=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)" attest-fuzz-XXXXXX)
trap 'rm -rf "$TMPDIR"' EXIT
export TMPDIR here seconds
# shellcheck disable=SC2016  # the inner shell expands
printf '%s\n' "$@" | xargs -P "${FUZZ_JOBS:-2}" -I TARGET sh -c '
    t=TARGET; mkdir -p "$here/corpus/$t"
    if "$here/$t" -seed="${FUZZ_SEED:-0}" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 -malloc_limit_mb=1024 \
           -artifact_prefix="$here/findings/$t-" -print_final_stats=1 "$here/corpus/$t" "tests/fuzz/$t" >"$here/log/$t" 2>&1
    then printf "ok       %s: %s inputs\n" "$t" "$(sed -n "s/^stat::number_of_executed_units: *//p" "$here/log/$t")"
    else echo "FAILED   $t"; tail -n 40 "$here/log/$t"; exit 1
    fi'
