//! Tickets in the record, and what bounds them. Rows AU2, AU5.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desk;
mod hold;
mod kit;

use desk::*;
use hold::{End, HoldShelf};
use hqv_engine::ops::entry_store::EntryStore;
use hqv_engine::tickets::{KEPT_PER_CALLER, Narrowing, OPEN, OPEN_PER_CALLER, OPEN_PER_FAMILY, Proof};
use hqv_engine::{Hooks, NoHooks};
use hqv_model::*;
use hqv_store::memory::MemoryDisk;
use kit::{Kit, caller, peer};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test]
async fn au5_every_operation_on_tickets_has_its_line_allowed_and_denied() {
    let kit = Kit::new().await;
    let owner = caller(&kit.owner);
    let token = kit.token(&kit.owner, "agent", None, &["list on nowhere"]).await.unwrap().token;
    let agent = || caller(token.reveal());
    // Denied, each by a token that may not.
    assert_eq!(code(kit.engine.entry_create(&agent(), entry("a/b", false))), Code::Forbidden);
    let opened = open(&kit, &peer(), "a/b");
    let which = EntryRef::Id(opened.id);
    assert_eq!(code(kit.engine.entry_list(&agent())), Code::Forbidden);
    assert_eq!(code(kit.engine.entry_refuse(&agent(), &which, &Proof::Owner)), Code::Forbidden);
    let wrong =
        EntryStore { entry: which, proof: Proof::Owner, value: plain(b"v"), route: EntryRoute::Answer };
    assert_eq!(code(kit.engine.entry_store(agent(), wrong).await), Code::Forbidden);
    let asked = kit.engine.ask_create(&agent(), ask(&["read on a/"], None, None)).unwrap();
    assert_eq!(code(kit.engine.ask_list(&agent())), Code::Forbidden);
    let approve_self = hqv_engine::ops::ask_approve::AskApprove {
        ask: AskRef::Id(asked.id),
        fingerprint: shown(&kit, asked.code).fingerprint,
        narrower: Narrowing::default(),
    };
    assert_eq!(code(kit.engine.ask_approve(&agent(), approve_self)), Code::Forbidden);
    assert_eq!(code(kit.engine.ask_deny(&agent(), &AskRef::Id(asked.id))), Code::Forbidden);
    let early = kit.engine.ask_collect(agent(), asked.id, secret(&asked.claim)).await;
    assert_eq!(code(early), Code::Conflict);
    let mut long = ask(&["read on a/"], None, None);
    long.reason = "r".repeat(2000);
    assert_eq!(code(kit.engine.ask_create(&agent(), long)), Code::BadRequest);
    // Allowed.
    kit.engine.entry_list(&owner).unwrap();
    store(&kit, peer(), &opened, b"v").await.unwrap();
    let refused = open(&kit, &peer(), "r");
    kit.engine.entry_refuse(&owner, &EntryRef::Code(refused.code), &Proof::Owner).unwrap();
    approve(&kit, &asked, Narrowing::default()).unwrap();
    kit.engine.ask_collect(agent(), asked.id, asked.claim).await.unwrap();
    let denied = kit.engine.ask_create(&peer(), ask(&["read on a/"], None, None)).unwrap();
    kit.engine.ask_deny(&owner, &AskRef::Code(denied.code)).unwrap();
    open(&kit, &peer(), "late");
    kit.engine.ask_create(&peer(), ask(&["list on a/"], None, None)).unwrap();
    kit.clock.pass(Duration::from_secs(601));
    kit.engine.tick();
    let all = records(&kit).await;
    let ticket = |op: &&OpKind| op.as_str().starts_with("entry-") || op.as_str().starts_with("ask-");
    let ops: Vec<OpKind> = OpKind::ALL.iter().filter(ticket).copied().collect();
    assert_eq!(ops.len(), 11);
    for op in ops {
        let has = |outcome: &str| all.iter().any(|r| r.operation == op.as_str() && r.outcome == outcome);
        assert!(has("ok"), "{op} ok has no line");
        // The end of a ticket is the daemon's own doing.
        assert!(matches!(op, OpKind::EntryEnd | OpKind::AskEnd) || has("denied") || has("failed"), "{op}");
    }
    // Each about an entry names its path, and none holds a value, a secret or a claim.
    let about =
        all.iter().filter(|r| ["entry-create", "entry-store", "entry-refuse"].contains(&&*r.operation));
    assert!(about.clone().count() >= 6);
    assert!(about.clone().all(|r| !r.items.is_empty()));
    let text = format!("{all:?}");
    let submit = opened.submit.as_ref().unwrap().reveal().to_owned();
    assert!(!text.contains(&submit) && !text.contains(denied.claim.reveal()));
}

