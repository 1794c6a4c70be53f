#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# attest query and attest compare: formats, presets, and that nothing can be changed.
set -u
. "$(dirname "$0")/expect"
db=$work/test.db
cat >"$work/spec.yaml" <<END
experiment: test/query
title: Rows to ask for
compare: [attention/blas, attention/unfused]
sweep: {T: [16, 32, 64]}
fixed: {B: 1, H: 1, D: 16}
instruments: [time, accuracy, memory, count]
budget: 4ms
blocks: 2
END
expect 2 'attest run. makes it' "$ATTEST" query --db "$db" "SELECT 1"
"$ATTEST" run --quiet "$work/spec.yaml" --db "$db" || exit 1
"$ATTEST" run --quiet --fresh "$work/spec.yaml" --db "$db" || exit 1
query() { expect "$1" "$2" "$ATTEST" query --db "$db" "$3" ${4:+--format "$4"}; }

query 0 '^x +y$' "SELECT 1 AS x, 'b' AS y"
query 0 '^"a,b",2\.5$' "SELECT 'a,b' AS x, 2.5 AS y" csv
query 0 '\{"x": 0\.1, "y": null, "z": "\\"q\\"", "n": 7\}' "SELECT 0.1 AS x, NULL AS y, '\"q\"' AS z, 7 AS n" json
query 0 '\| *x *\|' "SELECT 1 AS x" markdown
query 0 '^6$' "SELECT count(*) FROM v_time" csv
query 0 '^[0-9.]+,[0-9.]+$' "SELECT slope(p->>'T', counted, 1), r2(p->>'T', counted) FROM v_count WHERE name = 'matmul_flops' AND variant = 'blas'" csv
query 0 '^2\.0,' "SELECT slope(p->>'T', counted, 1), 0 FROM v_count WHERE name = 'matmul_flops' AND variant = 'unfused'" csv
query 0 '^7$' '-- a comment
SELECT 7' csv
expect 0 '^7$' "$ATTEST" query --db "$db" --format csv -- '--a=b
SELECT 7'
query 2 'no such column: nowhere' "SELECT nowhere FROM v_time"
query 2 'only reading is allowed' "DELETE FROM run"
query 2 'only reading is allowed' "CREATE TEMP TABLE t (x)"
query 2 'one statement at a time' "SELECT 1; SELECT 2"
query 0 '^24$' "SELECT count(*) FROM run" csv

for preset in fastest crossover accuracy limits failures history claims; do
    expect 0 . "$ATTEST" query --db "$db" --preset $preset
    expect 0 SELECT "$ATTEST" query --preset $preset --print
done
expect 0 'attention/.*attention/' "$ATTEST" query --db "$db" --preset fastest
expect 2 "did you mean 'fastest'" "$ATTEST" query --preset fasted --db "$db"
expect 2 'either SQL or --preset' "$ATTEST" query --preset fastest "SELECT 1" --db "$db"
expect 2 "" "$ATTEST" query --format xml "SELECT 1" --db "$db"
expect 0 'crossover' "$ATTEST" query --list

# Every view answers, and has no column without a name.
for view in $("$ATTEST" query --db "$db" --format csv "SELECT name FROM sqlite_schema WHERE type = 'view'" | tail -n +2); do
    expect 0 . "$ATTEST" query --db "$db" --format csv "SELECT * FROM $view LIMIT 3"
    grep -q "\`$view\`" results/README.md || { echo "$view is not described in results/README.md"; failures=$((failures + 1)); }
done

expect 0 'differ by up to' "$ATTEST" compare previous last --db "$db"
expect 0 '"same_code": true' "$ATTEST" compare previous last --db "$db" --json
expect 2 "nothing is called 'nobody'" "$ATTEST" compare nobody last --db "$db"
finish
