#!/usr/bin/env bash
# The prompt as a person sees it: `hq-vault answer` on a terminal, and the pop-up over an agent's pane in tmux. Both
# run inside a tmux of ours, whose screen is read: what must stand there does, the value never does, and a terminal
# of another size shows all of it. HQV_PICTURES=docs/images makes pictures of both, with Debian's Chromium.
# rows: MM2 EN7
# shellcheck source=tests/lib/ordinary.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/ordinary.sh"
modules=${CARGO_TARGET_DIR:-$(dirname "${BASH_SOURCE[0]}")/../target}/test-tools/browser/node_modules
pictures=${HQV_PICTURES:+$(cd "$HQV_PICTURES" && pwd)}
with_home_for_pictures "$@"

# shellcheck disable=SC2154 # stage: of ordinary.sh
root_before() { [ -z "$pictures" ] || mkdir -m 1777 "$stage/open/pictures"; }
root_after() { [ -z "$pictures" ] || cp "$stage"/open/pictures/*.png "$pictures"; }

if [ -d "$modules" ]; then as_ordinary "$modules"; else as_ordinary; fi
# shellcheck source=tests/lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/checks.sh"
[ -d "${HQV_STAGE-}/open/pictures" ] && pictures=$HQV_STAGE/open/pictures

command -v tmux > /dev/null || { skip entry-screen 'tmux is not installed'; finish; }
command -v node > /dev/null || { skip entry-screen 'node is not installed'; finish; }
printf %s "$PASSPHRASE" > passphrase && chmod 600 passphrase
owner() { HQ_VAULT_PASSPHRASE_FILE=$HOME/passphrase hq-vault "$@"; }
check 'the daemon starts' hq-vault serve --daemon --port 0
check 'with a vault' owner init
mkdir -p src/shop

# Made here, so that nothing else on this machine was told it.
value=sk_test_$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

# Two servers: `outer` is the person's terminal, `inner` the tmux in which the agent works. Neither reads a file.
terminals=0
outer() { tmux -S "$HOME/outer-$terminals.sock" -f /dev/null "$@"; }
inner() { tmux -S "$HOME/inner.sock" -f /dev/null "$@"; }
over() { outer kill-server; inner kill-server; leave; } 2> /dev/null
trap over EXIT

# terminal COLUMNS ROWS COMMAND: a terminal of that size on which COMMAND runs.
terminal() {
  outer kill-server 2> /dev/null
  # A server that ends still has its socket.
  terminals=$((terminals + 1))
  env -u TMUX TERM=xterm-256color HQ_VAULT_PASSPHRASE_FILE="$HOME/passphrase" \
    tmux -S "$HOME/outer-$terminals.sock" -f /dev/null new-session -d -x "$1" -y "$2" "$3"
  outer set-option -g status off
}
screen() { outer capture-pane -p -J; }
# shown TEXT: waits until it stands on the terminal.
shown() {
  local end=$((SECONDS + 20))
  until screen 2> /dev/null | grep -qF -- "$1"; do [ $SECONDS -lt $end ] || return 1; done
}
types() { outer send-keys -l -- "$1" && { [ -z "${2-}" ] || outer send-keys "$2"; }; }

# picture NAME COLUMNS TITLE: what stands there now.
picture() {
  [ -n "$pictures" ] || return 0
  outer capture-pane -e -p > "screen-$1"
  local modules=${HQV_STAGE:+$HQV_STAGE/node_modules} chromium
  chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
  check "a picture of $1" env HQV_CHROMIUM="$chromium" HQV_MODULES="$modules" \
    node "$here/screen/picture.mjs" "screen-$1" "$2" "$3" "$pictures/entry-$1.png"
}

# An agent: node, in a folder of a project, that runs `ingest` with pipes and shows what it says.
cat > agent.mjs << 'END'
import { spawn } from 'node:child_process';
const [path, description, ...more] = process.argv.slice(2);
const words = ['ingest', path, '--type', 'api-key', '--description', description, ...more];
const child = spawn('hq-vault', words, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
for (const stream of [child.stdout, child.stderr]) stream.pipe(process.stdout);
child.on('close', (code) => console.log(`exit ${code}`));
END
agent() {
  : > said
  (cd src/shop && exec env -u TMUX node "$HOME/agent.mjs" "$@" > "$HOME/said" 2>&1) &
}
code_of() {
  local end=$((SECONDS + 60))
  until grep -qF 'goes on waiting' said 2> /dev/null; do [ $SECONDS -lt $end ] || return 1; done
  grep -oE '[0-9A-Z]{4}-[0-9A-Z]{4}' said | head -n 1
}

# --- a terminal --------------------------------------------------------------------------------------------------

agent stripe/secret-key 'Stripe key, test mode' --code
job=$!
code=$(code_of)
check 'the agent has a code' test -n "$code"
# The shell that the person types in, with a prompt as plain as the pages here show it.
printf '%s\n' "PS1='\$ '" "cd \$HOME" 'unset HISTFILE' > rc
terminal 100 17 "exec bash --noprofile --rcfile $HOME/rc -i"
check 'a shell' shown '$ '
types "hq-vault answer $code" Enter
check 'the prompt stands there' shown 'leaves it open:'
for words in 'An agent asks you for a secret. It will not see what you type.' 'stripe/secret-key   (api-key, new)' \
  'Stripe key, test mode' 'node (pid ' 'in ~/src/shop, no token'; do
  screen > seen
  holds "it says: $words" seen "$words"
done
types "$value" Enter
check 'the count, and that it is stored' shown '✅ Stored: stripe/secret-key (40 bytes, type: api-key)'
check 'the shell has the terminal again' shown "\$ "
wait "$job"
same 'the agent is told' '✅ Stored: stripe/secret-key (40 bytes, type: api-key)' "$(grep Stored said)"
outer capture-pane -p -S - > seen
lacks 'mm2: the value was not shown' seen "$value"
picture prompt 100 'A terminal of the person'

# A narrow one wraps, and leaves out nothing.
agent narrow/key "$(printf 'words that go on %.0s' 1 2 3 4 5)" --code
job=$!
code=$(code_of)
terminal 40 24 "exec bash --noprofile --rcfile $HOME/rc -i"
shown '$ '
types "hq-vault answer $code" Enter
check 'a narrow terminal' shown 'leaves it open:'
outer resize-window -x 60 -y 20
types "$value" Enter
check 'whose size changes meanwhile' shown '✅ Stored: narrow/key (40 bytes, type: api-key)'
wait "$job"

# --- a pop-up ----------------------------------------------------------------------------------------------------

owner delete stripe/secret-key --force --purge > /dev/null
printf '%s\n' "PS1='\$ '" 'cd src/shop' 'unset HISTFILE' "agent() { node $HOME/agent.mjs \"\$@\"; }" > rc-agent
env -u TMUX TERM=screen-256color \
  tmux -S "$HOME/inner.sock" -f /dev/null new-session -d -s shop "exec bash --noprofile --rcfile $HOME/rc-agent -i"
terminal 100 22 "exec env -u TMUX TERM=tmux-256color tmux -S $HOME/inner.sock attach -t shop"
check 'an agent in tmux' shown '$ '
inner send-keys -l "agent stripe/secret-key 'Stripe key, live'"
inner send-keys Enter
check 'the pop-up stands over its pane' shown 'leaves it open:'
screen > seen
for words in 'An agent asks you for a secret.' 'stripe/secret-key   (api-key, new)' 'Stripe key, live' 'in ~/src/shop, no'; do
  holds "the pop-up says: $words" seen "$words"
done
inner capture-pane -p > behind
holds 'behind it the agent was told' behind 'you will not see it'
picture popup 100 'tmux, with an agent at work'
types "$value" Enter
# Not a live key: the pop-up asks.
check 'a value of another kind is asked about' shown 'Keep it anyway?'
types y Enter
check 'stored, and said in the pop-up' shown 'Stored'
shown 'exit 0'
inner capture-pane -p -S - > behind
holds 'and the agent is told, in its pane' behind '✅ Stored: stripe/secret-key (40 bytes, type: api-key)'
outer capture-pane -p -S - > seen
lacks 'mm2: not on the screen' seen "$value"
lacks 'mm2: nor in the pane behind it' behind "$value"
same 'what was typed is there' "$value" "$(owner get stripe/secret-key)"
for name in .bash_history .node_repl_history said rc agent.mjs; do
  [ -e "$name" ] && lacks "mm2: not in $name" "$name" "$value"
done
finish
