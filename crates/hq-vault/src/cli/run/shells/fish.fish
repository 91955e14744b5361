# hq-vault: this shell's own session. Put into ~/.config/fish/config.fish:
#   hq-vault shell-init fish | source
# The session lives in a variable that is never exported, and reaches the program for one command at
# a time.
set -e __hq_vault_s
set -gu __hq_vault_s ''
function hq-vault --description 'hq-vault with the session of this shell'
    set -l verb ''
    set -l plain 1
    set -l skip 0
    for word in $argv
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case --url --token-file --vault-dir
                set skip 1
            case --raw --json --help -h
                set plain 0
            case '-*'
            case '*'
                test -n "$verb"; or set verb $word
        end
    end
    if contains -- "$verb" unlock init; and test $plain = 1
        set -l session (command hq-vault $argv --raw)
        set -l code $status
        set -gu __hq_vault_s $session
        return $code
    end
    if test -n "$__hq_vault_s"
        HQ_VAULT_SESSION_ONCE=1 HQ_VAULT_SESSION=$__hq_vault_s command hq-vault $argv
        set -l code $status
        if test "$verb" = lock; and test $code = 0
            set -gu __hq_vault_s ''
        end
        return $code
    end
    command hq-vault $argv
end
