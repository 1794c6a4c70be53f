#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# attest why: what it says of a point is what the next run does.
set -u
. "$(dirname "$0")/expect"
export ATTEST_DB=$work/test.db
cat >"$work/spec.yaml" <<END
experiment: test/why
title: Two kernels
compare: [attention/blas, attention/unfused]
fixed: {B: 1, H: 1, T: 16, D: 16}
instruments: [time, accuracy]
budget: 4ms
blocks: 2
END
point=attention/unfused:B=1,H=1,T=16,D=16:f32:fwd
count() { "$ATTEST" query --db "$1" --format csv "SELECT count(*) FROM block" | tail -n +2; }
is() { [ "$2" = "$3" ] || { echo "$1: '$2', not '$3'"; failures=$((failures + 1)); }; }

expect 2 'attest run. makes it' "$ATTEST" why $point
"$ATTEST" run --quiet "$work/spec.yaml" || exit 1
expect 0 'test/why +2 +ok +yes +yes +same machine, same code' "$ATTEST" why $point
expect 0 '2 of 2 blocks save the next' "$ATTEST" why $point
expect 0 '"reused": 2' "$ATTEST" why $point --json
"$ATTEST" run --quiet "$work/spec.yaml" || exit 1
is "blocks after a second run" "$(count "$ATTEST_DB")" 2
expect 0 'was never measured' "$ATTEST" why attention/unfused:B=1,H=1,T=17,D=16:f32:fwd
expect 2 "did you mean 'unfused'" "$ATTEST" why attention/unfuse:T=16:f32:fwd

# Foreign rows: shown, not reused; the next run measures.
"$ATTEST" merge "$ATTEST_DB" --db "$work/other.db" >/dev/null || exit 1
expect 0 'test/why +2 +ok +yes +no +it came from test.db' "$ATTEST" why $point --db "$work/other.db"
"$ATTEST" run --quiet "$work/spec.yaml" --db "$work/other.db" || exit 1
is "blocks of a run beside foreign ones" "$(count "$work/other.db")" 4
expect 0 '2 of 4 blocks' "$ATTEST" why $point --db "$work/other.db"

if command -v sqlite3 >/dev/null; then
    sqlite3 "$ATTEST_DB" "PRAGMA foreign_keys = OFF; UPDATE code SET sha256 = 'old' WHERE symbol GLOB 'attention_blas*'"
    expect 0 'yes +no +the code of attention_blas.*, which was measured in turns with it, has changed' \
        "$ATTEST" why $point
    sqlite3 "$ATTEST_DB" "UPDATE code SET sha256 = 'old'"
    expect 0 'yes +no +the code of attention_unfused.* has changed since' "$ATTEST" why $point
    sqlite3 "$ATTEST_DB" "UPDATE code SET symbol = 'gone_' || symbol"
    expect 0 'yes +no +this program has no gone_attention' "$ATTEST" why $point
fi

# What failed for good is not tried again, and says so.
sed 's/^budget.*/limits: {memory: 4KiB}/; s/test.why/test\/failing/' "$work/spec.yaml" >"$work/failing.yaml"
"$ATTEST" run --quiet "$work/failing.yaml" --db "$work/failing.db" >/dev/null 2>&1
expect 0 'yes +tried again only|tried again only with higher limits' "$ATTEST" why $point --db "$work/failing.db"
finish
