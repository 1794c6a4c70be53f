#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# On a terminal (script makes one) and in a pipe: progress with the time left, colours, widths.
set -u
. "$(dirname "$0")/expect"
command -v script >/dev/null || { echo 'script is not installed: nothing is tried on a terminal'; exit 0; }
escape=$(printf '\033')
unset NO_COLOR COLUMNS
on_terminal() { TERM=xterm script -qec "$1" /dev/null </dev/null >"$work/seen" 2>&1; }
shows() { grep -qE -- "$1" "$work/seen" || { echo "a terminal does not show '$1':"; head -n 5 "$work/seen"; failures=1; }; }
hides() { grep -qE -- "$1" "$work/seen" && { echo "a terminal shows '$1'"; failures=1; }; }
widest() { tr -d '\r' <"$work/seen" | sed "s/$escape\[[0-9;]*[mK]//g" | awk '{ if (length($0) > w) w = length($0) } END { print w + 0 }'; }

# Bold headings, unless NO_COLOR or a dumb terminal.
on_terminal "LC_ALL=C $ATTEST list methods"
shows "^$escape\[1mmethod"
on_terminal "NO_COLOR=1 $ATTEST list methods"
hides "$escape"
on_terminal "TERM=dumb $ATTEST list methods"
hides "$escape"

# No table is wider than the terminal; in a pipe it is as wide as it is.
for width in 40 80 200; do
    for what in 'list methods' 'list variants' 'list experiments' 'list claims' 'query --list'; do
        on_terminal "LC_ALL=C COLUMNS=$width $ATTEST $what"
        [ "$(widest)" -le "$width" ] || { echo "'$what' takes $(widest) of $width columns"; failures=1; }
    done
done
for what in 'show attention' '--help' 'help query' 'help bench'; do
    on_terminal "LC_ALL=C COLUMNS=80 $ATTEST $what"
    [ "$(widest)" -le 80 ] || { echo "'$what' takes $(widest) of 80 columns"; failures=1; }
done
"$ATTEST" list experiments >"$work/seen"
[ "$(widest)" -gt 80 ] || { echo 'a table in a pipe was broken'; failures=1; }

# Rules and signs by the locale.
expect 0 '^─+  ─' env LC_ALL=C.UTF-8 "$ATTEST" list methods
expect 0 '^-+  -' env LC_ALL=C "$ATTEST" list methods
expect 0 '^… not-yet-measured|^[^a-z]+ not-yet-measured' env LC_ALL=C.UTF-8 "$ATTEST" claims flashattention --db "$work/none.db"
LC_ALL=C "$ATTEST" claims flashattention --db "$work/none.db" | LC_ALL=C grep -n '[^ -~]' && { echo 'not all is ASCII'; failures=1; }

# A bar that is drawn over and taken away, with the time left; lines in a pipe; nothing with --quiet.
on_terminal "LC_ALL=C COLUMNS=70 $ATTEST check 'attention/blas*'"
shows "$escape\[Kcheck  #*\.* +[0-9]+%  attention"
shows '[0-9]+%  0:[0-9][0-9] left'
shows '[0-9]+ checks, 0 wrong'
on_terminal "LC_ALL=C TERM=dumb $ATTEST check 'attention/blas*' --isa portable"
hides "$escape"
on_terminal "$ATTEST check 'attention/blas*' --isa portable --quiet"
hides "$escape\[K"
"$ATTEST" check 'attention/blas*' --isa portable >"$work/seen" 2>&1
hides "$escape"
finish
