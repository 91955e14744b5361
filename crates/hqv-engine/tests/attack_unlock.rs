//! The passphrase's queue, callers that leave, odd options of the daemon.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod hold;
mod kit;

use hold::HoldShelf;
use hqv_engine::ops::settings_change::SettingsChange;
use hqv_engine::{Engine, NoHooks, Parts, SlotSecret};
use hqv_model::Code;
use hqv_store::StoreError;
use hqv_store::faults::{Fault, FaultShelf, Step};
use hqv_store::memory::{MemoryDisk, MemoryShelf};
use kit::{CHEAP, Kit, PASSPHRASE, TestClock, caller, passphrase, peer, remote};
use std::sync::Arc;

fn secret() -> SlotSecret {
    SlotSecret::Passphrase(passphrase(PASSPHRASE))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cr6_a_caller_that_leaves_does_not_give_its_turn_at_the_passphrase_away() {
    let disk = MemoryDisk::new();
    let shelf = HoldShelf::on(&disk);
    let kit = Kit::on(shelf.clone(), disk).await;
    kit.engine.lock(&caller(&kit.owner)).unwrap();
    let mut events = kit.engine.lock_events();
    events.mark_unchanged();
    shelf.hold_slots();
    let engine = kit.engine.clone();
    let leaving = tokio::spawn(async move { engine.unlock(peer(), secret()).await.map(drop) });
    shelf.slots_held(1);
    leaving.abort();
    assert!(leaving.await.unwrap_err().is_cancelled());
    // Its work goes on; nobody else's begins.
    let engine = kit.engine.clone();
    let mut next = Box::pin(async move { engine.unlock(peer(), secret()).await });
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(next.as_mut().poll(&mut context).is_pending());
    let mut most = 0;
    for _ in 0..2_000 {
        std::thread::yield_now();
        tokio::task::yield_now().await;
        most = most.max(shelf.slots_waiting());
    }
    shelf.release_slots();
    next.await.unwrap();
    assert_eq!(most, 1);
    assert!(kit.engine.healthy() && *events.borrow_and_update());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cr6_passphrases_beyond_the_queue_are_told_to_come_back() {
    let disk = MemoryDisk::new();
    let shelf = HoldShelf::on(&disk);
    let kit = Kit::on(shelf.clone(), disk).await;
    kit.engine.lock(&caller(&kit.owner)).unwrap();
    shelf.hold_slots();
    let mut tries = Vec::new();
    let mut refused = 0;
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for _ in 0..100 {
        let engine = kit.engine.clone();
        let mut one = Box::pin(async move { engine.unlock(peer(), secret()).await.map(drop) });
        match one.as_mut().poll(&mut context) {
            std::task::Poll::Pending => tries.push(one),
            std::task::Poll::Ready(answer) => {
                let error = answer.unwrap_err();
                assert_eq!(error.code(), Code::RateLimited);
                assert!(error.retry_after_secs().is_some());
                refused += 1;
            }
        }
    }
    assert!(refused >= 85, "{refused}");
    shelf.release_slots();
    for one in tries {
        one.await.unwrap();
    }
}

#[tokio::test]
async fn a_locked_daemon_obeys_the_settings_last_made() {
    let kit = Kit::new().await;
    let mut owner = kit.owner.clone();
    for (value, allowed) in [("true", true), ("false", false), ("true", true)] {
        let changes = vec![("remote-admin".into(), value.into())];
        kit.run(&owner, SettingsChange { changes }).await.unwrap();
        kit.engine.lock(&caller(&owner)).unwrap();
        assert_eq!(kit.engine.locked_settings().remote_admin, allowed);
        let opened = kit.engine.unlock(remote(None), secret()).await;
        assert_eq!(opened.as_ref().err().map(|e| e.code()), (!allowed).then_some(Code::Forbidden));
        let opened = kit.engine.unlock(peer(), secret()).await.unwrap();
        owner = opened.session.reveal().to_owned();
    }
}

#[tokio::test]
async fn an_init_whose_success_was_hidden_by_an_error_is_one() {
    let disk = MemoryDisk::new();
    let faults = Arc::new(FaultShelf::new(Arc::new(MemoryShelf::open(&disk))));
    let dir = tempfile::tempdir().unwrap();
    let engine = kit::start(faults.clone(), dir.path(), TestClock::new()).unwrap();
    // The last step of a creation: durable, and answered with an error.
    let trial = Arc::new(FaultShelf::new(Arc::new(MemoryShelf::new())));
    let trial_dir = tempfile::tempdir().unwrap();
    let other = kit::start(trial.clone(), trial_dir.path(), TestClock::new()).unwrap();
    trial.heal();
    other.init(peer(), passphrase(PASSPHRASE), false).await.unwrap();
    let last = trial.trace().iter().position(|step| *step == Step::Committed).unwrap() as u64 + 1;
    faults.arm(last, Fault::Fail(StoreError::io("write", "input/output error")));
    let made = engine.init(peer(), passphrase(PASSPHRASE), false).await.unwrap();
    assert_eq!(faults.fired(), Some(Step::Committed));
    assert_eq!(engine.vault(), Some(made.vault));
    assert!(engine.healthy());
}

#[tokio::test]
async fn an_idle_time_beyond_all_numbers_is_never() {
    let disk = MemoryDisk::new();
    let dir = tempfile::tempdir().unwrap();
    let engine = Engine::open(Parts {
        shelf: Arc::new(MemoryShelf::open(&disk)),
        log_dir: dir.path().to_owned(),
        clock: TestClock::new(),
        entropy: Arc::new(|| Box::new(kit::seeded(7))),
        kdf: CHEAP,
        hooks: Arc::new(NoHooks),
        idle_minutes: Some(u64::MAX),
        extra_names: Vec::new(),
        pin_tokens: true,
    })
    .unwrap();
    let made = engine.init(peer(), passphrase(PASSPHRASE), false).await.unwrap();
    engine.tick();
    let status = engine.status(&caller(made.session.reveal())).unwrap();
    assert!(!status.locked);
}
