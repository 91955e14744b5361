//! Tokens: exact limits, families, ends, scopes. Rows TK1 to TK6.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kit;

use hqv_engine::ops::list::List;
use hqv_engine::ops::token_list::TokenList;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::ops::token_show::TokenShow;
use hqv_model::{Code, Prefix, TokenRef, Ttl};
use kit::{Kit, caller, create};
use std::time::Duration;

fn who(text: &str) -> TokenRef {
    TokenRef::parse(text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tk1_exactly_n_uses_under_64_parallel_clients_a_crash_and_a_restart() {
    for n in [1u64, 10, 1_000] {
        let mut kit = Kit::new().await;
        let owner = kit.owner.clone();
        kit.put(&owner, "k", b"v").await.unwrap();
        let token = kit.token(&owner, "w", Some(n), &["read on k"]).await.unwrap().token.reveal().to_owned();
        let mut done = 0;
        for round in 0..3 {
            let mut tasks = Vec::new();
            for _ in 0..64 {
                let (engine, token) = (kit.engine.clone(), token.clone());
                tasks.push(tokio::spawn(async move {
                    let mut ok = 0u64;
                    for _ in 0..(n / 64 / 2 + 1) {
                        let op = hqv_engine::ops::get::Get { path: kit::path("k"), version: None };
                        match engine.run(caller(&token), op).await {
                            Ok(got) => {
                                assert_eq!(got.value.reveal(), b"v");
                                ok += 1;
                            }
                            Err(e) => assert_eq!(e.code(), Code::TokenExhausted),
                        }
                    }
                    ok
                }));
            }
            for task in tasks {
                done += task.await.unwrap();
            }
            if round == 0 {
                kit.crash().await;
            } else {
                kit.restart().await;
            }
            kit.unlock().await;
        }
        assert_eq!(done, n);
    }
}

#[tokio::test]
async fn tk1_uses_of_children_count_at_every_ancestor() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let top = kit.token(&owner, "top", Some(5), &["read,delegate on /"]).await.unwrap();
    let mid = kit.token(top.token.reveal(), "mid", None, &["read,delegate on k"]).await.unwrap();
    let low = kit.token(mid.token.reveal(), "low", Some(3), &["read on k"]).await.unwrap();
    for _ in 0..3 {
        kit.get(low.token.reveal(), "k").await.unwrap();
    }
    assert_eq!(kit.get(low.token.reveal(), "k").await.err().unwrap().code(), Code::TokenExhausted);
    kit.get(mid.token.reveal(), "k").await.unwrap();
    kit.get(top.token.reveal(), "k").await.unwrap();
    for t in [&top, &mid] {
        assert_eq!(kit.get(t.token.reveal(), "k").await.err().unwrap().code(), Code::TokenExhausted);
    }
    let seen = kit.run(&owner, TokenShow { who: who("top/mid") }).await.unwrap();
    assert_eq!((seen.use_count, seen.left, seen.ancestry.as_str()), (4, Some(0), "top/mid"));
}

#[tokio::test]
async fn tk2_expiry_holds_at_the_boundary_and_against_a_clock_set_back() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let mut op = create("w", None, &["read on k"]);
    op.ttl = Some(Ttl::parse("10m").unwrap());
    let token = kit.run(&owner, op).await.unwrap().token.reveal().to_owned();
    kit.clock.pass(Duration::from_millis(599_999));
    kit.get(&token, "k").await.unwrap();
    kit.clock.pass(Duration::from_millis(1));
    assert_eq!(kit.get(&token, "k").await.err().unwrap().code(), Code::TokenExpired);
    kit.clock.jump(-365 * 86_400_000);
    assert_eq!(kit.get(&token, "k").await.err().unwrap().code(), Code::TokenExpired);
    kit.restart().await;
    kit.unlock().await;
    assert_eq!(kit.get(&token, "k").await.err().unwrap().code(), Code::TokenExpired);
}

#[tokio::test]
async fn st8_a_clock_set_years_ahead_ends_tokens_and_set_back_revives_none() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let token = kit.token(&owner, "w", None, &["read on k"]).await.unwrap();
    kit.clock.jump(3 * 365 * 86_400_000);
    kit.engine.tick();
    assert_eq!(kit.get(token.token.reveal(), "k").await.err().unwrap().code(), Code::TokenExpired);
    kit.clock.jump(-3 * 365 * 86_400_000);
    kit.engine.tick();
    assert_eq!(kit.get(token.token.reveal(), "k").await.err().unwrap().code(), Code::TokenExpired);
    let status = kit.engine.status(&caller(&owner)).unwrap();
    assert!(status.warnings.iter().any(|w| w.contains("wall clock moved")), "{:?}", status.warnings);
}

