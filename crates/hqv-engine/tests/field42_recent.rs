//! FIELD 42: what a reader found a moment ago never outlives a change of it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod hold;
mod kit;

use hold::{End, HoldShelf};
use hqv_engine::Begun;
use hqv_engine::ops::delete::Delete;
use hqv_engine::ops::get::{Get, Got};
use hqv_engine::ops::mv::Move;
use hqv_engine::ops::put::Put;
use hqv_model::Code;
use hqv_store::memory::MemoryDisk;
use kit::{Kit, caller, path, put};
use std::sync::Arc;

/// Reads until the path is held: the first read notes it, the second keeps it, the third finds it.
async fn warm(kit: &Kit, at: &str) -> Got {
    let owner = kit.owner.clone();
    kit.get(&owner, at).await.unwrap();
    let kept = kit.get(&owner, at).await.unwrap();
    let found = kit.get(&owner, at).await.unwrap();
    assert!(Arc::ptr_eq(&kept.meta, &found.meta), "{at} is held");
    found
}

fn described(at: &str, value: &[u8], description: &str) -> Put {
    Put { description: Some(description.into()), ..put(at, value) }
}

#[tokio::test]
async fn field42_a_write_shows_in_the_next_read() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.run(&owner, described("a", b"1", "first")).await.unwrap();
    for n in 2..5_u64 {
        warm(&kit, "a").await;
        let (value, text) = (n.to_string(), format!("text {n}"));
        kit.run(&owner, described("a", value.as_bytes(), &text)).await.unwrap();
        let got = kit.get(&owner, "a").await.unwrap();
        assert_eq!((got.value.reveal(), got.meta.version), (value.as_bytes(), n));
        assert_eq!(got.meta.meta.description, text);
    }
}

#[tokio::test]
async fn field42_moves_and_deletions_show_in_the_next_read() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "a", b"of a").await.unwrap();
    kit.put(&owner, "b", b"of b").await.unwrap();
    warm(&kit, "a").await;
    warm(&kit, "b").await;
    for (from, to) in [("a", "c"), ("b", "a"), ("c", "b")] {
        kit.run(&owner, Move { from: path(from), to: path(to) }).await.unwrap();
        assert_eq!(kit.value(from).await.unwrap_err().code(), Code::NotFound);
        warm(&kit, to).await;
    }
    assert_eq!(
        (kit.value("a").await.unwrap(), kit.value("b").await.unwrap()),
        (b"of b".into(), b"of a".into())
    );
    kit.run(&owner, Delete { path: path("a"), purge: false }).await.unwrap();
    assert_eq!(kit.value("a").await.unwrap_err().code(), Code::NotFound);
    kit.put(&owner, "a", b"again").await.unwrap();
    assert_eq!(kit.value("a").await.unwrap(), b"again");
    warm(&kit, "a").await;
    kit.run(&owner, Delete { path: path("a"), purge: true }).await.unwrap();
    assert_eq!(kit.value("a").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn field42_an_older_version_is_read_beside_the_newest() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "a", b"old").await.unwrap();
    kit.put(&owner, "a", b"new").await.unwrap();
    warm(&kit, "a").await;
    for (version, value) in [(Some(1), &b"old"[..]), (None, b"new"), (Some(2), b"new")] {
        let got = kit.run(&owner, Get { path: path("a"), version }).await.unwrap();
        assert_eq!((got.value.reveal(), got.meta.version), (value, version.unwrap_or(2)));
    }
    let none = kit.run(&owner, Get { path: path("a"), version: Some(3) }).await;
    assert_eq!(none.err().unwrap().code(), Code::NotFound);
}

/// While a group is on its way, and when it fails, readers see what was there before; from its end on, what it wrote.
#[tokio::test]
async fn field42_a_group_on_its_way_changes_nothing_and_one_that_stands_everything() {
    let disk = MemoryDisk::new();
    let shelf = HoldShelf::on(&disk);
    let kit = Kit::on(shelf.clone(), disk).await;
    let owner = kit.owner.clone();
    kit.put(&owner, "a", b"before").await.unwrap();
    for (end, after) in [(End::Refused, &b"before"[..]), (End::Done, b"after")] {
        warm(&kit, "a").await;
        shelf.hold();
        let Ok(Begun::Queued(done)) = kit.engine.begin(caller(&owner), put("a", b"after")) else {
            panic!("a write is queued");
        };
        shelf.held();
        assert_eq!(warm(&kit, "a").await.value.reveal(), b"before");
        shelf.release(end);
        assert_eq!(done.await.unwrap().is_ok(), end == End::Done);
        shelf.end(End::Done);
        assert_eq!(kit.value("a").await.unwrap(), after);
    }
}

#[tokio::test]
async fn field42_nothing_is_left_of_it_after_a_lock() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "a", b"1").await.unwrap();
    let held = Arc::downgrade(&warm(&kit, "a").await.meta);
    assert!(held.upgrade().is_some());
    kit.engine.lock(&caller(&owner)).unwrap();
    assert!(held.upgrade().is_none());
    assert_eq!(kit.value("a").await.unwrap_err().code(), Code::VaultLocked);
    kit.unlock().await;
    assert_eq!(kit.value("a").await.unwrap(), b"1");
}
