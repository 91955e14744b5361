//! Between a token's making and its end: freeze, thaw, renew, and the question what it may. Rows TK2 to TK4.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desk;
mod kit;

use hqv_engine::ops::token_explain::{Explained, TokenExplain};
use hqv_engine::ops::token_freeze::TokenFreeze;
use hqv_engine::ops::token_list::TokenList;
use hqv_engine::ops::token_plan::TokenPlan;
use hqv_engine::ops::token_renew::TokenRenew;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::ops::token_thaw::TokenThaw;
use hqv_engine::ops::token_tree::TokenTree;
use hqv_model::{Capability, Code, TokenRef, Ttl, UseLimit};
use hqv_store::faults::{Fault, FaultShelf};
use hqv_store::memory::{MemoryDisk, MemoryShelf};
use hqv_store::{Shelf, StoreError};
use kit::{Kit, caller, create};
use std::sync::Arc;
use std::time::Duration;

fn who(text: &str) -> TokenRef {
    TokenRef::parse(text).unwrap()
}

fn freeze(name: &str) -> TokenFreeze {
    TokenFreeze { who: who(name) }
}

fn thaw(name: &str) -> TokenThaw {
    TokenThaw { who: who(name) }
}

fn renew(name: &str, ttl: Option<&str>) -> TokenRenew {
    TokenRenew { who: who(name), ttl: ttl.map(|ttl| Ttl::parse(ttl).unwrap()) }
}

/// `top` may delegate; `top/mid` and `top/mid/low` descend from it, `side` does not. All may read `k`.
struct Family {
    kit: Kit,
    owner: String,
    top: String,
    mid: String,
    low: String,
    side: String,
}

async fn family_on(kit: Kit) -> Family {
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let made = async |by: &str, name: &str, rule: &str| {
        kit.token(by, name, None, &[rule]).await.unwrap().token.reveal().to_owned()
    };
    let top = made(&owner, "top", "read,delegate on /").await;
    let mid = made(&top, "mid", "read,delegate on k").await;
    let low = made(&mid, "low", "read on k").await;
    let side = made(&owner, "side", "read on k").await;
    Family { kit, owner, top, mid, low, side }
}

async fn family() -> Family {
    family_on(Kit::new().await).await
}

impl Family {
    /// Time passes, and the owner signs in anew.
    async fn pass(&mut self, seconds: u64) {
        self.kit.clock.pass(Duration::from_secs(seconds));
        self.kit.unlock().await;
        self.owner = self.kit.owner.clone();
    }

    async fn code(&self, token: &str) -> Option<Code> {
        self.kit.get(token, "k").await.err().map(|e| e.code())
    }
}

#[tokio::test]
async fn tk3_a_frozen_family_is_refused_at_the_next_request_and_its_siblings_are_not() {
    let mut f = family().await;
    let done = f.kit.run(&f.owner, freeze("top/mid")).await.unwrap();
    assert_eq!((done.ancestry.as_str(), done.descendants), ("top/mid", 1));
    for round in 0..2 {
        for token in [&f.mid, &f.low] {
            let refused = f.kit.get(token, "k").await.err().unwrap();
            assert_eq!(refused.code(), Code::TokenRevoked, "{round}");
            assert!(refused.message().ends_with("is frozen"), "{}", refused.message());
        }
        for token in [&f.top, &f.side] {
            assert_eq!(f.code(token).await, None, "{round}");
        }
        f.kit.restart().await;
        f.kit.unlock().await;
        f.owner = f.kit.owner.clone();
    }
    let refused = f.kit.run(&f.owner, thaw("top/mid/low")).await.err().unwrap();
    assert_eq!(refused.code(), Code::Conflict, "it is frozen by one above it");
    f.kit.run(&f.top, thaw("mid")).await.unwrap();
    for token in [&f.mid, &f.low] {
        assert_eq!(f.code(token).await, None);
    }
    assert_eq!(f.kit.run(&f.owner, thaw("top/mid")).await.err().unwrap().code(), Code::Conflict);
}

