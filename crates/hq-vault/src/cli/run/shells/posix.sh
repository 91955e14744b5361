# hq-vault: this shell's own session, for %SHELL%. Put into your start file:
#   eval "$(hq-vault shell-init %SHELL%)"
%NOTE%# The session lives in a variable that is never exported, and reaches the program for one command at
# a time. `set -a` and `set -x` are off while it is handled.
case $- in *a*) set +a; __hq_vault_a=1 ;; *) __hq_vault_a='' ;; esac
unset __hq_vault_s
__hq_vault() {
  { __hq_vault_o=$-; set +axe; } 2>/dev/null
  __hq_vault_verb='' __hq_vault_plain=1 __hq_vault_skip=''
  for __hq_vault_w in "$@"; do
    if [ -n "$__hq_vault_skip" ]; then __hq_vault_skip=''; continue; fi
    case $__hq_vault_w in
      --url|--token-file|--vault-dir) __hq_vault_skip=1 ;;
      --raw|--json|--help|-h) __hq_vault_plain='' ;;
      -*) ;;
      *) [ -n "$__hq_vault_verb" ] || __hq_vault_verb=$__hq_vault_w ;;
    esac
  done
  case $__hq_vault_verb in unlock|init) ;; *) __hq_vault_plain='' ;; esac
  if [ -n "$__hq_vault_plain" ]; then
    __hq_vault_s=$(command hq-vault "$@" --raw)
    __hq_vault_r=$?
  elif [ -n "${__hq_vault_s-}" ]; then
    HQ_VAULT_SESSION_ONCE=1 HQ_VAULT_SESSION=$__hq_vault_s command hq-vault "$@"
    __hq_vault_r=$?
    if [ "$__hq_vault_verb" = lock ] && [ "$__hq_vault_r" = 0 ]; then unset __hq_vault_s; fi
  else
    command hq-vault "$@"
    __hq_vault_r=$?
  fi
  unset __hq_vault_verb __hq_vault_plain __hq_vault_skip __hq_vault_w
  case $__hq_vault_o in *a*) set -a ;; esac
  case $__hq_vault_o in *e*) set -e ;; esac
  case $__hq_vault_o in *x*) set -x ;; esac
  return "$__hq_vault_r"
}
%NAME%
if [ -n "$__hq_vault_a" ]; then unset __hq_vault_a; set -a; else unset __hq_vault_a; fi
