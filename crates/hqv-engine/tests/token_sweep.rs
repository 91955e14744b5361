//! Rows of tokens that have ended go: by themselves after thirty days, or when asked. What they did stays. Rows TK5, TK6.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desk;
mod hold;
mod kit;

use desk::records;
use hold::{End, HoldShelf};
use hqv_engine::TokenView;
use hqv_engine::ops::token_create::TokenCreate;
use hqv_engine::ops::token_freeze::TokenFreeze;
use hqv_engine::ops::token_list::TokenList;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::ops::token_show::TokenShow;
use hqv_engine::ops::token_sweep::TokenSweep;
use hqv_engine::sweep::{AT_ONCE, KEPT};
use hqv_model::{Code, TokenRef, Ttl, UseLimit};
use hqv_store::memory::MemoryDisk;
use kit::{Kit, caller, create};
use std::time::Duration;

const READ: &[&str] = &["read on k"];
const DELEGATE: &[&str] = &["read,delegate on k"];
const SECOND: Duration = Duration::from_secs(1);

fn who(text: &str) -> TokenRef {
    TokenRef::parse(text).unwrap()
}

fn ttl(op: TokenCreate, ttl: &str) -> TokenCreate {
    TokenCreate { ttl: Some(Ttl::parse(ttl).unwrap()), ..op }
}

async fn made(kit: &Kit, by: &str, op: TokenCreate) -> String {
    kit.run(by, op).await.unwrap().token.reveal().to_owned()
}

async fn all(kit: &Kit) -> Vec<TokenView> {
    kit.run(&kit.owner, TokenList { all: true }).await.unwrap()
}

async fn names(kit: &Kit) -> Vec<String> {
    all(kit).await.into_iter().map(|token| token.ancestry).collect()
}

/// Time passes, the ticker ticks, and the writer has done what it was given.
async fn pass(kit: &mut Kit, time: Duration) {
    kit.clock.pass(time);
    kit.unlock().await;
    kit.engine.tick();
    kit.put(&kit.owner.clone(), "behind", b"v").await.unwrap();
}

/// The rows are those that the row state counts, and the vault opens again.
async fn whole(kit: &mut Kit) {
    for _ in 0..2 {
        let faults = kit.engine.vault_check(caller(&kit.owner)).await.unwrap().faults;
        assert!(faults.is_empty(), "{faults:?}");
        kit.restart().await;
        kit.unlock().await;
    }
}

async fn with_k() -> Kit {
    let kit = Kit::new().await;
    kit.put(&kit.owner, "k", b"v").await.unwrap();
    kit
}

#[tokio::test]
async fn tk6_an_ended_token_s_row_goes_after_thirty_days_and_what_it_did_stays() {
    let mut kit = with_k().await;
    let owner = kit.owner.clone();
    let boss = made(&kit, &owner, ttl(create("boss", Some(50), DELEGATE), "1h")).await;
    let worker = made(&kit, &boss, create("worker", Some(5), READ)).await;
    let long = made(&kit, &owner, ttl(create("long", None, READ), "60d")).await;
    let revoked = made(&kit, &owner, ttl(create("gone", None, READ), "1h")).await;
    kit.get(&worker, "k").await.unwrap();
    kit.get(&revoked, "k").await.unwrap();
    kit.run(&owner, TokenRevoke { who: who("gone") }).await.unwrap();
    pass(&mut kit, KEPT + Duration::from_secs(3_600) - SECOND).await;
    assert_eq!(names(&kit).await, ["boss", "boss/worker", "gone", "long"], "a second early");
    assert_eq!(kit.get(&worker, "k").await.err().unwrap().code(), Code::TokenExpired);
    pass(&mut kit, Duration::from_secs(3_600)).await;
    assert_eq!(names(&kit).await, ["long"]);
    for token in [&boss, &worker, &revoked] {
        assert_eq!(kit.get(token, "k").await.err().unwrap().code(), Code::Unauthorized);
    }
    kit.get(&long, "k").await.unwrap();
    whole(&mut kit).await;
    assert_eq!(names(&kit).await, ["long"]);
    let lines = records(&kit).await;
    let used = lines.iter().filter(|line| line.operation == "get" && line.outcome == "ok");
    assert_eq!(used.filter(|line| line.identity.name.as_deref() == Some("boss/worker")).count(), 1);
    let swept = lines.iter().find(|line| line.operation == "token-sweep").unwrap();
    assert_eq!(swept.identity.kind, "daemon");
    assert!(swept.detail.as_deref().unwrap().starts_with("rows of 3 tokens"), "{:?}", swept.detail);
}

