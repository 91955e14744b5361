#!/usr/bin/env bash
# A vault from another machine, with nothing but its URL and a token: two network namespaces with a cable between them.
# The other machine has hosts of its own, an empty home, no CA file and no sight of the vault's folder. Then whoever may
# stand in between: with a CA of his own, passing on the right CA, another vault altogether, the right CA for another name.
# Each is refused before the token leaves.
# rows: TP1
# shellcheck disable=SC2016,SC2317 # lines for the other machine; functions that `check` calls
# shellcheck source=tests/lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/checks.sh"

# Once more within a network and mounts of its own, which end with it.
if [ -z "${HQV_CABLE-}" ]; then
  space=(unshare --net --mount)
  "${space[@]}" true 2> /dev/null || space+=(--map-root-user)
  if "${space[@]}" sh -c 'ip link add near type veth peer name far && mount --bind /etc/hosts /etc/hosts' 2> /dev/null; then
    leave && trap - EXIT
    HQV_CABLE=1 HQ_VAULT_BIN=$binary exec "${space[@]}" bash "$top/tests/other-machine.sh"
  fi
  skip 'a vault from another machine' 'no network namespaces here'
  finish
fi

# The cable. The other machine lives as long as this process, which waits for an end that comes with ours.
mkfifo alive
unshare --net --mount sh -c 'read -r _ < alive' &
machine=$!
exec 3> alive
until [ "$(readlink "/proc/$machine/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do read -rt 0.01 <> <(:) || true; done
there() { nsenter --target "$machine" --net --mount "$@"; }
cable() {
  ip link set lo up && ip link add near type veth peer name far && ip link set far netns "$machine" &&
    ip address add 10.77.0.1/24 dev near && ip address add 10.77.0.3/24 dev near && ip link set near up &&
    there ip link set lo up && there ip address add 10.77.0.2/24 dev far && there ip link set far up
}
check 'a cable between two machines' cable

# The vault, here.
printf %s "$PASSPHRASE" > passphrase && chmod 600 passphrase
export HQ_VAULT_PASSPHRASE_FILE=$HOME/passphrase
check 'the daemon serves the network' hq-vault serve --daemon --bind 10.77.0.1 --hostname vault.internal
check 'with a vault' hq-vault init
url='postgres://app:p%40ss=w@db.example/app?x=1' key=$'made up "key"\n$(touch pwned) `touch pwned` *'
printf %s "$url" | hq-vault store deploy/prod/database-url > /dev/null
printf %s "$key" | hq-vault store deploy/prod/api-key > /dev/null
CI_VAULT_TOKEN=$(hq-vault token create --name ci --path deploy/prod/ --can read --max-uses 5 --quiet 2> /dev/null)
same 'a token for the other machine' 75 ${#CI_VAULT_TOKEN}

# The other machine: its own hosts, an empty home, our program, and nothing where the vault is.
mkdir -p far/home far/bin far/job && ln -s "$binary" far/bin/hq-vault && cp "$here/node/server.js" far/job
known_as() { printf '127.0.0.1 localhost\n%s\n' "$*" > far/hosts; }
known_as '10.77.0.1 vault.internal'
check 'hosts of its own' there mount --bind "$HOME/far/hosts" /etc/hosts
check 'no sight of the vault' there mount -t tmpfs none "$HOME/.hq-vault"
far=$PWD/far
# on_ci LINES: what a job's script there does, in the shell that CI_SHELL names.
on_ci() {
  there env -i PATH="$far/bin:$PATH" HOME="$far/home" CI_VAULT_TOKEN="$CI_VAULT_TOKEN" \
    sh -c "cd '$far/job' && exec ${CI_SHELL:-bash} -c \"\$1\"" sh "$1"
}
same 'it sees no vault' '' "$(on_ci "find '$HOME/.hq-vault' ~ -mindepth 1")"

# The lines as typed.
typed='export HQ_VAULT_URL=https://vault.internal:13100; export HQ_VAULT_TOKEN=$CI_VAULT_TOKEN; eval $(hq-vault env-file deploy/prod/ --format export)'
wanted=$(python3 -c 'import json, sys; print(json.dumps(sys.argv[1:], separators=(",", ":")))' "$url" "$key")
same 'the lines as typed give a server both values' "$wanted" "$(on_ci "$typed; node server.js" 2> err)"
same 'and say nothing' '' "$(cat err)"
CI_SHELL=dash
same 'in the shell that CI has, too' "$wanted" "$(on_ci "set -eu; $typed; node server.js" 2>&1)"
CI_SHELL=bash
same 'with a name that nobody knows, it is exit 6' 6 "$(on_ci "${typed/vault.internal/other.internal}"'; echo $?' 2> err)"
check 'nothing in a value was run' test ! -e far/job/pwned
same 'the home is still empty' '' "$(ls -A far/home)"
uses() { hq-vault token list --json | python3 -c 'import json, sys; print(next(t for t in json.load(sys.stdin)["tokens"] if t["name"] == "ci")["useCount"])'; }
same 'two uses, as many as there were reads' 2 "$(uses)"

# Who may stand in between. `false` is his CA, `true` the vault's own; all vaults' CAs are named alike.
certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=HQ Vault CA' -keyout false.key -out false.pem &&
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=vault -keyout leaf.key -out leaf.csr &&
    openssl x509 -req -in leaf.csr -CA false.pem -CAkey false.key -days 1 -extfile <(echo subjectAltName=DNS:vault.internal) -out leaf.pem
}
check 'a man in the middle has certificates' certificate
cp .hq-vault/ca.pem true.pem
intercepts() {
  exec 4< <(exec python3 "$here/interceptor.py" 10.77.0.3 13100 "$1.pem" "$1.key" "$2" "$3" 2> interceptor.err)
  interceptor=$!
  read -rt 20 -u 4 line
  same 'he listens' ready "$line"
}
gone() { kill "$interceptor" && wait "$interceptor" 2> /dev/null; exec 4<&-; }

# refused NAME SENTENCE: the lines as typed end with exit 6 and this sentence, and with no variable.
refused() {
  same "$1: exit 6, and nothing is set" '6 unset unset' \
    "$(on_ci "$typed"'; echo $? ${DATABASE_URL-unset} ${API_KEY-unset}' 2> err)"
  holds "$1: says why" err "$2"
  lacks "$1: shows no token" err "$CI_VAULT_TOKEN"
  same "$1: set -e stops there" '' "$(on_ci "set -e; $typed; echo survived" 2> /dev/null)"
}

known_as '10.77.0.3 vault.internal'
intercepts leaf false.pem log.false
refused 'another CA' 'is not the vault that this token or fingerprint belongs to'
gone
intercepts leaf true.pem log.true
refused 'who passes on the right CA' 'comes from another CA'
for log in log.false log.true; do
  holds "$log: he was asked who he is" $log 'GET /v1/ca'
  lacks "$log: and the token did not leave" $log "${CI_VAULT_TOKEN:4:30}"
done
# Whoever trusts anybody gives him the token: his log would show it.
on_ci 'curl --silent --insecure -H "Authorization: Bearer $CI_VAULT_TOKEN" https://vault.internal:13100/v1/secrets/a' > /dev/null
holds 'a client that verifies nothing gives it away' log.true "Bearer $CI_VAULT_TOKEN"
gone

# Another vault, by the same name. It runs on the other machine, where the port is free.
other() { there env HOME="$HOME/other" hq-vault "$@"; }
mkdir other
known_as '10.77.0.2 vault.internal'
check 'another vault is there' other serve --daemon --bind 10.77.0.2 --hostname vault.internal
check 'made by another owner' other init
refused 'another vault' 'is not the vault that this token or fingerprint belongs to'
other audit --json > record 2> /dev/null
holds 'another vault: it keeps a record' record '"init"'
lacks 'another vault: which has nothing of it' record deploy/prod
other serve --stop > /dev/null 2>&1

# The right CA for another name: its certificate and key, shown by somebody else under a name that does not stand in it.
cp .hq-vault/tls.pem .hq-vault/tls.key .
known_as '10.77.0.3 elsewhere.internal'
typed=${typed/vault.internal/elsewhere.internal}
intercepts tls true.pem log.name
refused 'the right CA for another name' 'is for another host name'
holds 'log.name: he was asked who he is' log.name 'GET /v1/ca'
lacks 'log.name: and the token did not leave' log.name "${CI_VAULT_TOKEN:4:30}"
gone
# The vault itself answers to no name but those of its certificate.
known_as '10.77.0.1 elsewhere.internal'
refused 'the vault by a name that is not its own' 'https://elsewhere.internal:13100 does not speak TLS as expected'
same 'no use was spent on any of it' 2 "$(uses)"
typed=${typed/elsewhere.internal/vault.internal}
known_as '10.77.0.1 vault.internal'
same 'and the lines as typed still work' "$wanted" "$(on_ci "$typed; node server.js" 2>&1)"
same 'for the third use' 3 "$(uses)"
exec 3>&-
finish
