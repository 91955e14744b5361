//! Entries: who may open, answer and refuse one. Rows EN1, EN3, EN5, EN7. How it lives
//! and ends is in `entries_life.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desk;
mod hold;
mod kit;

use desk::*;
use hold::{End, HoldShelf};
use hqv_engine::ops::delete::Delete;
use hqv_engine::ops::entry_store::{Brought, EntryStore};
use hqv_engine::ops::settings_change::SettingsChange;
use hqv_engine::ops::show::Show;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::tickets::{EntryState, Proof};
use hqv_model::*;
use hqv_store::memory::MemoryDisk;
use kit::{Kit, caller, path, peer, remote};
use std::time::Duration;

fn state(kit: &Kit, id: EntryId) -> EntryState {
    kit.engine.entry_state(&peer(), id).unwrap()
}

async fn route_and_writer(kit: &Kit, at: &str) -> (EntryRoute, String) {
    let shown = kit.run(&kit.owner, Show { path: path(at) }).await.unwrap();
    (shown.versions[0].route, shown.versions[0].by.clone())
}

#[tokio::test]
async fn en7_a_value_typed_at_the_prompt_is_marked_with_who_asked_and_by_which_way() {
    let kit = Kit::new().await;
    let opened = open(&kit, &peer(), "stripe/secret-key");
    assert_eq!((opened.joined, &opened.state), (false, &EntryState::Waiting));
    let stored = store(&kit, other_peer(), &opened, b"sk_live_1").await.unwrap();
    assert_eq!((stored.bytes, stored.version, stored.kind), (9, 1, SecretType::Other));
    assert_eq!(kit.value("stripe/secret-key").await.unwrap(), b"sk_live_1");
    assert_eq!(state(&kit, opened.id), EntryState::Stored(stored));
    // Who asked, not who typed.
    let (route, by) = route_and_writer(&kit, "stripe/secret-key").await;
    assert_eq!((route, by.as_str()), (EntryRoute::IngestTty, "test"));
    let line = record(&kit, "entry-store", "ok").await;
    assert_eq!(line.items[0].path, "stripe/secret-key");
    assert!(line.detail.unwrap().contains("asked by test"));
}

#[tokio::test]
async fn en5_the_page_seals_to_the_entry_and_to_nothing_else() {
    let kit = Kit::new().await;
    let opened = open(&kit, &peer(), "a/b");
    let by_page = |value| EntryStore {
        entry: EntryRef::Id(opened.id),
        proof: submit(&opened),
        value,
        route: EntryRoute::IngestPage,
    };
    // Sealed for another path, for replacing, and changed on its way.
    for wrong in [sealed(&kit, &opened, "a/c", false, b"v"), sealed(&kit, &opened, "a/b", true, b"v")] {
        assert_eq!(code(kit.engine.entry_store(page(), by_page(wrong)).await), Code::BadRequest);
    }
    let Brought::Sealed { enc, mut ciphertext } = sealed(&kit, &opened, "a/b", false, b"v") else { panic!() };
    ciphertext[0] ^= 1;
    let changed = Brought::Sealed { enc, ciphertext };
    assert_eq!(code(kit.engine.entry_store(page(), by_page(changed)).await), Code::BadRequest);
    assert_eq!(state(&kit, opened.id), EntryState::Waiting);
    let right = by_page(sealed(&kit, &opened, "a/b", false, b"line\nline\n"));
    kit.engine.entry_store(page(), right).await.unwrap();
    assert_eq!(kit.value("a/b").await.unwrap(), b"line\nline\n");
    assert_eq!(route_and_writer(&kit, "a/b").await.0, EntryRoute::IngestPage);
    assert_eq!(record(&kit, "entry-store", "ok").await.source, "page");
    // Used: what it was answered with is gone with its key.
    let again = by_page(sealed(&kit, &opened, "a/b", false, b"other"));
    assert_eq!(code(kit.engine.entry_store(page(), again).await), Code::Conflict);
}

