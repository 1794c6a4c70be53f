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
expect 2 "no command 'zzzzzz'; 'attest --help' lists the commands" "$ATTEST" zzzzzz
expect 2 "no command 'reprod'; did you mean 'reproduce'" "$ATTEST" reprod
expect 2 "no option '--verison'; did you mean '--version'" "$ATTEST" --verison
expect 2 "no command 'helpp'; did you mean 'help'" "$ATTEST" helpp
expect 2 "no command 'workr'; 'attest" "$ATTEST" workr

# Points: what is wrong, and what would be right.
expect 2 "T is a parameter; it wants a value, as in T=[0-9]+" "$ATTEST" bench attention/blas:T
expect 2 "T='' is not a whole number" "$ATTEST" bench attention/blas:T=
expect 2 "T='9{20}' is not a whole number that fits 64 bits" "$ATTEST" bench attention/blas:T=99999999999999999999
expect 2 "no option 'thread'; did you mean 'threads'" "$ATTEST" bench attention/blas:T=16:f32:thread=2
expect 2 "'D=8' is a second list of parameters" "$ATTEST" bench attention/blas:T=16:D=8
expect 2 "'bf16' is a second dtype" "$ATTEST" bench attention/blas:f32:bf16
expect 2 "no instruction set 'avx3'; did you mean 'avx2'" "$ATTEST" bench attention/blas@avx3:T=16
expect 2 "no instruction set 'avx3'; did you mean 'avx2'" "$ATTEST" check --isa avx3

# Names of papers and experiments, and databases that are none.
expect 2 "no paper 'flashatention'; did you mean 'flashattention'" "$ATTEST" claims flashatention
expect 2 "did you mean 'flashattention'" "$ATTEST" run flashattenton
expect 2 "did you mean 'flashattention/runtime'" "$ATTEST" run runtime
expect 2 "did you mean 'flashattention/runtime'" "$ATTEST" run flashattention/rutnime
expect 2 'list experiments. shows them' "$ATTEST" run qqqqqq
expect 2 '[^ ]: is a folder; a database is a file' "$ATTEST" query --preset fastest --db "$work"
echo garbage >"$work/garbage.db"
expect 0 'not an SQLite database; nothing is taken as known' "$ATTEST" run --dry-run flashattention/count --db "$work/garbage.db"
expect 2 'no option --randm; did you mean --random' "$ATTEST" check --randm 3
expect 2 '^attest check: --random wants a whole number' "$ATTEST" check --random x
expect 2 'one argument too many' "$ATTEST" check a b
expect 2 'one argument too many: there are only options' "$ATTEST" man x

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
