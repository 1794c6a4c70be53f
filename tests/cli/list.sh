#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# list and show: every method and paper of the tree is there, as text and as JSON.
. tests/cli/expect
for folder in kernels/*/method.c; do
    method=$(basename "$(dirname "$folder")")
    expect 0 "^$method " "$ATTEST" list
    expect 0 "\"method\": \"$method\"" "$ATTEST" list methods --json
    expect 0 "^$method: " "$ATTEST" show "$method"
    expect 0 "\"method\": \"$method\"" "$ATTEST" show "$method" --json
done
expect 0 '^variant ' "$ATTEST" list variants
expect 0 '^experiment ' "$ATTEST" list experiments
for claims in papers/*/claims.yaml; do
    paper=$(basename "$(dirname "$claims")")
    expect 0 "^$paper " "$ATTEST" list papers
    expect 0 "^$paper " "$ATTEST" list claims
done
expect 2 "did you mean 'machines'" "$ATTEST" list machine
expect 2 'No such file' "$ATTEST" list machines --db "$work/none.db"
expect 2 "there is no method 'nothing'" "$ATTEST" show nothing
expect 2 'there is no parameter' "$ATTEST" show "$method:zzz=1"
expect 2 'an argument is missing' "$ATTEST" show
finish