#[tokio::test]
async fn tk3_revoking_a_parent_of_10_000_ends_every_one_at_once() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let top = kit.token(&owner, "top", None, &["read,delegate on k"]).await.unwrap();
    let mut all = Vec::new();
    for n in 0..10_000 {
        all.push(kit.token(top.token.reveal(), &format!("w{n}"), None, &[]).await.unwrap());
    }
    kit.get(all[9_999].token.reveal(), "k").await.unwrap();
    let revoked = kit.run(&owner, TokenRevoke { who: who("top") }).await.unwrap();
    assert_eq!(revoked.descendants, 10_000);
    for t in all.iter().chain([&top]) {
        assert_eq!(kit.get(t.token.reveal(), "k").await.err().unwrap().code(), Code::TokenRevoked);
    }
    kit.crash().await;
    kit.unlock().await;
    assert_eq!(kit.get(all[0].token.reveal(), "k").await.err().unwrap().code(), Code::TokenRevoked);
}

#[tokio::test]
async fn tk4_a_wider_child_is_refused_and_a_longer_one_is_cut_and_told() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "a/b/k", b"v").await.unwrap();
    let top = kit.token(&owner, "top", Some(10), &["read,delegate on a/b/"]).await.unwrap();
    let by = top.token.reveal();
    for rules in [["read on a/bc/"], ["read on a/"], ["read on a/*/"], ["write on a/b/k"], ["read on /"]] {
        let refused = kit.token(by, "child", None, &rules).await.err().unwrap();
        assert_eq!(refused.code(), Code::Forbidden, "{rules:?}");
    }
    let mut op = create("child", Some(99), &["read on a/b/k"]);
    op.ttl = Some(Ttl::parse("2h").unwrap());
    let child = kit.run(by, op).await.unwrap();
    assert_eq!(child.view.max_uses, Some(10));
    assert_eq!(child.view.expires_at, top.view.expires_at);
    assert_eq!(child.notes.len(), 2, "{:?}", child.notes);
    let no_delegate = kit.token(child.token.reveal(), "g", None, &[]).await.err().unwrap();
    assert_eq!(no_delegate.code(), Code::Forbidden);
}

#[tokio::test]
async fn tk5_depth_is_bounded() {
    let kit = Kit::new().await;
    let mut by = kit.owner.clone();
    let mut made = 0;
    loop {
        match kit.token(&by, "d", None, &["read,delegate on /"]).await {
            Ok(next) => by = next.token.reveal().to_owned(),
            Err(e) => {
                assert_eq!(e.code(), Code::Forbidden);
                assert!(e.message().contains("at most 32 deep"), "{}", e.message());
                break;
            }
        }
        made += 1;
        assert!(made <= 64);
    }
    assert_eq!(made, hqv_model::MAX_DEPTH);
}

#[tokio::test]
async fn tk6_a_name_is_unique_among_live_siblings_and_reusable_after() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    let first = kit.token(&owner, "w", None, &["read on k"]).await.unwrap();
    assert_eq!(kit.token(&owner, "w", None, &["read on k"]).await.err().unwrap().code(), Code::AlreadyExists);
    kit.run(&owner, TokenRevoke { who: who("w") }).await.unwrap();
    let second = kit.token(&owner, "w", None, &["read on k"]).await.unwrap();
    assert_ne!(first.view.id, second.view.id);
    let shown = kit.run(&owner, TokenShow { who: who("w") }).await.unwrap();
    assert_eq!(shown.id, second.view.id);
}

#[tokio::test]
async fn a_token_sees_and_ends_only_its_own_family() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    let a = kit.token(&owner, "a", None, &["read,delegate on /"]).await.unwrap();
    let b = kit.token(&owner, "b", None, &["read on /"]).await.unwrap();
    kit.token(a.token.reveal(), "kid", None, &["read on k"]).await.unwrap();
    let seen = kit.run(a.token.reveal(), TokenList { all: true }).await.unwrap();
    assert_eq!(seen.len(), 1);
    for op in ["b", &b.view.id.to_string()] {
        let other = kit.run(a.token.reveal(), TokenRevoke { who: who(op) }).await.err().unwrap();
        assert_eq!(other.code(), Code::NotFound);
    }
    kit.run(b.token.reveal(), TokenRevoke { who: who("b") }).await.unwrap();
    kit.run(a.token.reveal(), TokenRevoke { who: who("kid") }).await.unwrap();
}

#[tokio::test]
async fn a_scope_hides_what_it_does_not_cover() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    for at in ["a/1", "a/2", "b/1"] {
        kit.put(&owner, at, b"v").await.unwrap();
    }
    let t = kit.token(&owner, "w", None, &["read,list on a/"]).await.unwrap();
    let t = t.token.reveal();
    assert_eq!(kit.get(t, "b/1").await.err().unwrap().code(), Code::Forbidden);
    assert_eq!(kit.get(t, "b/none").await.err().unwrap().code(), Code::Forbidden);
    assert_eq!(kit.get(t, "a/none").await.err().unwrap().code(), Code::NotFound);
    let all = List { prefix: Prefix::everything(), kind: None, tag: None, limit: 10, after: None };
    assert_eq!(kit.run(t, all).await.unwrap().open().unwrap().entries.len(), 2);
    assert_eq!(kit.put(t, "a/1", b"x").await.err().unwrap().code(), Code::Forbidden);
}
