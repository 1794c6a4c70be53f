#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files of people who mean harm: no database, spec, paper or tensor file makes attest write outside
# its folders, run a command, speak to the terminal, or take all memory. (The readers themselves:
# tests/fuzz.)
set -u
. "$(dirname "$0")/expect"
case $ATTEST in /*) ;; *) ATTEST=$PWD/$ATTEST ;; esac
cd "$work" || exit 1
bad() { echo "$1"; failures=$((failures + 1)); }
escape=$(printf '\033')

# ---- query reads, within its limits ---------------------------------------------------------------
cat >spec.yaml <<'END'
experiment: test/hostile
title: Rows to ask for
compare: [attention/unfused]
fixed: {T: 16, B: 1, H: 1, D: 16}
instruments: [count]
END
"$ATTEST" run --quiet spec.yaml --db a.db || exit 1
cksum a.db >before
query() { expect "$1" "$2" "$ATTEST" query --db a.db --seconds 1 --format csv "$3"; }
endless="WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
query 2 'only reading is allowed' "ATTACH 'owned' AS x"
query 2 'only reading is allowed' "VACUUM INTO 'owned'"
query 2 'only reading is allowed' "PRAGMA journal_mode = DELETE"
query 2 'only reading is allowed' "PRAGMA writable_schema = ON"
query 2 'only reading is allowed' "SELECT * FROM pragma_database_list"
query 2 'not authorized' "SELECT load_extension('./owned')"
query 2 'not authorized' "SELECT fts3_tokenizer('simple', x'4141414141414141')"
query 2 'no such function: writefile' "SELECT writefile('owned', 'x')"
query 2 'only reading is allowed' "WITH x AS (SELECT 1) DELETE FROM run"
query 2 'may not be modified' "UPDATE sqlite_master SET sql = ''"
query 2 'did not end within 1 s; --seconds' "$endless SELECT count(*) FROM c"
query 2 'did not end within 1 s; --seconds' "$endless SELECT x FROM c"
query 2 'too big' "SELECT length(randomblob(2000000000))"
query 2 'too big' "SELECT hex(zeroblob(60000000))"
query 2 'nor when it was told to' "SELECT instr(zeroblob(60000000), zeroblob(30000000) || 'x')"
query 2 'nor when it was told to' "SELECT length(printf('%.*c', 2000000000, 'x'))"
query 2 'more than 5000' "$endless SELECT slope(x, x, 1) FROM (SELECT x FROM c LIMIT 6000)"
expect 1 'no memory' "$ATTEST" query --db a.db --format csv \
    "$endless SELECT x, randomblob(1000000) AS r FROM c ORDER BY r LIMIT 2000"
expect 1 'too many rows for a table' "$ATTEST" query --db a.db \
    "$endless SELECT printf('%.*c', 1000000, 'a') FROM c LIMIT 400"
expect 2 'outside 1' "$ATTEST" query --db a.db --seconds 0 "SELECT 1"
"$ATTEST" query --db a.db "$endless SELECT count(*) FROM c" >/dev/null 2>&1 &
sleep 1
kill -INT $!
wait $!
[ $? = 130 ] || bad 'an endless query is not ended by an interrupt'
cksum a.db | cmp -s - before || bad 'a query has changed the database'

# ---- the terminal ---------------------------------------------------------------------------------
"$ATTEST" query --db a.db "SELECT char(27, 93, 48) || 'x' || char(155) AS a" >out
grep -q "$escape" out && bad 'an escape sequence from the database reaches the terminal'
grep -q '?\]0x?' out || bad 'escape sequences are not shown as ?'
printf 'experiment: "a\\e[2Jb"\n' >escape.yaml
expect 2 'escape.yaml:1:13: text with a control character' "$ATTEST" run escape.yaml --db b.db
printf '%s[2J: 1\n' "$escape" >raw.yaml
"$ATTEST" run raw.yaml --db b.db >out 2>&1
grep -q "$escape" out && bad 'an escape sequence from a spec reaches the terminal'
"$ATTEST" run "no${escape}such" --db b.db >out 2>&1
grep -q "$escape" out && bad 'an escape sequence from the command line reaches the terminal'

# ---- a paper whose texts are programs -------------------------------------------------------------
mkdir -p papers/evil experiments/evil results/figures/evil
cat >papers/evil/paper.yaml <<'END'
id: evil
title: "<script>alert(1)</script> `touch owned` $(touch owned)"
venue: "<script>alert(1)</script>"
arxiv: "1) <script>alert(1)</script>"
experiments: [evil/plot]
links: [{what: "<script>", url: "javascript:alert(1)"}]
END
cat >papers/evil/claims.yaml <<'END'
- id: "<script>alert(1)</script>"
  where: "<script>"
  says: "<img src=x onerror=alert(1)>"
  kind: count
  evidence: |
    SELECT 1 AS value -- ```
    </details><script>alert(1)</script>
  expect: {equals: 1}
END
cat >papers/evil/notes.md <<'END'
# Notes
<script>alert(1)</script> <a href="JAVASCRIPT:alert(1)" onclick="alert(1)">a</a> [b](javascript:alert(1))
[secret](secret.txt) <details ontoggle=alert(1) open><summary>s</summary></details>
END
cp papers/evil/notes.md papers/evil/notes.zh.md
echo 'a secret' >secret.txt
ln -s ../../secret.txt papers/evil/secret.txt
cat >experiments/evil/plot.yaml <<'END'
experiment: evil/plot
title: x
compare: [attention/unfused]
figures:
  - name: a
    title: "`touch owned` \"; system('touch owned')"
    x_label: "'; system('touch owned') #"
    y_label: "a\nsystem('touch owned')\n"
    reference: {y: 1, label: "`touch owned`"}
    query: "SELECT char(10) || 'system(''touch owned'')' AS facet, '`touch owned`' AS series, 1 AS x, 2 AS y UNION ALL SELECT 'f', '''; system(\"touch owned\") #', 2, 3"
  - name: b
    kind: bars
    title: "} # { \\"
    query: "SELECT '`touch owned`' AS facet, 's\\' AS series, '`touch owned`' AS x, 2 AS y, '\"; system(\"touch owned\") #' AS outcome"
END
echo untouched >victim
ln -s ../../../victim results/figures/evil/a.svg
ln -s ../../../victim results/figures/evil/a.png
ln -s ../../../victim results/figures/evil/a.gp.new
expect 0 'evil/a.svg' "$ATTEST" figures evil --db a.db
expect 0 'report/evil.html' "$ATTEST" report evil --db a.db
cat >papers/guide.yaml <<'END'
entries:
  - {section: "<script>alert(1)</script>", title: "<img src=x onerror=alert(1)>", paper: ../evil, arxiv: "1) <script>alert(1)</script>", wrong: "<script>alert(1)</script>"}
END
expect 0 'index.html' "$ATTEST" site --db a.db
[ "$(cat victim)" = untouched ] || bad 'a picture was written through a link'
[ -z "$(find . -name 'owned*')" ] || bad 'a title was run as a command'
grep -Eq '<script[^>]|<img src="x|<[a-z][^>]* on[a-z]+=' results/report/evil.html &&
    bad 'the report runs scripts'
find results -name '*.html' -exec sed 's/"[^"]*"//g' {} + | grep -Eq '<script>alert|<[a-z][^>]* on[a-z]+=' &&
    bad 'the site runs scripts'
grep -rqi --include='*.html' 'href="javascript' results && bad 'a link of the site is a program'
[ "$(grep -c '<script' results/report/evil.html)" = 1 ] || bad 'the report has scripts that are not its own'
grep -qi 'href="javascript' results/report/evil.html && bad 'a link of the report is a program'
[ -z "$(find results -name 'secret*')" ] || bad 'a link brought a file of elsewhere into the report'

# ---- names that lead elsewhere --------------------------------------------------------------------
sed -i 's|evil/plot\]|../../a]|' papers/evil/paper.yaml
expect 2 'a name as flashattention/runtime is wanted' "$ATTEST" figures evil --db a.db
expect 2 "no paper '\.\./evil'" "$ATTEST" report ../evil --db a.db
cat >names.yaml <<'END'
experiment: ../../names
title: x
paper: -rf
compare: [attention/unfused]
figures: [{name: ../a, x: T, y: time}, {name: "a b", x: T, y: time}]
END
expect 2 'names.yaml:1:13: experiment: letters' "$ATTEST" run names.yaml --db a.db
expect 2 'names.yaml:3:8: paper: letters' "$ATTEST" run names.yaml --db a.db
expect 2 'names.yaml:5:18: a parameter' "$ATTEST" run names.yaml --db a.db

# ---- sizes ----------------------------------------------------------------------------------------
cat >product.yaml <<'END'
experiment: test/product
title: x
compare: [flash_attention]
sweep: {T: {from: 1, to: 200, step: 1}, Tk: {from: 1, to: 200, step: 1}, D: {from: 1, to: 200, step: 1}}
END
expect 2 'product.yaml:4:.*combinations' "$ATTEST" run product.yaml --db a.db
expect 2 'B T is more than 2' "$ATTEST" bench attention:B=4096,T=16777216
expect 2 'values, more than 2' "$ATTEST" bench attention:B=16,T=16777216,Tk=16,H=1024,Hkv=1,D=512
header='{"__metadata__":{"params":"{\"T\":16000000}"},"q":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
{ printf '%b' "\\0$(printf %o ${#header})\\0\\0\\0\\0\\0\\0\\0"; printf %s "$header"; } >huge.safetensors
expect 2 . "$ATTEST" apply attention:fwd --in huge.safetensors --out owned
[ -z "$(find . -name 'owned*')" ] || bad 'something was written where nothing should be'
finish
