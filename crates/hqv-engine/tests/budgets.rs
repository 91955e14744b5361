//! Budgets of families through the door: reserves under parallel load, crashes and restarts, and their refusals.
//! What a family may spend in any interleaving is tested beside the rule, in the `budget` module.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desk;
mod kit;

use desk::record;
use hqv_engine::TokenView;
use hqv_engine::ops::token_create::TokenCreate;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::ops::token_show::TokenShow;
use hqv_model::{Code, TokenRef, Ttl, UseLimit};
use kit::{Kit, create};

const CHILD: &[&str] = &["read on k"];
const PARENT: &[&str] = &["read,delegate on k"];

fn reserved(name: &str, max: u64, reserve: u64) -> TokenCreate {
    TokenCreate { reserve: Some(UseLimit::new(reserve).unwrap()), ..create(name, Some(max), CHILD) }
}

async fn show(kit: &Kit, name: &str) -> TokenView {
    let who = TokenRef::parse(name).unwrap();
    kit.run(&kit.owner.clone(), TokenShow { who }).await.unwrap()
}

async fn made(kit: &Kit, by: &str, op: TokenCreate) -> String {
    kit.run(by, op).await.unwrap().token.reveal().to_owned()
}

/// Reads until it is refused; says how often it was not.
async fn drain(kit: &Kit, token: &str) -> u64 {
    let mut done = 0;
    loop {
        match kit.get(token, "k").await {
            Ok(_) => done += 1,
            Err(error) => {
                assert_eq!(error.code(), Code::TokenExhausted);
                return done;
            }
        }
    }
}

async fn family() -> (Kit, String) {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let parent = made(&kit, &owner, create("boss", Some(50), PARENT)).await;
    (kit, parent)
}

#[tokio::test]
async fn tk1_a_reserve_survives_a_crash_and_a_restart_and_is_exact() {
    let (mut kit, boss) = family().await;
    let worker = made(&kit, &boss, reserved("a", 20, 15)).await;
    let other = made(&kit, &boss, create("b", None, CHILD)).await;
    assert_eq!((show(&kit, "boss").await.left, show(&kit, "boss").await.promised), (Some(35), 15));
    for _ in 0..5 {
        kit.get(&worker, "k").await.unwrap();
    }
    kit.crash().await;
    kit.unlock().await;
    let boss_now = show(&kit, "boss").await;
    assert_eq!((boss_now.use_count, boss_now.promised, boss_now.left), (5, 10, Some(35)));
    assert_eq!(drain(&kit, &other).await, 35);
    kit.restart().await;
    kit.unlock().await;
    assert_eq!(drain(&kit, &boss).await, 0);
    assert_eq!(drain(&kit, &worker).await, 10, "its own share, whatever the others took");
    let worker_now = show(&kit, "boss/a").await;
    assert_eq!((worker_now.reserve, worker_now.reserve_spent, worker_now.state), (Some(15), 15, "exhausted"));
}

#[tokio::test]
async fn tk1_a_child_made_right_after_an_end_gets_what_came_back() {
    let kit = Kit::new().await;
    kit.put(&kit.owner, "k", b"v").await.unwrap();
    let long = Ttl::parse("2h").unwrap();
    let boss = TokenCreate { ttl: Some(long), ..create("boss", Some(30), PARENT) };
    let boss = made(&kit, &kit.owner, boss).await;
    let short = Ttl::parse("1m").unwrap();
    made(&kit, &boss, TokenCreate { ttl: Some(short), ..reserved("b", 30, 30) }).await;
    let none = kit.run(&boss, create("c", Some(30), CHILD)).await.err().unwrap();
    assert_eq!(none.code(), Code::TokenExhausted);
    kit.clock.pass(std::time::Duration::from_secs(61));
    // Nothing ran in between that would have settled the end.
    let child = kit.run(&boss, create("c", Some(30), CHILD)).await.unwrap();
    assert_eq!((child.view.max_uses, child.notes.len()), (Some(30), 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tk1_reserved_and_other_children_in_parallel_never_pass_the_parents_maximum() {
    let (kit, boss) = family().await;
    let mut workers = Vec::new();
    for (index, reserve) in [12_u64, 8, 5].into_iter().enumerate() {
        workers.push((made(&kit, &boss, reserved(&format!("r{index}"), 40, reserve)).await, reserve));
    }
    for index in 0..3 {
        workers.push((made(&kit, &boss, create(&format!("u{index}"), None, CHILD)).await, 0));
    }
    let tasks: Vec<_> = workers
        .iter()
        .flat_map(|(token, _)| (0..8).map(move |_| token.clone()))
        .map(|token| {
            let engine = kit.engine.clone();
            tokio::spawn(async move {
                let mut done = 0;
                let get = || hqv_engine::ops::get::Get { path: kit::path("k"), version: None };
                while engine.run(kit::caller(&token), get()).await.is_ok() {
                    done += 1;
                }
                (token, done)
            })
        })
        .collect();
    let mut spent = std::collections::HashMap::<String, u64>::new();
    for task in tasks {
        let (token, done) = task.await.unwrap();
        *spent.entry(token).or_default() += done;
    }
    assert_eq!(spent.values().sum::<u64>(), 50);
    for (token, reserve) in &workers {
        assert!(spent[token] >= *reserve, "{} of a reserve of {reserve}", spent[token]);
    }
}

#[tokio::test]
async fn tk1_ends_give_back_what_was_set_aside() {
    let (kit, boss) = family().await;
    made(&kit, &boss, reserved("a", 20, 20)).await;
    let short = TokenCreate { ttl: Some(Ttl::parse("1m").unwrap()), ..reserved("b", 20, 20) };
    made(&kit, &boss, short).await;
    let left = async |kit: &Kit| show(kit, "boss").await.left;
    assert_eq!(left(&kit).await, Some(10));
    kit.run(&boss, TokenRevoke { who: TokenRef::parse("a").unwrap() }).await.unwrap();
    assert_eq!(left(&kit).await, Some(30));
    kit.clock.pass(std::time::Duration::from_secs(61));
    // The next request of the family notices the end.
    kit.get(&boss, "k").await.unwrap();
    assert_eq!(left(&kit).await, Some(49));
}

#[tokio::test]
async fn tk4_a_reserve_that_cannot_be_had_is_refused_whole() {
    let (kit, boss) = family().await;
    let refused = async |op: TokenCreate, code: Code, words: &str| {
        let error = kit.run(&boss, op).await.err().expect(words);
        assert_eq!(error.code(), code, "{}", error.message());
        assert!(error.message().contains(words), "{}", error.message());
        let line =
            record(&kit, "token-create", if code == Code::TokenExhausted { "denied" } else { "failed" })
                .await;
        assert_eq!(line.code.as_deref(), Some(code.as_str()));
        assert!(line.detail.unwrap().contains(words));
    };
    refused(reserved("a", 10, 11), Code::BadRequest, "more than max_uses").await;
    let without = TokenCreate { max_uses: None, ..reserved("a", 10, 10) };
    refused(without, Code::BadRequest, "needs max_uses").await;
    made(&kit, &boss, reserved("b", 45, 45)).await;
    refused(reserved("a", 10, 10), Code::Conflict, "only 5 uses can be set aside").await;
    assert_eq!(show(&kit, "boss").await.promised, 45, "a refusal sets nothing aside");
    made(&kit, &boss, reserved("a", 10, 5)).await;
    refused(create("c", Some(1), CHILD), Code::TokenExhausted, "no uses are left").await;
}
