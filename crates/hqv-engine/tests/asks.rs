//! Asks: the exact grant, bound to what was shown, handed to who asked, once. Row BR8.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desk;
mod hold;
mod kit;

use desk::*;
use hold::{End, HoldShelf};
use hqv_engine::ops::ask_approve::AskApprove;
use hqv_engine::ops::token_list::TokenList;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::ops::token_self::{TokenSelf, WhoAmI};
use hqv_engine::tickets::{AskState, Asker, Narrowing};
use hqv_model::*;
use hqv_store::memory::MemoryDisk;
use kit::{Kit, caller, peer, remote};
use std::time::Duration;

async fn tokens(kit: &Kit) -> Vec<String> {
    let all = kit.run(&kit.owner, TokenList { all: true }).await.unwrap();
    all.into_iter().map(|token| token.ancestry).collect()
}

#[tokio::test]
async fn br8_the_token_is_exactly_what_was_shown_and_goes_to_who_asked_once() {
    let kit = Kit::new().await;
    for at in ["deploy/prod/a", "deploy/prod/b", "deploy/x", "other"] {
        kit.put(&kit.owner, at, b"v").await.unwrap();
    }
    let opened = kit.engine.ask_create(&peer(), ask(&["read on deploy/prod/"], Some("1h"), Some(2))).unwrap();
    let seen = shown(&kit, opened.code);
    assert_eq!(
        (seen.rules[0].rule.to_string().as_str(), seen.rules[0].covers),
        ("read on deploy/prod/", Some(2))
    );
    assert_eq!((seen.ttl, seen.max_uses.unwrap().get()), (Ttl::parse("1h").unwrap(), 2));
    assert_eq!((seen.reason.as_str(), seen.by.from.as_str()), ("deploy preview", "socket"));
    assert_eq!(seen.by.who.label(), "test (no token, uid 1000, pid 42)");
    // Nothing before the decision, and no token yet by the decision alone.
    let early = kit.engine.ask_collect(peer(), opened.id, secret(&opened.claim)).await;
    assert_eq!(code(early), Code::Conflict);
    let approved = approve(&kit, &opened, Narrowing::default()).unwrap();
    assert_eq!(kit.engine.ask_state(&peer(), opened.id).unwrap(), AskState::Approved);
    assert!(tokens(&kit).await.is_empty());
    let made = kit.engine.ask_collect(peer(), opened.id, secret(&opened.claim)).await.unwrap();
    assert_eq!(
        (made.view.id, made.view.scope.to_string().as_str()),
        (approved.token, "read on deploy/prod/")
    );
    let short = opened.code.to_string().replace('-', "").to_lowercase();
    assert_eq!(made.view.name.as_str(), format!("ask-{short}"));
    assert_eq!((made.view.parent, made.view.creator.as_str()), (None, "owner"));
    let token = made.token.reveal();
    assert!(kit.get(token, "deploy/prod/a").await.is_ok());
    assert_eq!(code(kit.get(token, "deploy/x").await), Code::Forbidden);
    assert!(kit.get(token, "deploy/prod/b").await.is_ok());
    assert_eq!(code(kit.get(token, "deploy/prod/a").await), Code::TokenExhausted);
    // Replayed: refused, and on record, with the token's id on both sides.
    for _ in 0..2 {
        let again = kit.engine.ask_collect(peer(), opened.id, secret(&opened.claim)).await;
        assert_eq!(code(again), Code::Forbidden);
    }
    assert_eq!(record(&kit, "ask-collect", "denied").await.identity.kind, "peer");
    for op in ["ask-approve", "ask-collect"] {
        let line = record(&kit, op, "ok").await.detail.unwrap();
        assert!(
            line.contains(&approved.token.to_string()) && line.contains(&opened.id.to_string()),
            "{line}"
        );
    }
    assert_eq!(tokens(&kit).await.len(), 1);
}

