#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The float64 references and every variant against the golden files in the tree, and against the
# whole set where it lies beside it.
for folder in tests/golden ../shared/golden; do
    [ ! -d "$folder" ] || "$ATTEST" check --golden "$folder" || exit 1
done
