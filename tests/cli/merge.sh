#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# attest merge: what it says, that twice is once, and that merged rows are not taken for our own.
set -u
. "$(dirname "$0")/expect"
ours=$work/ours.db theirs=$work/theirs.db
cat >"$work/spec.yaml" <<END
experiment: test/merge
title: Two kernels to merge
compare: [attention/blas, attention/unfused]
sweep: {T: [16, 32]}
fixed: {B: 1, H: 1, D: 16}
instruments: [time, accuracy]
budget: 4ms
blocks: 2
END
count() { "$ATTEST" query --db "$1" --format csv "SELECT count(*) FROM $2" | tail -n +2; }
is() { [ "$2" = "$3" ] || { echo "$1: '$2', not '$3'"; failures=$((failures + 1)); }; }

"$ATTEST" run --quiet "$work/spec.yaml" --db "$theirs" || exit 1
expect 0 '4 blocks, 8 runs, 1 sessions, 1 machines are new here.*nothing was written' \
    "$ATTEST" merge --dry-run "$theirs" --db "$ours"
is "blocks after a dry run" "$(count "$ours" block)" 0
expect 0 '4 blocks, 8 runs, .*foreign sessions: 1' "$ATTEST" merge "$theirs" --db "$ours"
is "blocks after merging" "$(count "$ours" block)" 4
expect 0 '0 blocks, 0 runs' "$ATTEST" merge "$theirs" --db "$ours"
is "blocks after merging twice" "$(count "$ours" block)" 4
expect 0 '"conflicts": \[\]' "$ATTEST" merge --json "$theirs" "$theirs" --db "$ours"

# Foreign rows are no cache: everything is measured again. Rows of one's own machine are.
"$ATTEST" run --quiet "$work/spec.yaml" --db "$ours" >/dev/null || exit 1
is "blocks after a run beside merged ones" "$(count "$ours" block)" 8
expect 0 'blocks' "$ATTEST" merge --own "$theirs" --db "$work/mine.db"
"$ATTEST" run --quiet "$work/spec.yaml" --db "$work/mine.db" >/dev/null || exit 1
is "blocks after a run beside one's own" "$(count "$work/mine.db" block)" 4

expect 0 'is called lab here' "$ATTEST" merge --alias "$("$ATTEST" query --db "$theirs" --format csv \
    "SELECT machine FROM v_machine" | tail -n 1)=lab" "$theirs" --db "$work/named.db"
expect 2 'THERE=HERE' "$ATTEST" merge --alias lab "$theirs" --db "$ours"
expect 2 'the database itself' "$ATTEST" merge "$ours" --db "$ours"
expect 2 'No such file' "$ATTEST" merge "$work/none.db" --db "$ours"
expect 2 'not an SQLite database' "$ATTEST" merge "$0" --db "$ours"
expect 2 'an argument is missing' "$ATTEST" merge --db "$ours"

if command -v sqlite3 >/dev/null; then
    sqlite3 "$theirs" "UPDATE metric SET value = value + 1"
    expect 1 'conflict: [0-9]+ of the rows in table metric are not as ours' "$ATTEST" merge "$theirs" --db "$ours"
    sqlite3 "$theirs" "UPDATE point SET text = text || ':threads=7'"
    expect 2 'changed after they were written' "$ATTEST" merge "$theirs" --db "$ours"
    is "blocks after all that" "$(count "$ours" block)" 8
fi
finish
