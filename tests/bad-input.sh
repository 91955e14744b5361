#!/usr/bin/env bash
# What is wrong on the way of a value to a program: each with its sentence and its exit code, nothing leaked, and nothing
# half written. `-o` leaves the file that was there, eval sets nothing, and `run` starts nothing.
# Project files have theirs in the verb's own tests; what servers do over TLS is in sdk/conformance/hostile.json.
# rows: OU2
# shellcheck disable=SC2034,SC2317 # read by name; functions that `check` calls
# shellcheck source=tests/lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/checks.sh"

printf %s "$PASSPHRASE" > passphrase && chmod 600 passphrase
export HQ_VAULT_PASSPHRASE_FILE=$HOME/passphrase
check 'the daemon starts' hq-vault serve --daemon --port 0
check 'with a vault' hq-vault init
canary='canary-4f1d-7c2e-value'
put() { hq-vault store "$1" --quiet > /dev/null; }
printf %s "$canary" | put app/key
printf %s "$canary" | tee >(put same/a-b) | put same/a.b
printf '%s\0tail' "$canary" | put nul/key
head -c 131072 /dev/zero | tr '\0' x | put long/key
printf '%s\nsecond' "$canary" | put lines/key
printf "it's \`%s\` \$(touch pwned) \"" "$canary" | put odd/key
token=$(hq-vault token create --name other --path other/ --can read --quiet 2> /dev/null)

# says NAME CODE SENTENCE COMMAND...: ends with that code and that sentence on stderr, says nothing else on stdout, and shows
# no value. `out` stays what it was.
says() {
  local name=$1 code=$2 sentence=$3
  shift 3
  printf 'as it was' > out
  "$@" > stdout 2> stderr
  same "$name: exit $code" $code $?
  holds "$name: says why" stderr "$sentence"
  same "$name: no value, and nothing on stdout" '' "$(cat stdout; grep -oF -e "$canary" -e value-of-a-liar -e "$token" stderr)"
  same "$name: what was there stays" 'as it was' "$(cat out)"
  same "$name: and nothing lies beside it" '' "$(find . -maxdepth 1 -newer passphrase -name '*out*' ! -name out ! -name stdout)"
}
env_file() { hq-vault env-file "$@" -o out; }

# Names.
says 'names that collide' 7 'same/a-b' env_file same/
holds 'names that collide: both paths' stderr 'same/a.b'
says 'a name that starts with a digit' 2 'not starting with a digit' env_file --env 1X=app/key
says 'a name that is empty' 2 'name' env_file --env =app/key
says 'a name with a blank' 2 'name' env_file --env 'A B=app/key'
says 'a name that a shell obeys' 2 'PATH' hq-vault env-file --env PATH=app/key -o out
says 'a name of its own that is none' 2 'name' hq-vault store app/other --env 'A=B' --file stdout
same 'which stores nothing' 3 "$(hq-vault get app/other > /dev/null 2>&1; echo $?)"

# Values.
for format in dotenv docker systemd github; do
  says "NUL in $format" 2 'nul/key' env_file nul/ --format $format
done
for format in dotenv docker; do says "over 128 KiB in $format" 2 'long/key' env_file long/ --format $format; done
says 'NUL in a variable of run' 2 'nul/key' hq-vault run --prefix nul/ -- cp passphrase out
says 'over 128 KiB in a variable of run' 2 'long/key' hq-vault run --prefix long/ -- cp passphrase out
says 'two lines in docker' 2 'lines/key' env_file lines/ --format docker
says 'what the readers of dotenv do not agree on' 2 'odd/key' env_file odd/
says 'a prefix without secrets' 3 'there is nothing to read under none/' env_file none/
says 'a prefix without secrets, in run' 3 'there is nothing to read under none/' hq-vault run --prefix none/ -- cp passphrase out
says 'what the token may not read' 4 'out of scope: read on app/key' env HQ_VAULT_TOKEN="$token" hq-vault env-file --env X=app/key -o out

# What a shell is given then sets nothing, and fails.
nothing_set() { # NAME CODE PREFIX
  local shell
  for shell in bash dash zsh mksh ksh93 'busybox sh'; do
    command -v "${shell%% *}" > /dev/null || { skip "$1 in $shell" 'not here'; continue; }
    # shellcheck disable=SC2086 # busybox and its applet
    same "$1 in $shell: nothing is set" "$2 unset" \
      "$($shell -c "eval \$(hq-vault env-file $3 --format export); echo \$? \${KEY-unset}" 2> /dev/null)"
  done
}
nothing_set 'a prefix without secrets' 3 none/
nothing_set 'NUL' 2 nul/
nothing_set 'names that collide' 7 same/
check 'no value was run' test ! -e pwned

