#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# attest figures and attest report: without rows they say so; with a folder of our own nothing is written
# anywhere else.
: "${ATTEST:=build/attest}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export ATTEST_DB="$folder/a.db"
fail() { echo "report.sh: $1" >&2; exit 1; }

"$ATTEST" report flashattention --into "$folder/out" >"$folder/paths" || fail "exit $?"
[ "$(wc -l <"$folder/paths")" -eq 2 ] || fail "it does not print two paths"
while read -r path; do [ -s "$path" ] || fail "$path is not there"; done <"$folder/paths"
page="$folder/out/report/flashattention.html"
grep -q '<math' "$page" || fail "no equation became MathML"
grep -q '<script [^>]*src' "$page" && fail "the page loads a script"
grep -Eq '(src|href)="(https?:)?//[^"]*\.(css|js|woff2?)"' "$page" && fail "the page loads something"
grep -q 'x-equation' "$page" && fail "an equation was left over"
grep -q 'lang="zh"' "$page" || fail "no Chinese notes"
[ -s "$folder/out/report/flashattention/loop-order.svg" ] || fail "a drawing of the notes was not copied"

"$ATTEST" figures flashattention --into "$folder/out" --json >"$folder/json" 2>/dev/null || fail "figures: exit $?"
head -c 1 "$folder/json" | grep -q '\[' || fail "figures --json is no array"

# On the terminal: nothing is drawn without rows, and nothing is written.
"$ATTEST" figures flashattention --terminal --into "$folder/none" >"$folder/drawn" 2>"$folder/err" || fail "figures --terminal: exit $?"
grep -q 'figures of flashattention wait for rows' "$folder/err" || fail "figures --terminal does not say what is missing"
[ ! -e "$folder/none" ] || fail "figures --terminal writes files"
cat >"$folder/spec.yaml" <<END
experiment: flashattention/memory
title: Rows for a figure
compare: [attention/unfused, flash_attention/online]
sweep: {T: [16, 32, 64]}
fixed: {B: 1, H: 1, D: 16}
pass: bwd
instruments: [memory]
END
"$ATTEST" run --quiet "$folder/spec.yaml" >/dev/null 2>&1 || fail "no rows: exit $?"
COLUMNS=60 LC_ALL=C "$ATTEST" figures flashattention --terminal --only 'mem*' --quiet >"$folder/drawn" || fail "figures --only: exit $?"
grep -q '^A attention/unfused   B flash_attention' "$folder/drawn" || fail "no legend"
LC_ALL=C grep -q '[^ -~]' "$folder/drawn" && fail "characters beyond ASCII, or colours in a pipe"
"$ATTEST" figures flashattention --terminal --only memry >/dev/null 2>"$folder/err"
[ $? -eq 2 ] && grep -q "did you mean 'memory'" "$folder/err" || fail "a misspelt figure"

"$ATTEST" report nothing --into "$folder/out" >/dev/null 2>&1
[ $? -eq 2 ] || fail "an unknown paper is not refused with 2"
: >"$folder/file"
"$ATTEST" report flashattention --into "$folder/file" >/dev/null 2>"$folder/err"
[ $? -eq 1 ] || fail "a file where a folder should be does not end with 1"
grep -q "$folder/file" "$folder/err" || fail "the complaint does not name the path"
exit 0
