#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# attest run: complaints before anything is done, what is known is not measured again, failures are rows,
# and nothing but the block under way is lost when it is killed.
set -u
. "$(dirname "$0")/expect"
db=$work/folder/test.db
sql() { "$ATTEST" query --db "$db" --format csv "$1" | tail -n +2; }
is() { [ "$2" = "$3" ] || { echo "$1: '$2', not '$3'"; failures=$((failures + 1)); }; }

cat >"$work/good.yaml" <<END
experiment: test/good
title: Two kernels at two small sizes
compare: [attention/blas, attention/unfused]
sweep: {T: [16, 32]}
fixed: {B: 1, H: 1, D: 16}
instruments: [time, accuracy, memory]
budget: 4ms
profiles:
  smoke: {blocks: 2}
  quick: {blocks: 3}
END

# ---- a bad spec: everything in one go, nothing run, nothing written ---------------------------
sed 's/attention.blas/atention\/blas/; s/sweep/swep/; s/blocks: 3/bloks: 3/' "$work/good.yaml" >"$work/bad.yaml"
expect 2 '3 complaints; nothing was run' "$ATTEST" run "$work/bad.yaml" "$work/good.yaml" --db "$db"
expect 2 "bad.yaml:3:11: unknown method 'atention'; did you mean 'attention'" "$ATTEST" run "$work/bad.yaml" --db "$db"
expect 2 "bad.yaml:4:1: unknown key 'swep'; did you mean 'sweep'" "$ATTEST" run "$work/bad.yaml" --db "$db"
[ -e "$work/folder" ] && { echo "a bad spec made a database"; failures=$((failures + 1)); }
expect 2 "there is no experiment 'flashattention/runtim'.*did you mean 'flashattention/runtime'" \
    "$ATTEST" run flashattention/runtim --db "$db"
expect 2 "'soon' is no duration" "$ATTEST" run "$work/good.yaml" --budget soon --db "$db"
expect 2 "no point matches --only" "$ATTEST" run "$work/good.yaml" --only 'nothing*' --db "$db"

# ---- a dry run says what would be done, and makes nothing -------------------------------------------
expect 0 '2 blocks to measure' "$ATTEST" run --dry-run --profile smoke "$work/good.yaml" --db "$db"
[ -e "$work/folder" ] && { echo "a dry run made a database"; failures=$((failures + 1)); }

# ---- measured once, and not again -----------------------------------------------------------------------
expect 0 'measured 4 blocks .*2 of 2 comparisons are complete' "$ATTEST" run --profile smoke "$work/good.yaml" --db "$db"
is "runs" "$(sql 'SELECT count(*) FROM run')" 8
is "outcomes" "$(sql 'SELECT DISTINCT outcome FROM v_outcome')" ok
is "experiment" "$(sql 'SELECT DISTINCT experiment FROM v_outcome')" test/good
is "blocks" "$(sql 'SELECT DISTINCT blocks FROM v_time')" 2
is "errors" "$(sql 'SELECT count(*) FROM v_time WHERE error_rel < 1e-5')" 4
expect 0 'measured 0 blocks' "$ATTEST" run --profile smoke "$work/good.yaml" --db "$db"
expect 0 'known: 2 blocks' "$ATTEST" run --dry-run --profile smoke "$work/good.yaml" --db "$db"
expect 0 'measured 2 blocks' "$ATTEST" run --profile quick "$work/good.yaml" --db "$db"
expect 0 'measured 3 blocks' "$ATTEST" run --fresh --only 'attention/blas*T=16,*' "$work/good.yaml" --db "$db"
is "fresh blocks" "$(sql "SELECT max(blocks) FROM v_time WHERE p->>'T' = 16")" 6
expect 0 '"blocks": 0' "$ATTEST" run --json "$work/good.yaml" --db "$db"
expect 0 '"blocks_known": 3' "$ATTEST" run --json --dry-run --only '*T=32,*' "$work/good.yaml" --db "$db"