#[tokio::test]
async fn a_thousand_entries_at_once_are_refused_to_their_caller_alone() {
    let kit = Kit::new().await;
    let mut opened = 0;
    for n in 0..1000 {
        match kit.engine.entry_create(&peer(), entry(&format!("flood/{n}"), false)) {
            Ok(_) => opened += 1,
            Err(error) => {
                assert_eq!((error.code(), error.retry_after_secs()), (Code::RateLimited, Some(60)));
                assert!(error.hint_text().is_some());
            }
        }
    }
    assert_eq!(opened, OPEN_PER_CALLER);
    // Asks count with entries, and the others are served.
    assert_eq!(code(kit.engine.ask_create(&peer(), ask(&["read on a"], None, None))), Code::RateLimited);
    let token = kit.token(&kit.owner, "t", None, &["ingest on /"]).await.unwrap().token;
    open(&kit, &caller(token.reveal()), "mine");
    open(&kit, &caller(&kit.owner), "owner");
    // What was there already is still joined, and answering makes room.
    let first = open(&kit, &peer(), "flood/0");
    assert!(first.joined);
    store(&kit, peer(), &first, b"v").await.unwrap();
    open(&kit, &peer(), "flood/1000");
    // The flood left a line for each entry and one count, not a thousand lines.
    kit.engine.tick();
    let lines = records(&kit).await;
    assert!(lines.len() < 60, "{}", lines.len());
    assert!(
        lines.iter().any(|r| r.operation == "refused" && r.detail.as_ref().unwrap().contains("RATE_LIMITED"))
    );
}

#[tokio::test]
async fn a_family_of_tokens_does_not_take_all_the_room() {
    let kit = Kit::new().await;
    let parent = kit.token(&kit.owner, "p", None, &["ingest,delegate on /"]).await.unwrap().token;
    let mut opened = 0;
    for child in 0..6 {
        let token = kit.token(parent.reveal(), &format!("c{child}"), None, &["ingest on /"]).await.unwrap();
        for n in 0..OPEN_PER_CALLER {
            let new = entry(&format!("{child}/{n}"), false);
            opened += usize::from(kit.engine.entry_create(&caller(token.token.reveal()), new).is_ok());
        }
    }
    assert_eq!(opened, OPEN_PER_FAMILY);
    for other in 0..6 {
        let token = kit.token(&kit.owner, &format!("o{other}"), None, &["ingest on /"]).await.unwrap().token;
        for n in 0..OPEN_PER_CALLER {
            let new = entry(&format!("o/{other}/{n}"), false);
            opened += usize::from(kit.engine.entry_create(&caller(token.reveal()), new).is_ok());
        }
    }
    assert_eq!(opened, OPEN);
    // The owner always finds room.
    open(&kit, &caller(&kit.owner), "owner");
    kit.clock.pass(Duration::from_secs(600));
    open(&kit, &peer(), "after");
}

#[tokio::test]
async fn opening_and_refusing_in_turns_is_bounded_too() {
    let kit = Kit::new().await;
    let mut made = 0;
    let limited = loop {
        match kit.engine.entry_create(&peer(), entry(&format!("e/{made}"), false)) {
            Ok(opened) => {
                made += 1;
                kit.engine.entry_refuse(&peer(), &EntryRef::Id(opened.id), &submit(&opened)).unwrap();
            }
            Err(error) => break error,
        }
    };
    assert_eq!((made, limited.code()), (KEPT_PER_CALLER, Code::RateLimited));
    open(&kit, &caller(&kit.owner), "owner");
    // One that is joined again and again is never refused, and recorded so often and then once a second.
    let opened = open(&kit, &caller(&kit.owner), "again");
    let join =
        |times: usize| (0..times).for_each(|_| assert!(open(&kit, &caller(&kit.owner), "again").joined));
    let said = format!("entry {} {} joined", opened.code, opened.id);
    let recorded =
        async || records(&kit).await.iter().filter(|line| line.detail.as_deref() == Some(&said)).count();
    join(300);
    assert_eq!(recorded().await, 256);
    kit.clock.pass(Duration::from_secs(1));
    join(300);
    assert_eq!(recorded().await, 257);
    assert_eq!(opened.code, kit.engine.entry_list(&caller(&kit.owner)).unwrap()[1].code);
}

#[tokio::test]
async fn au2_guesses_at_a_secret_are_recorded_a_few_times_and_counted_after() {
    let kit = Kit::new().await;
    let opened = open(&kit, &peer(), "a");
    for n in 0..500 {
        let proof = Proof::Submit(SecretText::new(format!("{n:043}")));
        let entry = EntryRef::Id(opened.id);
        let guess = EntryStore { entry, proof, value: plain(b"v"), route: EntryRoute::IngestTty };
        assert_eq!(code(kit.engine.entry_store(peer(), guess).await), Code::NotFound);
    }
    kit.engine.tick();
    let all = records(&kit).await;
    let lines: Vec<_> = all.iter().filter(|r| r.operation == "entry-store").collect();
    assert_eq!(lines.len(), 8);
    assert!(lines.iter().all(|r| r.outcome == "failed" && r.items[0].path == "a"));
    let counted = all.iter().find(|r| r.operation == "refused").unwrap().detail.as_deref().unwrap();
    assert!(counted.starts_with("492 refused"), "{counted}");
    store(&kit, peer(), &opened, b"v").await.unwrap();
}

