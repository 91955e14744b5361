#!/usr/bin/env bash
# How a person hears that somebody waits: the desktop (a stand-in for it on a session bus of its own) and the owner's
# own program. Both are told the code and nothing else, in a clean environment, and a notifier that hangs delays nobody.
# rows: MM2
if [ -z "${HQV_BUS-}" ] && command -v dbus-run-session > /dev/null; then
  HQV_BUS=1 exec dbus-run-session -- "$0"
fi
# shellcheck source=tests/lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/checks.sh"

[ -n "${HQV_BUS-}" ] || { skip entry-notify 'dbus-run-session is not installed'; finish; }
command -v notify-send gdbus busctl > /dev/null || { skip entry-notify 'nothing here sends notifications'; finish; }
python3 -c 'import jeepney' 2> /dev/null || { skip entry-notify 'the Python package jeepney is not installed'; finish; }

printf %s "$PASSPHRASE" > passphrase && chmod 600 passphrase
owner() { HQ_VAULT_PASSPHRASE_FILE=$HOME/passphrase hq-vault "$@"; }
check 'the daemon starts' hq-vault serve --daemon --port 0
check 'with a vault' owner init
mkfifo told own

# heard FIFO: the next line that comes, within half a minute.
heard() {
  local line=nothing
  read -rt 30 -u "$1" line
  printf '%s\n' "$line"
}
# Both ends are held open, so that no writer waits for a reader.
exec 8<> told 9<> own
python3 "$here/notifications.py" "$HOME/told" 2> desktop.err &
desktop=$!
same 'the desktop is there' '"ready"' "$(heard 8)"

# asked WORDS...: runs a command of an agent that nobody answers, and leaves its code in `code`.
asked() {
  hq-vault "$@" --timeout 1s > out 2> err < /dev/null
  status=$?
  code=$(grep -oE '[0-9A-Z]{4}-[0-9A-Z]{4}' err | head -n 1)
}

asked ingest private/path --code --description 'what only the owner reads'
same 'an agent that nobody answers' 9 "$status"
notification=$(heard 8)
same 'the desktop shows the command to type' \
  "{\"app\": \"HQ Vault\", \"title\": \"HQ Vault: a value is asked for\", \"body\": \"hq-vault answer $code\", \"actions\": []}" "$notification"
asked ask private/path --can read --reason 'what only the owner reads'
same 'and for a decision' "hq-vault approve $code" "$(heard 8 | sed -n 's/.*"body": "\([^"]*\)".*/\1/p')"
kill "$desktop"

# The owner's own program, run by the daemon.
cat > own-program << END
#!/bin/sh
{ printf '%s;' "\$#" "\$1" "\$(pwd)"; tr '\\0' ';' < /proc/\$\$/environ; echo; } > $HOME/own
END
chmod 755 own-program
check 'a program of the owner' owner config set notify.command "$HOME/own-program"
SECRET_OF_THE_AGENT=x asked ingest private/other --code
line=$(heard 9)
same 'it gets the code, and starts at the root' "1;$code;/;" "$(printf %s "$line" | cut -d';' -f1-3);"
same 'of the environment only HOME and PATH' 'HOME PATH' \
  "$(printf %s "$line" | cut -d';' -f4- | tr ';' '\n' | sed -n 's/=.*//p' | sort | paste -sd' ')"

# What the desktop's notifier is given, and one that hangs.
cat > bin/notify-send << END
#!/bin/sh
{ tr '\\0' ';' < /proc/\$\$/environ; echo; } > $HOME/told
exec tail -f /dev/null
END
chmod 755 bin/notify-send
check 'none of that any more' owner config set notify.command ''
begun=$SECONDS
SECRET_OF_THE_AGENT=x asked ingest private/third --code
same 'a notifier that hangs keeps nobody' 9 "$status"
check "nor for long ($((SECONDS - begun)) s)" test $((SECONDS - begun)) -lt 8
line=$(heard 8)
same 'of the environment only names of places' 'DBUS_SESSION_BUS_ADDRESS HOME PATH' \
  "$(printf %s "$line" | tr ';' '\n' | sed -n 's/=.*//p' | grep -v '^XDG_RUNTIME_DIR$' | sort | paste -sd' ')"
finish
