#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installed into a folder, moved, and run from another one; a source tree that was moved; and nothing
# left behind. ATTEST_HOME names another home.
set -u
. "$(dirname "$0")/expect"
case $ATTEST in /*) program=$ATTEST;; *) program=$PWD/$ATTEST;; esac
unset ATTEST_DB ATTEST_HOME
install() { make -s -o "$BUILD/attest" "$1" BUILD="$BUILD" PREFIX=/opt/attest DESTDIR="$work/root" >"$work/log" 2>&1 || cat "$work/log"; }

install install
for file in bin/attest share/man/man1/attest.1 share/bash-completion/completions/attest \
            share/zsh/site-functions/_attest share/fish/vendor_completions.d/attest.fish \
            share/attest/papers/flashattention/claims.yaml; do
    [ -s "$work/root/opt/attest/$file" ] || { echo "$file was not installed"; failures=1; }
done

# There: from a folder that holds nothing, the program finds what came with it.
works_from_anywhere() {   # works_from_anywhere PROGRAM HOME
    mkdir -p "$work/empty"
    cd "$work/empty" || exit 1
    expect 0 "$2/experiments/flashattention/runtime\.yaml" "$1" list experiments
    expect 0 '^flashattention ' "$1" list papers
    expect 0 'block.* to measure' "$1" run --dry-run flashattention/memory
    expect 0 'not-yet-measured' "$1" claims flashattention --db "$work/none.db"
    expect 0 '^flashattention/runtime' "$1" complete -- run flashattention/run
    expect 0 'report/flashattention.html' "$1" report flashattention --into "$work/told" --db "$work/none.db"
    rm -f "$work/none.db"*
    [ -z "$(ls -A .)" ] || { echo "something was written here: $(ls -A .)"; failures=1; }
    cd "$OLDPWD" || exit 1
}
mv "$work/root" "$work/moved"
works_from_anywhere "$work/moved/opt/attest/bin/attest" "$work/moved/opt/attest/share/attest"
mv "$work/moved" "$work/root"

install uninstall
left=$(find "$work/root" ! -type d)
[ -z "$left" ] || { echo "left behind: $left"; failures=1; }
[ ! -e "$work/root/opt/attest/share/attest" ] || { echo 'share/attest was left behind'; failures=1; }

mkdir -p "$work/tree/build"
cp "$program" "$work/tree/build/attest"
cp -R experiments papers "$work/tree"
mv "$work/tree" "$work/source"
works_from_anywhere "$work/source/build/attest" "$work/source"

# A folder of one's own.
expect 2 'no folder /nowhere/papers; ATTEST_HOME names' env ATTEST_HOME=/nowhere "$ATTEST" list papers
expect 2 'no folder /nowhere/experiments; ATTEST_HOME names' env ATTEST_HOME=/nowhere "$ATTEST" list experiments
expect 0 "$work/source/experiments" env ATTEST_HOME="$work/source" "$ATTEST" list experiments
finish
