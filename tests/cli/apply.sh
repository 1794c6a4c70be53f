#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# apply: somebody's tensors through a kernel and through the reference, and what is said of files that
# do not fit.
. tests/cli/expect
in=tests/golden/softmax_attention/causal_gqa_T63_D8.safetensors
out=$work/out.safetensors
expect 0 'o +f32 +1,6,63,8' "$ATTEST" apply attention:causal=1:f32:fwd --in $in --out "$out"
expect 0 '"point": "attention/.*T=63,D=8,causal=1:f32:fwd' cat "$out"
expect 0 'dk +f64 +1,2,63,8' "$ATTEST" apply attention:causal=1:bwd --in $in --out "$out" --reference
expect 0 'lse +f64 +1,6,63' "$ATTEST" apply attention/reference:fwd --in $in --out "$out"
expect 0 '"name": "dv", "dtype": "bf16", "shape": \[1, 2, 63, 8\]' \
    "$ATTEST" apply attention:causal=1:bf16:bwd --in $in --out "$out" --json
expect 2 'T is already 7' "$ATTEST" apply attention:T=7:fwd --in $in --out "$out"
expect 2 'there is no tensor k_cache \[B Hkv Tk D\]' \
    "$ATTEST" apply flash_attention/reference:step --in $in --out "$out"
expect 2 'No such file' "$ATTEST" apply attention --in "$work/none" --out "$out"
expect 2 'are needed' "$ATTEST" apply attention --in $in
expect 2 'there is no method' "$ATTEST" apply nothing --in $in --out "$out"
expect 1 'No such file' "$ATTEST" apply attention --in $in --out "$work/none/out"
expect 1 'cannot compute in f64' "$ATTEST" apply attention:f64:fwd --in $in --out "$out"
[ -z "$(ls "$work" | grep 'safetensors\.')" ] || { echo 'a temporary file was left'; failures=1; }
finish
