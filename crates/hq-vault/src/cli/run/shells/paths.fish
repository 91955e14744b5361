
# Paths, where the caller may list them.
complete -c hq-vault -f -n '__fish_seen_subcommand_from get show list delete move copy store env-file' -a '(hq-vault complete-paths -- (commandline -ct) 2>/dev/null)'
