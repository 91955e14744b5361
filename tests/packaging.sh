#!/usr/bin/env bash
# What is packed: the .deb in a root of its own, the units, the container's recipe, the action for CI against a
# real daemon with a stand-in for GitHub's files.
# shellcheck source=tests/lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/checks.sh"
packaging=$top/packaging

# --- the .deb
if command -v dpkg-deb > /dev/null; then
  check 'a .deb is made' "$packaging/deb/build" "$binary" "$HOME"
  deb=$(echo "$HOME"/hq-vault_*.deb)
  dpkg-deb -c "$deb" > contents
  dpkg-deb -I "$deb" > about
  holds 'it names its architecture' about "Architecture: $(dpkg --print-architecture)"
  for file in usr/bin/hq-vault lib/systemd/system/hq-vault.service usr/lib/systemd/user/hq-vault.service \
    usr/lib/sysusers.d/hq-vault.conf usr/share/man/man1/hq-vault.1.gz usr/share/man/man1/hq-vault-token-create.1.gz \
    usr/share/bash-completion/completions/hq-vault usr/share/zsh/vendor-completions/_hq-vault \
    usr/share/fish/vendor_completions.d/hq-vault.fish usr/share/doc/hq-vault/copyright; do
    holds "it has $file" contents " ./$file"
  done
  same 'every file is root'\''s and readable by all' '' "$(grep -vE '^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x) root/root ' contents)"
  mkdir root && dpkg-deb -x "$deb" root
  same 'what is packed runs' "$(hq-vault version)" "$(root/usr/bin/hq-vault version)"
  same 'and every verb has a page' "$(hq-vault man --dir pages | grep -oE '[0-9]+' | head -n 1)" "$(find root/usr/share/man -name '*.gz' | wc -l)"
  if [ "$(id -u)" -eq 0 ]; then
    mkdir -p scratch/var/lib/dpkg/{info,updates,triggers} && touch scratch/var/lib/dpkg/{status,available}
    scratch() { dpkg --root="$HOME/scratch" --force-depends --force-script-chrootless "$@"; }
    check 'it installs into a root of its own' scratch -i "$deb"
    check 'with its program' test -x scratch/usr/bin/hq-vault
    check 'and is removed' scratch -r hq-vault
    same 'without a file left' '' "$(find scratch/usr scratch/lib -type f 2> /dev/null)"
  else
    skip 'the .deb in a root of its own' 'dpkg wants root'
  fi
  if command -v lintian > /dev/null; then
    # A version without a revision is a native one; the binary carries SQLite and aws-lc, which is meant.
    TMPDIR=$PWD lintian --no-tag-display-limit --fail-on error --suppress-tags embedded-library,bogus-mail-host "$deb" > lintian.txt 2>&1
    same 'lintian finds no error' 0 $?
    grep '^E:' lintian.txt
  else
    skip lintian 'it is not installed'
  fi
else
  skip 'the .deb' 'dpkg-deb is not here'
fi

# --- units
exposure() { systemd-analyze security --offline=true "$1" 2> /dev/null | sed -n 's/.*exposure level for .*: \([0-9.]*\).*/\1/p'; }
if systemd-analyze security --offline=true --help > /dev/null 2>&1; then
  level=$(exposure "$packaging/systemd/hq-vault.service")
  check "the machine's unit is exposed below 2.0 ($level)" awk "BEGIN { exit !(\"$level\" != \"\" && ${level:-9} < 2.0) }"
  for unit in hq-vault hq-vault-user; do
    sed "s|^ExecStart=.*|ExecStart=$binary serve|; /^User=/d; /^Group=/d" "$packaging/systemd/$unit.service" > "$unit.service"
    systemd-analyze verify --man=no "$HOME/$unit.service" > verify 2>&1
    same "systemd reads $unit" "0 " "$? $(grep -F "$unit.service" verify)"
  done
else
  skip 'systemd-analyze security' 'it is not here'
fi

