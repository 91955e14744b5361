//! The test kit with the real binary, as an ordinary user: a daemon, a person at a terminal, no trace left.

#![allow(clippy::unwrap_used)]

use hqv_test::{Canary, Home, TestServer};

const PASSPHRASE: &str = "canary horse battery staple";
const VALUE: &str = "canary-value-7f3k9qxm";

#[test]
fn mm1_mm2_a_vault_lives_and_leaves_no_trace() {
    let home = Home::ordinary();
    let server = TestServer::with_vault(&home, PASSPHRASE);
    assert!(server.port().is_some() && server.socket().exists() && server.runs());
    let stored = home.cli(["store", "myapp/key"]).owner().stdin(VALUE).run().ok();
    let got = home.cli(["get", "myapp/key"]).owner().run().ok();
    assert_eq!(got.out(), VALUE);

    let (value, passphrase) = (Canary::new(VALUE.as_bytes()), Canary::new(PASSPHRASE.as_bytes()));
    assert_eq!(stored.search(&value), []);
    assert_eq!(value.in_tree(home.path()), []);
    let found = passphrase.in_tree(home.path());
    assert!(found.iter().all(|found| found.place.ends_with("/passphrase")), "{found:?}");
    home.cli(["lock"]).owner().run().ok();
    if let Ok(found) = value.in_process(server.pid()) {
        assert_eq!(found, []);
        assert_eq!(value.in_memory(server.pid()).unwrap(), []);
        assert_eq!(passphrase.in_memory(server.pid()).unwrap(), []);
    }
    let server = server.restart();
    let port = server.port();
    assert!(port.is_some(), "it has a certificate from before");
    server.stop();
    assert!(!home.vault_file("vault.sock").exists());
}

#[test]
fn lc2_a_killed_daemon_is_followed_by_another() {
    let home = Home::ordinary();
    let server = TestServer::with_vault(&home, PASSPHRASE);
    home.cli(["store", "a"]).owner().stdin("1").run().ok();
    server.kill();
    let server = TestServer::start(&home);
    home.cli(["unlock"]).owner().run().ok();
    assert_eq!(home.cli(["get", "a"]).owner().run().ok().out(), "1");
    server.stop();
}

#[test]
fn a_person_makes_a_vault() {
    let home = Home::ordinary();
    let server = TestServer::start(&home);
    let mut terminal = home.cli(["init"]).on_terminal();
    terminal.wait_for("hidden").line(PASSPHRASE).wait_for("again").line(PASSPHRASE).wait_for("HQVR-");
    let ran = terminal.finish().ok();
    assert_eq!(ran.search(&Canary::new(PASSPHRASE.as_bytes())), []);
    server.stop();
}
