#!/usr/bin/env bash
# Reads the secrets under PREFIX with one use, has GitHub mask them, then hands them to the later steps.
# A composite action has no step that runs at a job's end, so the token is revoked here, however this ends.
set -eu

revoke() {
  local id
  id=$(hq-vault whoami --json | sed -n 's/.*"id": *"\(tok_[0-9a-z]*\)".*/\1/p' | head -n 1)
  [ -n "$id" ] && hq-vault token revoke "$id" > /dev/null || echo '::warning::the token was not revoked'
}

printf '::add-mask::%s\n' "$HQ_VAULT_TOKEN"
[ "${REVOKE:-true}" != true ] || trap revoke EXIT

# GitHub's own format: NAME<<END, the value's lines, END. A name that GitHub keeps for itself is refused by path.
text=$(hq-vault env-file "$PREFIX" --format github)

# A command takes one line, so each line of a value is masked. Lines under four characters are not: a lone
# brace would be masked everywhere. `%` and a carriage return are written as the runner reads them.
printf '%s\n' "$text" | awk '
  end == "" { at = index($0, "<<"); end = substr($0, at + 2); next }
  $0 == end { end = ""; next }
  length($0) >= 4 { gsub(/%/, "%25"); gsub(/\r/, "%0D"); print "::add-mask::" $0 }'

printf '%s\n' "$text" >> "$GITHUB_ENV"
