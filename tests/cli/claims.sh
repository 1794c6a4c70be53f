#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# attest claims: what it prints before anything was measured, as text and as JSON, and its exit codes.
: "${ATTEST:=build/attest}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export ATTEST_DB="$folder/new/a.db"
unset NO_COLOR
fail() { echo "claims.sh: $1" >&2; exit 1; }

"$ATTEST" claims flashattention >"$folder/text" 2>"$folder/err" || fail "exit $? where verdicts are results"
[ -s "$folder/err" ] && fail "something on stderr: $(cat "$folder/err")"
grep -q 'not-yet-measured' "$folder/text" || fail "nothing is said to be unmeasured"
grep -q 'by the paper.s own numbers' "$folder/text" || fail "no claim is judged on the paper's own numbers"
tail -n 1 "$folder/text" | grep -q '^flashattention: .* not-testable' || fail "no tally at the end"
[ -f "$ATTEST_DB" ] || fail "verdicts are not stored"
grep -q "$(printf '\033')" "$folder/text" && fail "colours in a pipe"
awk 'length($0) > 130 { print; bad = 1 } END { exit bad }' "$folder/text" || fail "lines that are not wrapped"

# Every claim of the file is there, as text and as an object with the twelve keys of the contract.
"$ATTEST" claims --json flashattention >"$folder/json" || fail "--json: exit $?"
wanted=$(grep -c '^- id:' papers/flashattention/claims.yaml)
for key in paper id where says kind verdict reason value low high expected points; do
    found=$(grep -o "\"$key\":" "$folder/json" | wc -l)
    [ "$found" -eq "$wanted" ] || fail "$found times \"$key\" for $wanted claims"
done
sed -n 's/^- id: *//p' papers/flashattention/claims.yaml | while read -r id; do
    grep -q "^. [a-z-]* *$id " "$folder/text" || fail "$id is not in the text"
    grep -q "\"id\": *\"$id\"" "$folder/json" || fail "$id is not in the JSON"
done || exit 1

# Judging the same rows again gives the same.
"$ATTEST" claims --json flashattention | cmp -s - "$folder/json" || fail "judged twice, said two things"
"$ATTEST" claims >"$folder/all" || fail "all papers: exit $?"
grep -q 'FA-1-exact' "$folder/all" || fail "all papers: flashattention is missing"

"$ATTEST" claims flashattentoin >/dev/null 2>"$folder/err"
[ $? -eq 2 ] || fail "an unknown paper is not refused with 2"
grep -q 'flashattention' "$folder/err" || fail "the refusal does not name the papers"
"$ATTEST" claims flashattention --machine nobody >/dev/null 2>"$folder/err"
[ $? -eq 2 ] || fail "an unknown machine is not refused with 2"

# Two databases of nothing agree on nothing; one that is not there is no database of nothing.
cp "$ATTEST_DB" "$folder/b.db"
"$ATTEST" agree "$ATTEST_DB" "$folder/b.db" >"$folder/text" || fail "agree: exit $?"
grep -q 'no claim could be decided' "$folder/text" || fail "agree counts what nobody measured"
"$ATTEST" agree --json "$ATTEST_DB" "$folder/b.db" | grep -q '"flips": 0' || fail "agree --json"
"$ATTEST" agree --strict "$ATTEST_DB" "$folder/b.db" >/dev/null
[ $? -eq 3 ] || fail "agree --strict is content with nothing"
"$ATTEST" agree "$ATTEST_DB" "$folder/c.db" >/dev/null 2>"$folder/err" && fail "agree reads what is not there"
[ -e "$folder/c.db" ] && fail "agree makes the database that it was to read"
exit 0