# Files that are read.
imports() { hq-vault import "$1" --prefix in/ "${@:2}"; }
bad_file() { # NAME SENTENCE TEXT: refused, and nothing of it is stored
  printf "$3" "$canary" > bad.env
  says "$1" 2 "$2" imports bad.env
  same "$1: nothing is stored" '' "$(hq-vault list in/ 2> /dev/null)"
}
bad_file 'an unclosed quote' 'line 1 opens a quote that is never closed' 'A="%s\n'
bad_file 'a byte-order mark' 'byte-order mark' '\xef\xbb\xbfA=%s\n'
bad_file 'CR LF' 'end in CR LF' 'A=%s\r\nB=x\r\n'
bad_file 'a name that starts with a digit in a file' 'starts with a digit' '1A=%s\n'
bad_file 'a name that is empty in a file' 'has no name before the =' '=%s\n'
bad_file 'NUL in a file' 'holds a NUL byte' 'A=%s\0\n'
truncate -s 100M bad.env
says '100 MB' 2 'over 16 MiB' imports bad.env
printf 'A=1\nB=2\nA=%s\n' "$canary" > bad.env
check 'a key that stands twice is taken' hq-vault import bad.env --prefix twice/
holds 'and said' <(hq-vault import bad.env --prefix twice/ --on-conflict overwrite 2>&1) 'line 1: A is set again below'
same 'the last one counts' "$canary" "$(hq-vault get twice/a)"

# Programs.
runs() { hq-vault run --prefix app/ -- "$@"; }
says 'a command that does not exist' 127 'no-such-program' runs no-such-program
says 'a command that is a folder' 126 '/etc' runs /etc
for signal in TERM:143 KILL:137 INT:130; do
  runs sh -c "kill -${signal%:*} \$\$" > /dev/null 2>&1
  same "a command that is killed by ${signal%:*}" "${signal#*:}" $?
done
# shellcheck disable=SC2016 # for that shell
runs sh -c 'exec >&- 2>&-; [ "$KEY" = "$0" ] && exit 9' "$canary" > stdout 2> stderr
same 'a command that closes its output' 9 $?
runs yes 2> stderr | head -n 1 > stdout
same 'a reader that closes ours' 'y 0' "$(cat stdout) ${PIPESTATUS[1]}"
same 'and we end' '' "$(cat stderr)"

# Where the vault is.
at() { env HQ_VAULT_URL="$1" hq-vault env-file app/ -o out; }
says 'a URL with a path' 2 'path' at https://localhost:1/secrets
says 'a URL with credentials' 2 'a user name or password' at "https://user:$canary@localhost:1"
says 'a URL with http' 2 'never asked without TLS' at http://localhost:1
says 'a URL without a scheme' 2 'no scheme' at localhost:1
says 'an empty URL' 2 'empty' at ''
says 'a URL of nobody' 6 'cannot reach localhost port 1' at https://localhost:1
says 'an empty token' 4 'the token from HQ_VAULT_TOKEN is empty' env HQ_VAULT_TOKEN= hq-vault env-file app/ -o out
says 'a token that is cut' 4 'cut short' env HQ_VAULT_TOKEN="${token:0:40}" hq-vault env-file app/ -o out
says 'a proxy that refuses' 6 'the proxy' env HTTPS_PROXY=http://127.0.0.1:1 HQ_VAULT_URL=https://vault.example hq-vault env-file app/ -o out

# Servers that are no vault. Started before they are asked; each ends with this script's own word.
lies() { # NAME KIND SENTENCE
  local liar line
  exec 4< <(exec python3 "$here/liar.py" "$HOME/$2.sock" "$2" 2> /dev/null)
  liar=$!
  read -rt 20 -u 4 line
  same "$2 listens" ready "$line"
  says "$1" 6 "$3" env HQ_VAULT_TOKEN="$token" HQ_VAULT_URL="unix:$HOME/$2.sock" hq-vault env-file app/ -o out
  says "$1, in run" 6 "$3" env HQ_VAULT_TOKEN="$token" HQ_VAULT_URL="unix:$HOME/$2.sock" hq-vault run --prefix app/ -- cp passphrase out
  kill "$liar" && wait "$liar" 2> /dev/null
  exec 4<&-
}
lies 'garbage' garbage 'not one that this version understands'
lies 'a redirect' redirect 'redirect'
lies 'an answer that breaks off' cut 'the answer broke off'
lies "a gateway's page" html 'not an HQ Vault'
lies 'an answer of another shape' wrong 'not one that this version understands'
lies 'no answer' empty 'closed the connection'
# A minute each; the SDKs' are in hostile.json.
[ -z "${HQV_LONG-}" ] || lies 'a server that hangs' hang 'did not answer in 60 s'
finish
