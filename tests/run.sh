#!/usr/bin/env bash
# Programs at a terminal under `run`: as without it, and masked. tmux is the terminal. What is waited for never stands
# in what was typed: it is computed by the program that says it.
# rows: OU4, OU5
# shellcheck disable=SC2317 # functions that `check` calls
# shellcheck source=tests/lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/checks.sh"

if ! command -v tmux > /dev/null; then
  skip 'programs at a terminal' 'no tmux here'
  finish
fi
printf '%s' "$PASSPHRASE" > pass && chmod 600 pass
export HQ_VAULT_PASSPHRASE_FILE=$HOME/pass
check 'the daemon starts' hq-vault serve --daemon --port 0
check 'with a vault' hq-vault init
value=made-up_value/with+signs
printf %s "$value" > value
check 'and a value' hq-vault store app/key --file value --quiet

export TMUX_TMPDIR=$HOME SHELL=/bin/bash
unset TMUX
tmux() { command tmux -L run -f /dev/null "$@"; }
stop() { tmux kill-server 2> /dev/null; leave; }
trap stop EXIT

screen() { tmux capture-pane -p -t run; }
keys() { tmux send-keys -t run "$@"; }

# A moment for others, between two looks.
pause() { read -rt 0.05 <> <(:) || true; }
# running NAME...: waits until such a program runs.
running() {
  local end=$((SECONDS + 20))
  until pgrep "$@" > /dev/null; do [ "$SECONDS" -lt "$end" ] || return 1; pause; done
  return 0
}

# shows TEXT: waits until it stands on the screen.
shows() {
  local end=$((SECONDS + 20))
  until screen | grep -qF -- "$1"; do
    [ "$SECONDS" -lt "$end" ] || { screen; return 1; }
    pause
  done
  return 0
}
# prompts: waits until the shell has the terminal back. What is typed before that is the program's.
prompts() {
  local end=$((SECONDS + 20))
  until [ "$(screen | grep -v '^ *$' | tail -1)" = 'P>' ]; do [ "$SECONDS" -lt "$end" ] || return 1; pause; done
  return 0
}
# types TEXT: a line for the shell.
types() { keys -l -- "$1" && keys Enter; }

check 'a shell in tmux' tmux new-session -d -s run -x 90 -y 24 "env PS1='P> ' bash --norc --noprofile -i"
# All that the terminal is sent, also what a program draws over.
check 'with a recording' tmux pipe-pane -t run -O "exec cat >> '$HOME/recording'"
check 'its prompt' shows 'P>'
types 'modes=$(stty -g)'

types 'hq-vault run --prefix app/ -- sh -c '\''echo "[$KEY]"; echo cols-$(tput cols)-$(tty | cut -c1-5); echo done-$((6 * 7))'\'
check 'output at the end' shows 'done-42'
check 'a terminal as wide as ours' shows 'cols-90-/dev/'
check 'masked' shows '[[secret]]'

types 'hq-vault run --prefix app/ -- sh -c "exit 7"; echo "code-$?"'
check 'its exit code' shows 'code-7'

types 'hq-vault run --prefix app/ -- sh -c '\''stty -echo; printf "ask-%s: " $((6 * 7)); read x; stty echo; echo "got-$x"'\'
check 'a prompt is shown before anything is typed' shows 'ask-42:'
types 'answer'
check 'what is typed arrives' shows 'got-answer'

types 'hq-vault run --prefix app/ -- sleep 600; echo "ended-$?"'
check 'sleep runs' running -f '^sleep 600$'
keys C-c
check 'Ctrl-C ends the program' shows 'ended-130'

# What sed says differs from what the terminal echoes.
types 'clear; hq-vault run --prefix app/ -- sed -u "s/.*/<&>/"'
check 'sed runs' running -f '^sed -u s/'
keys C-z
check 'Ctrl-Z stops it and us' shows 'Stopped'
types 'echo front-$((6 * 7))'
check 'and the shell is there' shows 'front-42'
types 'fg'
types 'a line for it'
check 'fg goes on' shows '<a line for it>'
keys C-d
types 'echo "sed-$?"'
check 'and it ends' shows 'sed-0'

types 'clear; hq-vault run --prefix app/ -- env PS1="inner> " bash --norc --noprofile -i'
check 'a shell within' shows 'inner>'
types 'sleep 601'
check 'with a program in it' running -f '^sleep 601$'
keys C-z
check 'has jobs of its own' shows 'Stopped'
types 'kill %1; echo "<$KEY>"; echo jobs-$((6 * 7))'
check 'goes on' shows 'jobs-42'
check 'masks' shows '<[secret]>'
tmux resize-window -t run -x 70 -y 20
types 'echo cols-$(tput cols)-'
check 'hears of a new size' shows 'cols-70-'
types 'exit'
check 'leaves' prompts

printf 'line %s\n' $(seq 1 200) > long.txt
for program in less vim; do
  command -v $program > /dev/null || { skip "$program under run" "no $program here"; continue; }
  types "clear; hq-vault run --prefix app/ -- $program long.txt"
  check "$program shows a page" shows 'line 5'
  keys G
  check "$program takes keys" shows 'line 200'
  if [ $program = vim ]; then
    keys C-z
    check 'vim can be stopped' shows 'Stopped'
    types 'fg'
    check 'and continued' shows 'line 200'
    types ':r !echo "$KEY"'
    check 'vim shows a masked value' shows '[secret]'
    keys Escape
    types ':q!'
  else
    keys q
  fi
  check "$program leaves" prompts
  types "echo $program-\$?"
  check "$program ends well" shows "$program-0"
done

types 'clear; hq-vault run --prefix app/ -- top -d 1'
check 'top draws' shows 'PID'
keys q
check 'top leaves' prompts
types '[ "$(stty -g)" = "$modes" ] && echo modes-$((6 * 7))'
check 'the terminal is as it was' shows 'modes-42'
holds 'the recording holds what programs said' recording 'jobs-42'
holds 'and what they drew' recording 'line 200'
lacks 'and no value, ever' recording "$value"
finish
