#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# attest bench: the shape of its answers and its exit codes. No time is asserted.
set -eu
say() { echo "$*" >&2; exit 1; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
point=attention/blas:H=1,T=32,D=16:f32:fwd

"$ATTEST" bench "$point" --against attention/unfused --blocks 2 --json --quiet >"$out/json"
for key in points point median_ns ci95_ns min_ns epochs processes gflops gbytes_per_s fraction_of_limit limit \
           error_rel workspace_bytes ratios a b ratio ci95 verdict machine noise; do
    grep -q "\"$key\":" "$out/json" || say "no $key in the JSON"
done
grep -q '"processes": 2' "$out/json" || say "--blocks 2 is two processes"
[ "$(grep -c '"point": "attention/' "$out/json")" = 2 ] || say "two points were asked for"
# METHOD/VARIANT alone takes the parameters of the first point.
grep -q '"b": "attention/unfused@[a-z0-9]*:B=1,H=1,T=32,D=16' "$out/json" || say "--against without parameters"

"$ATTEST" bench "$point" --blocks 1 >"$out/table" 2>/dev/null
grep -q 'GFLOP/s' "$out/table" || say "no table"
[ "$("$ATTEST" bench "$point" --blocks 1 --json --quiet | grep -c '"a":')" = 0 ] || say "one point has no ratio"

code=0; "$ATTEST" bench "attention/blsa:T=32:f32:fwd" 2>"$out/err" || code=$?
[ "$code" = 2 ] && grep -q "did you mean 'blas'" "$out/err" || say "a misspelt variant"
code=0; "$ATTEST" bench "$point" --budget fast 2>"$out/err" || code=$?
[ "$code" = 2 ] && grep -q "'fast' is no duration" "$out/err" || say "a bad duration"
code=0; "$ATTEST" bench "$point:threads=200" --blocks 1 >"$out/table" 2>/dev/null || code=$?
[ "$code" = 1 ] && grep -q 'unsupported' "$out/table" || say "more threads than cores"
# A worker is started by attest only.
code=0; "$ATTEST" worker </dev/null >/dev/null 2>"$out/err" 3</dev/null || code=$?
[ "$code" = 1 ] && grep -q 'started by attest itself' "$out/err" || say "a worker without a task"
