//! init, lock, unlock, restart, crash: what is there before is there after.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kit;

use hqv_engine::SlotSecret;
use hqv_engine::ops::delete::Delete;
use hqv_engine::ops::list::List;
use hqv_engine::ops::mv::Move;
use hqv_engine::ops::settings_change::SettingsChange;
use hqv_engine::slot::parse_recovery;
use hqv_model::{Code, Kind, Prefix, RowId};
use hqv_store::Shelf;
use hqv_store::memory::MemoryShelf;
use kit::{Kit, PASSPHRASE, caller, passphrase, path, peer, remote};
use std::time::Duration;

#[tokio::test]
async fn what_was_stored_survives_a_stop_a_crash_and_a_lock() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "a/one", b"1").await.unwrap();
    kit.put(&owner, "a/one", b"2").await.unwrap();
    kit.put(&owner, "b", &vec![7; 100_000]).await.unwrap();
    kit.restart().await;
    assert_eq!(kit.value("a/one").await.unwrap_err().code(), Code::VaultLocked);
    kit.unlock().await;
    assert_eq!(kit.value("a/one").await.unwrap(), b"2");
    let owner = kit.owner.clone();
    kit.put(&owner, "c", b"3").await.unwrap();
    kit.crash().await;
    kit.unlock().await;
    assert_eq!(kit.value("c").await.unwrap(), b"3");
    assert_eq!(kit.value("b").await.unwrap(), vec![7; 100_000]);
    kit.engine.lock(&caller(&kit.owner)).unwrap();
    assert_eq!(kit.value("c").await.unwrap_err().code(), Code::VaultLocked);
    kit.unlock().await;
    let report = kit.engine.audit_verify(caller(&kit.owner), None).await.unwrap();
    assert!(report.is_ok(), "{:?}", report.findings);
}

#[tokio::test]
async fn a_wrong_passphrase_opens_nothing_and_the_recovery_key_does() {
    let mut kit = Kit::new().await;
    kit.restart().await;
    let wrong = kit.engine.unlock(peer(), SlotSecret::Passphrase(passphrase("wrong horse battery"))).await;
    assert_eq!(wrong.err().map(|e| e.code()), Some(Code::Unauthorized));
    let recovery = parse_recovery(&kit.recovery).unwrap();
    assert!(kit.engine.unlock(peer(), SlotSecret::Recovery(recovery)).await.is_ok());
}

#[tokio::test]
async fn a_second_init_is_refused_and_changes_nothing() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let again = kit.engine.init(peer(), passphrase(PASSPHRASE), false).await;
    assert_eq!(again.err().map(|e| e.code()), Some(Code::AlreadyExists));
    assert_eq!(kit.value("k").await.unwrap(), b"v");
}

#[tokio::test]
async fn over_the_network_init_unlock_and_sessions_are_off() {
    let mut kit = Kit::new().await;
    kit.restart().await;
    let secret = || SlotSecret::Passphrase(passphrase(PASSPHRASE));
    assert_eq!(
        kit.engine.unlock(remote(None), secret()).await.err().map(|e| e.code()),
        Some(Code::Forbidden)
    );
    kit.unlock().await;
    let session = kit.engine.session_create(remote(None), secret()).await;
    assert_eq!(session.err().map(|e| e.code()), Some(Code::Forbidden));
    let on = SettingsChange { changes: vec![("remote-admin".into(), "true".into())] };
    kit.run(&kit.owner, on).await.unwrap();
    assert!(kit.engine.session_create(remote(None), secret()).await.is_ok());
}

#[tokio::test]
async fn lc4_an_idle_vault_locks_and_status_does_not_keep_it_open() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    for _ in 0..29 {
        kit.clock.pass(Duration::from_secs(60));
        kit.engine.status(&peer()).unwrap();
        kit.engine.tick();
    }
    assert!(kit.engine.healthy());
    kit.clock.pass(Duration::from_secs(60));
    kit.engine.tick();
    assert!(!kit.engine.healthy());
}

#[tokio::test]
async fn lc4_use_keeps_it_open_and_zero_never_locks() {
    let kit = Kit::new().await;
    let t = kit.token(&kit.owner, "w", None, &["read on k"]).await.unwrap();
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    for _ in 0..2 {
        kit.clock.pass(Duration::from_secs(29 * 60));
        kit.get(t.token.reveal(), "k").await.unwrap();
        kit.engine.tick();
    }
    assert!(kit.engine.healthy());
    let kit = Kit::new().await;
    let never = SettingsChange { changes: vec![("idle-timeout".into(), "0".into())] };
    kit.run(&kit.owner, never).await.unwrap();
    kit.clock.pass(Duration::from_secs(86_400 * 30));
    kit.engine.tick();
    assert!(kit.engine.healthy());
}

#[tokio::test]
async fn versions_moves_and_deletions_hold_together() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "a", b"1").await.unwrap();
    kit.put(&owner, "a", b"2").await.unwrap();
    kit.run(&owner, Move { from: path("a"), to: path("z/b") }).await.unwrap();
    assert_eq!(kit.value("a").await.unwrap_err().code(), Code::NotFound);
    kit.run(&owner, Delete { path: path("z/b"), purge: false }).await.unwrap();
    assert_eq!(kit.value("z/b").await.unwrap_err().code(), Code::NotFound);
    let done = kit.put(&owner, "z/b", b"3").await.unwrap();
    assert!(done.created);
    assert_eq!(done.meta.version, 3);
    kit.run(&owner, Delete { path: path("z/b"), purge: true }).await.unwrap();
    let done = kit.put(&owner, "z/b", b"4").await.unwrap();
    assert_eq!(done.meta.version, 1);
    kit.restart().await;
    kit.unlock().await;
    let all = List { prefix: Prefix::everything(), kind: None, tag: None, limit: 10, after: None };
    let listed = kit.run(&kit.owner, all).await.unwrap().open().unwrap();
    let paths: Vec<&str> = listed.entries.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(paths, ["z/b"]);
}

