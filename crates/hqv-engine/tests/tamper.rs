//! Whoever can write the store: rows flipped, swapped, put back, removed, copied. Rows CR1 to CR3.
//!
//! The rule each time: an error, or the right values and no revoked token alive. Never another value.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kit;

use hqv_engine::SlotSecret;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_model::{Code, Kind, Row, RowId, TokenRef};
use hqv_store::memory::{MemoryDisk, MemoryShelf};
use hqv_store::{Scanned, Shelf};
use kit::{Kit, PASSPHRASE, passphrase, peer, start};
use std::sync::Arc;

const VALUES: [(&str, &[u8]); 3] =
    [("dev/key", b"development"), ("prod/key", b"production"), ("other", b"other")];

/// A small vault, stopped, with a revoked token.
async fn vault() -> (Kit, String) {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    for (at, value) in VALUES {
        kit.put(&owner, at, b"older").await.unwrap();
        kit.put(&owner, at, value).await.unwrap();
    }
    let token = kit.token(&owner, "w", None, &["read on /"]).await.unwrap().token.reveal().to_owned();
    kit.run(&owner, TokenRevoke { who: TokenRef::parse("w").unwrap() }).await.unwrap();
    kit.engine.stop();
    kit.restart().await;
    kit.engine.stop();
    (kit, token)
}

/// Opens a tampered disk and sees that nothing wrong comes out. True where it opened at all.
async fn harmless(kit: &Kit, disk: &MemoryDisk, token: &str) -> bool {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(kit.dir.path().join("audit.log"), dir.path().join("audit.log")).unwrap();
    let Ok(engine) = start(Arc::new(MemoryShelf::open(disk)), dir.path(), kit.clock.clone()) else {
        return false;
    };
    let opened = engine.unlock(peer(), SlotSecret::Passphrase(passphrase(PASSPHRASE))).await;
    let Ok(opened) = opened else {
        engine.stop();
        return false;
    };
    for (at, value) in VALUES {
        let get = hqv_engine::ops::get::Get { path: kit::path(at), version: None };
        match engine.run(kit::caller(opened.session.reveal()), get).await {
            Ok(got) => assert_eq!(got.value.reveal(), value, "another value at {at}"),
            Err(e) => assert_eq!(e.code(), Code::Internal),
        }
    }
    let get = hqv_engine::ops::get::Get { path: kit::path("other"), version: None };
    let revoked = engine.run(kit::caller(token), get).await;
    assert!(revoked.is_err(), "a revoked token is alive");
    engine.stop();
    true
}

fn id_of(row: &Row) -> (Kind, RowId) {
    (row.header.kind, row.header.id)
}

#[tokio::test]
async fn cr1_every_byte_of_every_row_flipped() {
    let (kit, token) = vault().await;
    let mut opened = 0;
    for row in kit.disk.rows() {
        let fields = [24, 16, row.body.len(), row.lookup.map_or(0, |_| 32), 8];
        for (field, len) in fields.into_iter().enumerate() {
            for at in 0..len {
                let mut bad = row.clone();
                match field {
                    0 => bad.nonce[at] ^= 1,
                    1 => bad.tag[at] ^= 0x80,
                    2 => bad.body[at] ^= 1,
                    3 => bad.lookup.as_mut().unwrap()[at] ^= 1,
                    _ => bad.header.revision ^= 1 << (at * 8),
                }
                let disk = kit.disk.image();
                disk.tamper_put(bad);
                opened += u32::from(harmless(&kit, &disk, &token).await);
            }
        }
    }
    // Only the body of an old version, which is not opened at unlock, may pass the unlock.
    assert!(opened < 600, "{opened}");
}

#[tokio::test]
async fn cr1_rows_swapped_removed_or_copied_do_not_open() {
    let (kit, token) = vault().await;
    let rows = kit.disk.rows();
    for kind in [Kind::Secret, Kind::Version] {
        let some: Vec<&Row> = rows.iter().filter(|r| r.header.kind == kind).collect();
        for (a, b) in some.iter().zip(some.iter().skip(1)) {
            let disk = kit.disk.image();
            let (mut x, mut y) = ((*a).clone(), (*b).clone());
            std::mem::swap(&mut x.header.id, &mut y.header.id);
            disk.tamper_put(x);
            disk.tamper_put(y);
            assert!(!harmless(&kit, &disk, &token).await, "{kind:?} swapped");
        }
    }
    for row in &rows {
        let disk = kit.disk.image();
        let (kind, id) = id_of(row);
        disk.tamper_remove(kind, &id);
        assert!(!harmless(&kit, &disk, &token).await, "{kind:?} removed");
    }
    for row in rows.iter().filter(|r| !matches!(r.header.kind, Kind::State | Kind::Keyring)) {
        let disk = kit.disk.image();
        let mut copy = row.clone();
        copy.header.id = RowId::new(&[7; 16]).unwrap();
        disk.tamper_put(copy);
        assert!(!harmless(&kit, &disk, &token).await, "{:?} added", row.header.kind);
    }
}

