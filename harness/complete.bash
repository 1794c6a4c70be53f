# bash completion for attest: every candidate comes from `attest complete`.
_attest() {
    local -a words
    local line=${COMP_LINE:0:COMP_POINT} begun head answer candidate
    read -r -a words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    begun=${words[-1]}
    # bash ends a word at '=' and ':' too, and replaces only what is behind them.
    head=${begun%"${begun##*[=:]}"}
    COMPREPLY=()
    while IFS= read -r answer; do
        case $answer in
            :files) compopt -o filenames
                    while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done \
                        < <(compgen -f -- "${begun#"$head"}");;
            :folders) compopt -o filenames
                    while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done \
                        < <(compgen -d -- "${begun#"$head"}");;
            *) candidate=${answer%%$'\t'*}
               [[ $candidate == *[=:] ]] && compopt -o nospace
               COMPREPLY+=("${candidate#"$head"}");;
        esac
    done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _attest attest