/// Without the secret nothing waits for the disk: the writer is stopped, and each guess is answered all the same.
#[tokio::test]
async fn values_without_the_secret_never_reach_the_writer() {
    let disk = MemoryDisk::new();
    let shelf = HoldShelf::on(&disk);
    let kit = Kit::on(shelf.clone(), disk).await;
    let opened = open(&kit, &peer(), "a");
    let asked = kit.engine.ask_create(&peer(), ask(&["read on a"], None, None)).unwrap();
    approve(&kit, &asked, Narrowing::default()).unwrap();
    shelf.hold();
    let held = tokio::spawn({
        let (engine, owner) = (kit.engine.clone(), kit.owner.clone());
        async move { engine.run(caller(&owner), kit::put("b", b"x")).await.map(drop) }
    });
    let wait = shelf.clone();
    tokio::task::spawn_blocking(move || wait.held()).await.unwrap();
    for _ in 0..100 {
        let proof = Proof::Submit(SecretText::new("A".repeat(43)));
        let value = plain(&vec![0; 1 << 20]);
        let entry = EntryRef::Id(opened.id);
        let guess = EntryStore { entry, proof, value, route: EntryRoute::IngestTty };
        assert_eq!(code(kit.engine.entry_store(peer(), guess).await), Code::NotFound);
        let claim = SecretText::new("A".repeat(43));
        assert_eq!(code(kit.engine.ask_collect(peer(), asked.id, claim).await), Code::Forbidden);
    }
    shelf.release(End::Done);
    held.await.unwrap().unwrap();
}

#[derive(Default)]
struct Bell(Mutex<Vec<(Option<String>, String)>>);

impl Hooks for Bell {
    fn leaf_due(&self, now: Timestamp, names: &[String], ca: &[u8]) -> bool {
        NoHooks.leaf_due(now, names, ca)
    }
    fn new_leaf(&self, ca: &[u8], leaf: hqv_engine::Leaf) {
        NoHooks.new_leaf(ca, leaf);
    }
    fn notify(&self, command: Option<&str>, code: &str) {
        self.0.lock().unwrap().push((command.map(str::to_owned), code.to_owned()));
    }
}

#[tokio::test]
async fn a_person_is_told_once_of_each_new_ticket_with_the_code_alone() {
    let bell = Arc::new(Bell::default());
    let kit = Kit::with_hooks(bell.clone()).await;
    let first = open(&kit, &peer(), "a");
    assert!(open(&kit, &peer(), "a").joined);
    let changes = vec![("notify.command".to_owned(), "/usr/bin/tell-me".to_owned())];
    kit.run(&kit.owner, hqv_engine::ops::settings_change::SettingsChange { changes }).await.unwrap();
    let second = kit.engine.ask_create(&peer(), ask(&["read on a"], None, None)).unwrap();
    kit.engine.ask_create(&peer(), ask(&["read on a"], None, None)).unwrap();
    kit.engine.lock(&caller(&kit.owner)).unwrap();
    let third = open(&kit, &peer(), "while/locked");
    let command = || Some("/usr/bin/tell-me".to_owned());
    let told = [
        (None, first.code.to_string()),
        (command(), second.code.to_string()),
        (command(), third.code.to_string()),
    ];
    assert_eq!(*bell.0.lock().unwrap(), told);
}

/// What was set holds for a daemon that starts locked, and a vault that never set it keeps its row as it was.
#[tokio::test]
async fn what_was_set_is_obeyed_by_a_daemon_that_starts_locked() {
    let mut kit = Kit::new().await;
    let set = |key: &str, value: &str| hqv_engine::ops::settings_change::SettingsChange {
        changes: vec![(key.into(), value.into())],
    };
    kit.run(&kit.owner, set("entry.require", "answer")).await.unwrap();
    kit.run(&kit.owner, set("notify.command", "/usr/bin/tell-me")).await.unwrap();
    let status = kit.engine.status(&peer()).unwrap();
    assert!(status.warnings.iter().any(|w| w.contains("/usr/bin/tell-me")), "{:?}", status.warnings);
    kit.restart().await;
    let settings = kit.engine.locked_settings();
    assert_eq!(settings.entry_require, hqv_engine::EntryRequire::Answer);
    assert_eq!(settings.notify_command.as_deref(), Some("/usr/bin/tell-me"));
    assert!(open(&kit, &peer(), "a").submit.is_none());
    kit.unlock().await;
    kit.run(&kit.owner, set("entry.require", "any")).await.unwrap();
    kit.run(&kit.owner, set("notify.command", "")).await.unwrap();
    kit.restart().await;
    let settings = kit.engine.locked_settings();
    assert_eq!((settings.entry_require, settings.notify_command), (hqv_engine::EntryRequire::Any, None));
    assert!(open(&kit, &peer(), "a").submit.is_some());
}
