#!/usr/bin/env bash
# The SDKs as their users get them: the packed tarball in an empty folder with Node 20 and 26, the wheel in a fresh
# environment. Their own tests, the cases of sdk/conformance against a real daemon (with the Rust client), servers
# that lie, the examples of their pages, and how quick they are.
# rows: TP1, HT8, IN7
# shellcheck source=tests/lib/sdk-tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/sdk-tools.sh"
# shellcheck source=tests/lib/checks.sh
. "$top/tests/lib/checks.sh"

[ ${#lacking[@]} -eq 0 ] || not_ok 'the tools are there' "not installed: ${lacking[*]}"
export PYTHONDONTWRITEBYTECODE=1 npm_config_update_notifier=false npm_config_cache=$HOME/npm
owner() { HQ_VAULT_PASSPHRASE_FILE=$HOME/passphrase hq-vault "$@"; }
# Nothing of the caller's, and a home only where one is given.
clean() { env -i PATH="$PATH" "$@"; }

# counted NAME COMMAND...: one that says `ok`, `not ok` or `SKIP` for each thing it looks at, and ends well only where
# it has looked at all.
counted() {
  local name=$1 line before=$passed wrong=$failed status
  shift
  "$@" > "$HOME/counted" 2>&1
  status=$?
  while IFS= read -r line; do
    case $line in
      'ok '*) passed=$((passed + 1)) ;;
      'not ok '*) failed=$((failed + 1)) && printf 'not ok  %s: %s\n' "$name" "${line#not ok }" && grep -FA12 -- "$line" "$HOME/counted" ;;
      'SKIP '*) skip "$name" "${line#SKIP }" ;;
    esac
  done < "$HOME/counted"
  if [ $status -eq 0 ] && [ "$passed" -gt "$before" ]; then
    ok "$name"
  elif [ "$failed" -eq "$wrong" ]; then
    not_ok "$name" "ended with $status after $((passed - before)) that passed" "$(tail -n 20 "$HOME/counted")"
  fi
}

# Copies, so that what is built stays out of the checkout.
mkdir sdk && cp -r "$top"/sdk/{typescript,python,conformance} sdk/ && ln -s "$top/spec" spec
cd sdk && rm -rf typescript/node_modules typescript/dist python/build
ln -s "$tools/typescript/node_modules" typescript/node_modules
check 'types match the API' "$top/sdk/make_types.py" --check

# TypeScript, packed.
check 'the tarball is packed' npm pack --silent --pack-destination "$HOME" ./typescript
tarball=$(echo "$HOME"/hq-vault-*.tgz)
same 'it holds no source, test or lock' '' "$(tar tzf "$tarball" | grep -vE '^package/(dist/.*\.(js|mjs|d\.ts|d\.mts)|package\.json|README\.md)$')"
mkdir "$HOME/app" && cd "$HOME/app" || exit 1
check 'it installs into an empty folder' npm install --offline --silent "$tarball"
same 'with nothing beside it' hq-vault "$(ls node_modules)"
cat > types.mts << 'END'
import { getSecret, VaultSdkError, type VaultOptions } from "hq-vault";
const options: VaultOptions = { timeout: 5 };
export const value: string = await getSecret("a/b").catch((error: VaultSdkError) => error.code + options.timeout);
END
printf 'import sdk = require("hq-vault");\nexport const entries: Promise<sdk.Entry[]> = sdk.listSecrets();\n' > types.cts
check 'its types hold for import and require' "$tools/typescript/node_modules/.bin/tsc" --noEmit --strict --module nodenext \
  --target es2022 --typeRoots "$tools/typescript/node_modules/@types" --types node types.mts types.cts
