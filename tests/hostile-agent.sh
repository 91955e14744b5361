#!/usr/bin/env bash
# A hostile agent: a background job of the owner's own shell, of the same user, without token or session. It tries
# to read a value while it is typed, to answer and to approve for the owner, to use his session, to guess, forge,
# replay and flood (the attempts are in lib/hostile). Each is refused, or may work and then stands in SECURITY.md
# with its way out. Prints the table.
# rows: EN1 EN3 EN6 EN7 BR8 LC3 MM3 HT7
# shellcheck source=tests/lib/ordinary.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/ordinary.sh"
as_ordinary "$(dirname "${BASH_SOURCE[0]}")/../SECURITY.md"
# shellcheck source=tests/lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/checks.sh"

# An attempt whose program is not here would count as refused.
for tool in tmux script stty; do
  command -v $tool > /dev/null && continue
  [ -n "${HQV_REQUIRE_TOOLS-}" ] && not_ok "$tool is here" || skip 'a hostile agent' "no $tool here"
  finish
done
sign_in() { printf %s "$PASSPHRASE" > passphrase && chmod 600 passphrase; }
sign_in
owner() { HQ_VAULT_PASSPHRASE_FILE=$HOME/passphrase hq-vault "$@"; }
check 'the daemon starts' hq-vault serve --daemon --port 0
check 'with a vault' owner init
value=canary-4f1d-hostile-7c2e-value
printf %s $value | owner store prod/key > /dev/null
owner config set session-timeout 600 > /dev/null
# From here on the owner has only what he types.
owner session end > /dev/null
rm -f passphrase .hq-vault/session.cache

check 'the attempts are all made' timeout 600 python3 "$here/hostile/stage.py" "$top/SECURITY.md" "$HOME/table"
printf '\n%-84s | %s\n' attempt result
count=0
while IFS=$'\t' read -r state attempt result; do
  count=$((count + 1))
  printf '%-84s | %s\n' "$attempt" "$result"
  [ "$state" = ok ] && passed=$((passed + 1)) && continue
  failed=$((failed + 1)) && printf 'not ok  %s\n' "$attempt"
done < <(cat table 2> /dev/null)
printf '\n'
[ -s agent.log ] && tail -n 30 agent.log
check "at least 40 attempts ($count)" test "$count" -ge 40
sign_in
same 'the vault still serves its owner' $value "$(HQ_VAULT_AUTOSTART=0 owner get prod/key 2>&1)"
finish
