//! `init`.

use crate::support::{PASSPHRASE, home, ordinary, owner, store, vault};
use hqv_test::TestServer;

#[test]
fn a_person_chooses_twice_and_sees_the_recovery_key_once() {
    let home = home();
    let _server = TestServer::start(&home);
    let mut terminal = home.cli(["init"]).on_terminal();
    terminal.wait_for("New passphrase").line(PASSPHRASE);
    terminal.wait_for("again").line(PASSPHRASE);
    terminal.wait_for("Recovery key");
    let ran = terminal.finish().ok();
    let shown = ran.err();
    assert!(!shown.contains("correct horse"), "{shown}");
    assert!(shown.contains("Made: ~/.hq-vault"), "{shown}");
    let key = shown.split_whitespace().find(|w| w.starts_with("HQVR-")).expect("a recovery key").to_owned();
    // It opens the vault without the passphrase.
    home.write("passphrase", PASSPHRASE, 0o600);
    owner(&home, &["unlock"]).ok();
    owner(&home, &["lock"]).ok();
    let mut terminal = home.cli(["unlock", "--recovery"]).on_terminal();
    terminal.wait_for("Recovery key").line(&key);
    terminal.finish().ok();
    owner(&home, &["list"]).ok();
}

#[test]
fn the_recovery_key_never_goes_down_a_pipe() {
    let home = home();
    let _server = TestServer::start(&home);
    home.write("passphrase", PASSPHRASE, 0o600);
    let ran = owner(&home, &["init"]).ok();
    assert!(!ran.out().contains("HQVR") && !ran.err().contains("HQVR"), "{ran}");
    let mut terminal = { home.cli(["init", "--force"]).owner().on_terminal_piped() };
    terminal.wait_for("HQVR-");
    let ran = terminal.finish().ok();
    assert!(!ran.out().contains("HQVR"), "{ran}");
    owner(&home, &["serve", "--stop"]).ok();
}

#[test]
fn what_is_weak_or_unlike_makes_nothing() {
    let home = home();
    let _server = TestServer::start(&home);
    let mut terminal = home.cli(["init"]).on_terminal();
    terminal.wait_for("New passphrase").line(PASSPHRASE);
    terminal.wait_for("again").line("something else entirely");
    let ran = terminal.finish().exits(2);
    assert!(ran.err().contains("not the same"), "{ran}");
    home.write("passphrase", "short", 0o600);
    let ran = owner(&home, &["init"]).exits(2);
    assert!(
        ran.err().contains("12") && ran.err().contains("--weak") && !ran.err().contains("short"),
        "{ran}"
    );
    home.cli(["init"]).run().exits(4);
    assert!(!home.vault_file("vault.db").exists());
    owner(&home, &["init", "--weak"]).ok();
}

#[test]
fn an_existing_vault_is_kept_and_force_moves_it_aside() {
    let home = home();
    let server = vault(&home);
    store(&home, "a/b", b"old");
    let refused = owner(&home, &["init"]).exits(7);
    assert!(refused.err().contains("already") && refused.err().contains("--force"), "{refused}");
    home.cli(["init", "--force"]).run().exits(4);
    assert_eq!(owner(&home, &["get", "a/b"]).ok().out(), "old");
    home.write(".hq-vault/config.toml", "port = 0\n", 0o600);
    owner(&home, &["init", "--force"]).ok();
    assert!(!server.runs());
    owner(&home, &["get", "a/b"]).exits(3);
    let aside: Vec<_> = std::fs::read_dir(home.path())
        .unwrap()
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().starts_with(".hq-vault.old-"))
        .collect();
    assert_eq!(aside.len(), 1);
    owner(&home, &["serve", "--stop"]).ok();
    // The old one still opens where it now stands.
    let old = aside[0].path();
    let old = old.to_string_lossy();
    for words in [&["unlock"][..], &["get", "a/b"], &["serve", "--stop"]] {
        owner(&home, &[&["--vault-dir", &old], words].concat()).ok();
    }
}

#[test]
fn a_person_who_thinks_better_of_force_keeps_the_old_vault() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"old");
    let mut terminal = home.cli(["init", "--force"]).on_terminal();
    terminal.wait_for("Passphrase for").line(PASSPHRASE);
    terminal.wait_for("New passphrase").line("another passphrase");
    terminal.wait_for("again").line("yet another one");
    terminal.finish().exits(2);
    assert_eq!(owner(&home, &["get", "a/b"]).ok().out(), "old");
}

#[test]
fn raw_prints_the_session_alone() {
    let home = home();
    let _server = TestServer::start(&home);
    home.write("passphrase", PASSPHRASE, 0o600);
    let ran = owner(&home, &["init", "--raw"]).ok();
    let session = ran.out();
    assert!(session.starts_with("hqs_") && session.lines().count() == 1, "{ran}");
    assert!(ran.err().contains("Made: ~/.hq-vault"), "{ran}");
    home.cli(["list"]).env("HQ_VAULT_SESSION", session.trim_end()).run().ok();
}

#[test]
fn in7_a_directory_that_cannot_be_is_an_error_and_an_odd_one_works() {
    let home = ordinary();
    home.write("passphrase", PASSPHRASE, 0o600);
    home.write("file", "", 0o600);
    let init = |dir: &str| home.cli(["init"]).owner().env("HQ_VAULT_DIR", dir).run();
    let relative = init("relative").exits(2);
    assert!(relative.err().contains("absolute"), "{relative}");
    assert_ne!(init("/proc/nowhere").code, Some(0));
    let file = home.path().join("file").to_string_lossy().into_owned();
    assert_ne!(init(&file).code, Some(0));
    let long = format!("{}/{}", home.path().display(), "d".repeat(200));
    let ran = init(&long);
    assert_eq!(ran.code, Some(2), "{ran}");
    assert!(ran.err().contains("XDG_RUNTIME_DIR"), "{ran}");
    let odd = home.path().join("with blanks é").to_string_lossy().into_owned();
    std::fs::create_dir(home.path().join("run")).ok();
    for (dir, runtime) in [(odd.as_str(), ""), (long.as_str(), home.path().to_str().unwrap())] {
        let cli = |words: &[&str]| {
            home.cli(words).owner().env("HQ_VAULT_DIR", dir).env("XDG_RUNTIME_DIR", runtime).run()
        };
        cli(&["serve", "--daemon", "--port", "0"]).ok();
        cli(&["init"]).ok();
        cli(&["store", "a", "--generate"]).ok();
        cli(&["serve", "--stop"]).ok();
    }
}
