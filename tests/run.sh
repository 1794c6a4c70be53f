#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs tests and says how many passed: tests/run.sh BUILD TEST...
# A test is a script, NAME.sh, or a program. A program whose name ends in an ISA that this CPU lacks
# is counted as skipped, with the reason.
# RUN in the environment: what starts programs of another processor ("qemu-aarch64 -L FOLDER").
build=$1
shift
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() {   # run NAME COMMAND...
    name=$1 started=$(date +%s)
    shift
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok       $name, $(($(date +%s) - started)) s"
    else
        failed=$((failed + 1))
        echo "FAILED   $name"
        tail -n 60 "$log" | sed 's/^/    /'
    fi
}
export ATTEST="$build/attest" BUILD="$build"
if [ -n "$RUN" ]; then
    ATTEST=$build/run-attest
    printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$RUN" "$build/attest" >"$ATTEST"
    chmod +x "$ATTEST"
fi
# shellcheck disable=SC2086  # RUN is several words, or none
for test in "$@"; do
    case ${test##*/} in
        *.sh) run "$test" sh "$test"; continue;;
        *.*)  isa=${test##*.}
              if ! $RUN "$build/tests/isa_here" "$isa" >"$log"; then
                  skipped=$((skipped + 1))
                  echo "skipped  $test: $(head -n 1 "$log")"
                  continue
              fi;;
    esac
    run "$test" $RUN "$test"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
