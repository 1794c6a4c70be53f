#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Puts a figure and a selection of verdicts from the database into README.md, so that no number in
# it is typed by hand. Usage: readme.sh ATTEST
attest=$1
ids="FA-1-exact FA-8-20x FA-8-table FA-2-N FA-2-M FA-3-traffic FA-4-traffic FA-5-time FA-7-up-to-3x
     FA-11-quadratic FA-12-ratio F2-1-fa1 F2-5-causal F2-1-peak F3-2-fp8 FA-10-everywhere FD-2-attention
     FD-3-bandwidth FA-19-pathx"
list=$(for id in $ids; do printf "'%s'," "$id"; done)
table=$(mktemp)
trap 'rm -f "$table"' EXIT
counts=$("$attest" query --format csv "SELECT group_concat(n || ' ' || verdict, ', ') FROM (SELECT verdict,
    count(*) AS n FROM v_claim WHERE paper = 'flashattention' GROUP BY verdict ORDER BY n DESC)" | tail -n 1 | tr -d '"')
machine=$("$attest" query --format csv "SELECT machine FROM v_claim WHERE paper = 'flashattention' AND machine
    IS NOT NULL LIMIT 1" | tail -n 1 | tr -d '"')
{
    echo "Some of FlashAttention's claims, as judged on $machine (all of them: $counts):"
    echo
    "$attest" query --format markdown "SELECT place AS \"where\", says AS \"the paper says\",
        iif(value IS NULL, '', printf('%.4g', value) || iif(low = high, '', printf(' [%.4g, %.4g]', low, high)))
            AS here, '**' || verdict || '**' AS verdict
        FROM v_claim WHERE paper = 'flashattention' AND id IN (${list%,}) ORDER BY position"
} > "$table" || exit 1
mkdir -p results/readme
cp results/figures/flashattention/runtime.svg results/readme/runtime.svg || exit 1
awk -v table="$table" '
    /<!-- \/verdicts -->/ { skip = 0 }
    !skip { print }
    /<!-- verdicts:/ { skip = 1; while ((getline line < table) > 0) print line }
' README.md > README.md.new && mv README.md.new README.md
