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

# Machines come from the database, the other lists do without one.
expect 2 'No such file' "$ATTEST" list machines --db "$work/none.db"
: >"$work/empty.db"
expect 2 'empty\.db is empty; `attest run` fills it' "$ATTEST" list machines --db "$work/empty.db"
for kind in methods variants papers experiments claims; do
    expect 0 . "$ATTEST" list $kind --db "$work/none.db"
    expect 0 '^\]$' "$ATTEST" list $kind --json --db "$work/none.db"
done
cat >"$work/spec.yaml" <<END
experiment: test/list
title: One kernel on two machines
compare: [attention/unfused]
fixed: {B: 1, H: 1, T: 16, D: 16}
instruments: [count]
END
"$ATTEST" run --quiet "$work/spec.yaml" --db "$work/two.db" >"$work/run" 2>&1 || cat "$work/run"
expect 0 '^[^ ]+ +1 ' "$ATTEST" list machines --db "$work/two.db"
name=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
[ -z "$name" ] || expect 0 "\"cpu\": \"$name\"" "$ATTEST" list machines --json --db "$work/two.db"
if command -v sqlite3 >/dev/null; then
    sqlite3 "$work/two.db" "INSERT INTO machine VALUES (1, 'another'),(2, 'nameless');
        INSERT INTO machine_fact VALUES (1, 'cpu.name', 'Slow, 1 GHz')"
    expect 0 '^another +0 +Slow, 1 GHz *$' "$ATTEST" list machines --db "$work/two.db"
    expect 0 '^nameless +0 *$' "$ATTEST" list machines --db "$work/two.db"
fi
expect 2 "there is no method 'nothing'" "$ATTEST" show nothing
expect 2 'there is no parameter' "$ATTEST" show "$method:zzz=1"
expect 2 'an argument is missing' "$ATTEST" show
finish
