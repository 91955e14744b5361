//! A store that stops or fails at every step of every change: before or after, nothing else. Rows ST1, ST2.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kit;

use hqv_engine::SlotSecret;
use hqv_engine::ops::delete::Delete;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_model::{Code, TokenRef};
use hqv_store::faults::{Fault, FaultShelf, Step};
use hqv_store::memory::{MemoryDisk, MemoryShelf};
use hqv_store::{Shelf, StoreError};
use kit::{Kit, PASSPHRASE, passphrase, path, peer, start};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Put,
    Delete,
    TokenCreate,
    TokenUse,
    Revoke,
}

const CHANGES: [Change; 5] =
    [Change::Put, Change::Delete, Change::TokenCreate, Change::TokenUse, Change::Revoke];

struct Case {
    kit: Kit,
    faults: Arc<FaultShelf>,
    token: String,
}

async fn case() -> Case {
    let disk = MemoryDisk::new();
    let faults = Arc::new(FaultShelf::new(Arc::new(MemoryShelf::open(&disk))));
    let kit = Kit::on(faults.clone() as Arc<dyn Shelf>, disk).await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"before").await.unwrap();
    kit.put(&owner, "gone", b"x").await.unwrap();
    let token = kit.token(&owner, "w", Some(5), &["read on k"]).await.unwrap().token.reveal().to_owned();
    Case { kit, faults, token }
}

/// Does it; true where it was confirmed.
async fn act(case: &Case, change: Change) -> Result<(), Code> {
    let owner = case.kit.owner.clone();
    let done = match change {
        Change::Put => case.kit.put(&owner, "k", b"after").await.map(drop),
        Change::Delete => case.kit.run(&owner, Delete { path: path("gone"), purge: false }).await.map(drop),
        Change::TokenCreate => case.kit.token(&owner, "new", None, &["read on k"]).await.map(drop),
        Change::TokenUse => case.kit.get(&case.token, "k").await.map(drop),
        Change::Revoke => {
            case.kit.run(&owner, TokenRevoke { who: TokenRef::parse("w").unwrap() }).await.map(drop)
        }
    };
    done.map_err(|e| e.code())
}

/// What the change did, seen after a restart: false before, true after.
async fn happened(kit: &Kit, change: Change) -> bool {
    let owner = kit.owner.clone();
    match change {
        Change::Put => match kit.value("k").await.unwrap().as_slice() {
            b"before" => false,
            b"after" => true,
            other => panic!("a third value: {other:?}"),
        },
        Change::Delete => kit.value("gone").await.is_err(),
        Change::TokenCreate => show(kit, &owner, "new").await.is_some(),
        Change::TokenUse => show(kit, &owner, "w").await.unwrap().use_count == 1,
        Change::Revoke => show(kit, &owner, "w").await.unwrap().state == "revoked",
    }
}

async fn show(kit: &Kit, owner: &str, name: &str) -> Option<hqv_engine::TokenView> {
    let who = TokenRef::parse(name).unwrap();
    kit.run(owner, hqv_engine::ops::token_show::TokenShow { who }).await.ok()
}

/// A start on what the disk holds, as after the process died.
async fn reopen(case: &mut Case) {
    case.kit.crash().await;
    case.kit.unlock().await;
}

#[tokio::test]
async fn st1_a_process_that_dies_at_any_step_leaves_before_or_after() {
    for change in CHANGES {
        let (mut seen_before, mut seen_after) = (false, false);
        for step in 1..200 {
            let mut case = case().await;
            case.faults.arm(step, Fault::Stop);
            let answered = act(&case, change).await;
            let fired = case.faults.fired().is_some();
            reopen(&mut case).await;
            let after = happened(&case.kit, change).await;
            assert!(answered.is_err() || after, "{change:?} confirmed and lost at step {step}");
            (seen_before, seen_after) = (seen_before || !after, seen_after || after);
            if !fired {
                break;
            }
        }
        assert!(seen_before && seen_after, "{change:?}: the steps were not all met");
    }
}

#[tokio::test]
async fn st2_a_store_that_refuses_at_any_step_answers_unavailable_and_recovers() {
    for change in CHANGES {
        for fault in [StoreError::Full, StoreError::ReadOnly, StoreError::io("write", "input/output error")] {
            for step in 1..200 {
                let mut case = case().await;
                case.faults.arm(step, Fault::FailFrom(fault.clone()));
                let answered = act(&case, change).await;
                let fired = case.faults.fired().is_some();
                if fired {
                    assert_eq!(answered, Err(Code::Unavailable), "{change:?} at step {step}");
                }
                let durable = case.faults.fired() == Some(Step::Committed);
                case.faults.heal();
                if durable {
                    // Never confirmed, yet on the disk: seen once the shelf can say so, and once only.
                    case.kit.put(&case.kit.owner.clone(), "z", b"z").await.unwrap();
                    assert!(happened(&case.kit, change).await, "{change:?} at step {step}");
                } else if fired && change != Change::Revoke {
                    assert!(!happened(&case.kit, change).await, "{change:?} at step {step}");
                    act(&case, change).await.unwrap();
                }
                reopen(&mut case).await;
                assert!(change == Change::Revoke || happened(&case.kit, change).await);
                if !fired {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn st2_a_revocation_the_store_refuses_holds_at_once_and_is_stored_later() {
    let mut case = case().await;
    case.faults.arm(1, Fault::FailFrom(StoreError::Full));
    assert_eq!(act(&case, Change::Revoke).await, Err(Code::Unavailable));
    assert_eq!(case.kit.get(&case.token, "k").await.err().unwrap().code(), Code::TokenRevoked);
    case.faults.heal();
    case.kit.engine.tick();
    // The flush is queued; a write behind it waits for the same writer.
    let owner = case.kit.owner.clone();
    case.kit.put(&owner, "z", b"z").await.unwrap();
    reopen(&mut case).await;
    assert!(happened(&case.kit, Change::Revoke).await);
}

#[tokio::test]
async fn st1_init_that_dies_at_any_step_leaves_no_vault_or_a_whole_one() {
    let (mut none, mut whole) = (0, 0);
    for step in 1..200 {
        let disk = MemoryDisk::new();
        let dir = tempfile::tempdir().unwrap();
        let faults = Arc::new(FaultShelf::new(Arc::new(MemoryShelf::open(&disk))));
        let clock = kit::TestClock::new();
        let engine = start(faults.clone(), dir.path(), clock.clone()).unwrap();
        faults.arm(step, Fault::Stop);
        let made = engine.init(peer(), passphrase(PASSPHRASE), false).await;
        let fired = faults.fired().is_some();
        let again = start(Arc::new(MemoryShelf::open(&disk)), dir.path(), clock).unwrap();
        match again.vault() {
            None => {
                assert!(made.is_err(), "confirmed and lost");
                again.init(peer(), passphrase(PASSPHRASE), false).await.unwrap();
                none += 1;
            }
            Some(_) => {
                again.unlock(peer(), SlotSecret::Passphrase(passphrase(PASSPHRASE))).await.unwrap();
                whole += 1;
            }
        }
        if !fired {
            break;
        }
    }
    assert!(none > 0 && whole > 0);
}
