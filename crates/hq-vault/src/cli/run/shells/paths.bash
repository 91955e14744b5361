
# Paths, where the caller may list them: with this shell's session, where shell-init gave it one.
_hq_vault_paths() {
  if declare -F __hq_vault >/dev/null; then __hq_vault complete-paths -- "$1"; else command hq-vault complete-paths -- "$1"; fi
}
_hq_vault_with_paths() {
  _hq-vault "$@"
  local word=${COMP_WORDS[COMP_CWORD]} IFS=$'\n'
  case ${COMP_WORDS[1]-} in
    get|show|list|delete|move|copy|store|env-file) ;;
    *) return 0 ;;
  esac
  [[ $word == -* || ${COMP_WORDS[COMP_CWORD-1]} == --* ]] && return 0
  COMPREPLY+=($(compgen -W "$(_hq_vault_paths "$word" 2>/dev/null)" -- "$word"))
}
complete -F _hq_vault_with_paths -o nosort -o bashdefault -o default hq-vault
