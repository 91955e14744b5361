#!/usr/bin/env bash
# The entry page in Debian's Chromium, as an ordinary user, against the real daemon: typing, pasting, files, reload,
# back, tabs, double submit, no JavaScript, the keyboard alone, axe-core, narrow and dark, what goes wrong, other
# sites; and that the value is nowhere afterwards, nor in a recording of loopback (made by root, with tshark).
# HQV_PICTURES=docs/images makes the pictures anew.
# rows: EN1 EN2 EN3 EN4 EN5 EN6 HT7 MM2
# shellcheck source=tests/lib/ordinary.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/ordinary.sh"
modules=${CARGO_TARGET_DIR:-$(dirname "${BASH_SOURCE[0]}")/../target}/test-tools/browser/node_modules
pictures=${HQV_PICTURES:+$(cd "$HQV_PICTURES" && pwd)}
with_home_for_pictures "$@"

# shellcheck disable=SC2154 # stage: of ordinary.sh
root_before() {
  [ -z "$pictures" ] || mkdir -m 1777 "$stage/open/pictures"
  command -v tshark > /dev/null || return
  mkfifo "$stage/open/stop" "$stage/open/stopped" && chmod 666 "$stage"/open/stop*
  exec 3< <(exec tshark -i lo -w "$stage/loopback.pcap" tcp 2>&1)
  local capture=$! line
  while read -rt 30 -u 3 line; do [[ $line = *'Capture started'* ]] && break; done
  {
    read -r _ < "$stage/open/stop"
    kill -INT "$capture"
    cat <&3 > /dev/null
    chmod 644 "$stage/loopback.pcap"
    echo > "$stage/open/stopped"
  } &
}
root_after() {
  [ -e "$stage/open/stop" ] && ! [ -e "$stage/open/stop.done" ] &&
    echo > "$stage/open/stop" && read -r _ < "$stage/open/stopped"
  [ -z "$pictures" ] || cp "$stage"/open/pictures/*.png "$pictures"
}

as_ordinary "$modules"
# shellcheck source=tests/lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/checks.sh"

[ -n "${HQV_STAGE-}" ] && modules=$HQV_STAGE/node_modules
HQV_CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
[ -n "$HQV_CHROMIUM" ] || { skip entry-page 'chromium is not installed'; finish; }
[ -d "$modules/playwright-core" ] || { skip entry-page 'playwright-core is not installed'; finish; }
HQV_MODULES=$(cd "$modules" && pwd)
HQV_OWNER=$(mktemp -d)
TMPDIR=$HOME/temporary && mkdir "$TMPDIR"
HQV_PICTURES=$pictures
[ -d "${HQV_STAGE-}/open/pictures" ] && HQV_PICTURES=$HQV_STAGE/open/pictures
export HQV_CHROMIUM HQV_MODULES HQV_OWNER HQV_PICTURES TMPDIR
printf %s "$PASSPHRASE" > "$HQV_OWNER/passphrase" && chmod 600 "$HQV_OWNER/passphrase"
owner() { HQ_VAULT_PASSPHRASE_FILE=$HQV_OWNER/passphrase hq-vault "$@"; }
check 'the daemon starts' hq-vault serve --daemon --port 0
check 'with a vault' owner init

# The recording is stopped before it is searched: by whoever makes it, at our word.
if [ -e "${HQV_STAGE-}/open/stop" ]; then
  HQV_RECORDING=$HQV_STAGE/loopback.pcap
else
  skip 'a recording of loopback' 'it needs root and tshark'
fi
export HQV_RECORDING

while IFS= read -r line; do
  printf '%s\n' "$line"
  case $line in
    'ok '*) passed=$((passed + 1)) ;;
    'not ok '*) failed=$((failed + 1)) ;;
  esac
done < <(timeout 600 node "$here/browser/page.mjs" 2>&1 || echo "not ok  the browser's script ended with $?")
rm -rf "$HQV_OWNER"
check 'all of it was done' test "$passed" -ge 80
finish
