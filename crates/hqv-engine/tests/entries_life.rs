//! The life of an entry: while the vault is locked, how it ends, who joins and follows it, and what is told of it.
//! Row EN6. Who may answer it is in `entries.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desk;
mod kit;

use desk::*;
use hqv_engine::ops::delete::Delete;
use hqv_engine::ops::entry_store::EntryStore;
use hqv_engine::ops::show::Show;
use hqv_engine::tickets::{EntryState, Proof};
use hqv_model::*;
use kit::{Kit, caller, path, peer, remote};
use std::sync::Arc;
use std::time::Duration;

fn state(kit: &Kit, id: EntryId) -> EntryState {
    kit.engine.entry_state(&peer(), id).unwrap()
}

async fn route_and_writer(kit: &Kit, at: &str) -> (EntryRoute, String) {
    let shown = kit.run(&kit.owner, Show { path: path(at) }).await.unwrap();
    (shown.versions[0].route, shown.versions[0].by.clone())
}

#[tokio::test]
async fn a_locked_vault_takes_entries_on_the_socket_and_stores_nothing() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    let token = kit.token(&owner, "t", None, &["ingest on /"]).await.unwrap().token.reveal().to_owned();
    let early = open(&kit, &caller(&token), "early");
    kit.engine.lock(&caller(&owner)).unwrap();
    let late = open(&kit, &peer(), "late");
    // Its own entry from before the lock is found by what it brings, though nobody can judge it now.
    assert_eq!(kit.engine.entry_state(&caller(&token), early.id).unwrap(), EntryState::Waiting);
    assert!(open(&kit, &caller(&token), "early").joined);
    let during = open(&kit, &caller(&token), "during");
    for opened in [&early, &late] {
        assert_eq!(code(store(&kit, peer(), opened, b"v").await), Code::VaultLocked);
        assert_eq!(code(answer(&kit, opened.code, b"v").await), Code::VaultLocked);
        let entry = EntryRef::Id(opened.id);
        let seen = kit.engine.entry_about(&page(), &entry, &submit(opened)).unwrap();
        assert_eq!((seen.exists, seen.state), (None, EntryState::Waiting));
        let store = EntryStore {
            entry,
            proof: submit(opened),
            value: sealed(&kit, opened, seen.path.as_str(), false, b"v"),
            route: EntryRoute::IngestPage,
        };
        assert_eq!(code(kit.engine.entry_store(page(), store).await), Code::VaultLocked);
    }
    assert_eq!(code(kit.engine.entry_list(&caller(&owner))), Code::VaultLocked);
    // Over the network nothing is taken, known or not.
    assert_eq!(code(kit.engine.entry_create(&remote(Some(&token)), entry("x", false))), Code::VaultLocked);
    assert_eq!(code(kit.engine.entry_create(&remote(None), entry("x", false))), Code::Unauthorized);
    // What is refused while locked is over.
    let refused = open(&kit, &peer(), "refused");
    kit.engine.entry_refuse(&peer(), &EntryRef::Id(refused.id), &submit(&refused)).unwrap();
    kit.unlock().await;
    assert_eq!(state(&kit, refused.id), EntryState::Refused);
    store(&kit, peer(), &late, b"v").await.unwrap();
    store(&kit, peer(), &early, b"v").await.unwrap();
    assert_eq!(route_and_writer(&kit, "early").await.1, "t");
    // Opened while locked by who brought a token: the same token finds it, and it may create.
    assert!(open(&kit, &caller(&token), "during").joined);
    store(&kit, peer(), &during, b"v").await.unwrap();
    assert_eq!(route_and_writer(&kit, "during").await.1, "test");
}

#[tokio::test]
async fn an_entry_lives_ten_minutes_of_the_boot_clock_and_ends_once() {
    let kit = Kit::new().await;
    let opened = open(&kit, &peer(), "a");
    // Somebody sets the wall clock, either way: nothing ends, nothing lives longer.
    kit.clock.jump(86_400_000);
    kit.engine.tick();
    assert_eq!(state(&kit, opened.id), EntryState::Waiting);
    kit.clock.jump(-2 * 86_400_000);
    kit.clock.pass(Duration::from_secs(599));
    kit.engine.tick();
    assert_eq!(state(&kit, opened.id), EntryState::Waiting);
    let mut events = kit.engine.ticket_events();
    kit.clock.pass(Duration::from_secs(1));
    kit.engine.tick();
    assert!(events.has_changed().unwrap());
    events.mark_unchanged();
    for _ in 0..3 {
        kit.engine.tick();
        assert_eq!(state(&kit, opened.id), EntryState::Expired);
    }
    assert!(!events.has_changed().unwrap());
    assert_eq!(code(store(&kit, peer(), &opened, b"v").await), Code::Conflict);
    let ends: Vec<_> = records(&kit).await.into_iter().filter(|r| r.operation == "entry-end").collect();
    assert_eq!(ends.len(), 1);
    assert_eq!((ends[0].identity.kind.as_str(), ends[0].items[0].path.as_str()), ("daemon", "a"));
    // The same command asks anew, and what ended is forgotten in time.
    assert!(!open(&kit, &peer(), "a").joined);
    kit.clock.pass(Duration::from_secs(600));
    assert_eq!(code(kit.engine.entry_state(&peer(), opened.id)), Code::NotFound);
}