#[tokio::test]
async fn en1_a_wrong_id_code_or_secret_gets_one_answer_and_opens_nothing() {
    let kit = Kit::new().await;
    let (opened, other) = (open(&kit, &peer(), "a"), open(&kit, &peer(), "b"));
    let guess = || Proof::Submit(SecretText::new("A".repeat(43)));
    let wrong = [
        (EntryRef::Id(EntryId::from_bytes([0; 16])), submit(&opened)),
        (EntryRef::Code(TicketCode::parse("7F3K-9QXM").unwrap()), submit(&opened)),
        (EntryRef::Id(opened.id), guess()),
        (EntryRef::Code(opened.code), guess()),
        (EntryRef::Id(opened.id), submit(&other)),
        (EntryRef::Id(opened.id), Proof::Submit(SecretText::new(String::new()))),
    ];
    let mut said = Vec::new();
    for (entry, proof) in wrong {
        said.push(kit.engine.entry_about(&page(), &entry, &proof).err().unwrap());
        said.push(kit.engine.entry_refuse(&peer(), &entry, &proof).err().unwrap());
        let value = plain(b"guessed");
        let store = EntryStore { entry, proof, value, route: EntryRoute::IngestTty };
        said.push(kit.engine.entry_store(peer(), store).await.err().unwrap());
    }
    assert!(said.iter().all(|e| e.code() == Code::NotFound && e.message() == said[0].message()));
    assert_eq!(state(&kit, opened.id), EntryState::Waiting);
    assert!(kit.engine.entry_about(&page(), &EntryRef::Id(opened.id), &submit(&opened)).is_ok());
}

