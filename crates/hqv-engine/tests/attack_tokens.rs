//! Families at their edges: names after a restart, a clock that is reset beside a creation, what a child may see.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod hold;
mod kit;

use hold::{End, HoldShelf};
use hqv_engine::ops::batch::{Batch, BatchWhich};
use hqv_engine::ops::copy::Copy;
use hqv_engine::ops::delete::Delete;
use hqv_engine::ops::get::Get;
use hqv_engine::ops::list::List;
use hqv_engine::ops::mv::Move;
use hqv_engine::ops::show::Show;
use hqv_engine::ops::token_list::TokenList;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::ops::token_self::{TokenSelf, WhoAmI};
use hqv_engine::ops::token_show::TokenShow;
use hqv_engine::{Begun, Operation};
use hqv_model::{Code, Prefix, Result, TokenRef, Ttl};
use hqv_store::memory::MemoryDisk;
use kit::{Kit, caller, create, path, put};
use std::time::Duration;

const YEAR_MS: i64 = 365 * 86_400_000;

fn who(text: &str) -> TokenRef {
    TokenRef::parse(text).unwrap()
}

fn code<T>(answer: Result<T>) -> Option<Code> {
    answer.err().map(|e| e.code())
}

async fn made(kit: &Kit, by: &str, name: &str, max: Option<u64>, rules: &[&str]) -> String {
    kit.token(by, name, max, rules).await.unwrap().token.reveal().to_owned()
}

#[tokio::test]
async fn tk6_a_name_stays_unique_among_live_siblings_after_a_restart() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    // Made and ended within one millisecond, so that their times do not tell which is the live one.
    for n in 0..24 {
        let name = format!("w{n}");
        for _ in 0..3 {
            made(&kit, &owner, &name, None, &["read on k"]).await;
            kit.run(&owner, TokenRevoke { who: who(&name) }).await.unwrap();
        }
        made(&kit, &owner, &name, None, &["read on k"]).await;
    }
    kit.restart().await;
    kit.unlock().await;
    let owner = kit.owner.clone();
    for n in 0..24 {
        let again = kit.token(&owner, &format!("w{n}"), None, &["read on k"]).await;
        assert_eq!(code(again), Some(Code::AlreadyExists), "w{n}");
    }
}

#[tokio::test]
async fn tk6_a_name_stays_unique_after_the_clock_went_back_by_a_reset() {
    let mut kit = Kit::new().await;
    kit.clock.jump(5 * YEAR_MS);
    let owner = kit.owner.clone();
    made(&kit, &owner, "w", None, &["read on k"]).await;
    kit.clock.jump(-5 * YEAR_MS);
    kit.engine.clock_reset(caller(&owner)).await.unwrap();
    made(&kit, &owner, "w", None, &["read on k"]).await;
    kit.restart().await;
    kit.unlock().await;
    let owner = kit.owner.clone();
    let again = kit.token(&owner, "w", None, &["read on k"]).await;
    assert_eq!(code(again), Some(Code::AlreadyExists));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tk2_a_token_made_beside_a_clock_reset_does_not_live_by_the_old_time() {
    // Behind the reset in the same group, in the next one, and queued when the time is reset.
    for same_group in [true, false] {
        let disk = MemoryDisk::new();
        let shelf = HoldShelf::on(&disk);
        let mut kit = Kit::on(shelf.clone(), disk).await;
        let owner = kit.owner.clone();
        kit.put(&owner, "k", b"v").await.unwrap();
        kit.clock.jump(5 * YEAR_MS);
        kit.put(&owner, "k", b"v").await.unwrap();
        kit.clock.jump(-5 * YEAR_MS);
        shelf.hold();
        let first = kit.engine.begin(caller(&owner), put("z", b"z")).unwrap();
        shelf.held();
        let (engine, by) = (kit.engine.clone(), caller(&owner));
        let mut reset = Box::pin(async move { engine.clock_reset(by).await });
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        assert!(reset.as_mut().poll(&mut context).is_pending());
        let begin = |name: &str| match kit.engine.begin(caller(&owner), create(name, None, &["read on k"])) {
            Ok(Begun::Queued(answer)) => answer,
            _ => panic!("not queued"),
        };
        let mut answers = Vec::new();
        if same_group {
            answers.push(begin("w"));
            shelf.release(End::Done);
        } else {
            shelf.release(End::Done);
            answers.push(begin("w"));
        }
        reset.await.unwrap();
        drop(first);
        let token = answers.pop().unwrap().await.unwrap().unwrap().token.reveal().to_owned();
        kit.clock.pass(Duration::from_secs(2 * 3600));
        kit.unlock().await;
        assert!(kit.get(&token, "k").await.is_err(), "same group: {same_group}");
        // Behind what the reset queued: a killed process commits nothing any more.
        let owner = kit.owner.clone();
        kit.put(&owner, "k", b"v").await.unwrap();
        kit.crash().await;
        kit.unlock().await;
        assert!(kit.get(&token, "k").await.is_err(), "same group: {same_group}, after a crash");
    }
}

#[tokio::test]
async fn show_tells_no_token_the_names_of_other_families() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    let a = made(&kit, &owner, "alpha", None, &["read,list,write,delegate on /"]).await;
    let b = made(&kit, &owner, "beta", None, &["read,list on /"]).await;
    let kid = made(&kit, &a, "kid", None, &["write,list on /"]).await;
    kit.put(&owner, "k", b"1").await.unwrap();
    kit.put(&a, "k", b"2").await.unwrap();
    kit.put(&kid, "k", b"3").await.unwrap();
    let by = async |who: &str| -> Vec<String> {
        let shown = kit.run(who, Show { path: path("k") }).await.unwrap();
        shown.versions.into_iter().map(|v| v.by).collect()
    };
    assert_eq!(by(&owner).await, ["alpha/kid", "alpha", "owner"]);
    assert_eq!(by(&a).await, ["alpha/kid", "alpha", "owner"]);
    assert_eq!(by(&kid).await, ["alpha/kid", "alpha", "owner"]);
    assert_eq!(by(&b).await, ["another token", "another token", "owner"]);
}

