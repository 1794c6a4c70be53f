#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every variant, instruction set, pass and dtype against float64: the methods' own cases, then some
# random problems, the same ones each time. Prints what is not right.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for choice in '' '--random 3 --seed 20240'; do
    # shellcheck disable=SC2086  # two words
    "$ATTEST" check $choice >"$log" || { grep -v '^ok ' "$log"; exit 1; }
done
