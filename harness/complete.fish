# fish completion for attest: every candidate comes from `attest complete`.
function __attest_complete
    set -l words (commandline -opc)
    set -l begun (commandline -ct)
    for answer in ($words[1] complete -- $words[2..-1] "$begun" 2>/dev/null)
        switch $answer
            case :files
                __fish_complete_path "$begun"
            case :folders
                __fish_complete_directories "$begun"
            case '*'
                echo $answer
        end
    end
end
complete -c attest -f -a '(__attest_complete)'
