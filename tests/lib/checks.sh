# shellcheck shell=bash
# For the scripts under tests/: a home of its own with the real binary in its PATH, and checks that count.
# Sourced. The binary is HQ_VAULT_BIN, else the one of the target folder. Each script ends with `finish`.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
binary=${HQ_VAULT_BIN:-${CARGO_TARGET_DIR:-$top/target}/debug/hq-vault}
[ -x "$binary" ] || { echo "$binary is not built: cargo build -p hq-vault"; exit 1; }
binary=$(cd "$(dirname "$binary")" && pwd)/$(basename "$binary")

passed=0 failed=0 skipped=0
# shellcheck disable=SC2034 # for the scripts
PASSPHRASE='correct horse battery staple'

# A fresh home, in which nothing of the caller's vault is seen.
for name in "${!HQ_VAULT_@}"; do unset "$name"; done
unset XDG_RUNTIME_DIR NODE_EXTRA_CA_CERTS NO_COLOR
if [ -n "${HQV_HOME-}" ]; then mkdir "$HQV_HOME" && HOME=$HQV_HOME; else HOME=$(mktemp -d); fi
export HOME
cd "$HOME" || exit 1
mkdir "$HOME/bin" && ln -s "$binary" "$HOME/bin/hq-vault"
export PATH=$HOME/bin:$PATH
trap leave EXIT

leave() {
  hq-vault serve --stop > /dev/null 2>&1
  cd / && rm -rf "$HOME"
}

ok() { passed=$((passed + 1)) && printf 'ok      %s\n' "$1"; }

not_ok() { failed=$((failed + 1)) && printf 'not ok  %s\n' "$1" && shift && printf '        %s\n' "$@"; }

skip() { skipped=$((skipped + 1)) && printf 'SKIP %s: %s\n' "$1" "$2"; }

# check NAME COMMAND...: the command succeeds. Its output is shown where it does not.
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$* ended with $?" "${output:0:2000}"; fi
}

# same NAME EXPECTED ACTUAL
same() {
  if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "expected: ${2:0:500}" "found:    ${3:0:500}"; fi
}

# holds NAME FILE TEXT / lacks NAME FILE TEXT: a file with or without a text in it.
holds() {
  if grep -qF -- "$3" "$2"; then ok "$1"; else not_ok "$1" "not in $2: $3" "$(tail -c 1500 "$2")"; fi
}
lacks() {
  if grep -qF -- "$3" "$2"; then not_ok "$1" "found in $2: $3"; else ok "$1"; fi
}

# person TRANSCRIPT: a person in an interactive bash, who does what stdin says (lib/person.py).
person() { python3 "$here/person.py" "$1" bash --norc --noprofile --noediting -i; }

port() { cat "$HOME/.hq-vault/vault.port"; }

finish() {
  printf '%d passed, %d failed, %d skipped\n' $passed $failed $skipped
  [ $failed -eq 0 ]
  exit
}
