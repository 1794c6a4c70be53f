#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The budgets of the house, measured: sizes of functions and files, parameters,
# lines, comments; and words that must not stay in code. Function sizes need universal-ctags.

# FILE[:FUNCTION] that may exceed a budget, and why.
exempt='
kernels/core/simd_portable.h   one line an operation: the reader looks up, and does not read through
kernels/core/simd_avx2.h       likewise
kernels/core/simd_avx512.h     likewise
kernels/core/simd_neon.h       likewise
kernels/core/gemm.h            functions with the arguments of BLAS, and templates below them
kernels/core/gemm_bf16.h       likewise
'
bad=0
complain() { echo "$1"; bad=1; }
is_exempt() { echo "$exempt" | grep -q "^$1 "; }
files=$(find kernels harness tests -name '*.[ch]' | sort)

# ---- lines ------------------------------------------------------------------------------------
# Columns, not bytes: continuation bytes of UTF-8 do not count.
for f in $files; do
    LC_ALL=C awk -v f="$f" '
        { line = $0; gsub(/[\200-\277]/, "", line) }
        length(line) > 100           { printf "%s:%d: %d columns\n", f, FNR, length(line); bad = 1 }
        /\t/                         { printf "%s:%d: a tab\n", f, FNR; bad = 1 }
        / $/                         { printf "%s:%d: blanks at the end\n", f, FNR; bad = 1 }
        /TODO|FIXME|[^X]XXX[^X]/     { printf "%s:%d: unfinished business\n", f, FNR; bad = 1 }
        /typedef .*[a-z]_t;/         { printf "%s:%d: names ending in _t are the system'"'"'s\n", f, FNR; bad = 1 }
        FNR == 1 && !/^\/\* SPDX-License-Identifier: Apache-2.0 \*\/$/ {
            printf "%s: the first line is not the licence\n", f; bad = 1 }
        FNR == 2 && !/^(\/\*|#include|#define)/ { printf "%s: does not say what it is for\n", f; bad = 1 }
        END { exit bad }' "$f" || bad=1
done

# ---- files -------------------------------------------------------------------------------------
sizes=$(for f in $files; do is_exempt "$f" || echo "$(wc -l <"$f") $f"; done | sort -n)
echo "$sizes" | awk '$1 > 600 { print $2 ": " $1 " lines, more than 600"; bad = 1 } END { exit bad }' || bad=1
p95=$(echo "$sizes" | awk '{ n[NR] = $1 } END { print n[int((NR - 1) * 0.95) + 1] }')
[ "$p95" -le 400 ] || complain "one file in twenty has more than $p95 lines; 400 is the budget"

# ---- functions ----------------------------------------------------------------------------------
if ! command -v ctags >/dev/null || ! ctags --version | grep -q Universal; then
    echo "sizes of functions are not checked: there is no universal-ctags"
    exit $bad
fi
# shellcheck disable=SC2086  # a list of files
tags=$(ctags -f - --sort=no --kinds-C=f --fields=+neS-kst --languages=C --langmap=C:.c.h $files)
functions=$(echo "$tags" | awk -F '\t' -v exempt="$(echo "$exempt" | awk '{ printf " %s ", $1 }')" '
index(exempt, " " $2 " ") { next }
{
    line = end = 0; signature = ""
    for (i = 4; i <= NF; i++) {
        if ($i ~ /^line:/) line = substr($i, 6)
        if ($i ~ /^end:/) end = substr($i, 5)
        if ($i ~ /^signature:/) signature = substr($i, 11)
    }
    sub(/, *Err *[*] *err[)]$/, ")", signature)     # where trouble is told: not an argument
    depth = 0; parameters = signature ~ /^\((void)?\)$/ ? 0 : 1
    for (i = 1; i <= length(signature); i++) {
        c = substr(signature, i, 1)
        if (c == "(") depth++
        if (c == ")") depth--
        if (c == "," && depth == 1) parameters++
    }
    if (end) print end - line + 1, parameters, $2 ":" $1
}')
echo "$functions" | awk '
    $1 > 70 { print $3 ": " $1 " lines, more than 70"; bad = 1 }
    $2 > ($3 ~ /^kernels/ ? 9 : 6) { print $3 ": " $2 " parameters"; bad = 1 }
    END { exit bad }' || bad=1
echo "$functions" | awk '$1 > 1 { print $1 }' | sort -n | awk '
    { n[NR] = $1 }
    END {
        median = n[int((NR + 1) / 2)]; p95 = n[int((NR - 1) * 0.95) + 1]
        printf "%d functions: median %d lines, 95 %% within %d, longest %d\n", NR, median, p95, n[NR]
        if (median > 12) { print "the median is more than 12"; bad = 1 }
        if (p95 > 50) { print "the 95th percentile is more than 50"; bad = 1 }
        exit bad
    }' || bad=1
exit $bad
