#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Finding one's way: help, version, misspelt words, closed output.
. tests/cli/expect
expect 2 '^usage: attest COMMAND' "$ATTEST"
expect 0 '^  check +every variant' "$ATTEST" --help
expect 0 '^  check +every variant' "$ATTEST" help
expect 0 '^usage: attest check' "$ATTEST" help check
expect 0 '^usage: attest check' "$ATTEST" check --help
expect 0 '^attest [0-9a-f]+' "$ATTEST" --version
expect 0 '^instruction sets here:.* portable' "$ATTEST" --version
expect 0 '^instruction sets here: portable$' env ATTEST_ISA=portable "$ATTEST" --version
expect 2 "ATTEST_ISA is 'axv2', but there is no such instruction set" env ATTEST_ISA=axv2 "$ATTEST" list
expect 2 "no command 'chek'; did you mean 'check'" "$ATTEST" chek
expect 2 "no command 'zzzzzz'; 'attest --help' lists them" "$ATTEST" zzzzzz
expect 2 'no option --randm; did you mean --random' "$ATTEST" check --randm 3
expect 2 '^attest check: --random wants a whole number' "$ATTEST" check --random x
expect 2 'one argument too many' "$ATTEST" check a b

# A reader that has seen enough is no failure, and no reason to go on.
"$ATTEST" check 2>"$work/err" | head -n 1 >/dev/null
grep -q 'bug\|could not' "$work/err" && { cat "$work/err"; failures=1; }
# A full disk is one.
if [ -w /dev/full ]; then
    "$ATTEST" list >/dev/full 2>"$work/err"
    [ $? = 1 ] && grep -q 'could not be written: No space left' "$work/err" ||
        { echo 'a full disk went unnoticed'; failures=1; }
fi
# Nothing is coloured that does not go to a terminal.
"$ATTEST" check --help | grep -q "$(printf '\033')" && { echo 'colours in a pipe'; failures=1; }
finish
