#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# attest site, without rows and with some: the pages are there, load nothing from elsewhere, and every
# link between them leads to a file and to a place in it. (tests/site looks at them with a browser.)
: "${ATTEST:=build/attest}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "site.sh: $1" >&2; exit 1; }

# PAGE: its links, one a line; those with %, of Chinese headings, are the browser's to follow.
links() { grep -Eo ' (href|src)="[^"]*"' "$1" | sed 's/^[^"]*"//; s/"$//' | grep -v '%' | sort -u; }

check_link() {   # PAGE LINK
    case $2 in
        https://arxiv.org/* | https://* | data:,) return;;
        *:*) fail "$1 leads to $2";;
    esac
    file=${2%%#*} place=${2#*#}
    target=$1
    [ "$file" ] && target=$(dirname "$1")/$file
    [ -s "$target" ] || fail "$1 leads to $2, which is not there"
    [ "$place" = "$2" ] || grep -qF " id=\"$place\"" "$target" || fail "$1 leads to $2: no such place"
}

check_site() {   # SITE
    for page in "$1"/index.html "$1"/report/*.html "$1"/method/*.html "$1"/machine/*.html; do
        [ -s "$page" ] || continue
        grep -Eq '<script[^>]* src|<link[^>]* rel="stylesheet|@import|url\(' "$page" && fail "$page loads something"
        links "$page" >"$folder/links"
        [ -s "$folder/links" ] || fail "$page has no links"
        while read -r link; do check_link "$page" "$link"; done <"$folder/links"
    done
}

export ATTEST_DB="$folder/a.db"
"$ATTEST" site --into "$folder/empty" >"$folder/paths" || fail "exit $?"
while read -r path; do [ -s "$path" ] || fail "$path is not there"; done <"$folder/paths"
for method in kernels/*/method.c; do
    method=$(basename "$(dirname "$method")")
    [ -s "$folder/empty/method/$method.html" ] || fail "no page for $method"
done
grep -q 'None has measured yet' "$folder/empty/index.html" || fail "an empty database has machines"
check_site "$folder/empty"

"$ATTEST" run experiments/flashattention/causal.yaml --profile smoke --quiet >/dev/null 2>&1 || fail "run: exit $?"
"$ATTEST" site --into "$folder/site" >"$folder/paths" || fail "exit $?"
ls "$folder/site/machine/"*.html >/dev/null || fail "no page for the machine that measured"
grep -q '<meter' "$folder/site/method/flash_attention.html" || fail "no share of the limit"
check_site "$folder/site"

# A mistake in an equation is told with its file and line.
cp -R papers experiments "$folder"
attest=$(realpath "$ATTEST")
# shellcheck disable=SC2016  # no variable: an equation
printf '\nA line.\n\nSome $\\wonder{x}$.\n' >>"$folder/papers/flashattention/notes.md"
line=$(grep -n wonder "$folder/papers/flashattention/notes.md" | cut -d: -f1)
(cd "$folder" && "$attest" site --into "$folder/wrong") >/dev/null 2>"$folder/err"
[ $? -eq 2 ] || fail "an unknown command in an equation does not end with 2"
grep -q "notes.md:$line: .*wonder" "$folder/err" || fail "the complaint is: $(cat "$folder/err")"
exit 0
