#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# attest doctor: what it says, and that its session is stored. No limit is compared with a number.
set -eu
say() { echo "$*" >&2; exit 1; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$ATTEST" doctor --budget 600ms --no-store >"$out/text"
for word in 'instruction sets' 'portable .*yes' 'fma portable' 'read L1' 'read DRAM' 'triad DRAM' 'compute .*false alarms' \
            'memory .*false alarms' 'perf_event' 'missing' 'cache.l1d_bytes'; do
    grep -q "$word" "$out/text" || say "no '$word'"
done
grep -qi 'bogomips\|mhz' "$out/text" && say "the identity holds what varies"

"$ATTEST" doctor --budget 600ms --json --db "$out/attest.db" >"$out/json"
for key in alias machine isas ceilings noise state unavailable missing false_alarm_share; do
    grep -q "\"$key\":" "$out/json" || say "no $key in the JSON"
done
[ -s "$out/attest.db" ] || say "nothing was stored"

"$ATTEST" doctor --aa --trials 20 --each 2ms --budget 300ms --json --quiet --db "$out/attest.db" >"$out/json"
for key in aa comparison_ns aa_false_alarm_share aa_false_alarm_high steps injected found_share; do
    grep -q "\"$key\":" "$out/json" || say "no $key in the JSON of --aa"
done
for kernel in compute memory; do
    rows=$("$ATTEST" query --db "$out/attest.db" --format csv \
        "SELECT count(*) FROM v_noise WHERE kernel = '$kernel' AND (name GLOB 'aa_found_share@*' OR value = 20 AND name = 'aa_trials')")
    [ "$(echo "$rows" | tail -n 1)" -ge 2 ] || say "the certificate of $kernel is not stored: $rows"
done
if "$ATTEST" doctor --trials 20 --no-store 2>"$out/refused"; then say "--trials is taken without --aa"; fi
grep -q 'add --aa' "$out/refused" || say "no word on --aa: $(cat "$out/refused")"