#[tokio::test]
async fn tk3_only_who_stands_above_freezes_thaws_and_renews() {
    let f = family().await;
    let codes = async |by: &str, name: &str| {
        [
            f.kit.run(by, freeze(name)).await.err().map(|e| e.code()),
            f.kit.run(by, thaw(name)).await.err().map(|e| e.code()),
            f.kit.run(by, renew(name, None)).await.err().map(|e| e.code()),
        ]
    };
    assert_eq!(codes(&f.low, "low").await, [Some(Code::Forbidden); 3], "it may not delegate");
    assert_eq!(codes(&f.mid, "mid").await, [Some(Code::Forbidden); 3], "not itself");
    assert_eq!(codes(&f.mid, "side").await, [Some(Code::NotFound); 3], "another family");
    assert_eq!(codes(&f.mid, "top").await, [Some(Code::NotFound); 3], "not upward");
    assert_eq!(codes(&f.top, "low").await, [None; 3]);
}

#[tokio::test]
async fn tk6_a_frozen_token_keeps_its_name_and_its_place_in_the_list() {
    let mut f = family().await;
    f.kit.run(&f.owner, freeze("side")).await.unwrap();
    f.kit.run(&f.owner, freeze("side")).await.unwrap();
    let taken = f.kit.token(&f.owner, "side", None, &["read on k"]).await.err().unwrap();
    assert_eq!(taken.code(), Code::AlreadyExists);
    let listed = f.kit.run(&f.owner, TokenList { all: false }).await.unwrap();
    assert_eq!(listed.iter().find(|t| t.ancestry == "side").unwrap().state, "frozen");
    // Its end comes as it would have come, and frees the name.
    f.pass(3_600).await;
    assert_eq!(f.code(&f.side).await, Some(Code::TokenExpired));
    assert_eq!(f.kit.run(&f.owner, thaw("side")).await.err().unwrap().code(), Code::Conflict);
    assert_eq!(f.kit.run(&f.owner, freeze("side")).await.err().map(|e| e.code()), Some(Code::Conflict));
    f.kit.token(&f.owner, "side", None, &["read on k"]).await.unwrap();
}

#[tokio::test]
async fn a_family_stands_together_whatever_its_siblings_are_called() {
    let f = family().await;
    f.kit.token(&f.top, "mid-2", None, &["read on k"]).await.unwrap();
    let names =
        |all: Vec<hqv_engine::TokenView>| -> Vec<String> { all.into_iter().map(|t| t.ancestry).collect() };
    // By the text alone `top/mid-2` would stand between `top/mid` and its child: `-` comes before `/`.
    let tree = f.kit.run(&f.owner, TokenTree { who: who("top"), all: false }).await.unwrap();
    assert_eq!(names(tree), ["top", "top/mid", "top/mid/low", "top/mid-2"]);
    let list = f.kit.run(&f.owner, TokenList { all: false }).await.unwrap();
    assert_eq!(names(list), ["side", "top", "top/mid", "top/mid/low", "top/mid-2"]);
}

#[tokio::test]
async fn tk1_a_freeze_keeps_the_reserve_and_a_revocation_of_the_frozen_returns_it() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let top = kit.token(&owner, "top", Some(5), &["read,delegate on /"]).await.unwrap();
    let top = top.token.reveal().to_owned();
    let mut op = create("own", Some(3), &["read on k"]);
    op.reserve = Some(UseLimit::new(3).unwrap());
    let own = kit.run(&top, op).await.unwrap().token.reveal().to_owned();
    kit.run(&owner, freeze("own")).await.unwrap();
    kit.restart().await;
    kit.unlock().await;
    let left = async |kit: &Kit, name: &str| {
        kit.run(&kit.owner.clone(), TokenTree { who: who(name), all: false }).await.unwrap()[0].left
    };
    assert_eq!(left(&kit, "top").await, Some(2), "still set aside");
    let owner = kit.owner.clone();
    kit.run(&owner, thaw("own")).await.unwrap();
    kit.get(&own, "k").await.unwrap();
    kit.run(&owner, freeze("own")).await.unwrap();
    kit.run(&owner, TokenRevoke { who: who("own") }).await.unwrap();
    assert_eq!(left(&kit, "top").await, Some(4));
}