# ---- what cannot be done here is a row with its reason ------------------------------------------------------
cat >"$work/cannot.yaml" <<END
experiment: test/cannot
title: Too many threads, too much memory
compare: [attention/blas]
sweep: {T: [64]}
parts:
  - hardware: {threads: 200}
  - limits: {memory: 1KiB}
END
expect 2 "unknown key 'limits'" "$ATTEST" run "$work/cannot.yaml" --db "$db"
sed -i '/limits/d; s/^parts/limits: {memory: 64KiB}\nparts/' "$work/cannot.yaml"
echo '  - sweep: {T: [4096]}' >>"$work/cannot.yaml"
expect 0 '2 points cannot be measured' "$ATTEST" run --dry-run "$work/cannot.yaml" --db "$db"
expect 0 'measured 2 blocks' "$ATTEST" run "$work/cannot.yaml" --db "$db"
is "reasons" "$(sql "SELECT count(*) FROM v_outcome WHERE reason LIKE '200 threads on%' AND outcome = 'unsupported'
    OR reason LIKE 'needs at least%limit is 64%KiB' AND outcome = 'skipped'")" 2
expect 0 'measured 0 blocks' "$ATTEST" run "$work/cannot.yaml" --db "$db"

# ---- killed at any moment ----------------------------------------------------------------------------------------
db=$work/killed.db
sed -i 's/quick: {blocks: 3}/quick: {blocks: 8}/' "$work/good.yaml"
for pause in 0.3 0.6 0.9; do
    "$ATTEST" run --quiet "$work/good.yaml" --db "$db" &
    pid=$!
    sleep "$pause"
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
done
expect 0 '2 of 2 comparisons are complete' "$ATTEST" run "$work/good.yaml" --db "$db"
is "half-written blocks" "$(sql 'SELECT count(*) FROM block b WHERE 2 <> (SELECT count(*) FROM run WHERE block = b.id)')" 0
is "blocks after kills" "$(sql 'SELECT min(blocks) FROM v_time')" 8
is "integrity" "$(sqlite3 "$db" 'PRAGMA integrity_check' 2>/dev/null || echo ok)" ok

# ---- interrupted: the block under way is given up, the rest is kept --------------------------------------------------
sed -i 's/quick: {blocks: 8}/quick: {blocks: 1000}/' "$work/good.yaml"
"$ATTEST" run --quiet "$work/good.yaml" --db "$work/stopped.db" &
pid=$!
sleep 1
kill -INT "$pid"
wait "$pid"
is "exit code after Ctrl-C" $? 130

# ---- files that may not grow, and a damaged one: one sentence, and what was there is kept --------------------------------
expect 0 'measured 2 blocks' "$ATTEST" run --profile smoke --only '*T=16,*' "$work/good.yaml" --db "$work/full.db"
expect 1 'attest run: .*full.db: it cannot be written: .*ulimit -f' \
    sh -c 'ulimit -f 64; exec "$@"' sh "$ATTEST" run --quiet --fresh --profile smoke "$work/good.yaml" --db "$work/full.db"
db=$work/full.db
is "rows beside a full disk" "$(sql "SELECT count(*) FROM block")" 2
dd if=/dev/zero bs=4096 seek=3 count=20 conv=notrunc of="$work/full.db" 2>/dev/null
expect 1 'the file is damaged' "$ATTEST" run --quiet --fresh --profile smoke "$work/good.yaml" --db "$work/full.db"

# ---- a budget -----------------------------------------------------------------------------------------------------------
expect 0 'the budget is used up, run again to go on' "$ATTEST" run --budget 500ms "$work/good.yaml" --db "$work/budget.db"

# ---- the experiments that come with it are right in every profile -----------------------------------------------------------
for profile in smoke quick paper; do
    expect 0 'points in .* comparisons' "$ATTEST" run --dry-run --profile $profile flashattention --db "$work/none.db"
done
finish