#[tokio::test]
async fn versions_of_a_deleted_secret_are_kept_30_days_and_then_removed() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    let never = SettingsChange { changes: vec![("idle-timeout".into(), "0".into())] };
    kit.run(&owner, never).await.unwrap();
    for at in ["a", "b", "c"] {
        kit.put(&owner, at, b"1").await.unwrap();
        kit.put(&owner, at, b"2").await.unwrap();
    }
    kit.run(&owner, Delete { path: path("a"), purge: false }).await.unwrap();
    kit.run(&owner, Delete { path: path("b"), purge: false }).await.unwrap();
    let again = kit.put(&owner, "b", b"3").await.unwrap();
    assert_eq!(again.meta.version, 3);
    kit.clock.pass(Duration::from_secs(29 * 86_400));
    kit.restart().await;
    kit.unlock().await;
    kit.clock.pass(Duration::from_secs(90));
    kit.engine.tick();
    let owner = kit.owner.clone();
    kit.put(&owner, "z", b"behind the flush").await.unwrap();
    // Those of the ledger come and go on their own: it outlives what it tells of.
    let counted = |kit: &Kit| kit.disk.rows().iter().filter(|row| row.header.kind != Kind::Ledger).count();
    let rows = counted(&kit);
    kit.clock.pass(Duration::from_secs(86_400));
    kit.unlock().await;
    kit.engine.tick();
    let owner = kit.owner.clone();
    kit.put(&owner, "z", b"behind the flush").await.unwrap();
    // The row of `a` and its two versions went, one version of `z` came.
    assert_eq!(counted(&kit), rows - 3 + 1);
    assert_eq!(kit.put(&owner, "a", b"new").await.unwrap().meta.version, 1);
    assert_eq!(kit.value("b").await.unwrap(), b"3");
    kit.restart().await;
    kit.unlock().await;
    assert_eq!(kit.value("c").await.unwrap(), b"2");
}

#[tokio::test]
async fn locking_and_unlocking_in_one_daemon_finds_nothing_wrong() {
    let mut kit = Kit::new().await;
    for round in 0..3 {
        let owner = kit.owner.clone();
        kit.put(&owner, "k", format!("{round}").as_bytes()).await.unwrap();
        kit.engine.tick();
        kit.put(&owner, "k2", b"carries the record's head into the store").await.unwrap();
        kit.engine.lock(&caller(&owner)).unwrap();
        kit.engine.tick();
        kit.unlock().await;
        let status = kit.engine.status(&caller(&kit.owner)).unwrap();
        assert_eq!(status.warnings, Vec::<String>::new());
    }
    let report = kit.engine.audit_verify(caller(&kit.owner), None).await.unwrap();
    assert!(report.is_ok() && report.unclean_ends.is_empty(), "{:?}", report.findings);
}

/// MODEL: a daemon that starts locked obeys the clear row only where its signature holds.
#[tokio::test]
async fn st6_settings_that_are_not_signed_are_not_obeyed_and_keep_the_vault_locked() {
    let mut kit = Kit::new().await;
    let changes =
        vec![("bind".to_owned(), "0.0.0.0".to_owned()), ("remote-admin".to_owned(), "true".to_owned())];
    kit.run(&kit.owner, SettingsChange { changes }).await.unwrap();
    let shelf = MemoryShelf::open(&kit.disk);
    let id = RowId::new(b"locked").unwrap();
    let good = shelf.get(Kind::Setting, &id).unwrap().unwrap();
    kit.restart().await;
    assert!(kit.engine.locked_settings().remote_admin, "the signed row is obeyed");
    for case in ["changed", "cut", "missing"] {
        let mut bad = good.clone();
        match case {
            "changed" => bad.body[10] ^= 1,
            _ => bad.body = Box::from(&good.body[..20]),
        }
        let missing = hqv_store::Batch { put: Vec::new(), delete: vec![(Kind::Setting, id)] };
        shelf.commit(if case == "missing" { missing } else { vec![bad].into() }).unwrap();
        kit.restart().await;
        let settings = kit.engine.locked_settings();
        assert!(settings.bind.is_empty() && !settings.remote_admin, "{case}");
        let status = kit.engine.status(&peer()).unwrap();
        assert!(status.locked && status.warnings.iter().any(|w| w.contains("not signed")), "{case}");
        let unlock = |text: &str| kit.engine.unlock(peer(), SlotSecret::Passphrase(passphrase(text)));
        let wrong = unlock("a wrong passphrase").await.err().unwrap();
        assert_eq!(wrong.code(), Code::Unavailable, "{case}: no guess is answered that no record tells of");
        let error = unlock(PASSPHRASE).await.err().unwrap();
        assert!(error.message().contains("settings are not those last written"), "{case}: {error:?}");
        assert!(kit.engine.status(&peer()).unwrap().locked, "{case}");
        // Put back, the same daemon unlocks and records.
        shelf.commit(vec![good.clone()].into()).unwrap();
        kit.unlock().await;
        assert!(kit.engine.locked_settings().remote_admin);
        kit.put(&kit.owner.clone(), "k", b"v").await.unwrap();
        assert_eq!(kit.value("k").await.unwrap(), b"v");
    }
}