#[tokio::test]
async fn the_same_command_run_again_joins_and_hears_how_it_ended() {
    let kit = Kit::new().await;
    let opened = open(&kit, &peer(), "a");
    let again = open(&kit, &other_peer(), "a");
    assert!(again.joined && again.id == opened.id && again.code == opened.code);
    assert_eq!(again.submit.as_ref().unwrap().reveal(), opened.submit.as_ref().unwrap().reveal());
    // Another wish is another entry.
    let mut typed = entry("a", false);
    typed.kind = Some(SecretType::ApiKey);
    assert_ne!(kit.engine.entry_create(&peer(), typed).unwrap().id, opened.id);
    assert_ne!(kit.engine.entry_create(&peer(), entry("a", true)).unwrap().id, opened.id);
    let token = kit.token(&kit.owner, "t", None, &["ingest on a"]).await.unwrap().token;
    assert_ne!(open(&kit, &caller(token.reveal()), "a").id, opened.id);
    let stored = store(&kit, peer(), &opened, b"v").await.unwrap();
    let after = open(&kit, &peer(), "a");
    assert!(after.joined && after.submit.is_none() && after.public.is_none());
    assert_eq!(after.state, EntryState::Stored(stored));
    // The secret went away again: that confirmation would no longer be true.
    kit.run(&kit.owner, Delete { path: path("a"), purge: false }).await.unwrap();
    assert!(!open(&kit, &peer(), "a").joined);
    // After ten minutes nobody joins.
    let refused = open(&kit, &peer(), "r");
    kit.engine.entry_refuse(&caller(&kit.owner), &EntryRef::Code(refused.code), &Proof::Owner).unwrap();
    assert_eq!(open(&kit, &peer(), "r").state, EntryState::Refused);
    kit.clock.pass(Duration::from_secs(600));
    assert_eq!(open(&kit, &peer(), "r").state, EntryState::Waiting);
}

#[tokio::test]
async fn only_its_own_caller_and_the_owner_may_follow_an_entry() {
    let kit = Kit::new().await;
    let (one, two) = (
        kit.token(&kit.owner, "one", None, &["ingest on /"]).await.unwrap().token,
        kit.token(&kit.owner, "two", None, &["ingest on /"]).await.unwrap().token,
    );
    let opened = open(&kit, &caller(one.reveal()), "a");
    assert!(kit.engine.entry_state(&caller(one.reveal()), opened.id).is_ok());
    assert!(kit.engine.entry_state(&remote(Some(one.reveal())), opened.id).is_ok());
    assert!(kit.engine.entry_state(&caller(&kit.owner), opened.id).is_ok());
    for who in [peer(), caller(two.reveal()), page(), remote(None)] {
        assert!(matches!(code(kit.engine.entry_state(&who, opened.id)), Code::NotFound | Code::Unauthorized));
    }
    // A secret alone does nothing over the network without somebody who stands behind it.
    assert_eq!(
        code(kit.engine.entry_about(&remote(None), &EntryRef::Id(opened.id), &submit(&opened))),
        Code::Unauthorized
    );
    assert_eq!(code(store(&kit, remote(None), &opened, b"v").await), Code::Unauthorized);
    assert_eq!(code(kit.engine.entry_create(&page(), entry("x", false))), Code::Unauthorized);
    store(&kit, remote(Some(one.reveal())), &opened, b"v").await.unwrap();
}

