//! A machine that has only one of the two loopback addresses, made with a network namespace. Row LC1.

use std::process::Output;

use hqv_test::Home;

use crate::support::{PASSPHRASE, home, program, root_for, told};

/// The whole life of a vault in one script, since a namespace lives as long as its processes. The daemon
/// must listen on `$WANTED` alone, and a client reach it there by name.
const LIFE: &str = r#"
set -eu
trap '"$HQ" serve --stop > /dev/null 2>&1 || true' EXIT
"$HQ" serve --daemon --port 0
"$HQ" init
printf v | "$HQ" store a/b
"$HQ" status --json
HQ_VAULT_TOKEN=$("$HQ" token create --name far --quiet) || exit
export HQ_VAULT_TOKEN
port=$(cat "$HOME/.hq-vault/vault.port")
for host in localhost "$WANTED"; do
  printf 'got %s\n' "$("$HQ" get a/b --url "https://$host:$port")"
done
unset HQ_VAULT_TOKEN
"$HQ" serve --stop
"#;

fn in_namespace(home: &Home, wanted: &str, network: &str) -> Option<Output> {
    home.write("passphrase", PASSPHRASE, 0o600);
    let mut command = program(home, "unshare");
    command.args(["--net", "sh", "-c", &format!("{network} || exit 77\n{LIFE}")]);
    command.env("HQ_VAULT_PASSPHRASE_FILE", home.passphrase_file()).env("WANTED", wanted);
    let output = command.output().ok().filter(|output| output.status.code() != Some(77));
    if output.is_none() {
        println!("SKIP {wanted} alone: no network namespace can be had here");
    }
    output
}

#[track_caller]
fn serves_on(output: &Output, yes: &str, no: &str) {
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", told(output));
    assert!(out.contains(&format!("\"{yes}:")) && !out.contains(&format!("\"{no}:")), "{}", told(output));
    assert_eq!(out.matches("got v\n").count(), 2, "{}", told(output));
}

#[test]
fn lc1_without_ipv6_it_serves_on_127_0_0_1_alone() {
    if !root_for("a network without IPv6") {
        return;
    }
    let home = home();
    let network = "ip link set lo up && echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 \
                   && echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6";
    if let Some(output) = in_namespace(&home, "127.0.0.1", network) {
        serves_on(&output, "127.0.0.1", "[::1]");
    }
}

#[test]
fn lc1_without_127_0_0_1_it_serves_on_ipv6_alone() {
    if !root_for("a network without IPv4") {
        return;
    }
    let home = home();
    let network =
        "ip link set lo up && ip address del 127.0.0.1/8 dev lo && ip address show lo | grep -q ::1";
    if let Some(output) = in_namespace(&home, "[::1]", network) {
        serves_on(&output, "[::1]", "127.0.0.1");
    }
}
