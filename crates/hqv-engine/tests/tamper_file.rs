//! Every byte of a small vault.db flipped and every truncation of it, through the real shelf. Row CR1.
//!
//! An error or the right values, never another value, never a revoked token alive. The ordinary run takes
//! every 13th byte, starting elsewhere in each page; `HQV_LONG` takes every one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod kit;

use hqv_engine::SlotSecret;
use hqv_engine::ops::get::Get;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_model::TokenRef;
use hqv_store_sqlite::{OpenOptions, SqliteShelf};
use kit::{Kit, PASSPHRASE, TestClock, passphrase, peer, start};
use std::path::Path;
use std::sync::Arc;

const VALUES: [(&str, &[u8]); 2] = [("dev/key", b"development"), ("prod/key", b"production")];

fn shelf(dir: &Path) -> Option<Arc<SqliteShelf>> {
    SqliteShelf::open(&dir.join("vault.db"), OpenOptions { create: true }).ok().map(Arc::new)
}

/// A stopped vault on disk: its database, its record, the token that was revoked.
async fn vault() -> (Vec<u8>, Vec<u8>, String, Arc<TestClock>) {
    let at = tempfile::tempdir().unwrap();
    let kit = Kit::on(shelf(at.path()).unwrap(), Default::default()).await;
    let owner = kit.owner.clone();
    for (path, value) in VALUES {
        kit.put(&owner, path, b"older").await.unwrap();
        kit.put(&owner, path, value).await.unwrap();
    }
    let token = kit.token(&owner, "w", None, &["read on /"]).await.unwrap().token.reveal().to_owned();
    kit.run(&owner, TokenRevoke { who: TokenRef::parse("w").unwrap() }).await.unwrap();
    kit.engine.stop();
    let (clock, dir) = (kit.clock.clone(), kit.dir.path().to_owned());
    let log = std::fs::read(dir.join("audit.log")).unwrap();
    drop(kit);
    let db = std::fs::read(at.path().join("vault.db")).unwrap();
    assert!(!at.path().join("vault.db-wal").exists(), "a clean stop leaves one file");
    (db, log, token, clock)
}

/// What comes out of a changed file. True where the vault opened.
async fn harmless(db: &[u8], log: &[u8], token: &str, clock: &Arc<TestClock>) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [("vault.db", db), ("audit.log", log)] {
        std::fs::write(dir.path().join(name), bytes).unwrap();
        std::fs::set_permissions(dir.path().join(name), PermissionsExt::from_mode(0o600)).unwrap();
    }
    let Some(shelf) = shelf(dir.path()) else {
        return false;
    };
    let Ok(engine) = start(shelf, dir.path(), clock.clone()) else {
        return false;
    };
    if engine.vault().is_none() {
        engine.stop();
        return false;
    }
    let opened = engine.unlock(peer(), SlotSecret::Passphrase(passphrase(PASSPHRASE))).await;
    if let Ok(opened) = &opened {
        for (at, value) in VALUES {
            let get = Get { path: kit::path(at), version: None };
            if let Ok(got) = engine.run(kit::caller(opened.session.reveal()), get).await {
                assert_eq!(got.value.reveal(), value, "another value at {at}");
            }
        }
        let get = Get { path: kit::path("prod/key"), version: None };
        assert!(engine.run(kit::caller(token), get).await.is_err(), "a revoked token is alive");
    }
    engine.stop();
    opened.is_ok()
}

#[tokio::test]
async fn cr1_every_byte_of_the_file_flipped() {
    let (db, log, token, clock) = vault().await;
    assert!(harmless(&db, &log, &token, &clock).await, "the untouched file opens");
    let step = if std::env::var_os("HQV_LONG").is_some() { 1 } else { 13 };
    let (mut tried, mut opened) = (0, 0);
    for at in (0..db.len()).step_by(step) {
        let at = (at + at / 4096 * 5) % db.len();
        let mut bad = db.clone();
        bad[at] ^= 1 << (at % 8);
        tried += 1;
        opened += usize::from(harmless(&bad, &log, &token, &clock).await);
    }
    // Free space in pages may be flipped without harm; everything that is read may not.
    assert!(opened < tried, "no flip was noticed");
}

#[tokio::test]
async fn cr1_every_truncation_of_the_file() {
    let (db, log, token, clock) = vault().await;
    let step = if std::env::var_os("HQV_LONG").is_some() { 64 } else { 997 };
    for len in (0..db.len()).step_by(step) {
        harmless(&db[..len], &log, &token, &clock).await;
    }
}
