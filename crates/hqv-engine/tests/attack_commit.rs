//! What happens beside a commit: readers that fail, a lock, a second unlock, a commit whose end is not known.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod hold;
mod kit;

use hold::{End, HoldShelf};
use hqv_engine::ops::copy::Copy;
use hqv_engine::ops::delete::Delete;
use hqv_engine::ops::get::{Get, Got};
use hqv_engine::ops::mv::Move;
use hqv_engine::ops::settings_change::SettingsChange;
use hqv_engine::ops::settings_read::SettingsRead;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::ops::token_show::TokenShow;
use hqv_engine::{Begun, Operation};
use hqv_model::{Code, Result, TokenRef};
use hqv_store::memory::MemoryDisk;
use kit::{Kit, caller, path, put};
use std::sync::Arc;
use tokio::task::JoinHandle;

fn who(text: &str) -> TokenRef {
    TokenRef::parse(text).unwrap()
}

fn get(at: &str) -> Get {
    Get { path: path(at), version: None }
}

async fn held_kit() -> (Kit, Arc<HoldShelf>) {
    let disk = MemoryDisk::new();
    let shelf = HoldShelf::on(&disk);
    let kit = Kit::on(shelf.clone(), disk).await;
    (kit, shelf)
}

/// Runs an operation on another task, so that the test goes on beside it.
fn beside<O: Operation>(kit: &Kit, who: &str, op: O) -> JoinHandle<Result<O::Answer>> {
    let (engine, caller) = (kit.engine.clone(), caller(who));
    tokio::spawn(async move { engine.run(caller, op).await })
}

/// Queues an operation; it is behind whatever was queued before.
fn queue<O: Operation>(kit: &Kit, who: &str, op: O) -> tokio::sync::oneshot::Receiver<Result<O::Answer>> {
    match kit.engine.begin(caller(who), op).unwrap() {
        Begun::Queued(answer) => answer,
        Begun::Done(_) => panic!("{} was not queued", O::KIND),
    }
}

async fn code<T>(answer: impl Future<Output = Result<T>>) -> Option<Code> {
    answer.await.err().map(|e| e.code())
}

