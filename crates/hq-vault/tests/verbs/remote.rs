//! A client with URL and token alone, and the fall-back to the port.

use crate::support::{home, owner, store, token, vault};
use hqv_test::TestServer;

#[test]
fn tp1_url_and_token_are_enough_and_another_vault_s_are_not() {
    let (here, there) = (home(), home());
    let (server, other) = (vault(&here), vault(&there));
    store(&here, "a/b", b"v");
    let t = token(&here, &["--name", "ci", "--path", "a/", "--can", "read"]);
    // A machine that has never seen the vault.
    let ci = home();
    let get = |url: &str| ci.cli(["get", "a/b"]).token(&t).env("HQ_VAULT_URL", url).run();
    assert_eq!(get(&server.url()).ok().out(), "v");
    let ran = get(&other.url());
    assert_ne!(ran.code, Some(0), "{ran}");
    assert_eq!(ran.code, Some(6), "{ran}");
    assert_eq!(get(&format!("unix:{}", server.socket().display())).ok().out(), "v");
    for bad in ["http://localhost:1", "localhost", "", "https://u:p@h"] {
        get(bad).exits(2);
    }
    get("https://localhost:1").exits(6);
    let record = owner(&there, &["audit", "--json", "--operation", "get"]).ok().out();
    assert_eq!(record, "", "the token reached another vault");
}

#[test]
fn the_owner_of_a_remote_vault_needs_more_than_a_passphrase() {
    let home = home();
    let server = vault(&home);
    let ran = home.cli(["list"]).owner().env("HQ_VAULT_URL", server.url()).run();
    assert!(matches!(ran.code, Some(3 | 4)), "{ran}");
}

#[test]
fn a_certificate_of_one_s_own_is_served_and_its_tokens_carry_no_pin() {
    let home = home();
    vault(&home).stop();
    // The vault's own leaf will do for a certificate that the owner brings.
    for name in ["tls.pem", "tls.key"] {
        let text = std::fs::read(home.vault_file(name)).unwrap();
        home.write(name, text, 0o600);
    }
    let server = TestServer::start_with(&home, &["--tls-cert", "tls.pem", "--tls-key", "tls.key"]);
    owner(&home, &["unlock"]).ok();
    store(&home, "a/b", b"v");
    let t = token(&home, &["--name", "nopin"]);
    let ci = crate::support::home();
    let refused = ci.cli(["get", "a/b"]).token(&t).env("HQ_VAULT_URL", server.url()).run();
    assert_eq!(refused.code, Some(6), "{refused}");
    let ca = home.vault_file("ca.pem");
    let ok =
        ci.cli(["get", "a/b"]).token(&t).env("HQ_VAULT_URL", server.url()).env("HQ_VAULT_CACERT", ca).run();
    assert_eq!(ok.ok().out(), "v");
}

#[test]
fn a_certificate_of_one_s_own_is_read_again_at_a_hangup_and_a_broken_one_changes_nothing() {
    let (home, other) = (home(), home());
    vault(&home).stop();
    vault(&other).stop();
    let bring = |from: &hqv_test::Home| {
        for name in ["tls.pem", "tls.key"] {
            home.write(name, std::fs::read(from.vault_file(name)).unwrap(), 0o600);
        }
    };
    bring(&home);
    let server = TestServer::start_with(&home, &["--tls-cert", "tls.pem", "--tls-key", "tls.key"]);
    owner(&home, &["unlock"]).ok();
    store(&home, "a/b", b"v");
    let t = token(&home, &["--name", "nopin"]);
    let ci = crate::support::home();
    let get = |ca: &hqv_test::Home| {
        let run = ci.cli(["get", "a/b"]).token(&t).env("HQ_VAULT_URL", server.url());
        run.env("HQ_VAULT_CACERT", ca.vault_file("ca.pem")).run().code
    };
    let hangup = || {
        std::process::Command::new("kill").args(["-HUP", &server.pid().to_string()]).status().unwrap();
    };
    let until = |done: &dyn Fn() -> bool| {
        let begun = std::time::Instant::now();
        while !done() {
            assert!(begun.elapsed() < hqv_test::PATIENCE, "nothing happened");
        }
    };
    assert_eq!((get(&home), get(&other)), (Some(0), Some(6)));

    home.write("tls.key", "half a key", 0o600);
    hangup();
    until(&|| home.cli(["status", "--json"]).run().out().contains("the certificate stays the old one"));
    assert_eq!((get(&home), get(&other)), (Some(0), Some(6)));

    bring(&other);
    hangup();
    until(&|| get(&other) == Some(0));
    assert_eq!(get(&home), Some(6), "the old certificate is still served");
}
