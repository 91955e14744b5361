#!/usr/bin/env bash
# The newcomer's minute: it ends well, within a minute, and leaves nothing behind.
# shellcheck source=tests/lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/checks.sh"

mkdir empty temporary
begun=$SECONDS
env HOME="$HOME/empty" TMPDIR="$HOME/temporary" hq-vault tour > tour.txt 2> tour.err
same 'the tour ends well' 0 $?
check "within a minute ($((SECONDS - begun)) s)" test $((SECONDS - begun)) -lt 60
same 'says nothing on stderr' '' "$(cat tour.err)"
for words in 'hq-vault store' 'hq-vault env-file' 'hq-vault token create' 'hq-vault audit verify' '(exit 4)'; do
  holds "shows $words" tour.txt "$words"
done
lacks 'no colours in a file' tour.txt $'\033'
same 'leaves nothing in the home' '' "$(ls -A empty)"
same 'nor in the temporary folder' '' "$(ls -A temporary)"
left=$(for environ in /proc/[0-9]*/environ; do grep -lazx "TMPDIR=$HOME/temporary" "$environ" 2> /dev/null; done)
same 'nor a process' '' "$left"

# Beside a vault of the user's own, which it does not touch.
export TMPDIR=$HOME/temporary
check 'a vault of the user runs' hq-vault serve --daemon --port 0
before=$(find "$HOME/.hq-vault" -type f -exec sha256sum {} + | sort)
check 'the tour beside it' hq-vault tour --quiet
same 'leaves it as it was' "$before" "$(find "$HOME/.hq-vault" -type f -exec sha256sum {} + | sort)"
finish
