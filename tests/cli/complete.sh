#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Completion in bash, and in zsh and fish where they are installed; the manual page. Both come from
# the tables that read the command line.
set -u
. "$(dirname "$0")/expect"
case $ATTEST in /*) program=$ATTEST;; *) program=$PWD/$ATTEST;; esac
ln -s "$program" "$work/attest"
PATH=$work:$PATH

# line: the words to be completed; then what must be among the answers.
cases="
query --preset f|fastest
query --preset f|failures
query --preset=f|fastest
query -p cross|crossover
que|query
query --form|--format
query -f |markdown
run flashattention/run|flashattention/runtime
run flash|flashattention
run a flashattention/c|flashattention/causal
reproduce |flashattention
run --profile s|smoke
check --isa p|portable
bench flash_attention/on|flash_attention/online
bench attention/blas:H=8,T|T=
bench attention/blas:b|bf16
bench attention:H=1 --against att|attention/unfused
list pap|papers
help comp|compare
help comp|completion
completion z|zsh
--v|--version
"
tried() {   # tried SHELL COMMAND...: COMMAND LINE prints the answers, one a line
    shell=$1
    shift
    echo "$cases" | while IFS='|' read -r line want; do
        [ -n "$want" ] || continue
        "$@" "attest $line" >"$work/answers" 2>"$work/errors"
        # zsh and fish give the whole word, bash what is behind the last '=' or ':'.
        grep -qE -- "^(.*[=:,])?$want\$" "$work/answers" && [ ! -s "$work/errors" ] && continue
        echo "$shell: 'attest $line' does not give '$want' but:"
        head -n 5 "$work/answers" "$work/errors"
        touch "$work/failed"
    done
}

cat >"$work/in_bash" <<'END'
compopt() { :; }
eval "$(attest completion bash)"
COMP_LINE=$1 COMP_POINT=${#1}
_attest
printf '%s\n' "${COMPREPLY[@]}"
END
tried bash bash "$work/in_bash"
# Files are the shell's own business.
(cd "$work" && : >one.db && bash "$work/in_bash" 'attest query --db on') | grep -qx one.db ||
    { echo 'bash: no files'; touch "$work/failed"; }

if command -v zsh >/dev/null; then
    cat >"$work/in_zsh" <<'END'
compdef() { : }
_files() { print files }
_describe() { print -rl -- ${(P)2} | sed 's/\([^\\]\):.*/\1/; s/\\:/:/g' }
eval "$(attest completion zsh)"
words=(${(z)1})
[[ $1 == *' ' ]] && words+=('')
CURRENT=$#words
_attest
END
    tried zsh zsh -f "$work/in_zsh"
fi
if command -v fish >/dev/null; then
    # shellcheck disable=SC2016  # fish expands it
    tried fish fish --no-config -c 'attest completion fish | source; complete -C $argv[1] | cut -f 1'
fi
[ ! -e "$work/failed" ] || failures=1

expect 2 "did you mean 'bash'" "$ATTEST" completion bsh
expect 2 'there is for bash, zsh and fish' "$ATTEST" completion powershell
# Hidden commands are for attest itself.
"$ATTEST" complete -- wor | grep -q . && { echo 'a hidden command is offered'; failures=1; }

# ---- the manual page ----------------------------------------------------------------------------
"$ATTEST" man >"$work/attest.1"
if command -v groff >/dev/null; then
    expect 0 '^NAME|^$' groff -man -Tutf8 -ww "$work/attest.1"
    groff -man -Tutf8 -ww -z "$work/attest.1" 2>&1 | grep . && { echo 'groff warns'; failures=1; }
    groff -man -Tascii -rLL=200n -P-cbou "$work/attest.1" >"$work/page"
    "$ATTEST" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p' | while read -r command; do
        grep -qE "^   attest $command( |\$)" "$work/page" || { echo "man: no $command"; touch "$work/failed"; }
        "$ATTEST" "$command" --help | sed -n 's/^ \{2,6\}\(-[a-z], \)*\(--[a-z-]*\).*/\2/p' |
            while read -r option; do
                grep -qE -- "^       (-[a-z], )?$option( |\$)" "$work/page" ||
                    { echo "man: no $option of $command"; touch "$work/failed"; }
            done
    done
    grep -qF 'METHOD[/VARIANT][@ISA]:PARAM=VALUE,...:DTYPE:PASS' "$work/page" || { echo 'man: no points'; failures=1; }
fi
if command -v mandoc >/dev/null; then
    mandoc -Tlint -Wwarning "$work/attest.1" | grep -v 'missing date' && { echo 'mandoc warns'; failures=1; }
fi
[ ! -e "$work/failed" ] || failures=1
finish
