#!/usr/bin/env bash
# The day of a developer and of an orchestrator, typed as a person would type it: at terminals where a person
# sits at one, with plain Node where a worker has nothing else.
# rows: TK1, MM2
# shellcheck source=tests/lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/checks.sh"

url='postgres://app:p%40ss=w@db.example/app?sslmode=require&x=1'
typed='rk_test-4f9a+b/c=d0'
odd=$'it\'s "$(touch pwned)" `touch pwned`  *  \\ $HOME\n\tlast é line'
mkdir project && cd project || exit 1
printf 'DATABASE_URL=%s\nPORT=8080\n' "$url" > .env
printf %s "$odd" > odd.txt
touch a-file another-file # what an unquoted * would find
cp "$here/node/server.js" .

# A free port: 13100 may be anybody's.
check 'the daemon starts without a vault' hq-vault serve --daemon --port 0
person first.txt << END
$ hq-vault init
? hidden
> $PASSPHRASE
? again
> $PASSPHRASE
? HQVR-
? Made
$ eval "\$(hq-vault shell-init bash)"
$ hq-vault unlock
? hidden
> $PASSPHRASE
? Unlocked
$ hq-vault store myapp/database-url --file <(grep DATABASE_URL .env | cut -d= -f2-)
? Stored
$ hq-vault store myapp/api-key --type api-key
? hidden
> $typed
? Stored
$ hq-vault store odd/value --file odd.txt
? Stored
$ hq-vault env-file myapp/ > .env
$ node --env-file=.env server.js > served
$ eval \$(hq-vault env-file myapp/ --format export)
$ node server.js > served.eval
$ chmod 600 .env; unset DATABASE_URL API_KEY
$ eval \$(hq-vault env-file myapp/ --format export); printf %s "\$DATABASE_URL|\$API_KEY" > values
$ eval \$(hq-vault env-file odd/ --format export); printf %s "\$VALUE" > odd.out
$ hq-vault token create --name deploy-run-42 --ttl 1h --max-uses 10 > deploy
? Token created
$ hq-vault token create --name orchestrator --ttl 8h --path myapp/ --can read,list,delegate > orchestrator
? Token created
$ bash -c 'hq-vault get myapp/api-key < /dev/null' > child.out; echo "child \$?" > child.code
$ hq-vault list; hq-vault status; hq-vault whoami
$ exit
END
same 'a person sets up a vault and fills it' 0 $?
[ $failed -eq 0 ] || finish
holds 'store says what a process substitution held' first.txt '✅ Stored: myapp/database-url (58 bytes, type: other)'
holds 'store says what was typed' first.txt '✅ Stored: myapp/api-key (19 bytes, type: api-key)'
holds 'token create says its line' first.txt '✅ Token created: deploy-run-42'
lacks 'a typed value is not echoed' first.txt "$typed"
lacks 'the passphrase is not echoed' first.txt "$PASSPHRASE"
wanted=$(node -p 'JSON.stringify(process.argv.slice(1))' "$url" "$typed")
same 'node --env-file=.env server.js' "$wanted" "$(cat served)"
same 'eval, then node server.js' "$wanted" "$(cat served.eval)"
same '.env holds both' "$url|$typed" "$(node --env-file=.env -p 'process.env.DATABASE_URL + "|" + process.env.API_KEY')"
same 'eval unquoted gives both' "$url|$typed" "$(cat values)"
same 'eval unquoted gives an odd value' "$odd" "$(cat odd.out)"
check 'nothing in it was run' test ! -e pwned
same 'a token stands alone on stdout' 1 "$(grep -cxE 'hqv_[A-Za-z0-9_-]{71}' deploy)"
same 'a child of the shell has no session' 'child 4' "$(cat child.code)"
same 'and no value' '' "$(cat child.out)"

ca=$HOME/.hq-vault/ca.pem
deploy=$(cat deploy)
HQ_VAULT_TOKEN=$deploy node "$here/node/reader.js" "$ca" "$(port)" 6 myapp/database-url myapp/api-key > reads 2>&1
same 'a plain https client reads two secrets five times' 10 "$(grep -cE '^[1-5] .* 200 ' reads)"
same 'with their values' "5 myapp/database-url 200 $url" "$(grep '^5 myapp/database-url' reads)"
same 'and is refused the sixth time' '401 TOKEN_EXHAUSTED' "$(grep '^6' reads | cut -d' ' -f3- | sort -u)"

mkfifo watching
person tail.txt << 'END' &
$ eval "$(hq-vault shell-init bash)"
$ hq-vault unlock
? hidden
> correct horse battery staple
? Unlocked
$ hq-vault audit --tail
? deploy-run-42
! echo > watching
? orchestrator/worker-last
^ C
$ exit 0
END
tail=$!
if timeout 60 cat watching > /dev/null; then ok 'audit --tail runs in another terminal'; else not_ok 'audit --tail runs in another terminal'; fi

orchestrate() {
  HQ_VAULT_TOKEN=$(cat orchestrator) NODE_EXTRA_CA_CERTS=$ca node "$here/node/orchestrator.mjs" "$(port)" "$@" 2>&1
}
mapfile -t workers < <(seq -f 'worker-%g' 1 50)
orchestrate myapp/api-key "${workers[@]}" > family
same 'fetch makes fifty tokens at once, each of which reads' 50 "$(grep -cE '^worker-[0-9]+ 201 20 200 hqv_' family)"
same 'no two are the same' 50 "$(cut -d' ' -f5 family | sort -u | wc -l)"
orchestrate myapp/api-key worker-last > last
wait $tail
same 'the person at the other terminal sees it' 0 $?
seen=$(tr '\r' '\n' < tail.txt | grep -w get | grep -oE 'orchestrator/worker-[0-9]+' | sort -u | wc -l)
same 'with the names of all fifty' 50 "$seen"

# `person` ends with the shell's own exit code.
person second.txt << END
$ eval "\$(hq-vault shell-init bash)"
$ hq-vault unlock
? hidden
> $PASSPHRASE
? Unlocked
$ hq-vault token revoke deploy-run-42 && echo one gone
? one gone
$ hq-vault token revoke orchestrator && echo all gone
? all gone
$ hq-vault audit verify && echo proven
? proven
$ hq-vault lock
$ exit
END
same 'a person revokes, verifies and locks' 0 $?
read -r _ _ _ _ worker < family
locked=$(HQ_VAULT_TOKEN=$worker hq-vault get myapp/api-key 2> locked.err)
same 'a locked vault answers exit 5' '5 ' "$? $locked"
person third.txt << END
$ hq-vault unlock
? hidden
> $PASSPHRASE
? Unlocked
$ exit
END
for token in "$deploy" "$worker"; do
  HQ_VAULT_TOKEN=$token node "$here/node/reader.js" "$ca" "$(port)" 1 myapp/api-key
done > revoked 2>&1
same 'both are told that they are revoked' '1 myapp/api-key 401 TOKEN_REVOKED' "$(sort -u revoked)"
HQ_VAULT_TOKEN=$worker hq-vault get myapp/api-key > get.out 2> get.err
same 'the command line says so with exit 4' 4 $?
holds 'and names who acted, and from where' get.err 'HQ_VAULT_TOKEN'

for secret in "$url" "$typed" "$PASSPHRASE" "$deploy" "$worker" myapp/api-key orchestrator; do
  check "not in clear in the vault's folder: ${secret:0:12}..." test -z "$(grep -rlaF -- "$secret" "$HOME/.hq-vault")"
done
lacks 'no value in a record that is shown' tail.txt "$typed"
finish