#[tokio::test]
async fn en6_empty_too_long_and_binary_values_have_their_answers() {
    let kit = Kit::new().await;
    let opened = open(&kit, &peer(), "a");
    let long = vec![0xff; (1 << 20) + 1];
    assert_eq!(code(store(&kit, peer(), &opened, &long).await), Code::TooLarge);
    for value in [&b""[..], &long] {
        let store = EntryStore {
            entry: EntryRef::Id(opened.id),
            proof: submit(&opened),
            value: sealed(&kit, &opened, "a", false, value),
            route: EntryRoute::IngestPage,
        };
        let refused = code(kit.engine.entry_store(page(), store).await);
        assert_eq!(refused, if value.is_empty() { Code::BadRequest } else { Code::TooLarge });
    }
    let whole = &long[..1 << 20];
    assert_eq!(store(&kit, peer(), &opened, whole).await.unwrap().bytes, 1 << 20);
    assert_eq!(kit.value("a").await.unwrap(), whole);
    // Nothing at all is a value where it is meant, which the prompt asks and the page cannot.
    let meant = open(&kit, &peer(), "empty");
    assert_eq!(store(&kit, peer(), &meant, b"").await.unwrap().bytes, 0);
    assert_eq!(kit.value("empty").await.unwrap(), b"");
    let mut described = entry("b", false);
    described.description = Some("d".repeat(1025));
    assert_eq!(code(kit.engine.entry_create(&peer(), described)), Code::BadRequest);
}

#[tokio::test]
async fn what_a_person_is_shown_is_the_whole_request() {
    let kit = Kit::new().await;
    let mut new = entry("a/b", true);
    new.kind = Some(SecretType::ApiKey);
    new.description = Some("for \u{1b}[2J".into());
    new.asker.directory = Some("/home/me/\u{202e}project".into());
    let opened = kit.engine.entry_create(&peer(), new).unwrap();
    let seen =
        kit.engine.entry_about(&caller(&kit.owner), &EntryRef::Code(opened.code), &Proof::Owner).unwrap();
    assert_eq!((seen.id, seen.code, seen.path.as_str()), (opened.id, opened.code, "a/b"));
    assert_eq!((seen.kind, seen.overwrite, seen.exists), (Some(SecretType::ApiKey), true, Some(false)));
    assert_eq!(seen.vault, kit.engine.vault().unwrap());
    assert_eq!(seen.by.who.label(), "test (no token, uid 1000, pid 42)");
    assert_eq!(seen.by.claims.directory.as_deref(), Some("/home/me/\\u{202e}project"));
    assert_eq!(seen.expires, opened.expires);
    assert_eq!(seen.expires.since(seen.opened), Duration::from_secs(600));
    assert!(seen.answer_only);
    assert_eq!(record(&kit, "entry-list", "ok").await.items[0].path, "a/b");
    // The code of an ask is told from one of nothing.
    let asked = kit.engine.ask_create(&peer(), ask(&["read on a/"], None, None)).unwrap();
    let error = answer(&kit, asked.code, b"v").await.err().unwrap();
    assert_eq!(error.hint_text(), Some(format!("hq-vault approve {}", asked.code).as_str()));
}

#[tokio::test]
async fn an_entry_keeps_what_stands_beside_a_value_that_it_replaces() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    let mut first = kit::put("a", b"v");
    first.kind = Some(SecretType::Password);
    first.description = Some("old words".into());
    first.tags = Some([("team".to_owned(), "x".to_owned())].into());
    kit.run(&owner, first).await.unwrap();
    let opened = kit.engine.entry_create(&peer(), entry("a", true)).unwrap();
    let stored = answer(&kit, opened.code, b"w").await.unwrap();
    assert_eq!(stored.kind, SecretType::Password);
    let shown = kit.run(&owner, Show { path: path("a") }).await.unwrap();
    assert_eq!((shown.view.meta.description.as_str(), shown.view.meta.tags.len()), ("old words", 1));
}

#[tokio::test]
async fn a_record_that_cannot_be_written_opens_no_entry_and_stores_nothing() {
    let kit = Kit::new().await;
    let opened = open(&kit, &peer(), "a");
    let dir = kit.dir.path().to_owned();
    std::fs::remove_dir_all(&dir).unwrap();
    std::fs::write(&dir, b"").unwrap();
    kit.clock.pass(Duration::from_secs(2));
    kit.engine.tick();
    assert_eq!(code(kit.engine.entry_create(&peer(), entry("b", false))), Code::Unavailable);
    assert_eq!(code(store(&kit, peer(), &opened, b"v").await), Code::Unavailable);
    std::fs::remove_file(&dir).unwrap();
    std::fs::create_dir(&dir).unwrap();
    let engine = Arc::new(kit.engine.clone());
    assert_eq!(engine.entry_state(&peer(), opened.id).unwrap(), EntryState::Waiting);
}
