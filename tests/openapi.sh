#!/usr/bin/env bash
# The served OpenAPI document against the server: schemathesis makes up requests, right ones and wrong ones, and
# every answer must be one that the document promises. Once with a token that may do everything a token may, and
# once as the owner, without what would end the run (lock, shutdown, sessions, tokens/self, the clock's reset).
# Half a minute of it; five minutes with HQV_LONG.
# shellcheck source=tests/lib/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/checks.sh"

command -v schemathesis > /dev/null || { skip openapi 'schemathesis is not installed'; finish; }
seconds=15
[ -n "${HQV_LONG-}" ] && seconds=150
printf %s "$PASSPHRASE" > passphrase && chmod 600 passphrase
owner() { HQ_VAULT_PASSPHRASE_FILE=$HOME/passphrase hq-vault "$@"; }

check 'the daemon starts' hq-vault serve --daemon --port 0
check 'with a vault' owner init
token=$(owner token create --name fuzz --ttl 1h --path / --can read,list,write,delete,delegate,audit 2> /dev/null)
session=$(owner unlock --raw 2> /dev/null)
for n in 1 2 3; do printf %s "value $n" | owner store "fuzz/$n" > /dev/null; done

# Its own home for whatever schemathesis and its libraries leave behind.
conforms() {
  local name=$1 bearer=$2 log=$1.log
  shift 2
  HTTPS_PROXY='' NO_PROXY='*' schemathesis run "https://localhost:$(port)/v1/openapi.json" --tls-verify "$HOME/.hq-vault/ca.pem" \
    -H "Authorization: Bearer $bearer" --max-time $seconds --request-timeout 5 --generation-database none --no-shrink \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,unsupported_method \
    --suppress-health-check all --warnings off "$@" > "$log" 2>&1
  local status=$?
  if [ $status -eq 0 ]; then ok "$name"; else not_ok "$name" "schemathesis ended with $status" "$(grep -v '^$' "$log" | tail -n 150)"; fi
}

# A poll of something that waits would take its whole minute: polls are tried apart, with made-up ids.
polls=(entryState askState)
conforms token "$token" --exclude-path /v1/tokens/self "${polls[@]/#/--exclude-operation-id=}"
conforms owner "$session" "${polls[@]/#/--exclude-operation-id=}" \
  --exclude-path-regex '/v1/(lock|shutdown|sessions.*|tokens/self|clock:reset|unlock|init)$'
conforms polls "$token" "${polls[@]/#/--include-operation-id=}"
check 'the server is up after it' owner get fuzz/1
finish
