//! The record where its disk fails, and what a token with `audit` may see of it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kit;

use hqv_engine::ops::audit_read::{AuditFilter, AuditRead};
use hqv_engine::ops::batch::{Batch, BatchWhich};
use hqv_engine::ops::list::List;
use hqv_engine::ops::settings_change::SettingsChange;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::{RecordView, SlotSecret};
use hqv_model::{Code, Prefix, TokenRef};
use hqv_store::memory::{MemoryDisk, MemoryShelf};
use kit::{Kit, PASSPHRASE, TestClock, caller, passphrase, path, peer, start};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The record's directory goes and a file stands in its place. What is open can still be written to.
fn take_away(dir: &Path) {
    std::fs::remove_dir_all(dir).unwrap();
    std::fs::write(dir, b"").unwrap();
}

fn give_back(dir: &Path) {
    std::fs::remove_file(dir).unwrap();
    std::fs::create_dir(dir).unwrap();
}

async fn set(kit: &Kit, key: &str, value: &str) {
    let changes = vec![(key.to_owned(), value.to_owned())];
    kit.run(&kit.owner, SettingsChange { changes }).await.unwrap();
}

async fn seen_by(kit: &Kit, who: &str, filter: AuditFilter) -> Vec<RecordView> {
    let read = kit.run(who, AuditRead { filter }).await.unwrap();
    read.last(10_000, None).unwrap().records
}

fn below(prefix: &str) -> List {
    let prefix = Prefix::parse(prefix).unwrap();
    List { prefix, kind: None, tag: None, limit: 10, after: None }
}

#[tokio::test]
async fn au2_with_audit_sync_nothing_is_answered_that_is_not_on_the_disk() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let token = kit.token(&owner, "w", None, &["read on k"]).await.unwrap();
    let token = token.token.reveal().to_owned();
    set(&kit, "audit.sync", "true").await;
    kit.get(&token, "k").await.unwrap();
    take_away(kit.dir.path());
    // No time passes, so that lines are still taken; only bringing them to the disk fails.
    for who in [&token, &owner] {
        assert_eq!(kit.get(who, "k").await.err().map(|e| e.code()), Some(Code::Unavailable));
    }
    assert_eq!(kit.put(&owner, "k", b"w").await.err().map(|e| e.code()), Some(Code::Unavailable));
    give_back(kit.dir.path());
    assert_eq!(kit.value("k").await.unwrap(), b"v");
}

#[tokio::test]
async fn au2_with_audit_sync_a_revocation_is_stored_whatever_the_record_says() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let mut tokens = Vec::new();
    for name in ["a", "b"] {
        let made = kit.token(&owner, name, None, &["read on k"]).await.unwrap();
        tokens.push(made.token.reveal().to_owned());
    }
    set(&kit, "audit.sync", "true").await;
    take_away(kit.dir.path());
    kit.run(&owner, TokenRevoke { who: TokenRef::parse("a").unwrap() }).await.unwrap();
    // A second one, once no line is taken any more.
    kit.clock.pass(Duration::from_secs(2));
    kit.run(&owner, TokenRevoke { who: TokenRef::parse("b").unwrap() }).await.unwrap();
    give_back(kit.dir.path());
    kit.crash().await;
    kit.unlock().await;
    for token in &tokens {
        assert_eq!(kit.get(token, "k").await.err().map(|e| e.code()), Some(Code::TokenRevoked));
    }
}

#[tokio::test]
async fn au2_a_vault_whose_record_could_not_begin_answers_nobody_until_it_can() {
    let (disk, clock) = (MemoryDisk::new(), TestClock::new());
    let dir = tempfile::tempdir().unwrap();
    let engine = start(Arc::new(MemoryShelf::open(&disk)), dir.path(), clock).unwrap();
    take_away(dir.path());
    let made = engine.init(peer(), passphrase(PASSPHRASE), false).await;
    assert_eq!(made.err().map(|e| e.code()), Some(Code::Unavailable));
    let secret = || SlotSecret::Passphrase(passphrase(PASSPHRASE));
    let opened = engine.unlock(peer(), secret()).await;
    assert!(opened.is_err() && !engine.healthy(), "unlocked without a record");
    // Nor is a refusal answered that no record tells of.
    let wrong = SlotSecret::Passphrase(passphrase("not the passphrase"));
    let refused = engine.unlock(peer(), wrong).await;
    assert_eq!(refused.err().map(|e| e.code()), Some(Code::Unavailable));
    give_back(dir.path());
    let opened = match engine.vault() {
        Some(_) => engine.unlock(peer(), secret()).await.unwrap().session,
        None => engine.init(peer(), passphrase(PASSPHRASE), false).await.unwrap().session,
    };
    let read =
        engine.run(caller(opened.reveal()), AuditRead { filter: AuditFilter::default() }).await.unwrap();
    assert!(!read.last(10, None).unwrap().records.is_empty());
    let report = engine.audit_verify(caller(opened.reveal()), None).await.unwrap();
    assert!(report.is_ok(), "{:?}", report.findings);
}