async fn uses(kit: &Kit, name: &str) -> u64 {
    let shown = kit.run(&kit.owner, TokenShow { who: who(name) }).await;
    shown.unwrap().use_count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_fails_during_a_commit_leaves_the_row_state_true() {
    let (mut kit, shelf) = held_kit().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let token = kit.token(&owner, "w", Some(5), &["read on k"]).await.unwrap();
    let token = token.token.reveal().to_owned();
    shelf.hold();
    let used = beside(&kit, &token, get("k"));
    shelf.held();
    assert_eq!(code(kit.get(&owner, "none")).await, Some(Code::NotFound));
    shelf.release(End::Done);
    used.await.unwrap().unwrap();
    kit.get(&token, "k").await.unwrap();
    assert_eq!(uses(&kit, "w").await, 2);
    kit.restart().await;
    kit.unlock().await;
    assert_eq!(uses(&kit, "w").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_token_is_sealed_once_whatever_fails_beside_it() {
    let (mut kit, shelf) = held_kit().await;
    let owner = kit.owner.clone();
    shelf.hold();
    let made = beside(&kit, &owner, kit::create("w", Some(2), &["read on k"]));
    shelf.held();
    assert_eq!(code(kit.get(&owner, "none")).await, Some(Code::NotFound));
    shelf.release(End::Done);
    made.await.unwrap().unwrap();
    kit.run(&owner, TokenRevoke { who: who("w") }).await.unwrap();
    kit.restart().await;
    kit.unlock().await;
    let shown = kit.run(&kit.owner, TokenShow { who: who("w") }).await.unwrap();
    assert_eq!(shown.state, "revoked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_during_a_commit_never_says_that_the_vault_was_put_back() {
    for end in [End::Done, End::Refused, End::Unconfirmed] {
        let (mut kit, shelf) = held_kit().await;
        let owner = kit.owner.clone();
        kit.put(&owner, "k", b"before").await.unwrap();
        shelf.hold();
        let putting = beside(&kit, &owner, put("k", b"after"));
        shelf.held();
        kit.engine.lock(&caller(&owner)).unwrap();
        shelf.release(end);
        let answered = putting.await.unwrap();
        assert_eq!(answered.is_ok(), end == End::Done);
        for _ in 0..2 {
            kit.crash().await;
            kit.unlock().await;
            let status = kit.engine.status(&caller(&kit.owner)).unwrap();
            assert!(
                !status.warnings.iter().any(|w| w.contains("put back")),
                "{end:?}: {:?}",
                status.warnings
            );
            let want: &[u8] = if end == End::Refused { b"before" } else { b"after" };
            assert_eq!(kit.value("k").await.unwrap(), want);
            let report = kit.engine.audit_verify(caller(&kit.owner), None).await.unwrap();
            assert!(report.is_ok(), "{end:?}: {:?}", report.findings);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_the_store_refused_outlives_a_lock() {
    let (mut kit, shelf) = held_kit().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let token = kit.token(&owner, "w", None, &["read on k"]).await.unwrap();
    let token = token.token.reveal().to_owned();
    shelf.end(End::Refused);
    assert_eq!(code(kit.run(&owner, TokenRevoke { who: who("w") })).await, Some(Code::Unavailable));
    assert_eq!(code(kit.get(&token, "k")).await, Some(Code::TokenRevoked));
    kit.engine.lock(&caller(&owner)).unwrap();
    kit.unlock().await;
    assert_eq!(code(kit.get(&token, "k")).await, Some(Code::TokenRevoked));
    shelf.end(End::Done);
    kit.engine.tick();
    let owner = kit.owner.clone();
    kit.put(&owner, "z", b"behind the flush").await.unwrap();
    kit.crash().await;
    kit.unlock().await;
    assert_eq!(code(kit.get(&token, "k")).await, Some(Code::TokenRevoked));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_under_way_at_a_lock_holds_after_the_next_unlock() {
    let (mut kit, shelf) = held_kit().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let token = kit.token(&owner, "w", None, &["read on k"]).await.unwrap();
    let token = token.token.reveal().to_owned();
    shelf.hold();
    let revoking = beside(&kit, &owner, TokenRevoke { who: who("w") });
    shelf.held();
    kit.engine.lock(&caller(&owner)).unwrap();
    shelf.release(End::Refused);
    assert_eq!(code(async { revoking.await.unwrap() }).await, Some(Code::Unavailable));
    kit.unlock().await;
    assert_eq!(code(kit.get(&token, "k")).await, Some(Code::TokenRevoked));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_staged_is_not_answered_when_an_older_doubt_ends() {
    let (mut kit, shelf) = held_kit().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let token = kit.token(&owner, "w", None, &["read on k"]).await.unwrap();
    let token = token.token.reveal().to_owned();
    // A put whose end is not known, and a shelf that cannot say for two more questions.
    shelf.end(End::Unconfirmed);
    shelf.blind(2);
    assert_eq!(code(kit.put(&owner, "k", b"w")).await, Some(Code::Unavailable));
    shelf.end(End::Done);
    // Asked before the group, the shelf is blind; asked after it, it answers.
    let told = kit.run(&owner, TokenRevoke { who: who("w") }).await;
    assert_eq!(told.err().map(|e| e.code()), Some(Code::Unavailable));
    assert_eq!(code(kit.get(&token, "k")).await, Some(Code::TokenRevoked));
    kit.put(&owner, "z", b"z").await.unwrap();
    kit.engine.tick();
    kit.put(&owner, "z", b"behind the flush").await.unwrap();
    kit.crash().await;
    kit.unlock().await;
    assert_eq!(kit.value("k").await.unwrap(), b"w");
    assert_eq!(code(kit.get(&token, "k")).await, Some(Code::TokenRevoked));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_refused_while_a_commit_is_in_doubt_leaves_the_row_state_true() {
    let (mut kit, shelf) = held_kit().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let token = kit.token(&owner, "w", Some(9), &["read on k"]).await.unwrap();
    let token = token.token.reveal().to_owned();
    shelf.end(End::Unconfirmed);
    shelf.blind(2);
    assert_eq!(code(kit.get(&token, "k")).await, Some(Code::Unavailable));
    // The shelf cannot say yet; a revocation of nobody runs and fails.
    let nobody = kit.run(&owner, TokenRevoke { who: who("somebody") }).await;
    assert_eq!(nobody.err().map(|e| e.code()), Some(Code::NotFound));
    shelf.end(End::Done);
    kit.get(&token, "k").await.unwrap();
    assert_eq!(uses(&kit, "w").await, 2);
    kit.crash().await;
    kit.unlock().await;
    assert_eq!(uses(&kit, "w").await, 2);
}

fn delete(at: &str, purge: bool) -> Delete {
    let path = path(at);
    Delete { path, purge }
}

fn session_minutes(value: &str) -> SettingsChange {
    let changes = vec![("session-timeout".into(), value.into())];
    SettingsChange { changes }
}

/// Queued, awaited in order, answered as they should be.
struct Expected(Vec<JoinHandle<()>>);

impl Expected {
    fn add<O: Operation>(
        &mut self,
        kit: &Kit,
        who: &str,
        op: O,
        check: impl FnOnce(Result<O::Answer>) + Send + 'static,
    ) {
        let answer = queue(kit, who, op);
        self.0.push(tokio::spawn(async move { check(answer.await.unwrap()) }));
    }

    fn ok<O: Operation>(&mut self, kit: &Kit, op: O) {
        self.add(kit, &kit.owner, op, |answer| drop(answer.unwrap()));
    }

    fn refused<O: Operation>(&mut self, kit: &Kit, op: O) {
        self.add(kit, &kit.owner, op, |answer| assert!(answer.is_err()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_group_may_hold_every_change_of_one_secret_and_its_settings() {
    let (mut kit, shelf) = held_kit().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "old", b"old").await.unwrap();
    let token = kit.token(&owner, "r", Some(50), &["read on /"]).await.unwrap();
    let token = token.token.reveal().to_owned();
    // All of these wait while the first commit is held, and so make one group.
    shelf.hold();
    let first = beside(&kit, &owner, put("first", b"1"));
    shelf.held();
    let large = vec![9u8; 50_000];
    let is_large = |got: Result<Got>| assert_eq!(got.unwrap().value.reveal(), [9u8; 50_000]);
    let mut all = Expected(Vec::new());
    all.ok(&kit, put("a", &large));
    all.add(&kit, &token, get("a"), is_large);
    all.ok(&kit, put("a", b"2"));
    let version = Some(1);
    all.add(&kit, &token, Get { version, ..get("a") }, is_large);
    let (from, to) = (path("a"), path("b"));
    all.ok(&kit, Move { from: from.clone(), to: to.clone() });
    all.ok(&kit, Copy { from: to, to: from });
    all.refused(&kit, delete("none", false));
    all.ok(&kit, delete("b", false));
    all.ok(&kit, delete("b", true));
    all.ok(&kit, put("b", b"new"));
    all.ok(&kit, delete("old", true));
    all.ok(&kit, session_minutes("20"));
    all.refused(&kit, session_minutes("0"));
    all.ok(&kit, session_minutes("21"));
    shelf.release(End::Done);
    first.await.unwrap().unwrap();
    for answer in all.0 {
        answer.await.unwrap();
    }
    for _ in 0..2 {
        assert_eq!(kit.value("a").await.unwrap(), b"2");
        assert_eq!(kit.value("b").await.unwrap(), b"new");
        assert_eq!(code(kit.value("old")).await, Some(Code::NotFound));
        assert_eq!(uses(&kit, "r").await, 2);
        let settings = kit.run(&kit.owner, SettingsRead).await.unwrap();
        assert_eq!(settings.session_minutes, 21);
        kit.crash().await;
        kit.unlock().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_of_a_large_value_purged_beside_it_is_not_called_damage() {
    let (kit, shelf) = held_kit().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", &vec![3; 50_000]).await.unwrap();
    // The rows leave the shelf while the engine still holds their facts: what a reader sees between the
    // commit and its publication.
    shelf.hold();
    let purge = beside(&kit, &owner, Delete { path: path("k"), purge: true });
    shelf.held();
    let rows = kit.disk.rows();
    let version = rows.iter().find(|r| r.header.kind == hqv_model::Kind::Version).unwrap();
    assert!(kit.disk.tamper_remove(hqv_model::Kind::Version, &version.header.id));
    assert_eq!(code(kit.get(&owner, "k")).await, Some(Code::NotFound));
    shelf.release(End::Done);
    purge.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uses_without_a_limit_are_counted_once_through_refused_flushes_and_locks() {
    let (mut kit, shelf) = held_kit().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let token = kit.token(&owner, "w", None, &["read on k"]).await.unwrap();
    let token = token.token.reveal().to_owned();
    for _ in 0..3 {
        kit.get(&token, "k").await.unwrap();
    }
    shelf.hold();
    kit.engine.tick();
    shelf.held();
    assert_eq!(uses(&kit, "w").await, 3, "while they are being stored");
    kit.get(&token, "k").await.unwrap();
    shelf.release(End::Refused);
    let refused = kit.put(&owner, "z", b"behind the flush").await;
    assert_eq!(refused.err().map(|e| e.code()), Some(Code::Unavailable));
    assert_eq!(uses(&kit, "w").await, 4, "after a refused flush");
    kit.engine.lock(&caller(&owner)).unwrap();
    kit.unlock().await;
    assert_eq!(uses(&kit, "w").await, 4, "after a lock");
    shelf.end(End::Done);
    kit.engine.tick();
    let owner = kit.owner.clone();
    kit.put(&owner, "z", b"behind the flush").await.unwrap();
    kit.get(&token, "k").await.unwrap();
    kit.restart().await;
    kit.unlock().await;
    assert_eq!(uses(&kit, "w").await, 5, "after a stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tk3_a_revocation_is_never_turned_away_by_a_full_queue() {
    let (kit, shelf) = held_kit().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let token = kit.token(&owner, "w", Some(100_000), &["read on k"]).await.unwrap();
    let token = token.token.reveal().to_owned();
    shelf.hold();
    let first = queue(&kit, &owner, put("z", b"z"));
    shelf.held();
    let mut waiting = Vec::new();
    let refused = loop {
        match kit.engine.begin(caller(&token), get("k")) {
            Ok(Begun::Queued(answer)) => waiting.push(answer),
            Ok(Begun::Done(_)) => panic!("not queued"),
            Err(error) => break error,
        }
        assert!(waiting.len() < 20_000, "no bound");
    };
    assert_eq!((refused.code(), refused.retry_after_secs()), (Code::Unavailable, Some(1)));
    let revoke = queue(&kit, &owner, TokenRevoke { who: who("w") });
    shelf.release(End::Done);
    first.await.unwrap().unwrap();
    revoke.await.unwrap().unwrap();
    assert_eq!(code(kit.get(&token, "k")).await, Some(Code::TokenRevoked));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_wait_are_bounded_by_their_bytes() {
    let (kit, shelf) = held_kit().await;
    let owner = kit.owner.clone();
    shelf.hold();
    let first = queue(&kit, &owner, put("z", b"z"));
    shelf.held();
    let value = vec![1; 1 << 20];
    let mut waiting = Vec::new();
    while let Ok(Begun::Queued(answer)) = kit.engine.begin(caller(&owner), put("k", &value)) {
        waiting.push(answer);
        assert!(waiting.len() <= 100, "{} MiB wait", waiting.len());
    }
    shelf.release(End::Done);
    first.await.unwrap().unwrap();
    let stored = waiting.len() as u64;
    for answer in waiting {
        answer.await.unwrap().unwrap();
    }
    let again = kit.put(&owner, "k", b"small").await.unwrap();
    assert_eq!(again.meta.version, stored + 1);
}