#[tokio::test]
async fn en3_of_two_submits_in_one_group_exactly_one_is_stored() {
    let disk = MemoryDisk::new();
    let shelf = HoldShelf::on(&disk);
    let kit = Kit::on(shelf.clone(), disk).await;
    let opened = open(&kit, &peer(), "a");
    // A commit under way lets the others gather in the next group.
    shelf.hold();
    let first = tokio::spawn({
        let (engine, owner) = (kit.engine.clone(), kit.owner.clone());
        async move { engine.run(caller(&owner), kit::put("other", b"x")).await.map(drop) }
    });
    let wait = shelf.clone();
    tokio::task::spawn_blocking(move || wait.held()).await.unwrap();
    let racing: Vec<_> = (0..8)
        .map(|n: u8| {
            let (engine, proof) = (kit.engine.clone(), submit(&opened));
            let store = EntryStore {
                entry: EntryRef::Id(opened.id),
                proof,
                value: plain(&[n]),
                route: EntryRoute::IngestTty,
            };
            tokio::spawn(async move { engine.entry_store(peer(), store).await })
        })
        .collect();
    shelf.release(End::Done);
    first.await.unwrap().unwrap();
    let mut stored = Vec::new();
    for one in racing {
        match one.await.unwrap() {
            Ok(done) => stored.push(done),
            Err(error) => assert_eq!(error.code(), Code::Conflict),
        }
    }
    assert_eq!(stored.len(), 1);
    assert_eq!(state(&kit, opened.id), EntryState::Stored(stored.remove(0)));
    let shown = kit.run(&kit.owner, Show { path: path("a") }).await.unwrap();
    assert_eq!(shown.kept, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn en3_submits_answers_and_refusals_in_a_race_have_one_winner() {
    let kit = Kit::new().await;
    for round in 0..20 {
        let at = format!("race/{round}");
        let opened = open(&kit, &peer(), &at);
        let mut all = Vec::new();
        for n in 0..4_u8 {
            let (engine, owner) = (kit.engine.clone(), kit.owner.clone());
            let (id, proof) = (EntryRef::Id(opened.id), submit(&opened));
            all.push(tokio::spawn(async move {
                let store = |proof, route| EntryStore { entry: id, proof, value: plain(&[n]), route };
                match n {
                    0 => engine.entry_refuse(&peer(), &id, &proof).is_ok(),
                    1 => engine
                        .entry_store(caller(&owner), store(Proof::Owner, EntryRoute::Answer))
                        .await
                        .is_ok(),
                    _ => engine.entry_store(peer(), store(proof, EntryRoute::IngestTmux)).await.is_ok(),
                }
            }));
        }
        let mut winners = 0;
        for one in all {
            winners += usize::from(one.await.unwrap());
        }
        // A refusal that comes between first and second look takes the entry; nobody else then.
        assert_eq!(winners, 1, "{round}");
        let stands = kit.value(&at).await.is_ok();
        assert_eq!(stands, matches!(state(&kit, opened.id), EntryState::Stored(_)));
    }
}

#[tokio::test]
async fn en3_a_store_that_does_not_become_durable_leaves_the_entry_waiting() {
    let disk = MemoryDisk::new();
    let shelf = HoldShelf::on(&disk);
    let kit = Kit::on(shelf.clone(), disk).await;
    let opened = open(&kit, &peer(), "a");
    shelf.end(End::Refused);
    assert_eq!(code(store(&kit, peer(), &opened, b"lost").await), Code::Unavailable);
    assert_eq!(state(&kit, opened.id), EntryState::Waiting);
    // Durable after all, though the answer was an error.
    shelf.end(End::Unconfirmed);
    let stored = store(&kit, peer(), &opened, b"kept").await.unwrap();
    assert_eq!(state(&kit, opened.id), EntryState::Stored(stored));
    shelf.end(End::Done);
    assert_eq!(kit.value("a").await.unwrap(), b"kept");
}

/// A store that may have become durable: the entry is nobody's until the shelf says, or the vault is locked.
#[tokio::test]
async fn en3_a_store_in_doubt_is_settled_by_the_shelf_and_never_stored_twice() {
    for lock in [false, true] {
        let disk = MemoryDisk::new();
        let shelf = HoldShelf::on(&disk);
        let mut kit = Kit::on(shelf.clone(), disk).await;
        let opened = open(&kit, &peer(), "a");
        shelf.end(End::Unconfirmed);
        shelf.blind(1);
        assert_eq!(code(store(&kit, peer(), &opened, b"once").await), Code::Unavailable);
        shelf.end(End::Done);
        assert_eq!(state(&kit, opened.id), EntryState::Waiting);
        let entry = EntryRef::Id(opened.id);
        assert_eq!(code(kit.engine.entry_refuse(&peer(), &entry, &submit(&opened))), Code::Conflict);
        if lock {
            kit.engine.lock(&caller(&kit.owner)).unwrap();
            kit.unlock().await;
            assert_eq!(code(store(&kit, peer(), &opened, b"twice").await), Code::AlreadyExists);
        } else {
            kit.put(&kit.owner, "b", b"x").await.unwrap();
            assert!(matches!(state(&kit, opened.id), EntryState::Stored(_)));
        }
        assert_eq!(kit.value("a").await.unwrap(), b"once");
    }
}

#[tokio::test]
async fn en3_nobody_hears_of_a_value_that_is_not_durable_yet() {
    let disk = MemoryDisk::new();
    let shelf = HoldShelf::on(&disk);
    let kit = Kit::on(shelf.clone(), disk).await;
    let opened = open(&kit, &peer(), "a");
    let mut events = kit.engine.ticket_events();
    shelf.hold();
    let (engine, proof) = (kit.engine.clone(), submit(&opened));
    let (entry, value) = (EntryRef::Id(opened.id), plain(b"v"));
    let one = tokio::spawn(async move {
        engine.entry_store(peer(), EntryStore { entry, proof, value, route: EntryRoute::IngestTty }).await
    });
    let wait = shelf.clone();
    tokio::task::spawn_blocking(move || wait.held()).await.unwrap();
    assert_eq!(state(&kit, opened.id), EntryState::Waiting);
    assert!(!events.has_changed().unwrap());
    // Taken all the same: neither refused, nor ended, nor answered by another.
    assert_eq!(code(kit.engine.entry_refuse(&peer(), &entry, &submit(&opened))), Code::Conflict);
    kit.clock.pass(Duration::from_secs(601));
    assert_eq!(state(&kit, opened.id), EntryState::Waiting);
    // A lock between stage and disk: the value is stored, the entry knows.
    kit.engine.lock(&caller(&kit.owner)).unwrap();
    shelf.release(End::Done);
    let stored = one.await.unwrap().unwrap();
    events.changed().await.unwrap();
    assert_eq!(state(&kit, opened.id), EntryState::Stored(stored));
}

#[tokio::test]
async fn en7_a_caller_that_may_not_write_can_create_and_never_replace() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "there", b"old").await.unwrap();
    let ingest = kit.token(&owner, "in", None, &["ingest on /"]).await.unwrap().token.reveal().to_owned();
    let write = kit.token(&owner, "wr", None, &["write on there"]).await.unwrap().token.reveal().to_owned();
    for who in [peer(), caller(&ingest)] {
        assert_eq!(code(kit.engine.entry_create(&who, entry("there", false))), Code::AlreadyExists);
        // With overwrite there is an entry, but nothing that would let an agent answer it.
        let opened = kit.engine.entry_create(&who, entry("there", true)).unwrap();
        assert!(opened.submit.is_none() && opened.public.is_none());
        let proof = Proof::Submit(SecretText::new(String::new()));
        let value = plain(b"mine");
        let store = EntryStore { entry: EntryRef::Id(opened.id), proof, value, route: EntryRoute::IngestTty };
        assert_eq!(code(kit.engine.entry_store(who, store).await), Code::NotFound);
    }
    assert_eq!(kit.value("there").await.unwrap(), b"old");
    // The owner's answer replaces, and so does who could write there anyway.
    let opened = kit.engine.entry_create(&peer(), entry("there", true)).unwrap();
    assert!(opened.joined);
    let stored = answer(&kit, opened.code, b"answered").await.unwrap();
    assert_eq!(stored.version, 2);
    assert_eq!(route_and_writer(&kit, "there").await, (EntryRoute::Answer, "owner".into()));
    let opened = kit.engine.entry_create(&caller(&write), entry("there", true)).unwrap();
    store(&kit, caller(&write), &opened, b"by token").await.unwrap();
    assert_eq!(route_and_writer(&kit, "there").await, (EntryRoute::IngestTty, "wr".into()));
}