#[tokio::test]
async fn an_unlock_that_cannot_be_recorded_leaves_the_vault_locked() {
    let kit = Kit::new().await;
    kit.engine.lock(&caller(&kit.owner)).unwrap();
    take_away(kit.dir.path());
    let secret = SlotSecret::Passphrase(passphrase(PASSPHRASE));
    assert!(kit.engine.unlock(peer(), secret).await.is_err());
    assert!(!kit.engine.healthy());
    assert!(!*kit.engine.lock_events().borrow());
    give_back(kit.dir.path());
}

#[tokio::test]
async fn a_second_unlock_of_one_run_finds_the_record_as_it_left_it() {
    let mut kit = Kit::new().await;
    for round in 0..3 {
        let owner = kit.owner.clone();
        kit.put(&owner, "k", b"v").await.unwrap();
        kit.engine.tick();
        kit.clock.pass(Duration::from_secs(2));
        kit.put(&owner, "k", b"w").await.unwrap();
        kit.engine.lock(&caller(&owner)).unwrap();
        kit.unlock().await;
        let status = kit.engine.status(&caller(&kit.owner)).unwrap();
        assert!(status.warnings.is_empty(), "round {round}: {:?}", status.warnings);
        let report = kit.engine.audit_verify(caller(&kit.owner), None).await.unwrap();
        assert!(report.is_ok(), "round {round}: {:?}", report.findings);
    }
}

#[tokio::test]
async fn what_failed_is_found_by_its_path_and_is_no_exposure() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "a/1", b"v").await.unwrap();
    let token = kit.token(&owner, "w", None, &["read on /"]).await.unwrap();
    let token = token.token.reveal();
    assert!(kit.get(token, "a/none").await.is_err());
    let both = vec![path("a/1"), path("a/none")];
    assert!(kit.run(token, Batch { which: BatchWhich::Paths(both) }).await.is_err());
    let filter = AuditFilter { path: Some(Prefix::parse("a/none").unwrap()), ..Default::default() };
    let found = seen_by(&kit, &owner, filter).await;
    let ops: Vec<&str> = found.iter().map(|r| r.operation.as_str()).collect();
    assert_eq!(ops, ["batch", "get"]);
    for record in &found {
        assert_eq!(record.outcome, "failed");
        assert!(record.items.iter().all(|item| item.kind == "named"), "{record:?}");
    }
}

#[tokio::test]
async fn a_token_with_audit_sees_its_family_where_its_pattern_covers_every_path() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    for at in ["a/1", "b/1"] {
        kit.put(&owner, at, b"v").await.unwrap();
    }
    let top = kit.token(&owner, "top", None, &["read,list,delegate on /", "audit on a/"]).await.unwrap();
    let top = top.token.reveal();
    let kid = kit.token(top, "kid", None, &["read,list on /"]).await.unwrap();
    let kid = kid.token.reveal();
    let other = kit.token(&owner, "other", None, &["read,list on /"]).await.unwrap();
    let other = other.token.reveal();
    for who in [kid, other] {
        kit.get(who, "a/1").await.unwrap();
        kit.get(who, "b/1").await.unwrap();
        assert!(kit.get(who, "b/none").await.is_err());
        assert!(kit.put(who, "b/denied", b"x").await.is_err());
        kit.run(who, below("a/")).await.unwrap();
        kit.run(who, below("b/")).await.unwrap();
        kit.run(who, below("/")).await.unwrap();
        let which = BatchWhich::Prefix(Prefix::parse("b/none/").unwrap());
        kit.run(who, Batch { which }).await.unwrap();
        let both = BatchWhich::Paths(vec![path("a/1"), path("b/1")]);
        kit.run(who, Batch { which: both }).await.unwrap();
    }
    let seen = seen_by(&kit, top, AuditFilter::default()).await;
    for record in &seen {
        let text = format!("{record:?}");
        assert!(!text.contains("b/") && !text.contains("other"), "{text}");
    }
    let by_kid = |op: &str| {
        let theirs = |r: &&RecordView| r.operation == op && r.identity.name.as_deref() == Some("top/kid");
        seen.iter().filter(theirs).count()
    };
    assert_eq!((by_kid("get"), by_kid("list"), by_kid("put"), by_kid("batch")), (1, 1, 0, 0));
    // The kid has no `audit`, and an auditor of its own making sees only its own doings.
    assert!(kit.run(kid, AuditRead { filter: AuditFilter::default() }).await.is_err());
    let auditor = kit.token(top, "auditor", None, &["audit on a/"]).await.unwrap();
    let seen = seen_by(&kit, auditor.token.reveal(), AuditFilter::default()).await;
    assert!(seen.iter().all(|r| r.identity.name.as_deref() == Some("top/auditor")), "{seen:?}");
}