#[tokio::test]
async fn br8_an_agent_does_not_approve_its_own_ask() {
    let kit = Kit::new().await;
    let token =
        kit.token(&kit.owner, "agent", None, &["read,write,delegate,audit on /"]).await.unwrap().token;
    let opened = kit.engine.ask_create(&caller(token.reveal()), ask(&["read on /"], None, None)).unwrap();
    let fingerprint = shown(&kit, opened.code).fingerprint;
    for (who, expected) in [
        (peer(), Code::Unauthorized),
        (page(), Code::Unauthorized),
        (remote(None), Code::Unauthorized),
        (caller(token.reveal()), Code::Forbidden),
        (remote(Some(token.reveal())), Code::Forbidden),
    ] {
        for which in [AskRef::Id(opened.id), AskRef::Code(opened.code)] {
            let (fingerprint, narrower) = (fingerprint.clone(), Narrowing::default());
            let approve = AskApprove { ask: which, fingerprint, narrower };
            assert_eq!(code(kit.engine.ask_approve(&who, approve)), expected);
            assert_eq!(code(kit.engine.ask_deny(&who, &which)), expected);
        }
        assert_eq!(code(kit.engine.ask_list(&who)), expected);
        assert_eq!(code(kit.engine.entry_list(&who)), expected);
    }
    assert_eq!(kit.engine.ask_state(&caller(token.reveal()), opened.id).unwrap(), AskState::Waiting);
    // Each refusal about an ask that is there stands in the record under its own name.
    let all = records(&kit).await;
    for op in ["ask-approve", "ask-deny"] {
        let kinds: Vec<&str> = all
            .iter()
            .filter(|r| r.operation == op && r.outcome == "denied")
            .map(|r| r.identity.kind.as_str())
            .collect();
        for kind in ["peer", "nobody", "token"] {
            assert!(kinds.contains(&kind), "{op} by {kind}");
        }
    }
}

#[tokio::test]
async fn br8_an_ask_that_changed_since_it_was_shown_is_not_approved() {
    let kit = Kit::new().await;
    let make = || ask(&["read on a/"], Some("1h"), None);
    let opened = kit.engine.ask_create(&peer(), make()).unwrap();
    let before = shown(&kit, opened.code);
    let approve_before = || AskApprove {
        ask: AskRef::Code(opened.code),
        fingerprint: before.fingerprint.clone(),
        narrower: Narrowing::default(),
    };
    // Another process joins: the owner was shown the first.
    let joined = kit.engine.ask_create(&other_peer(), make()).unwrap();
    assert!(joined.joined && joined.id == opened.id);
    let owner = caller(&kit.owner);
    let refused = kit.engine.ask_approve(&owner, approve_before()).err().unwrap();
    assert_eq!((refused.code(), refused.message()), (Code::Conflict, "the ask changed since it was shown"));
    assert_eq!(record(&kit, "ask-approve", "failed").await.code.as_deref(), Some("CONFLICT"));
    let now = shown(&kit, opened.code);
    assert!(now.by != before.by && now.fingerprint != before.fingerprint);
    // The same with another claim about itself, and with another default life.
    let mut claims = make();
    claims.asker = Asker { program: Some("git".into()), directory: None };
    kit.engine.ask_create(&other_peer(), claims).unwrap();
    let claimed = shown(&kit, opened.code);
    assert_ne!(claimed.fingerprint, now.fingerprint);
    // A count is not part of it.
    kit.put(&kit.owner, "a/b", b"v").await.unwrap();
    let counted = shown(&kit, opened.code);
    assert_eq!((counted.rules[0].covers, &counted.fingerprint), (Some(1), &claimed.fingerprint));
    approve(&kit, &opened, Narrowing::default()).unwrap();
    // After it: a wider wish is another ask, which nobody approved.
    let wider = kit.engine.ask_create(&peer(), ask(&["read on /"], Some("1h"), None)).unwrap();
    assert!(!wider.joined && wider.state == AskState::Waiting);
    assert_eq!(code(kit.engine.ask_collect(peer(), wider.id, wider.claim).await), Code::Conflict);
}

