#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# attest bundle and attest verify: a small paper's proof is made, looked at with other tools, verified
# where there is nothing but the bundle, and found out where it was changed.
set -u
. "$(dirname "$0")/expect"
case $ATTEST in /*) ;; *) ATTEST=$PWD/$ATTEST;; esac
cd "$work" || exit 1
mkdir -p papers/toy empty
echo '{id: toy, title: "A toy"}' >papers/toy/paper.yaml
cat >papers/toy/claims.yaml <<END
- id: linear
  where: Table 1
  says: "unfused attention is slower"
  kind: count
  experiment: toy/one
  evidence: SELECT count(*) AS value FROM v_time WHERE method = 'attention'
  expect: {at_least: 2}
END
cat >one.yaml <<END
experiment: toy/one
title: One
paper: toy
compare: [attention/blas, attention/unfused]
fixed: {B: 1, H: 1, T: 16, D: 16}
instruments: [time, accuracy]
budget: 4ms
blocks: 2
END
export ATTEST_DB=$work/toy.db
expect 2 'attest run. makes it' "$ATTEST" bundle toy
"$ATTEST" run --quiet one.yaml || exit 1
expect 0 'results/bundle/toy.tar: .*2 blocks with 4 runs of .*, 1 claims judged' "$ATTEST" bundle toy
expect 0 '"judged_otherwise": null' "$ATTEST" bundle toy --json --out toy.tar
cmp results/bundle/toy.tar toy.tar || failures=$((failures + 1))
expect 2 "no paper 'toys'" "$ATTEST" bundle toys
expect 2 'no machine "nobody"' "$ATTEST" bundle toy --machine nobody

# Other tools read it.
tar xf toy.tar || failures=$((failures + 1))
(cd attest-toy && sha256sum -c --quiet SHA256SUMS) || failures=$((failures + 1))
grep -q '"verdict": "reproduced"' attest-toy/verdicts.json || { echo "no verdict"; failures=$((failures + 1)); }
cmp attest-toy/claims.yaml papers/toy/claims.yaml || failures=$((failures + 1))

# It is verified with nothing beside it, by a process that may not write a single byte to a file.
says=$(cd empty && ulimit -f 0 && "$ATTEST" verify ../toy.tar)
case $says in
    *'bit for bit'*'verified: all that it says of toy follows'*) ;;
    *) echo "$says"; failures=$((failures + 1));;
esac
[ -z "$(ls empty)" ] || { echo "verify left something behind"; failures=$((failures + 1)); }
expect 0 '"verified": true' env -u ATTEST_DB "$ATTEST" verify toy.tar --json

# Its rows can be merged, as a database's.
expect 0 '2 blocks, 4 runs, 1 sessions, 1 machines are new here; foreign sessions: 1' \
    "$ATTEST" merge toy.tar --db other.db
expect 0 '0 blocks, 0 runs' "$ATTEST" merge toy.tar toy.db --db other.db
expect 0 'toy.tar' "$ATTEST" query --db other.db "SELECT facts->>'merged.from' AS x, facts FROM v_session"

# Changed in one place, or cut off: found, and said where.
sed 's/"reproduced"/"partly...."/' toy.tar >changed.tar
expect 1 'differs +hashes +verdicts.json is not the file that was hashed' "$ATTEST" verify changed.tar
expect 1 'NOT verified' "$ATTEST" verify changed.tar
expect 2 'is damaged' "$ATTEST" merge changed.tar --db other.db
head -c 20000 toy.tar >short.tar
expect 1 'damaged, or no archive' "$ATTEST" verify short.tar
expect 1 'no bundle|no archive' "$ATTEST" verify one.yaml
expect 2 'No such file' "$ATTEST" verify none.tar
expect 2 'at most 1 GiB' "$ATTEST" verify empty
tar cf again.tar attest-toy
expect 1 'no archive of attest' "$ATTEST" verify again.tar
finish
