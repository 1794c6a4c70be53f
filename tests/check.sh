#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every variant, instruction set, pass and dtype against float64: the methods' own cases, then some
# random problems, the same ones each time.
"$ATTEST" check && "$ATTEST" check --random 3 --seed 20240