#[tokio::test]
async fn en7_a_path_that_came_to_be_while_the_entry_waited_is_not_replaced() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    let opened = open(&kit, &peer(), "a");
    kit.put(&owner, "a", b"first").await.unwrap();
    assert_eq!(code(store(&kit, peer(), &opened, b"second").await), Code::AlreadyExists);
    assert_eq!(code(answer(&kit, opened.code, b"second").await), Code::AlreadyExists);
    assert_eq!(kit.value("a").await.unwrap(), b"first");
    let failed = record(&kit, "entry-store", "failed").await;
    assert_eq!(failed.items[0].path, "a");
    // It stays open; once the path is free again it can be answered.
    assert_eq!(state(&kit, opened.id), EntryState::Waiting);
    kit.run(&owner, Delete { path: path("a"), purge: false }).await.unwrap();
    assert_eq!(store(&kit, peer(), &opened, b"second").await.unwrap().version, 2);
}

#[tokio::test]
async fn en7_the_way_a_value_came_cannot_be_claimed() {
    let kit = Kit::new().await;
    let opened = open(&kit, &peer(), "a");
    let seal = || sealed(&kit, &opened, "a", false, b"v");
    let tries = [
        (peer(), submit(&opened), plain(b"v"), EntryRoute::Answer),
        (peer(), submit(&opened), plain(b"v"), EntryRoute::IngestPage),
        (peer(), submit(&opened), seal(), EntryRoute::IngestPage),
        (peer(), submit(&opened), seal(), EntryRoute::IngestTty),
        (peer(), submit(&opened), plain(b"v"), EntryRoute::Api),
        (page(), submit(&opened), plain(b"v"), EntryRoute::IngestTty),
        (page(), submit(&opened), plain(b"v"), EntryRoute::Answer),
        (page(), submit(&opened), seal(), EntryRoute::Answer),
        (caller(&kit.owner), Proof::Owner, plain(b"v"), EntryRoute::IngestTty),
        (caller(&kit.owner), Proof::Owner, seal(), EntryRoute::IngestPage),
        (caller(&kit.owner), Proof::Owner, seal(), EntryRoute::Answer),
    ];
    for (who, proof, value, route) in tries {
        let store = EntryStore { entry: EntryRef::Id(opened.id), proof, value, route };
        let error = kit.engine.entry_store(who, store).await.err().unwrap();
        assert_eq!(error.code(), Code::Forbidden, "{route}: {error}");
    }
    // The owner's answer by who is not the owner.
    let token = kit.token(&kit.owner, "t", None, &["ingest,write,read on /"]).await.unwrap().token;
    for (who, expected) in [
        (peer(), Code::Unauthorized),
        (page(), Code::Unauthorized),
        (remote(None), Code::Unauthorized),
        (caller(token.reveal()), Code::Forbidden),
    ] {
        let (entry, proof) = (EntryRef::Code(opened.code), Proof::Owner);
        let store = EntryStore { entry, proof, value: plain(b"v"), route: EntryRoute::Answer };
        assert_eq!(code(kit.engine.entry_store(who, store).await), expected);
    }
    assert!(kit.value("a").await.is_err());
    assert_eq!(state(&kit, opened.id), EntryState::Waiting);
    assert_eq!(record(&kit, "entry-store", "denied").await.identity.name.as_deref(), Some("t"));
}

