//! Row ST4: something else where vault.db should be, seen by an ordinary user.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use hqv_test::{Home, TestServer};

use crate::support::{PASSPHRASE, Stopped, give, ordinary_home, owner, root_for, store, vault};

/// A vault that is not running, with its database put aside.
fn with_the_database_aside() -> Home {
    let home = ordinary_home();
    let server = vault(&home);
    store(&home, "a/b", "v");
    server.stop();
    fs::rename(home.vault_file("vault.db"), home.path().join("aside")).unwrap();
    // A command that starts a daemon all the same must not take the usual port.
    home.write(".hq-vault/config.toml", "port = 0\n", 0o600);
    for side in ["vault.db-wal", "vault.db-shm"] {
        let _ = fs::remove_file(home.vault_file(side));
    }
    home
}

/// Kind, owner, mode, length of what stands there.
fn facts(path: &Path) -> (u32, u32, u64) {
    let meta = fs::symlink_metadata(path).unwrap();
    (meta.mode(), meta.uid(), if meta.is_file() { meta.len() } else { 0 })
}

/// Every command that needs the vault says what is wrong, at once, and touches nothing.
#[track_caller]
fn told(home: &Home, words: &[&str]) {
    let db = home.vault_file("vault.db");
    let before = facts(&db);
    for command in [
        &["serve", "--daemon", "--port", "0"][..],
        &["serve", "--port", "0"],
        &["get", "a/b"],
        &["unlock"],
        &["init"],
    ] {
        let ran = owner(home, command);
        assert!(ran.code.is_some_and(|code| code != 0), "{ran}");
        if command[0] == "serve" {
            for word in words {
                assert!(ran.err().contains(word), "{word:?} of {command:?}\n{ran}");
            }
        }
        assert!(!ran.err().contains("panicked"), "{ran}");
        assert_eq!(facts(&db), before, "{command:?} changed it");
    }
    assert!(!home.vault_file("vault.sock").exists() && !home.vault_file("vault.pid").exists());
}

/// `doctor` names it, and `--fix` leaves it alone unless it is a mode.
#[track_caller]
fn doctor_only_names(home: &Home, word: &str) {
    let db = home.vault_file("vault.db");
    let before = facts(&db);
    for words in [&["doctor"][..], &["doctor", "--fix"]] {
        let ran = home.cli(words).run().exits(1);
        assert!(ran.out().contains("vault.db") && ran.out().contains(word), "{word:?}\n{ran}");
        assert_eq!(facts(&db), before);
    }
}

#[track_caller]
fn put_back(home: &Home) {
    let db = home.vault_file("vault.db");
    match fs::symlink_metadata(&db) {
        Ok(meta) if meta.is_dir() => fs::remove_dir(&db).unwrap(),
        Ok(_) => fs::remove_file(&db).unwrap(),
        Err(_) => {}
    }
    fs::copy(home.path().join("aside"), &db).unwrap();
    give(home, &db);
    fs::set_permissions(&db, fs::Permissions::from_mode(0o600)).unwrap();
}

#[track_caller]
fn lives(home: &Home) {
    let server = TestServer::start(home);
    owner(home, &["unlock"]).ok();
    assert_eq!(owner(home, &["get", "a/b"]).ok().out(), "v");
    server.stop();
}

#[test]
fn st4_each_thing_that_is_no_database_is_named_and_left_alone() {
    let home = with_the_database_aside();
    let db = home.vault_file("vault.db");
    home.make_dir(".hq-vault/vault.db");
    told(&home, &["vault.db", "directory"]);
    doctor_only_names(&home, "directory");
    fs::remove_dir(&db).unwrap();

    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&db).status().unwrap().success());
    give(&home, &db);
    told(&home, &["vault.db", "pipe"]);
    doctor_only_names(&home, "FIFO");
    fs::remove_file(&db).unwrap();

    symlink(home.path().join("aside"), &db).unwrap();
    give(&home, &db);
    told(&home, &["vault.db", "link"]);
    doctor_only_names(&home, "link");
    fs::remove_file(&db).unwrap();

    home.write(".hq-vault/vault.db", "", 0o600);
    told(&home, &["vault.db", "empty"]);
    fs::remove_file(&db).unwrap();
    home.write(
        ".hq-vault/vault.db",
        "not a database at all, but long enough to look like one\n".repeat(100),
        0o600,
    );
    told(&home, &["vault.db"]);
    put_back(&home);
    lives(&home);
}

#[test]
fn st4_a_database_of_another_user_is_refused() {
    if !root_for("a file of another user") {
        return;
    }
    let home = with_the_database_aside();
    put_back(&home);
    let db = home.vault_file("vault.db");
    for mode in [0o600, 0o666] {
        chown(&db, Some(0), Some(0)).unwrap();
        fs::set_permissions(&db, fs::Permissions::from_mode(mode)).unwrap();
        told(&home, &["vault.db"]);
        doctor_only_names(&home, "uid 0");
    }
    put_back(&home);
    lives(&home);
}

#[test]
fn st4_a_missing_database_is_said_and_its_record_is_kept() {
    let home = with_the_database_aside();
    let _stopped = Stopped(&home);
    for words in [&["get", "a/b"][..], &["unlock"], &["list"]] {
        let ran = owner(&home, words);
        assert!(ran.code.is_some_and(|code| code != 0), "{ran}");
        assert!(ran.err().contains("init") || ran.err().contains("vault"), "{ran}");
    }
    let status = home.cli(["status", "--json"]).run().ok().json();
    assert_eq!(
        (&status["initialized"], &status["serverRunning"]),
        (&false.into(), &false.into()),
        "{status}"
    );
    let ran = home.cli(["doctor"]).run().exits(1);
    assert!(ran.out().contains("no-vault"), "{ran}");
    // A new vault is not begun on top of the record of the lost one.
    let record = fs::read(home.vault_file("audit.log")).unwrap();
    let ran = home.cli(["init"]).env("HQ_VAULT_PASSPHRASE_FILE", home.write("new", PASSPHRASE, 0o600)).run();
    let kept = fs::read(home.vault_file("audit.log")).unwrap_or_default();
    let aside = fs::read_dir(home.path())
        .unwrap()
        .flatten()
        .any(|entry| fs::read(entry.path().join("audit.log")).is_ok_and(|copy| copy.starts_with(&record)));
    assert!(kept.starts_with(&record) || aside, "the record of the lost vault is gone\n{ran}");
}

#[test]
fn st4_open_modes_are_refused_and_only_doctor_fix_repairs_them() {
    let home = with_the_database_aside();
    put_back(&home);
    let db = home.vault_file("vault.db");
    for mode in [0o644, 0o640, 0o604, 0o660, 0o602] {
        fs::set_permissions(&db, fs::Permissions::from_mode(mode)).unwrap();
        told(&home, &["vault.db", "doctor --fix"]);
        let ran = home.cli(["doctor"]).run().exits(1);
        assert!(ran.out().contains("file-mode"), "{ran}");
        assert_eq!(facts(&db).0 & 0o777, mode, "doctor without --fix changed it");
        home.cli(["doctor", "--fix"]).run().ok();
        assert_eq!(facts(&db).0 & 0o777, 0o600);
    }
    lives(&home);
    fs::set_permissions(home.vault(), fs::Permissions::from_mode(0o755)).unwrap();
    told(&home, &["doctor --fix"]);
    home.cli(["doctor", "--fix"]).run().ok();
    lives(&home);
}