#[tokio::test]
async fn st2_a_freeze_the_store_refuses_holds_at_once_through_a_lock_and_is_stored_later() {
    let disk = MemoryDisk::new();
    let faults = Arc::new(FaultShelf::new(Arc::new(MemoryShelf::open(&disk))));
    let mut f = family_on(Kit::on(faults.clone() as Arc<dyn Shelf>, disk).await).await;
    faults.arm(1, Fault::FailFrom(StoreError::Full));
    assert_eq!(f.kit.run(&f.owner, freeze("mid")).await.err().unwrap().code(), Code::Unavailable);
    assert_eq!(f.code(&f.low).await, Some(Code::TokenRevoked));
    assert_eq!(f.kit.run(&f.owner, thaw("mid")).await.err().unwrap().code(), Code::Unavailable);
    assert_eq!(f.code(&f.low).await, Some(Code::TokenRevoked));
    faults.heal();
    f.kit.engine.lock(&caller(&f.owner)).unwrap();
    f.kit.unlock().await;
    assert_eq!(f.code(&f.low).await, Some(Code::TokenRevoked), "carried through the lock");
    f.kit.engine.tick();
    let owner = f.kit.owner.clone();
    f.kit.put(&owner, "z", b"z").await.unwrap();
    f.kit.restart().await;
    f.kit.unlock().await;
    assert_eq!(f.code(&f.low).await, Some(Code::TokenRevoked), "stored");
    f.kit.run(&f.kit.owner, thaw("mid")).await.unwrap();
    assert_eq!(f.code(&f.low).await, None);
}

#[tokio::test]
async fn tk2_a_renewal_reaches_the_latest_end_or_the_parents_and_no_further() {
    let mut f = family().await;
    let start = f.kit.run(&f.owner, TokenTree { who: who("top"), all: false }).await.unwrap();
    let (made, end) = (start[0].created_at, start[0].expires_at);
    let cut = f.kit.run(&f.owner, renew("mid", Some("2h"))).await.unwrap();
    assert_eq!(cut.view.expires_at, end);
    assert!(cut.notes[0].starts_with("cut to the 1h that are left"), "{:?}", cut.notes);
    let kept = f.kit.run(&f.owner, renew("top", Some("5m"))).await.unwrap();
    assert_eq!((kept.view.expires_at, kept.notes.len()), (end, 1), "never earlier");
    let later = f.kit.run(&f.owner, renew("top", Some("2h"))).await.unwrap();
    assert_eq!((later.view.expires_at, later.notes.len()), (made.plus(Duration::from_secs(7_200)), 0));
    f.kit.run(&f.top, renew("mid", None)).await.unwrap();
    f.pass(7_199).await;
    assert_eq!(f.code(&f.mid).await, None);
    assert_eq!(f.code(&f.low).await, Some(Code::TokenExpired), "it was not renewed itself");
    f.pass(1).await;
    assert_eq!(f.code(&f.mid).await, Some(Code::TokenExpired));
    let dead = f.kit.run(&f.owner, renew("top", Some("1h"))).await.err().unwrap();
    assert_eq!(dead.code(), Code::Conflict);
    f.kit.restart().await;
    f.kit.unlock().await;
    assert_eq!(f.code(&f.top).await, Some(Code::TokenExpired));
    // A latest end of its own.
    let owner = f.kit.owner.clone();
    let mut op = create("short", None, &["read on k"]);
    op.max_ttl = Some(Ttl::parse("90m").unwrap());
    f.kit.run(&owner, op).await.unwrap();
    let cut = f.kit.run(&owner, renew("short", Some("3h"))).await.unwrap();
    assert_eq!(cut.view.expires_at, cut.view.created_at.plus(Duration::from_secs(5_400)));
    assert_eq!(cut.notes, ["cut to its latest end"]);
    f.kit.run(&owner, freeze("short")).await.unwrap();
    assert_eq!(f.kit.run(&owner, renew("short", None)).await.err().unwrap().code(), Code::Conflict);
    f.kit.run(&owner, TokenRevoke { who: who("short") }).await.unwrap();
    assert_eq!(f.kit.run(&owner, renew("short", None)).await.err().unwrap().code(), Code::Conflict);
}

