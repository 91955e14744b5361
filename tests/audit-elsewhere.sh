#!/usr/bin/env bash
# The record away from its vault: rotated files, export and mirror against the schema, and a Python program that has
# nothing but the public key.
# rows: AU1, AU3
# shellcheck source=tests/lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/checks.sh"

python3 -c 'import nacl, cryptography, jsonschema' 2> /dev/null || {
  skip audit-elsewhere 'PyNaCl, cryptography or jsonschema is not installed'
  finish
}
spec=$top/spec
printf %s "$PASSPHRASE" > passphrase && chmod 600 passphrase
owner() { HQ_VAULT_PASSPHRASE_FILE=$HOME/passphrase hq-vault "$@"; }
refused() { ! "$@" > refusal 2>&1; }

check 'the daemon starts' hq-vault serve --daemon --port 0
check 'with a vault' owner init
check 'a mirror' owner config set audit.mirror "file:$HOME/mirror.jsonl"
check 'small files' owner config set audit.rotate-size 64K
printf 'v' | owner store 'odd/"name' > /dev/null
token=$(owner token create --name worker --path odd/ 2> /dev/null)
HQ_VAULT_TOKEN=$token hq-vault get 'odd/"name' > /dev/null
HQ_VAULT_TOKEN=$token hq-vault get other/key > /dev/null 2>&1
long=odd/$(printf 'x%.0s' $(seq 500))
until ls "$HOME"/.hq-vault/audit-1.log > /dev/null 2>&1; do owner get "$long" > /dev/null 2>&1; done
owner audit checkpoint > checkpoint
owner list > /dev/null
owner audit export --json > export.jsonl
key=$(owner audit public-key)
# As logrotate does: the name goes, SIGHUP, and the next line stands in a new file.
mv mirror.jsonl mirror.jsonl.1
kill -HUP "$(head -n 1 "$HOME/.hq-vault/vault.pid")"
anew() { for _ in $(seq 100); do [ -s mirror.jsonl ] && return 0; owner list > /dev/null; done; return 1; }
check 'SIGHUP opens the mirror anew' anew
check 'the daemon stops' hq-vault serve --stop

check 'every exported record is of the schema' python3 "$spec/check_event.py" export.jsonl
check 'every mirrored record too' python3 "$spec/check_event.py" mirror.jsonl mirror.jsonl.1
mapfile -t files < <(ls "$HOME"/.hq-vault/audit-*.log | sort -t- -k3 -n)
files+=("$HOME/.hq-vault/audit.log")
check 'python proves the record' python3 "$spec/check_record.py" --public-key "$key" --against checkpoint "${files[@]}"
check 'python misses a file' refused python3 "$spec/check_record.py" --public-key "$key" "${files[@]:1}"
cp "${files[0]}" first.log
sed -i '7s/^\(.\{60\}\)./\1_/' first.log
check 'python finds a change' refused python3 "$spec/check_record.py" --public-key "$key" first.log "${files[@]:1}"
check 'so does the binary' refused hq-vault audit verify --public-key "$key" first.log "${files[@]:1}"
check 'the binary proves the record' hq-vault audit verify --public-key "$key" --against checkpoint "${files[@]}"

# What retention drops, a signed line stands for: python reads that line too.
check 'the daemon starts again' hq-vault serve --daemon --port 0
check 'and is unlocked' owner unlock
two() { [ "$(find "$HOME/.hq-vault" -name 'audit-*.log' | wc -l)" -ge 2 ]; }
until two; do owner get "$long" > /dev/null 2>&1; done
# An unlock has the ledger take what it lacks: no line goes that it has not.
owner lock > /dev/null && owner unlock > /dev/null
check 'one file is kept' owner config set audit.retain 1files
gone() { for _ in $(seq 3000); do two || return 0; hq-vault status > /dev/null; done; return 1; }
check 'the others go' gone
check 'the daemon stops again' hq-vault serve --stop
mapfile -t files < <(ls "$HOME"/.hq-vault/audit-*.log | sort -t- -k3 -n)
files+=("$HOME/.hq-vault/audit.log")
check 'python proves what is left' python3 "$spec/check_record.py" --public-key "$key" "${files[@]}"
check 'python misses a file that nobody dropped' refused python3 "$spec/check_record.py" --public-key "$key" "${files[@]:1}"
check 'the binary proves what is left' hq-vault audit verify --public-key "$key" "${files[@]}"
finish
