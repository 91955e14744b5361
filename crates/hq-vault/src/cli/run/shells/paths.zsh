
# Paths, where the caller may list them.
_hq_vault_with_paths() {
  case ${words[2]-} in
    get|show|list|delete|move|copy|store|env-file)
      if [[ ${words[CURRENT]} != -* ]]; then
        local -a paths
        paths=(${(f)"$(command hq-vault complete-paths -- "${words[CURRENT]}" 2>/dev/null)"})
        compadd -a paths
      fi ;;
  esac
  _hq-vault "$@"
}
compdef _hq_vault_with_paths hq-vault
