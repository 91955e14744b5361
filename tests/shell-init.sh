#!/usr/bin/env bash
# A shell that `hq-vault unlock` has signed in: owner commands work in it without a prompt, and nothing that it
# starts has the session. In every shell that shell-init knows, interactive, at a terminal of its own, with the
# passphrase typed: once plainly, and twice under `set -a`, given before shell-init and after unlock.
#
# Each shell writes what it saw into the folder r; then this script looks there.
# rows: MM2
# shellcheck source=tests/lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/checks.sh"

# For shells that take their prompt from nowhere else.
printf "PS1='person> '\n" > rc
export ENV=$HOME/rc HISTFILE=

# What an agent does: it looks at all that it was given, and tries.
cat > bin/agent << 'AGENT'
#!/bin/sh
mkdir "$1"
tr '\0' '\n' < "/proc/$$/environ" > "$1/environ"
tr '\0' '\n' < "/proc/$$/cmdline" > "$1/cmdline"
env > "$1/env"
hq-vault list > "$1/list" 2>&1 < /dev/null && touch "$1/list.ok"
hq-vault get a/b > "$1/get" 2>&1 < /dev/null && touch "$1/get.ok"
touch "$1/done"
AGENT
chmod 755 bin/agent

has_no() { ! grep -rqF -e "$1" "${@:2}"; }
refused() {
  [ -e "$1/done" ] && [ ! -e "$1/list.ok" ] && [ ! -e "$1/get.ok" ] && grep -q 'no owner session' "$1/list"
}
no_secret() { has_no hqs_ "$@" && has_no "$PASSPHRASE" "$@"; }

# typed SHELL BEFORE AFTER SECOND: what the person does. SECOND starts another shell of the kind.
typed() {
  local load="eval \"\$(hq-vault shell-init $1)\""
  [ "$1" = fish ] && load='hq-vault shell-init fish | source'
  cat << END
$ $2
$ hq-vault list < /dev/null > r/before 2>&1 && touch r/before.ok
$ $load
$ hq-vault unlock
? Passphrase for
> $PASSPHRASE
? Unlocked:
$ $3
$ hq-vault get a/b > r/get 2> r/get.err
$ hq-vault list > r/list 2> r/list.err
$ printf piped | hq-vault store a/c > r/store 2> r/store.err
$ hq-vault get a/c > r/piped 2> r/piped.err
$ hq-vault get a/none > r/none 2> r/none.err || touch r/none.failed
$ agent r/child
$ sh -c 'agent r/grandchild'
$ agent r/background &
$ wait
$ $4 'agent r/second'
$ env > r/env
$ hq-vault session end > r/end 2>&1
$ hq-vault list < /dev/null > r/after 2>&1 && touch r/after.ok
$ exit
END
}

# one SHELL BEFORE AFTER SECOND PROGRAM...: signs one shell in and looks at what it left.
one() {
  local label="$5${2:+ after $2}${3:+ with $3}" who
  rm -rf r && mkdir r
  typed "$1" "${2:-:}" "${3:-:}" "$4" | python3 "$here/person.py" shown "${@:5}" 2> person.err
  [ ${PIPESTATUS[1]} -eq 99 ] && not_ok "$label: the person" "$(cat person.err)" && return
  check "$label: nobody is the owner before" test ! -e r/before.ok
  same "$label: get, without a prompt" v "$(cat r/get)"
  holds "$label: list, without a prompt" r/list a/b
  same "$label: a piped store" piped "$(cat r/piped)"
  check "$label: a failure stays one" test -e r/none.failed
  for who in child grandchild background second; do
    check "$label: its $who is nobody" refused "r/$who"
    check "$label: its $who is given no session" has_no hqs_ "r/$who"
  done
  lacks "$label: env does not show it" r/env hqs_
  check "$label: an ended session is one" test ! -e r/after.ok
  check "$label: the terminal shows no secret" no_secret shown
  check "$label: the disk holds none" no_secret "$HOME" --exclude-dir=bin
}

# shell SHELL SECOND PROGRAM...: every way in which a shell of that kind is signed in.
shell() {
  command -v "$3" > /dev/null || { skip "shell-init in $3" 'it is not installed'; return; }
  one "$1" '' '' "${@:2}"
  [ "$1" = fish ] && return
  one "$1" 'set -a' '' "${@:2}"
  one "$1" '' 'set -a' "${@:2}"
}

printf %s "$PASSPHRASE" > passphrase && chmod 600 passphrase
export HQ_VAULT_PASSPHRASE_FILE=$HOME/passphrase
check 'the daemon starts' hq-vault serve --daemon --port 0
check 'a vault is made' hq-vault init
check 'with a secret' hq-vault store a/b --file <(printf v)
unset HQ_VAULT_PASSPHRASE_FILE
# From here on the passphrase is only typed.
rm passphrase .hq-vault/session.cache

shell bash 'bash -c' bash --norc --noprofile --noediting -i
shell zsh 'zsh -f -c' zsh -f +Z -i
shell fish 'fish --no-config -c' \
  fish --no-config -i -C 'function fish_prompt; echo -n "person> "; end; function fish_right_prompt; end'
shell ksh 'ksh93 -c' ksh93 -i
shell ksh 'mksh -c' mksh -i
shell dash 'dash -c' dash -i
shell dash 'busybox sh -c' busybox sh -i
finish