# --- scripts and recipes
if command -v shellcheck > /dev/null; then
  check 'shellcheck finds nothing' shellcheck -S warning "$packaging"/deb/{build,postinst,prerm} "$packaging"/ci/github/load.sh
else
  skip shellcheck 'it is not here'
fi
recipe=$packaging/docker/Dockerfile
last=$(awk '/^FROM/ { text = "" } { text = text $0 "\n" } END { printf "%s", text }' "$recipe")
same 'the image is distroless' 1 "$(grep -c '^FROM gcr.io/distroless/' <<< "$last")"
same 'and does not run as root' 1 "$(grep -cE '^USER [1-9][0-9]*' <<< "$last")"
same 'nor has it a shell or a RUN' 0 "$(grep -cE '^(RUN|SHELL)' <<< "$last")"
if command -v hadolint > /dev/null; then check 'hadolint' hadolint "$recipe"; else skip hadolint 'no package of it is at hand'; fi
python3 -c 'import yaml' 2> /dev/null && check 'the action and the template are YAML' python3 -c 'import sys, yaml; [yaml.safe_load(open(f)) for f in sys.argv[1:]]' \
  "$packaging/ci/github/action.yml" "$packaging/ci/gitlab/hq-vault.yml" || skip 'the action and the template are YAML' 'PyYAML is not here'

# --- the action
printf '%s' "$PASSPHRASE" > passphrase && chmod 600 passphrase
export HQ_VAULT_PASSPHRASE_FILE=$HOME/passphrase
check 'the daemon starts' hq-vault serve --daemon --port 0
check 'a vault' hq-vault init
check 'is open' hq-vault unlock
plain='100% sure_of-it'
pem=$'-----BEGIN-----\nabc%def\n}\n-----END-----'
printf %s "$plain" | hq-vault store deploy/plain > /dev/null
printf '%s\n' "$pem" | hq-vault store deploy/tls-key --raw > /dev/null
token=$(hq-vault token create --quiet --name job-1 --max-uses 1 --path deploy/)
load() { # TOKEN PREFIX
  env -i PATH="$PATH" HOME="$HOME/nobody" HQ_VAULT_URL="https://localhost:$(port)" HQ_VAULT_TOKEN="$1" PREFIX="$2" \
    REVOKE=true GITHUB_ENV="$HOME/github_env" "$packaging/ci/github/load.sh"
}
mkdir nobody
: > github_env
load "$token" deploy/ > job.log 2>&1
same 'the action runs on URL and token alone, with one use' 0 $?
same 'GitHub is told to mask the token first' "::add-mask::$token" "$(head -n 1 job.log)"
holds 'and the value' job.log '::add-mask::100%25 sure_of-it'
holds 'and each line of a long one' job.log '::add-mask::abc%25def'
same 'but for what is too short' 0 "$(grep -cx '::add-mask::}' job.log)"
same 'and nothing else stands in the log' 0 "$(grep -cv '^::add-mask::' job.log)"
# As the runner reads the file.
python3 - github_env > got << 'END'
import sys
lines, found = iter(open(sys.argv[1], newline="").read().split("\n")), {}
for line in lines:
    if line:
        name, end = line.split("<<", 1)
        found[name] = "\n".join(iter(lambda: next(lines), end))
print(found["PLAIN"], found["TLS_KEY"], sep="|", end="")
END
same 'the later steps get every byte' "$plain|$pem" "$(cat got)"
HQ_VAULT_TOKEN=$token hq-vault whoami > whoami 2>&1
same 'the token is revoked afterwards' 4 $?
token=$(hq-vault token create --quiet --name job-2 --path deploy/)
: > github_env
load "$token" nothing/ > job.log 2>&1
same 'a prefix out of its scope ends the step' 4 $?
check 'with nothing written' test ! -s github_env
HQ_VAULT_TOKEN=$token hq-vault whoami > whoami 2>&1
same 'and the token is revoked all the same' 4 $?
finish
