#!/usr/bin/env bash
# A shell that `hq-vault unlock` has signed in: owner commands work in it without a prompt, and nothing that it
# starts has the session. In every shell that shell-init knows, interactive, at a terminal of its own, with the
# passphrase typed; once plainly, and twice under `set -a`, given before and after.
#
# Each shell writes what it saw into files; this script looks at the files. Ends with `N passed, N failed, N skipped`.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
hq_vault=${HQ_VAULT_BIN:-${CARGO_TARGET_DIR:-$here/../target}/debug/hq-vault}
[ -x "$hq_vault" ] || { echo "hq-vault is not built: $hq_vault" >&2; exit 1; }

passed=0 failed=0 skipped=0
passphrase='correct horse battery staple'
for name in "${!HQ_VAULT_@}"; do unset "$name"; done
work=$(mktemp -d) && chmod 700 "$work"
export HOME=$work/home
mkdir -p "$HOME/.hq-vault" "$work/bin" && chmod 700 "$HOME" "$HOME/.hq-vault"
ln -s "$(realpath "$hq_vault")" "$work/bin/hq-vault"
export PATH=$work/bin:$PATH ENV='' HISTFILE=''
cd "$HOME" || exit 1
trap 'hq-vault serve --stop > /dev/null 2>&1; rm -rf "$work"' EXIT

# What an agent does: it looks at all it was given, and tries.
cat > "$work/bin/agent" << 'AGENT'
#!/bin/sh
mkdir -p "$1"
tr '\0' '\n' < "/proc/$$/environ" > "$1/environ"
env > "$1/env"
tr '\0' '\n' < "/proc/$$/cmdline" > "$1/cmdline"
ls -l "/proc/$$/fd" > "$1/fd" 2> /dev/null
hq-vault list > "$1/list" 2>&1 < /dev/null && touch "$1/list.ok"
hq-vault get a/b > "$1/get" 2>&1 < /dev/null && touch "$1/get.ok"
touch "$1/done"
AGENT
chmod 755 "$work/bin/agent"

check() { # check NAME COMMAND...
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED %s\n' "$name"
  fi
}

is() { [ "$(cat "$1" 2> /dev/null)" = "$2" ]; }
missing() { [ ! -e "$1" ]; }
has_no() { # has_no TEXT PLACE...
  local text=$1
  shift
  ! grep -rqF -e "$text" "$@"
}
refused() { [ -e "$1/done" ] && [ ! -e "$1/list.ok" ] && [ ! -e "$1/get.ok" ] && grep -q 'no owner session' "$1/list"; }

start_vault() {
  printf 'port = 0\n' > "$HOME/.hq-vault/config.toml"
  printf %s "$passphrase" > "$work/passphrase" && chmod 600 "$work/passphrase" "$HOME/.hq-vault/config.toml"
  export HQ_VAULT_PASSPHRASE_FILE=$work/passphrase
  hq-vault serve --daemon > "$work/out" 2>&1 && hq-vault init >> "$work/out" 2>&1 &&
    printf v | hq-vault store a/b >> "$work/out" 2>&1 || { cat "$work/out"; exit 1; }
  unset HQ_VAULT_PASSPHRASE_FILE
  # From here on the passphrase is only typed.
  rm "$work/passphrase" "$HOME/.hq-vault/session.cache"
}

# What a person types. $1 the shell's name for shell-init, $2 before it, $3 after the unlock, $4 a second shell.
typed() {
  printf '$ %s\n' "$2" "hq-vault list < /dev/null > r/before 2>&1 && touch r/before.ok"
  if [ "$1" = fish ]; then
    printf '$ %s\n' 'hq-vault shell-init fish | source'
  else
    printf '$ %s\n' "eval \"\$(hq-vault shell-init $1)\""
  fi
  printf '$ %s\n? %s\n> %s\n? %s\n' 'hq-vault unlock' 'Passphrase for' "$passphrase" 'Unlocked:'
  printf '$ %s\n' "$3" \
    'hq-vault get a/b > r/get 2> r/get.err' \
    'hq-vault list > r/list 2> r/list.err' \
    'printf piped | hq-vault store a/c > r/store 2> r/store.err' \
    'hq-vault get a/c > r/piped 2> r/piped.err' \
    'hq-vault get a/none > r/none 2> r/none.err || touch r/none.failed' \
    'agent r/child' \
    "sh -c 'agent r/grandchild'" \
    'agent r/background &' \
    'wait' \
    "$4 'agent r/second'" \
    'env > r/env' \
    'hq-vault session end > r/end 2>&1' \
    'hq-vault list < /dev/null > r/after 2>&1 && touch r/after.ok' \
    'exit'
}

one() { # one NAME PRE POST SECOND SHELL...: signs one shell in and looks at what was left
  local shell=$1 pre=$2 post=$3 second=$4 label
  shift 4
  label="$1${pre:+ after $pre}${post:+ with $post}"
  rm -rf r && mkdir r
  typed "$shell" "${pre:-:}" "${post:-:}" "$second" | python3 "$here/lib/person.py" "$work/transcript" "$@" 2> "$work/person"
  case $? in 99) cat "$work/person" ;; esac
  check "$label: asks nobody before" missing r/before.ok
  check "$label: get without a prompt" is r/get v
  check "$label: list without a prompt" grep -q a/b r/list
  check "$label: a piped store" is r/piped piped
  check "$label: a failure is one" test -e r/none.failed
  for who in child grandchild background second; do
    check "$label: a $who is nobody" refused "r/$who"
    check "$label: a $who is given no session" has_no hqs_ "r/$who"
  done
  check "$label: env shows none" has_no hqs_ r/env
  check "$label: an ended session is one" missing r/after.ok
  check "$label: the terminal shows neither session nor passphrase" \
    eval "has_no hqs_ '$work/transcript' && has_no '$passphrase' '$work/transcript'"
  check "$label: the disk holds neither" eval "has_no hqs_ '$HOME' && has_no '$passphrase' '$HOME'"
}

shell() { # shell NAME SECOND PROGRAM...
  local name=$1 second=$2
  shift 2
  if ! command -v "$1" > /dev/null; then
    skipped=$((skipped + 1))
    printf 'SKIP shell-init in %s: it is not installed\n' "$1"
    return
  fi
  one "$name" '' '' "$second" "$@"
  [ "$name" = fish ] && return
  one "$name" 'set -a' '' "$second" "$@"
  one "$name" '' 'set -a' "$second" "$@"
}

start_vault
shell bash 'bash --norc -c' bash --norc --noprofile --noediting -i
shell zsh 'zsh -f -c' zsh -f +Z -i
shell fish 'fish --no-config -c' fish --no-config -i -C 'function fish_prompt; echo -n "person> "; end; function fish_right_prompt; end'
shell ksh 'ksh93 -c' ksh93 -i
shell dash 'dash -c' dash -i
shell ksh 'mksh -c' mksh -i
shell dash 'busybox sh -c' busybox sh -i

printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