fn read(at: &str, version: Option<u64>) -> Get {
    let path = path(at);
    Get { path, version }
}

fn delete(at: &str, purge: bool) -> Delete {
    let path = path(at);
    Delete { path, purge }
}

fn copy(from: &str, to: &str) -> Copy {
    let (from, to) = (path(from), path(to));
    Copy { from, to }
}

fn mv(from: &str, to: &str) -> Move {
    let (from, to) = (path(from), path(to));
    Move { from, to }
}

fn list(prefix: &str, after: Option<&str>, limit: usize) -> List {
    let (prefix, after) = (Prefix::parse(prefix).unwrap(), after.map(path));
    let (kind, tag) = (None, None);
    List { prefix, kind, tag, limit, after }
}

fn batch(prefix: &str) -> Batch {
    let which = BatchWhich::Prefix(Prefix::parse(prefix).unwrap());
    Batch { which }
}

/// A vault with live and deleted secrets outside of a token's scope `a/`.
async fn scoped() -> (Kit, String) {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    for at in ["a/1", "a/2", "b/there", "b/gone", "c/1"] {
        kit.put(&owner, at, b"v").await.unwrap();
    }
    kit.run(&owner, delete("b/gone", false)).await.unwrap();
    let token = made(&kit, &owner, "t", None, &["read,list,write,delete on a/"]).await;
    (kit, token)
}

/// The operation is refused alike whether something is at a path outside the scope or not.
async fn same<O: Operation>(kit: &Kit, token: &str, make: impl Fn(&str) -> O) {
    let mut answers = Vec::new();
    for at in ["b/there", "b/gone", "b/never"] {
        let refused = kit.run(token, make(at)).await.map(drop).unwrap_err();
        assert_eq!(refused.code(), Code::Forbidden, "{} {at}", O::KIND);
        answers.push(refused.message().replace(at, "PATH"));
    }
    assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
}

#[tokio::test]
async fn nothing_outside_a_scope_can_be_probed() {
    let (kit, t) = scoped().await;
    same(&kit, &t, |at| read(at, None)).await;
    same(&kit, &t, |at| read(at, Some(1))).await;
    same(&kit, &t, |at| Show { path: path(at) }).await;
    same(&kit, &t, |at| put(at, b"x")).await;
    same(&kit, &t, |at| delete(at, false)).await;
    same(&kit, &t, |at| delete(at, true)).await;
    same(&kit, &t, |at| copy("a/1", at)).await;
    same(&kit, &t, |at| copy(at, "a/3")).await;
    same(&kit, &t, |at| mv("a/1", at)).await;
    same(&kit, &t, |at| mv(at, "a/3")).await;
    same(&kit, &t, |at| list(at, None, 10)).await;
    same(&kit, &t, batch).await;
    let both = |at: &str| BatchWhich::Paths(vec![path("a/1"), path(at)]);
    same(&kit, &t, |at| Batch { which: both(at) }).await;
}