#[tokio::test]
async fn tk4_a_token_that_has_ended_is_not_renewed_and_the_refusal_is_on_record() {
    let mut f = family().await;
    f.kit.run(&f.owner, TokenRevoke { who: who("top") }).await.unwrap();
    f.kit.token(&f.owner, "short", None, &["read on k"]).await.unwrap();
    f.pass(3_600).await;
    // By its own end, by a revocation, and by the revocation of one above it.
    for name in ["short", "side", "top", "top/mid/low"] {
        let before = f.kit.run(&f.owner, TokenTree { who: who(name), all: true }).await.unwrap();
        let refused = f.kit.run(&f.owner, renew(name, Some("2h"))).await.err().unwrap();
        assert_eq!(refused.code(), Code::Conflict);
        assert!(refused.message().contains("has ended and cannot be renewed"), "{}", refused.message());
        let line = desk::record(&f.kit, "token-renew", "failed").await;
        assert!(line.detail.unwrap().contains(name));
        let after = f.kit.run(&f.owner, TokenTree { who: who(name), all: true }).await.unwrap();
        assert_eq!((before[0].expires_at, before[0].state), (after[0].expires_at, after[0].state));
    }
}

#[tokio::test]
async fn tk1_a_renewed_reserve_is_set_aside_to_its_new_end() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    let mut top = create("top", Some(5), &["read,delegate on /"]);
    top.ttl = Some(Ttl::parse("1d").unwrap());
    let top = kit.run(&owner, top).await.unwrap().token.reveal().to_owned();
    let mut own = create("own", Some(3), &["read on k"]);
    (own.reserve, own.ttl) = (Some(UseLimit::new(3).unwrap()), Some(Ttl::parse("10m").unwrap()));
    kit.run(&top, own).await.unwrap();
    kit.run(&top, renew("own", Some("1h"))).await.unwrap();
    let mut seen = Vec::new();
    for pass in [1_200, 2_399, 1] {
        kit.clock.pass(Duration::from_secs(pass));
        kit.unlock().await;
        let owner = kit.owner.clone();
        kit.put(&owner, "k", b"v").await.unwrap();
        kit.engine.tick();
        kit.put(&owner, "k", b"w").await.unwrap();
        seen.push(kit.run(&owner, TokenTree { who: who("top"), all: false }).await.unwrap()[0].left.unwrap());
    }
    assert_eq!(seen, [2, 2, 5]);
}

async fn explain(f: &Family, by: &str, name: &str, can: Capability, path: &str) -> Explained {
    f.kit.run(by, TokenExplain { who: who(name), can, path: kit::path(path) }).await.unwrap()
}

#[tokio::test]
async fn tk4_an_explanation_names_the_rule_and_the_ancestor_that_decides() {
    let f = family().await;
    let yes = explain(&f, &f.owner, "low", Capability::Read, "k").await;
    assert!(yes.allowed);
    assert_eq!((yes.decided_by.as_str(), yes.rule.as_deref()), ("top/mid/low", Some("read on k")));
    let rules: Vec<_> = yes.family.iter().map(|link| link.rule.as_deref().unwrap()).collect();
    assert_eq!(rules, ["read,delegate on /", "read,delegate on k", "read on k"]);
    let no = explain(&f, &f.owner, "low", Capability::Read, "other").await;
    assert_eq!((no.allowed, no.decided_by.as_str(), no.rule), (false, "top/mid", None));
    assert_eq!(no.because, "no rule of top/mid allows read on other");
    let no = explain(&f, &f.owner, "low", Capability::Write, "k").await;
    assert_eq!(no.decided_by, "top");
    // A token asks about itself and those below, and sees no rule of those above.
    let own = explain(&f, &f.low, "low", Capability::Read, "k").await;
    assert!(own.allowed && own.family.len() == 1);
    let below = explain(&f, &f.mid, "low", Capability::Write, "k").await;
    assert_eq!((below.decided_by.as_str(), below.family.len()), ("top/mid", 2));
    let op = TokenExplain { who: who("side"), can: Capability::Read, path: kit::path("k") };
    assert_eq!(f.kit.run(&f.mid, op).await.err().unwrap().code(), Code::NotFound);
}

