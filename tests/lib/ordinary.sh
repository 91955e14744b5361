# shellcheck shell=bash
# For scripts that show what an ordinary user cannot do: sourced and called before checks.sh. Where we are root,
# the script runs once more as a user to whom nothing belongs, from a copy that such a user can read.

# The same user as in hqv-sys (ordinary.rs).
ORDINARY=64321

as_user() { setpriv --reuid="$ORDINARY" --regid="$ORDINARY" --clear-groups "$@"; }

# The folders of PATH that the user can look into.
open_path() {
  local folder all=
  while IFS= read -rd : folder; do
    as_user test -x "$folder" 2> /dev/null && all=$all:$folder
  done <<< "$PATH:"
  printf %s "${all#:}"
}

# with_home_for_pictures: where we are root and pictures are wanted, the script runs once more in a mount namespace in
# which the test's home is /home/ada, so that they show no temporary folder. Called before as_ordinary.
with_home_for_pictures() {
  [ -n "${HQV_PICTURES-}" ] && [ -z "${HQV_HOME-}" ] && [ "$(id -u)" -eq 0 ] || return 0
  HQV_HOME=/home/ada exec unshare --mount bash -c 'mount -t tmpfs -o mode=1777 none /home && exec "$0" "$@"' "$0" "$@"
}

# as_ordinary FILE...: returns where we are no root. FILEs go along with tests/, beside it. Before the user's run
# `root_before` is called and after it `root_after`, where the script has them; both may use $stage, a folder that
# the user can read, with `open` in it, where he can write. He finds it as $HQV_STAGE.
as_ordinary() {
  [ "$(id -u)" -eq 0 ] || return 0
  local script=$0 from binary status file
  from=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  binary=${HQ_VAULT_BIN:-${CARGO_TARGET_DIR:-$from/target}/debug/hq-vault}
  stage=$(mktemp -d) && chmod 755 "$stage" && mkdir -m 1777 "$stage/open"
  cp -r "$from/tests" "$binary" "$stage" || exit 1
  for file in "$@"; do cp -rL "$file" "$stage" || exit 1; done
  chmod -R go+rX "$stage"
  declare -F root_before > /dev/null && root_before
  as_user env -i PATH="$(open_path)" TMPDIR="${TMPDIR:-/tmp}" LANG=C.UTF-8 HOME="$stage/open" HQV_STAGE="$stage" \
    HQV_LONG="${HQV_LONG-}" HQV_REQUIRE_TOOLS="${HQV_REQUIRE_TOOLS-}" HQV_HOME="${HQV_HOME-}" HQ_VAULT_BIN="$stage/hq-vault" bash "$stage/tests/$(basename "$script")"
  status=$?
  declare -F root_after > /dev/null && root_after
  rm -rf "$stage"
  exit $status
}
