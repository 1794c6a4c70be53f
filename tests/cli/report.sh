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

"$ATTEST" report nothing --into "$folder/out" >/dev/null 2>&1
[ $? -eq 2 ] || fail "an unknown paper is not refused with 2"
: >"$folder/file"
"$ATTEST" report flashattention --into "$folder/file" >/dev/null 2>"$folder/err"
[ $? -eq 1 ] || fail "a file where a folder should be does not end with 1"
grep -q "$folder/file" "$folder/err" || fail "the complaint does not name the path"
exit 0