#[tokio::test]
async fn cr1_rows_of_an_older_time_do_not_open() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    for (at, _) in VALUES {
        kit.put(&owner, at, b"older").await.unwrap();
    }
    let token = kit.token(&owner, "w", None, &["read on /"]).await.unwrap().token.reveal().to_owned();
    let old = kit.disk.image();
    for (at, value) in VALUES {
        kit.put(&owner, at, value).await.unwrap();
    }
    kit.run(&owner, TokenRevoke { who: TokenRef::parse("w").unwrap() }).await.unwrap();
    kit.restart().await;
    kit.engine.stop();
    for row in old.rows() {
        let now = kit.disk.rows().into_iter().find(|r| id_of(r) == id_of(&row)).unwrap();
        if now == row {
            continue;
        }
        let disk = kit.disk.image();
        disk.tamper_put(row.clone());
        assert!(!harmless(&kit, &disk, &token).await, "{:?} put back", row.header.kind);
    }
}

#[tokio::test]
async fn cr1_rows_of_another_vault_do_not_open() {
    let (kit, token) = vault().await;
    let (other, _) = vault().await;
    for row in other.disk.rows() {
        let disk = kit.disk.image();
        if let Some(mine) = kit.disk.rows().into_iter().find(|r| r.header.kind == row.header.kind) {
            let mut foreign = row.clone();
            foreign.header.id = mine.header.id;
            disk.tamper_put(foreign);
        }
        assert!(!harmless(&kit, &disk, &token).await, "{:?} of another vault", row.header.kind);
    }
}

#[tokio::test]
async fn cr3_an_older_store_beside_a_newer_record_is_said() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"1").await.unwrap();
    let old = kit.disk.image();
    kit.put(&owner, "k", b"2").await.unwrap();
    kit.engine.tick();
    kit.restart().await;
    kit.engine.stop();
    kit.disk.put_back(&old);
    kit.crash().await;
    kit.unlock().await;
    let status = kit.engine.status(&kit::caller(&kit.owner)).unwrap();
    assert!(status.warnings.iter().any(|w| w.contains("put back")), "{:?}", status.warnings);
}

#[tokio::test]
async fn cr1_a_large_value_replaced_under_a_running_daemon_is_not_handed_out() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "big", &vec![1; 50_000]).await.unwrap();
    kit.put(&owner, "bug", &vec![2; 50_000]).await.unwrap();
    let versions: Vec<Row> = kit.disk.rows().into_iter().filter(|r| r.header.kind == Kind::Version).collect();
    let (mut a, mut b) = (versions[0].clone(), versions[1].clone());
    std::mem::swap(&mut a.header.id, &mut b.header.id);
    kit.disk.tamper_put(a);
    kit.disk.tamper_put(b);
    for at in ["big", "bug"] {
        assert_eq!(kit.value(at).await.unwrap_err().code(), Code::Internal);
    }
}

/// `doctor` has the rows read again while the vault is open: what memory holds proves nothing about the disk.
#[tokio::test]
async fn cr3_a_row_put_back_or_removed_under_an_open_vault_is_found_by_the_check() {
    let (mut kit, token) = vault().await;
    kit.restart().await;
    kit.unlock().await;
    let shelf = MemoryShelf::open(&kit.disk);
    let owner = kit.owner.clone();
    let older = shelf.get(Kind::State, &hqv_crypto::row_state::RowState::row_id()).unwrap().unwrap();
    kit.put(&owner, "dev/key", b"newest").await.unwrap();
    let check = || kit.engine.vault_check(kit::caller(&owner));
    let well = check().await.unwrap();
    assert!(well.faults.is_empty() && well.rows > 10, "{:?}", well.faults);
    assert!(kit.engine.vault_check(kit::caller(&token)).await.is_err());
    let newer = shelf.get(Kind::State, &older.header.id).unwrap().unwrap();
    shelf.commit(vec![older].into()).unwrap();
    assert_eq!(check().await.unwrap().faults, ["the row state is not the one last written"]);
    shelf.commit(vec![newer].into()).unwrap();
    for kind in [Kind::Slot, Kind::Keyring, Kind::Setting, Kind::Secret, Kind::Version, Kind::Token] {
        let mut rows = Vec::new();
        let mut keep = |scanned: Scanned| {
            if let Scanned::Row(row) = scanned {
                rows.push(row);
            }
            std::ops::ControlFlow::Continue(())
        };
        shelf.scan(kind, usize::MAX, &mut keep).unwrap();
        let gone = rows.pop().unwrap();
        let batch = hqv_store::Batch { put: Vec::new(), delete: vec![id_of(&gone)] };
        shelf.commit(batch).unwrap();
        let faults = check().await.unwrap().faults;
        assert!(faults.len() == 1 && faults[0].contains(&format!("{kind:?}")), "{faults:?}");
        shelf.commit(vec![gone].into()).unwrap();
    }
    assert!(check().await.unwrap().faults.is_empty());
}
