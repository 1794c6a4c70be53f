#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check: what a glob chooses, plain lines, JSON, seeds, golden folders with trouble in them.
. tests/cli/expect
first=$("$ATTEST" check --list | head -n 1)
expect 0 '^ok +attention/' "$ATTEST" check 'attention/*:B=1,H=2,T=37*'
expect 0 '^[0-9]+ checks, 0 wrong' "$ATTEST" check 'attention/*@portable:*f32:fwd*'
expect 0 '"outcome": "ok"' "$ATTEST" check --json 'attention/*@portable:*T=37*f32:fwd'
expect 0 "^ok +attention/[a-z]+@portable:B=1,H=1,T=3,D=5" "$ATTEST" check --isa portable attention:B=1,H=1,T=3,D=5
expect 2 'nothing to check is called' "$ATTEST" check 'nothing*'
expect 2 "there is no parameter" "$ATTEST" check attention:x=1
expect 2 "no instruction set 'avx3'" "$ATTEST" check --isa avx3
expect 0 '^check: --random 1 --seed [0-9]+' "$ATTEST" check --random 1 'attention/*@portable'
[ -n "$first" ] || { echo 'nothing is listed'; failures=1; }

# The same seed draws the same problems.
"$ATTEST" check --random 2 --seed 9 --list >"$work/a" 2>/dev/null
"$ATTEST" check --random 2 --seed 9 --list >"$work/b" 2>/dev/null
"$ATTEST" check --random 2 --seed 8 --list >"$work/c" 2>/dev/null
cmp -s "$work/a" "$work/b" || { echo 'one seed, two lists'; failures=1; }
cmp -s "$work/a" "$work/c" && { echo 'two seeds, one list'; failures=1; }

# Golden folders.
mkdir -p "$work/golden/deep/er"
one=$(find tests/golden -name '*.safetensors' | sort | head -n 1)
cp "$one" "$work/golden/deep/er/good.safetensors"
expect 0 '^ok +deep/er/good.safetensors  reference' "$ATTEST" check --golden "$work/golden"
expect 0 '"case": "deep/er/good.safetensors", "variant": "reference", "isa": null, "dtype": "f64"' \
    "$ATTEST" check --golden "$work/golden" --json
expect 2 "is called 'other" "$ATTEST" check --golden "$work/golden" 'other*'
expect 2 'No such file' "$ATTEST" check --golden "$work/none"
# As long as before, for the header's length is in the file.
sed 's/"method":"b/"method":"x/' "$one" >"$work/golden/unknown.safetensors"
expect 0 "^unsupported +unknown.safetensors: no method here claims golden values of 'xlock" \
    "$ATTEST" check --golden "$work/golden" 'unknown*'
expect 0 '^ok +deep' "$ATTEST" check --golden "$work/golden" 'deep*'
head -c 5000 "$one" >"$work/golden/short.safetensors"
expect 1 '^wrong +short.safetensors: .*does not lie within the file' \
    "$ATTEST" check --golden "$work/golden" 'short*'
echo hello >"$work/golden/text.safetensors"
expect 1 '^wrong +text.safetensors: .*not a safetensors file' \
    "$ATTEST" check --golden "$work/golden" 'text*'
finish
