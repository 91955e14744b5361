
# Paths, where the caller may list them: with this shell's session, where shell-init gave it one.
_hq_vault_paths() {
  if (( $+functions[__hq_vault] )); then __hq_vault complete-paths -- "$1"; else command hq-vault complete-paths -- "$1"; fi
}
_hq_vault_with_paths() {
  case ${words[2]-} in
    get|show|list|delete|move|copy|store|env-file)
      if [[ ${words[CURRENT]} != -* ]]; then
        local -a paths
        paths=(${(f)"$(_hq_vault_paths "${words[CURRENT]}" 2>/dev/null)"})
        compadd -a paths
      fi ;;
  esac
  _hq-vault "$@"
}
compdef _hq_vault_with_paths hq-vault
