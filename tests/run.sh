#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every test and says how many passed: tests/run.sh BUILD UNIT-PROGRAM...
# A program whose name ends in an ISA that this CPU lacks is counted as skipped, with the reason.
build=$1
shift
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() {   # run NAME COMMAND...
    name=$1
    shift
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok       $name"
    else
        failed=$((failed + 1))
        echo "FAILED   $name"
        tail -n 60 "$log" | sed 's/^/    /'
    fi
}
export ATTEST="$build/attest" BUILD="$build"
for program in "$@"; do
    isa=${program##*.}
    if [ "$isa" != "$program" ] && [ "${isa#*/}" = "$isa" ] && ! "$build/tests/isa_here" "$isa" >"$log"; then
        skipped=$((skipped + 1))
        echo "skipped  $program: $(head -n 1 "$log")"
        continue
    fi
    run "$program" "$program"
done
for script in tests/*.sh tests/cli/*.sh; do
    case $script in tests/run.sh|'tests/cli/*.sh') continue;; esac
    run "$script" sh "$script"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