/// What is said is what happens, whatever became of the family.
#[tokio::test]
async fn tk3_an_explanation_follows_the_state_of_the_family() {
    let mut f = family().await;
    f.kit.run(&f.owner, freeze("mid")).await.unwrap();
    let no = explain(&f, &f.owner, "low", Capability::Read, "k").await;
    assert_eq!((no.allowed, no.because.as_str()), (false, "top/mid is frozen"));
    f.kit.run(&f.owner, thaw("mid")).await.unwrap();
    assert!(explain(&f, &f.owner, "low", Capability::Read, "k").await.allowed);
    let once = f.kit.token(&f.owner, "once", Some(1), &["read,list on k"]).await.unwrap();
    f.kit.get(once.token.reveal(), "k").await.unwrap();
    let no = explain(&f, &f.owner, "once", Capability::Read, "k").await;
    assert_eq!((no.allowed, no.because.as_str()), (false, "once has no uses left"));
    assert!(explain(&f, &f.owner, "once", Capability::List, "k").await.allowed, "listing costs none");
    f.kit.run(&f.owner, TokenRevoke { who: who("top") }).await.unwrap();
    let no = explain(&f, &f.owner, "low", Capability::Read, "k").await;
    assert_eq!(no.because, "top was revoked");
    f.pass(3_600).await;
    let no = explain(&f, &f.owner, "side", Capability::Read, "k").await;
    assert_eq!(no.because, "side has expired");
}

#[tokio::test]
async fn tk5_a_tree_is_the_token_and_what_descends_from_it() {
    let f = family().await;
    let names = async |by: &str, name: &str, all: bool| -> Vec<String> {
        let tree = f.kit.run(by, TokenTree { who: who(name), all }).await.unwrap();
        tree.into_iter().map(|t| t.ancestry).collect()
    };
    assert_eq!(names(&f.owner, "top", false).await, ["top", "top/mid", "top/mid/low"]);
    assert_eq!(names(&f.mid, "mid", false).await, ["top/mid", "top/mid/low"]);
    assert_eq!(names(&f.low, "low", false).await, ["top/mid/low"], "itself, without delegate too");
    f.kit.run(&f.owner, TokenRevoke { who: who("low") }).await.unwrap();
    assert_eq!(names(&f.owner, "mid", false).await, ["top/mid"]);
    assert_eq!(names(&f.owner, "mid", true).await, ["top/mid", "top/mid/low"]);
    let op = TokenTree { who: who("top"), all: false };
    assert_eq!(f.kit.run(&f.mid, op).await.err().unwrap().code(), Code::NotFound);
}

/// A dry run cuts and refuses as making it would, and takes nothing.
#[tokio::test]
async fn tk4_a_dry_run_says_what_would_be_made_and_makes_nothing() {
    let f = family().await;
    let plan = async |by: &str, name: &str, rule: &str| {
        let mut create = create(name, Some(3), &[rule]);
        create.ttl = Some(Ttl::parse("2h").unwrap());
        f.kit.run(by, TokenPlan { create }).await
    };
    let planned = plan(&f.top, "new", "read on k").await.unwrap();
    assert_eq!((planned.view.ancestry.as_str(), planned.view.max_uses), ("top/new", Some(3)));
    assert!(planned.notes[0].starts_with("cut to the 1h that are left"), "{:?}", planned.notes);
    let listed = f.kit.run(&f.owner, TokenList { all: true }).await.unwrap();
    assert_eq!(listed.len(), 4, "none of them is new");
    assert_eq!(plan(&f.top, "new", "write on k").await.err().unwrap().code(), Code::Forbidden);
    assert_eq!(plan(&f.top, "mid", "read on k").await.err().unwrap().code(), Code::AlreadyExists);
    assert_eq!(plan(&f.low, "new", "read on k").await.err().unwrap().code(), Code::Forbidden);
}