#[tokio::test]
async fn br8_every_part_of_an_ask_is_in_its_fingerprint() {
    let kit = Kit::new().await;
    let make = || ask(&["read on a/"], Some("1h"), Some(3));
    let one = kit.engine.ask_create(&peer(), make()).unwrap();
    let mut all = vec![shown(&kit, one.code).fingerprint];
    let mut reason = make();
    reason.reason = "deploy  preview".into();
    let mut name = make();
    name.name = Some(TokenName::parse("deploy").unwrap());
    let variants = [
        ask(&["read on a"], Some("1h"), Some(3)),
        ask(&["read,list on a/"], Some("1h"), Some(3)),
        ask(&["read on a/", "read on b"], Some("1h"), Some(3)),
        ask(&["read on a/"], Some("2h"), Some(3)),
        ask(&["read on a/"], None, Some(3)),
        ask(&["read on a/"], Some("1h"), Some(4)),
        ask(&["read on a/"], Some("1h"), None),
        reason,
        name,
    ];
    for variant in variants {
        let opened = kit.engine.ask_create(&peer(), variant).unwrap();
        assert!(!opened.joined);
        all.push(shown(&kit, opened.code).fingerprint);
    }
    let count = all.len();
    assert!(all.iter().all(|f| f.len() == 64 && f.bytes().all(|b| b.is_ascii_hexdigit())));
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[tokio::test]
async fn br8_only_the_newest_claim_collects() {
    let kit = Kit::new().await;
    let make = || ask(&["read on a/"], None, None);
    let first = kit.engine.ask_create(&peer(), make()).unwrap();
    let second = kit.engine.ask_create(&peer(), make()).unwrap();
    assert!(second.joined && second.claim.reveal() != first.claim.reveal());
    approve(&kit, &first, Narrowing::default()).unwrap();
    let third = kit.engine.ask_create(&peer(), make()).unwrap();
    assert_eq!((third.joined, third.state), (true, AskState::Approved));
    for older in [first.claim, second.claim, SecretText::new(String::new())] {
        let refused = kit.engine.ask_collect(peer(), third.id, older).await.err().unwrap();
        assert_eq!(refused.code(), Code::Forbidden);
    }
    // Not who knows the claim, but who asked: a token is somebody else, and so is the network.
    let token = kit.token(&kit.owner, "t", None, &["read on /"]).await.unwrap().token;
    for who in [caller(token.reveal()), remote(Some(token.reveal())), page(), remote(None)] {
        let refused = kit.engine.ask_collect(who, third.id, secret(&third.claim)).await;
        assert!(matches!(code(refused), Code::NotFound | Code::Unauthorized));
    }
    kit.engine.ask_collect(peer(), third.id, third.claim).await.unwrap();
    // What is collected is over: the same command asks anew.
    assert!(!kit.engine.ask_create(&peer(), make()).unwrap().joined);
}

#[tokio::test]
async fn br8_the_same_words_from_another_directory_are_another_ask() {
    let kit = Kit::new().await;
    let from = |directory: &str| {
        let mut ask = ask(&["read on a/"], None, None);
        ask.asker.directory = Some(directory.into());
        ask
    };
    let shop = kit.engine.ask_create(&peer(), from("/src/shop")).unwrap();
    let other = kit.engine.ask_create(&other_peer(), from("/src/other")).unwrap();
    assert!(!other.joined && other.id != shop.id);
    approve(&kit, &shop, Narrowing::default()).unwrap();
    // What was granted to the one is neither the other's nor made worthless by it.
    let again = kit.engine.ask_create(&other_peer(), from("/src/other")).unwrap();
    assert_eq!((again.id, again.state), (other.id, AskState::Waiting));
    assert_eq!(code(kit.engine.ask_collect(peer(), other.id, again.claim).await), Code::Conflict);
    kit.engine.ask_collect(peer(), shop.id, shop.claim).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn br8_of_many_that_collect_at_once_one_gets_the_token() {
    let kit = Kit::new().await;
    let opened = kit.engine.ask_create(&peer(), ask(&["read on a/"], None, None)).unwrap();
    approve(&kit, &opened, Narrowing::default()).unwrap();
    let racing: Vec<_> = (0..16)
        .map(|_| {
            let (engine, claim) = (kit.engine.clone(), secret(&opened.claim));
            tokio::spawn(async move { engine.ask_collect(peer(), opened.id, claim).await.is_ok() })
        })
        .collect();
    let mut got = 0;
    for one in racing {
        got += usize::from(one.await.unwrap());
    }
    assert_eq!((got, tokens(&kit).await.len()), (1, 1));
}

#[tokio::test]
async fn br8_a_token_that_could_not_be_stored_can_be_collected_again() {
    let disk = MemoryDisk::new();
    let shelf = HoldShelf::on(&disk);
    let kit = Kit::on(shelf.clone(), disk).await;
    let opened = kit.engine.ask_create(&peer(), ask(&["read on a/"], None, None)).unwrap();
    approve(&kit, &opened, Narrowing::default()).unwrap();
    shelf.end(End::Refused);
    let failed = kit.engine.ask_collect(peer(), opened.id, secret(&opened.claim)).await;
    assert_eq!(code(failed), Code::Unavailable);
    assert_eq!(kit.engine.ask_state(&peer(), opened.id).unwrap(), AskState::Approved);
    shelf.end(End::Done);
    let made = kit.engine.ask_collect(peer(), opened.id, secret(&opened.claim)).await.unwrap();
    assert!(kit.run(made.token.reveal(), TokenSelf).await.is_ok());
    assert_eq!(tokens(&kit).await.len(), 1);
}

#[tokio::test]
async fn br8_a_token_that_was_stored_while_nobody_could_say_so_is_not_made_twice() {
    let disk = MemoryDisk::new();
    let shelf = HoldShelf::on(&disk);
    let mut kit = Kit::on(shelf.clone(), disk).await;
    let opened = kit.engine.ask_create(&peer(), ask(&["read on a/"], None, None)).unwrap();
    approve(&kit, &opened, Narrowing::default()).unwrap();
    // The vault locks during the commit, which is durable and not confirmed: nobody looks at the shelf then.
    shelf.hold();
    let collecting = tokio::spawn({
        let (engine, claim) = (kit.engine.clone(), secret(&opened.claim));
        async move { engine.ask_collect(peer(), opened.id, claim).await }
    });
    let waits = shelf.clone();
    tokio::task::spawn_blocking(move || waits.held()).await.unwrap();
    kit.engine.lock(&caller(&kit.owner)).unwrap();
    shelf.release(End::Unconfirmed);
    assert_eq!(code(collecting.await.unwrap()), Code::Unavailable);
    shelf.end(End::Done);
    kit.unlock().await;
    assert_eq!(tokens(&kit).await.len(), 1, "it stands");
    let again = kit.engine.ask_collect(peer(), opened.id, secret(&opened.claim)).await;
    assert_eq!(code(again), Code::Forbidden);
    assert_eq!(tokens(&kit).await.len(), 1);
    // The row state is whole: the vault opens again.
    kit.restart().await;
    kit.unlock().await;
}

#[tokio::test]
async fn an_approval_may_only_narrow_and_says_what_was_wider() {
    let kit = Kit::new().await;
    let opened = kit
        .engine
        .ask_create(&peer(), ask(&["read,list on a/", "write on a/b/*"], Some("1h"), Some(5)))
        .unwrap();
    let paths = |all: &[&str]| Some(all.iter().map(|p| Pattern::parse(p).unwrap()).collect());
    let ttl = |text| Some(Ttl::parse(text).unwrap());
    let uses = |n| Some(UseLimit::new(n).unwrap());
    for (narrower, dimension) in [
        (Narrowing { ttl: ttl("2h"), ..Default::default() }, "--ttl 2h is longer than the 1h"),
        (Narrowing { max_uses: uses(6), ..Default::default() }, "--max-uses 6 is more than the 5"),
        (Narrowing { paths: paths(&["/"]), ..Default::default() }, "--path /"),
        (Narrowing { paths: paths(&["a/c", "ab"]), ..Default::default() }, "--path ab"),
        (Narrowing { paths: paths(&["*/"]), ..Default::default() }, "--path */"),
    ] {
        let refused = approve(&kit, &opened, narrower).err().unwrap();
        assert_eq!(refused.code(), Code::Forbidden);
        assert!(refused.message().contains(dimension), "{refused}");
    }
    let none = Narrowing { paths: Some(Vec::new()), ..Default::default() };
    assert_eq!(code(approve(&kit, &opened, none)), Code::BadRequest);
    let narrower = Narrowing { ttl: ttl("10m"), max_uses: uses(1), paths: paths(&["a/b/k", "a/c"]) };
    let approved = approve(&kit, &opened, narrower).unwrap();
    assert_eq!(approved.scope.to_string(), "read,list on a/b/k; write on a/b/k; read,list on a/c");
    let made = kit.engine.ask_collect(peer(), opened.id, opened.claim).await.unwrap();
    assert_eq!((made.view.scope.clone(), made.view.max_uses), (approved.scope, Some(1)));
    assert_eq!(made.view.expires_at.since(made.view.created_at), Duration::from_secs(600));
    assert!(made.notes.is_empty(), "{:?}", made.notes);
}

#[tokio::test]
async fn a_grant_lives_through_lock_and_unlock_and_ten_minutes() {
    let mut kit = Kit::new().await;
    let make = || ask(&["read on a/"], None, None);
    let opened = kit.engine.ask_create(&peer(), make()).unwrap();
    kit.clock.pass(Duration::from_secs(500));
    approve(&kit, &opened, Narrowing::default()).unwrap();
    kit.engine.lock(&caller(&kit.owner)).unwrap();
    let locked = kit.engine.ask_collect(peer(), opened.id, secret(&opened.claim)).await;
    assert_eq!(code(locked), Code::VaultLocked);
    let owner = caller(&kit.owner);
    assert_eq!(code(kit.engine.ask_list(&owner)), Code::VaultLocked);
    assert_eq!(code(kit.engine.ask_deny(&owner, &AskRef::Id(opened.id))), Code::VaultLocked);
    // Asked while locked, and decided after.
    let during = kit.engine.ask_create(&peer(), ask(&["list on a/"], None, None)).unwrap();
    assert_eq!(kit.engine.ask_state(&peer(), during.id).unwrap(), AskState::Waiting);
    assert_eq!(code(kit.engine.ask_create(&remote(None), make())), Code::Unauthorized);
    kit.unlock().await;
    approve(&kit, &during, Narrowing::default()).unwrap();
    kit.clock.pass(Duration::from_secs(500));
    kit.engine.ask_collect(peer(), opened.id, opened.claim).await.unwrap();
    kit.clock.pass(Duration::from_secs(101));
    kit.engine.tick();
    assert_eq!(kit.engine.ask_state(&peer(), during.id).unwrap(), AskState::Expired);
    let late = kit.engine.ask_collect(peer(), during.id, during.claim).await;
    assert_eq!(code(late), Code::Forbidden);
    let ended = record(&kit, "ask-end", "ok").await.detail.unwrap();
    assert!(ended.contains("was not collected"), "{ended}");
}

#[tokio::test]
async fn a_denied_ask_stays_denied_for_the_same_command() {
    let kit = Kit::new().await;
    let make = || ask(&["read on a/"], None, None);
    let opened = kit.engine.ask_create(&peer(), make()).unwrap();
    let owner = caller(&kit.owner);
    // A grant can be taken back until it was collected.
    approve(&kit, &opened, Narrowing::default()).unwrap();
    kit.engine.ask_deny(&owner, &AskRef::Code(opened.code)).unwrap();
    let refused = kit.engine.ask_collect(peer(), opened.id, opened.claim).await;
    assert_eq!(code(refused), Code::Forbidden);
    let again = kit.engine.ask_create(&peer(), make()).unwrap();
    assert_eq!((again.joined, again.state), (true, AskState::Denied));
    assert_eq!(code(kit.engine.ask_deny(&owner, &AskRef::Id(again.id))), Code::Conflict);
    let approve =
        AskApprove { ask: AskRef::Id(again.id), fingerprint: String::new(), narrower: Narrowing::default() };
    assert_eq!(code(kit.engine.ask_approve(&owner, approve)), Code::Conflict);
    assert!(kit.engine.ask_list(&owner).unwrap().is_empty());
    kit.clock.pass(Duration::from_secs(601));
    assert!(!kit.engine.ask_create(&peer(), make()).unwrap().joined);
}

#[tokio::test]
async fn a_token_that_ended_gets_nothing_it_asked_for() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    let token = kit.token(&owner, "t", None, &["list on /"]).await.unwrap().token.reveal().to_owned();
    let waiting = kit.engine.ask_create(&caller(&token), ask(&["read on a"], None, None)).unwrap();
    let granted = kit.engine.ask_create(&caller(&token), ask(&["read on b"], None, None)).unwrap();
    approve(&kit, &granted, Narrowing::default()).unwrap();
    kit.run(&owner, TokenRevoke { who: TokenRef::parse("t").unwrap() }).await.unwrap();
    assert_eq!(code(approve(&kit, &waiting, Narrowing::default())), Code::Conflict);
    for who in [caller(&token), peer()] {
        let refused = kit.engine.ask_collect(who, granted.id, secret(&granted.claim)).await;
        assert!(matches!(code(refused), Code::TokenRevoked | Code::NotFound));
    }
    assert_eq!(tokens(&kit).await, ["t"]);
}

#[tokio::test]
async fn the_name_that_was_asked_for_must_be_free() {
    let kit = Kit::new().await;
    kit.token(&kit.owner, "deploy", None, &["list on /"]).await.unwrap();
    let mut named = ask(&["read on a"], None, None);
    named.name = Some(TokenName::parse("deploy").unwrap());
    let opened = kit.engine.ask_create(&peer(), named).unwrap();
    assert_eq!(code(approve(&kit, &opened, Narrowing::default())), Code::AlreadyExists);
    kit.run(&kit.owner, TokenRevoke { who: TokenRef::parse("deploy").unwrap() }).await.unwrap();
    approve(&kit, &opened, Narrowing::default()).unwrap();
    let made = kit.engine.ask_collect(peer(), opened.id, opened.claim).await.unwrap();
    assert_eq!(made.view.ancestry, "deploy");
    let WhoAmI::Token(me) = kit.run(made.token.reveal(), TokenSelf).await.unwrap() else { panic!() };
    assert_eq!(me.name.as_str(), "deploy");
}

#[tokio::test]
async fn a_reason_of_any_length_is_kept_or_refused_whole() {
    let kit = Kit::new().await;
    let with = |reason: String| {
        let mut new = ask(&["read on a"], None, None);
        new.reason = reason;
        kit.engine.ask_create(&peer(), new)
    };
    let opened = with("r".repeat(1000)).unwrap();
    assert_eq!(shown(&kit, opened.code).reason.len(), 1000);
    for long in [1001, 100_000] {
        let refused = with("r".repeat(long)).err().unwrap();
        assert_eq!(refused.message(), "the reason is longer than 1000 bytes");
    }
    // The code of an entry is told from one of nothing.
    let entry = open(&kit, &peer(), "a");
    let approve = AskApprove {
        ask: AskRef::Code(entry.code),
        fingerprint: String::new(),
        narrower: Narrowing::default(),
    };
    let refused = kit.engine.ask_approve(&caller(&kit.owner), approve).err().unwrap();
    let hint = format!("hq-vault answer {} takes it; Ctrl-D there refuses", entry.code);
    assert_eq!(refused.hint_text(), Some(hint.as_str()));
    let denied = kit.engine.ask_deny(&caller(&kit.owner), &AskRef::Code(entry.code)).err().unwrap();
    assert_eq!((denied.code(), denied.hint_text()), (Code::NotFound, Some(hint.as_str())));
}
