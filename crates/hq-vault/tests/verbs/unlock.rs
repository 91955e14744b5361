//! `unlock`, `lock`, `status`, `session`.

use crate::support::{PASSPHRASE, home, owner, store, token, vault};

#[test]
fn unlock_by_a_person_by_a_file_and_not_by_an_argument() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"v");
    owner(&home, &["lock"]).ok();
    owner(&home, &["get", "a/b"]).exits(5);
    let t = home.cli(["unlock", "CANARY-pass"]).run().exits(2);
    assert!(!t.err().contains("CANARY"), "{t}");
    home.cli(["unlock"]).run().exits(4);
    let mut terminal = home.cli(["unlock"]).on_terminal();
    terminal.wait_for("Passphrase for").line(PASSPHRASE);
    let ran = terminal.finish().ok();
    assert!(ran.err().contains("Unlocked: ~/.hq-vault") && !ran.err().contains("horse"), "{ran}");
    owner(&home, &["lock"]).ok();
    assert!(owner(&home, &["unlock"]).ok().out().starts_with("Unlocked: ~/.hq-vault"));
    assert_eq!(owner(&home, &["get", "a/b"]).ok().out(), "v");
    assert!(owner(&home, &["lock"]).ok().out().starts_with("Locked: ~/.hq-vault"));
    assert!(owner(&home, &["lock"]).ok().out().starts_with("Locked already"));
}

#[test]
fn tokens_live_through_a_lock_and_are_told_of_it() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"v");
    let t = token(&home, &["--name", "t"]);
    owner(&home, &["lock"]).ok();
    let ran = home.cli(["get", "a/b"]).token(&t).run().exits(5);
    assert!(ran.err().contains("hq-vault unlock"), "{ran}");
    owner(&home, &["unlock"]).ok();
    home.cli(["get", "a/b"]).token(&t).run().ok();
}

#[test]
fn status_works_with_and_without_a_daemon_and_starts_none() {
    let home = home();
    let before = home.cli(["status"]).run().ok().out();
    assert!(before.contains("not made yet") && before.contains("no daemon runs"), "{before}");
    let server = vault(&home);
    store(&home, "a/b", b"v");
    let anybody = home.cli(["status", "--json"]).run().ok().json();
    assert_eq!((&anybody["locked"], &anybody["serverRunning"]), (&false.into(), &true.into()));
    assert!(anybody["secretCount"].is_null(), "{anybody}");
    let owners = owner(&home, &["status", "--json"]).ok().json();
    assert_eq!(owners["secretCount"], 1);
    assert_eq!(owners["port"], server.port().unwrap());
    server.stop();
    let after = home.cli(["status", "--json"]).run().ok().json();
    assert_eq!((&after["initialized"], &after["serverRunning"]), (&true.into(), &false.into()));
    assert!(!home.vault_file("vault.pid").exists());
}

#[test]
fn sessions_are_listed_and_ended() {
    let home = home();
    let _server = vault(&home);
    let list = owner(&home, &["session", "list"]).ok().out();
    assert!(list.contains("ses_") && list.contains("this one"), "{list}");
    owner(&home, &["unlock"]).ok();
    let count =
        |home| owner(home, &["session", "list", "--json"]).ok().json()["sessions"].as_array().unwrap().len();
    assert_eq!(count(&home), 2);
    let ended = owner(&home, &["session", "end", "--all"]).ok().out();
    assert_eq!(ended, "Ended: 2 sessions\n");
    assert_eq!(count(&home), 1);
    owner(&home, &["session", "end", "ses_00000000000000000000000000"]).exits(3);
    owner(&home, &["session", "end", "nonsense"]).exits(2);
}