nodes=(node)
[ -x "$node26" ] && nodes+=("$node26")
# Of the Node that it is, whichever is here.
label() { "$1" -p '"Node " + process.versions.node.split(".")[0]'; }
for node in "${nodes[@]}"; do
  name=$(label "$node")
  counted "$name: its own tests" "$node" --test --test-timeout 20000 --test-reporter tap "$HOME"/sdk/typescript/test/*.mjs
done

# Python, as a wheel.
check 'the wheel is built' "$tools/venv/bin/python" -m pip wheel -q --no-deps --no-build-isolation --no-index --wheel-dir "$HOME" "$HOME/sdk/python"
wheel=$(echo "$HOME"/hq_vault-*.whl)
python3 -m venv --without-pip "$HOME/fresh" && python=$HOME/fresh/bin/python
check 'it installs into a fresh environment' "$tools/venv/bin/python" -m pip --python "$python" install -q --no-index --disable-pip-version-check "$wheel"
cat > typed.py << 'END'
from hq_vault import Secrets, get_secret, get_secrets
from hq_vault.aio import get_secret as later

value: str = get_secret("a/b", version=3)
secrets: Secrets = get_secrets(prefix="a/")

async def main() -> bytes:
    return (await later("a/b")).encode()
END
check 'its types hold, strictly' "$tools/venv/bin/mypy" --strict --python-executable "$python" --cache-dir "$tools/mypy" typed.py
check 'its own tests, with warnings as errors' "$python" -W error -m unittest discover -s "$HOME/sdk/python/tests"
# What happens to be here; nothing is installed for it.
for other in "${pythons[@]}"; do
  check "its own tests on $("$other" -V)" env PYTHONPATH="$HOME/sdk/python/src" "$other" -W error -m unittest discover -s "$HOME/sdk/python/tests"
done

# A vault, and a person who answers its entries.
cd "$HOME" || exit 1
printf %s "$PASSPHRASE" > passphrase && chmod 600 passphrase
check 'the daemon starts' hq-vault serve --daemon --port 0
check 'with a vault' owner init
key=made-up-key-4f9a+/=b secret='made up "secret" $HOME'
printf %s "$key" | owner store aws/deploy/access-key > /dev/null
printf %s "$secret" | owner store aws/deploy/secret-key > /dev/null
session=$(owner unlock --raw 2> /dev/null)
socket=unix:$HOME/.hq-vault/vault.sock url=https://localhost:$(port)
cat > bin/person << END
#!/bin/sh
# answer CODE VALUE, or refuse CODE: as the owner, on the socket.
[ "\$1" = answer ] && body="{\"value\":\"\$3\"}" || body={}
curl --silent --fail --unix-socket "$HOME/.hq-vault/vault.sock" -H 'Authorization: Bearer $session' \
  -H 'Content-Type: application/json' -d "\$body" "http://localhost/v1/entries/\$2:\$1" > /dev/null
END
chmod 700 bin/person
admin=$(owner token create --name admin --path / --can read,list,write,delete,delegate,ingest 2> /dev/null)

# What every client does alike. Each with a word of its own, over the socket or, where the url is given, over TLS.
cases() {
  local word=$1
  shift
  (cd "$HOME/app" && clean HOME="$HOME" HQ_VAULT_TOKEN="$admin" HQV_PERSON="$HOME/bin/person" HQV_RUN="$word" "$@")
}
conformance=$HOME/sdk/conformance
counted "cases: $(label node), socket" cases node node "$conformance/run.mjs"
counted "cases: $(label node), TLS by the pin" cases node-tls HOME=/nowhere HQ_VAULT_URL="$url" node "$conformance/run.mjs"
counted 'cases: Python, socket' cases python "$python" "$conformance/run.py"
counted 'cases: asyncio, TLS by the pin' cases asyncio HOME=/nowhere HQ_VAULT_URL="$url" "$python" "$conformance/run.py" --async
[ ${#nodes[@]} -eq 2 ] && counted "cases: $(label "$node26"), TLS" cases node26 HQ_VAULT_URL="$url" "$node26" "$conformance/run.mjs"
rust=${CARGO_TARGET_DIR:-$top/target}/debug/examples/conformance
[ -x "$rust" ] || (cd "$top" && HOME=$(getent passwd "$(id -u)" | cut -d: -f6) cargo build --quiet --locked -p hqv-client --example conformance)
counted 'cases: Rust, socket' cases rust HQ_VAULT_URL="$socket" "$rust"
counted 'cases: Rust, TLS by the pin' cases rust-tls HQ_VAULT_URL="$url" "$rust"

# The worker, as it stands in the README of every project that has one.
cd "$HOME/app" || exit 1
cat > worker.js << 'END'
import { getSecret } from "hq-vault";
const awsKey = await getSecret("aws/deploy/access-key");
const awsSecret = await getSecret("aws/deploy/secret-key");
END
{ cat worker.js && echo 'process.stdout.write(awsKey + "|" + awsSecret);'; } > saying.mjs
cat > worker.py << 'END'
from hq_vault import get_secret
aws_key = get_secret("aws/deploy/access-key")
aws_secret = get_secret("aws/deploy/secret-key")
END
{ cat worker.py && echo 'print(aws_key + "|" + aws_secret, end="")'; } > saying.py

# With HOME unset a vault is found in the home that passwd names: here that is this script's, in a namespace.
space=(unshare --mount) id=$(id -u)
"${space[@]}" true 2> /dev/null || { space=(unshare --map-root-user --mount) && id=0; }
awk -F: -v OFS=: -v id="$id" -v home="$HOME" '$3 == id { $6 = home } 1' /etc/passwd > passwd
# shellcheck disable=SC2016 # for that shell
homeless() { clean "${space[@]}" sh -c 'mount --bind passwd /etc/passwd && exec "$@"' sh env "$@"; }

# worker NAME SURROUNDINGS PROGRAM SCRIPT SAYING: reads twice with two uses, is refused the third time, says nothing.
worker() {
  local name=$1 around=$2 program=$3 script=$4 saying=$5 token status extra=()
  case $around in
    socket) extra=(clean HOME="$HOME") ;;
    url) extra=(clean HOME=/nowhere HQ_VAULT_URL="$url") ;;
    url-homeless) extra=(clean HQ_VAULT_URL="$url") ;;
    homeless) extra=(homeless) ;;
  esac
  token=$(owner token create --name "w-$RANDOM$RANDOM" --max-uses 4 --path aws/deploy/ --can read 2> /dev/null)
  same "$name, $around: reads both" "$key|$secret" "$("${extra[@]}" HQ_VAULT_TOKEN="$token" "$program" "$saying" 2>&1)"
  check "$name, $around: unchanged" "${extra[@]}" HQ_VAULT_TOKEN="$token" "$program" "$script"
  "${extra[@]}" HQ_VAULT_TOKEN="$token" "$program" "$script" > beyond 2>&1
  status=$?
  same "$name, $around: fails beyond its uses" 1 $status
  holds "$name, $around: with the SDK's error" beyond VaultSdkError
  holds "$name, $around: and its code" beyond TOKEN_EXHAUSTED
  check "$name, $around: showing neither value nor token" test -z "$(grep -oF -e "$token" -e "$key" -e "$secret" beyond)"
}
for node in "${nodes[@]}"; do
  name=$(label "$node")
  for around in socket url url-homeless; do worker "$name" $around "$node" worker.js saying.mjs; done
done
for around in socket url url-homeless; do worker Python $around "$python" worker.py saying.py; done
if "${space[@]}" true 2> /dev/null; then
  for node in "${nodes[@]}"; do worker "$(label "$node")" homeless "$node" worker.js saying.mjs; done
  worker Python homeless "$python" worker.py saying.py
else
  skip 'HOME unset, with the socket' 'no mount namespaces here'
fi

# An orchestrator under `run --pass-token`: makes a worker's token by the SDK, and reads with it by nothing but fetch, which
# trusts the vault by what `run` gave it. It says the value's hash, since `run` would mask the value in any other shape.
cat > orchestrator.mjs << 'END'
import { createHash } from "node:crypto";
import { createToken } from "hq-vault";
const made = await createToken({ name: `of-${process.argv[2]}`, maxUses: 1, paths: ["aws/deploy/access-key"], can: ["read"] });
for (let n = 0; n < 2; n++) {
  const url = `https://localhost:${process.argv[3]}/v1/secrets/aws/deploy/access-key`;
  const answer = await fetch(url, { headers: { Authorization: `Bearer ${made.token}` } });
  const { value, code } = await answer.json();
  console.log(answer.status, code ?? createHash("sha256").update(value).digest("hex"));
}
END
orchestrates() { clean HOME="$HOME" HQ_VAULT_TOKEN="$orchestrator" "$@" orchestrator.mjs "$RANDOM$RANDOM" "$(port)" 2>&1; }
orchestrator=$(owner token create --name orchestrator --path aws/ --can read,delegate 2> /dev/null)
wanted=$(printf '200 %s\n401 TOKEN_EXHAUSTED' "$(printf %s "$key" | sha256sum | cut -d' ' -f1)")
for node in "${nodes[@]}"; do
  name=$(label "$node")
  same "$name: an orchestrator under run --pass-token" "$wanted" "$(orchestrates hq-vault run --pass-token --prefix aws/deploy/ -- "$node")"
  said=$(orchestrates "$node")
  check "$name: whose fetch trusts nobody without it" test -n "$(grep -o 'fetch failed' <<< "$said")" -a -z "$(grep -o '^200' <<< "$said")"
  check "$name: which has no token unless it is passed" test -n "$(orchestrates hq-vault run --prefix aws/deploy/ -- "$node" | grep -o UNAUTHORIZED)"
done

# examples KIND PROGRAM README: every block of that kind, as a program of its own.
examples() {
  local number=0 file
  awk -v kind="$1" '/^```/ { on = $0 == "```" kind; n += on; next } on { print > "example-" n "." kind }' "$3"
  for file in example-*."$1"; do
    number=$((number + 1))
    [ "$1" = js ] && mv "$file" "${file%.js}.mjs" && file=${file%.js}.mjs
    check "example $number of $(basename "$(dirname "$3")")/README.md" clean HOME="$HOME" HQ_VAULT_TOKEN="$admin" "$2" "$file"
  done
}
examples js node "$top/sdk/typescript/README.md"
examples python "$python" "$top/sdk/python/README.md"

# Servers that lie. Their certificates and homes are made there.
mkdir -p "$HOME/hostile/home"
clients=("node=node $conformance/probe.mjs" "python=$python $conformance/probe.py" "asyncio=$python $conformance/probe.py --async" "cli=$binary")
[ ${#nodes[@]} -eq 2 ] && clients+=("node26=$node26 $conformance/probe.mjs")
counted 'servers and surroundings that lie' "$python" "$conformance/hostile.py" "$HOME/hostile" "${clients[@]}"

# quick PROGRAM SCRIPT: once; its rounds alternate, so that other work is in the way of both.
quick() { HQ_VAULT_TOKEN=$admin "$@" localhost "$(port)" "$HOME/.hq-vault/ca.pem" aws/deploy/access-key; }
for node in "${nodes[@]}" "$python"; do
  script=$conformance/speed.mjs && [ "$node" = "$python" ] && script=$conformance/speed.py
  if said=$(quick "$node" "$script"); then ok "quick: $said"; else not_ok 'at most 1.3 x the raw client' "$said"; fi
done
finish