#[tokio::test]
async fn tk6_when_asked_only_what_ended_goes_and_only_the_callers_own() {
    let mut kit = with_k().await;
    let owner = kit.owner.clone();
    let boss = made(&kit, &owner, ttl(create("boss", None, DELEGATE), "2h")).await;
    let short = made(&kit, &boss, ttl(create("short", None, DELEGATE), "1m")).await;
    made(&kit, &short, create("below", None, READ)).await;
    made(&kit, &boss, create("ice", None, READ)).await;
    made(&kit, &owner, ttl(create("other", None, READ), "1m")).await;
    kit.run(&owner, TokenFreeze { who: who("boss/ice") }).await.unwrap();
    kit.clock.pass(Duration::from_secs(61));
    let refused = kit.run(&short, TokenSweep).await.err().unwrap();
    assert_eq!(refused.code(), Code::TokenExpired);
    let done = kit.run(&boss, TokenSweep).await.unwrap();
    assert_eq!((done.removed, done.left), (2, 0));
    assert_eq!(names(&kit).await, ["boss", "boss/ice", "other"]);
    let worker = made(&kit, &boss, create("w", None, READ)).await;
    assert_eq!(kit.run(&worker, TokenSweep).await.err().unwrap().code(), Code::Forbidden);
    assert_eq!(kit.run(&owner, TokenSweep).await.unwrap().removed, 1);
    assert_eq!(kit.run(&owner, TokenSweep).await.unwrap().removed, 0);
    // The name is free, and a new token of that name is another.
    let again = made(&kit, &boss, create("short", None, READ)).await;
    kit.get(&again, "k").await.unwrap();
    assert_eq!(kit.get(&short, "k").await.err().unwrap().code(), Code::Unauthorized);
    whole(&mut kit).await;
    assert_eq!(names(&kit).await, ["boss", "boss/ice", "boss/short", "boss/w"]);
}

#[tokio::test]
async fn tk1_what_an_ended_token_had_set_aside_comes_back_before_its_row_goes() {
    let mut kit = with_k().await;
    let owner = kit.owner.clone();
    let boss = made(&kit, &owner, ttl(create("boss", Some(30), DELEGATE), "2h")).await;
    let share = |name: &str, reserve| TokenCreate {
        reserve: Some(UseLimit::new(reserve).unwrap()),
        ..ttl(create(name, Some(reserve), DELEGATE), "1m")
    };
    let a = made(&kit, &boss, share("a", 20)).await;
    made(&kit, &a, share("below", 5)).await;
    kit.get(&a, "k").await.unwrap();
    made(&kit, &boss, share("b", 4)).await;
    kit.run(&boss, TokenRevoke { who: who("b") }).await.unwrap();
    kit.clock.pass(Duration::from_secs(61));
    assert_eq!(kit.run(&owner, TokenSweep).await.unwrap().removed, 3);
    for _ in 0..2 {
        let now = kit.run(&kit.owner, TokenShow { who: who("boss") }).await.unwrap();
        assert_eq!((now.use_count, now.promised, now.left), (1, 0, Some(29)));
        whole(&mut kit).await;
    }
}

#[tokio::test]
async fn st2_rows_go_whole_or_not_at_all() {
    let disk = MemoryDisk::new();
    let shelf = HoldShelf::on(&disk);
    let mut kit = Kit::on(shelf.clone(), disk).await;
    let owner = kit.owner.clone();
    for n in 0..3 {
        made(&kit, &owner, ttl(create(&format!("t{n}"), None, READ), "1m")).await;
    }
    kit.clock.pass(Duration::from_secs(61));
    shelf.end(End::Refused);
    assert_eq!(kit.run(&owner, TokenSweep).await.err().unwrap().code(), Code::Unavailable);
    assert_eq!(all(&kit).await.len(), 3);
    shelf.end(End::Unconfirmed);
    kit.run(&owner, TokenSweep).await.unwrap_or_else(|error| panic!("it is on the shelf: {error}"));
    shelf.end(End::Done);
    assert_eq!(all(&kit).await.len(), 0);
    whole(&mut kit).await;
    assert_eq!(all(&kit).await.len(), 0);
}

#[tokio::test]
async fn tk5_a_bounded_number_of_rows_goes_at_once_and_the_lowest_go_first() {
    let mut kit = with_k().await;
    let owner = kit.owner.clone();
    let top = made(&kit, &owner, ttl(create("top", None, DELEGATE), "1m")).await;
    let mid = made(&kit, &top, create("mid", None, DELEGATE)).await;
    for n in 0..AT_ONCE + 3 {
        made(&kit, if n % 2 == 0 { &mid } else { &top }, create(&format!("w{n}"), None, READ)).await;
    }
    kit.clock.pass(Duration::from_secs(61));
    let done = kit.run(&owner, TokenSweep).await.unwrap();
    assert_eq!((done.removed, done.left), (AT_ONCE as u64, 5));
    let left = names(&kit).await;
    assert!(left.contains(&"top".into()), "{left:?}");
    assert!(!left.iter().any(|name| name.starts_with("top/mid/")), "{left:?}");
    assert_eq!(kit.run(&owner, TokenSweep).await.unwrap().removed, 5);
    whole(&mut kit).await;
}
