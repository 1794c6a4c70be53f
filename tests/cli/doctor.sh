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