#[tokio::test]
async fn en7_with_entry_require_answer_only_the_owner_enters() {
    let kit = Kit::new().await;
    let before = open(&kit, &peer(), "before");
    let set = |value: &str| SettingsChange { changes: vec![("entry.require".into(), value.into())] };
    kit.run(&kit.owner, set("answer")).await.unwrap();
    // An entry from before the change, too.
    assert_eq!(code(store(&kit, peer(), &before, b"v").await), Code::Forbidden);
    let again = open(&kit, &peer(), "before");
    assert!(again.joined && again.submit.is_none());
    let owner = caller(&kit.owner);
    for who in [peer(), caller(&kit.owner)] {
        let opened = open(&kit, &who, "after");
        assert!(opened.submit.is_none());
    }
    let views = kit.engine.entry_list(&owner).unwrap();
    assert!(views.iter().all(|view| view.answer_only) && views.len() == 3);
    answer(&kit, before.code, b"v").await.unwrap();
    // It holds while locked as well.
    kit.engine.lock(&owner).unwrap();
    assert!(open(&kit, &peer(), "locked").submit.is_none());
}

#[tokio::test]
async fn en7_a_setting_changed_between_the_two_looks_counts() {
    let disk = MemoryDisk::new();
    let shelf = HoldShelf::on(&disk);
    let kit = Kit::on(shelf.clone(), disk).await;
    let opened = open(&kit, &peer(), "a");
    shelf.hold();
    let (engine, owner) = (kit.engine.clone(), kit.owner.clone());
    let set = tokio::spawn(async move {
        let changes = vec![("entry.require".into(), "answer".into())];
        engine.run(caller(&owner), SettingsChange { changes }).await.map(drop)
    });
    let wait = shelf.clone();
    tokio::task::spawn_blocking(move || wait.held()).await.unwrap();
    let (engine, proof) = (kit.engine.clone(), submit(&opened));
    let (entry, value) = (EntryRef::Id(opened.id), plain(b"v"));
    let store = tokio::spawn(async move {
        engine.entry_store(peer(), EntryStore { entry, proof, value, route: EntryRoute::IngestTty }).await
    });
    tokio::task::yield_now().await;
    shelf.release(End::Done);
    set.await.unwrap().unwrap();
    assert_eq!(code(store.await.unwrap()), Code::Forbidden);
    assert_eq!(state(&kit, opened.id), EntryState::Waiting);
}

#[tokio::test]
async fn en7_a_token_that_ended_takes_its_entries_with_it() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    for end in ["revoked", "expired"] {
        let name = format!("t-{end}");
        let token = kit.token(&owner, &name, None, &["ingest on /"]).await.unwrap().token.reveal().to_owned();
        let opened = open(&kit, &caller(&token), end);
        if end == "revoked" {
            let who = TokenRef::parse(&name).unwrap();
            kit.run(&owner, TokenRevoke { who }).await.unwrap();
        } else {
            // The wall clock moves, the entry does not age by it.
            kit.clock.jump(3_601_000);
        }
        let refused = kit.engine.entry_state(&caller(&token), opened.id).err().unwrap();
        assert!(matches!(refused.code(), Code::TokenRevoked | Code::TokenExpired));
        // Neither the prompt, which needs no token, nor the owner stores for it any more.
        let refused = store(&kit, peer(), &opened, b"v").await.err().unwrap();
        assert!(refused.code() == Code::Forbidden && refused.message().contains("has ended"), "{refused}");
        assert_eq!(code(answer(&kit, opened.code, b"v").await), Code::Forbidden);
        assert!(kit.value(end).await.is_err());
    }
}

#[tokio::test]
async fn en7_a_session_that_ended_no_longer_replaces() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "a", b"old").await.unwrap();
    let opened = kit.engine.entry_create(&caller(&owner), entry("a", true)).unwrap();
    kit.engine.lock(&caller(&owner)).unwrap();
    let mut kit = kit;
    kit.unlock().await;
    assert_eq!(code(store(&kit, peer(), &opened, b"new").await), Code::Forbidden);
    assert_eq!(kit.value("a").await.unwrap(), b"old");
    answer(&kit, opened.code, b"new").await.unwrap();
}