#[tokio::test]
async fn a_cursor_neither_shows_nor_counts_what_lies_outside_a_scope() {
    let (kit, t) = scoped().await;
    for (after, want) in [
        (None, Some("a/1")),
        (Some("Z"), Some("a/1")),
        (Some("a/1"), Some("a/2")),
        (Some("a/2"), None),
        (Some("b/there"), None),
        (Some("b/zzz"), None),
    ] {
        let page = kit.run(&t, list("/", after, 1)).await.unwrap().open().unwrap();
        let first = page.entries.first().map(|e| e.path.as_str());
        assert_eq!(first, want, "{after:?}");
        assert_eq!(page.next.is_some(), want == Some("a/1"), "{after:?}");
    }
    let all = kit.run(&t, batch("/")).await.unwrap();
    let paths: Vec<&str> = all.iter().map(|got| got.meta.path.as_str()).collect();
    assert_eq!(paths, ["a/1", "a/2"]);
}

#[tokio::test]
async fn tokens_of_other_families_and_none_answer_alike() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    let a = made(&kit, &owner, "a", None, &["read,delegate on /"]).await;
    let b = kit.token(&owner, "b", None, &["read,delegate on /"]).await.unwrap();
    let kid = kit.token(b.token.reveal(), "kid", None, &["read on /"]).await.unwrap();
    let never = "tok_00000000000000000000000000".to_owned();
    let mut answers = Vec::new();
    for reference in [b.view.id.to_string(), kid.view.id.to_string(), "b".into(), "b/kid".into(), never] {
        for shown in [true, false] {
            let refused = if shown {
                kit.run(&a, TokenShow { who: who(&reference) }).await.map(drop).unwrap_err()
            } else {
                kit.run(&a, TokenRevoke { who: who(&reference) }).await.map(drop).unwrap_err()
            };
            answers.push((refused.code(), refused.message().replace(&reference, "NAME")));
        }
    }
    assert!(answers.iter().all(|a| *a == (Code::NotFound, "no token is called NAME".into())), "{answers:?}");
    kit.get(kid.token.reveal(), "none").await.map(drop).unwrap_err();
    assert!(matches!(kit.run(kid.token.reveal(), TokenSelf).await, Ok(WhoAmI::Token(_))));
    assert_eq!(kit.run(&a, TokenList { all: true }).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_child_of_a_child_has_no_more_than_anybody_above() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "a/k", b"v").await.unwrap();
    let mut top = create("top", Some(10), &["read,list,delegate on a/"]);
    top.ttl = Some(Ttl::parse("2h").unwrap());
    top.max_ttl = Some(Ttl::parse("3h").unwrap());
    let top = kit.run(&owner, top).await.unwrap();
    let mut mid = create("mid", None, &["read,delegate on a/"]);
    mid.max_ttl = Some(Ttl::parse("90d").unwrap());
    mid.ttl = Some(Ttl::parse("90d").unwrap());
    let mid = kit.run(top.token.reveal(), mid).await.unwrap();
    assert_eq!(mid.view.expires_at, top.view.expires_at);
    let low = kit.token(mid.token.reveal(), "low", None, &[]).await.unwrap();
    assert_eq!(low.view.scope.to_string(), "read on a/");
    assert_eq!(low.view.expires_at, top.view.expires_at);
    assert_eq!(low.view.left, Some(10));
    for rules in [["list on a/"], ["read on /"], ["audit on a/"], ["delegate on /"]] {
        let refused = kit.token(mid.token.reveal(), "x", None, &rules).await;
        assert_eq!(code(refused), Some(Code::Forbidden), "{rules:?}");
    }
    for _ in 0..10 {
        kit.get(low.token.reveal(), "a/k").await.unwrap();
    }
    for t in [&top, &mid, &low] {
        assert_eq!(code(kit.get(t.token.reveal(), "a/k").await), Some(Code::TokenExhausted));
    }
    assert_eq!(code(kit.token(mid.token.reveal(), "more", None, &[]).await), Some(Code::TokenExhausted));
    kit.clock.pass(Duration::from_secs(2 * 3600));
    kit.unlock().await;
    for t in [&top, &mid, &low] {
        assert_eq!(code(kit.get(t.token.reveal(), "a/k").await), Some(Code::TokenExpired));
    }
}
