#compdef attest
# zsh completion for attest: every candidate comes from `attest complete`.
_attest() {
    local answer word
    local -a plain open
    while IFS= read -r answer; do
        word=${${answer%%$'\t'*}//:/\\:}
        case $answer in
            :files) _files ;;
            :folders) _files -/ ;;
            *=$'\t'*) open+=("$word:${answer#*$'\t'}") ;;
            *) plain+=("$word:${answer#*$'\t'}") ;;
        esac
    done < <("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
    (( $#plain )) && _describe attest plain
    (( $#open )) && _describe attest open -S ''
}
if [ "$funcstack[1]" = _attest ]; then _attest "$@"; else compdef _attest attest; fi
