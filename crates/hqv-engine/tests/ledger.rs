//! The exposure ledger and `burn`: who had what, also after a kill at any moment; what a burn marks and what clears it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kit;

use hqv_engine::Exposure;
use hqv_engine::SlotSecret;
use hqv_engine::ops::batch::{Batch, BatchWhich};
use hqv_engine::ops::burn::Burnt;
use hqv_engine::ops::copy::Copy;
use hqv_engine::ops::delete::Delete;
use hqv_engine::ops::exposed::{ExposedFilter, Fate};
use hqv_engine::ops::list::List;
use hqv_engine::ops::mv::Move;
use hqv_engine::ops::show::Show;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_model::{Code, Error, Kind, Prefix, TokenRef};
use hqv_store::Shelf;
use hqv_store::faults::{Fault, FaultShelf};
use hqv_store::memory::{MemoryDisk, MemoryShelf};
use kit::{Kit, PASSPHRASE, caller, passphrase, path, peer, put};
use std::sync::Arc;
use std::time::Duration;

fn who(text: &str) -> TokenRef {
    TokenRef::parse(text).unwrap()
}

async fn ask(kit: &Kit, filter: ExposedFilter) -> Result<Vec<Exposure>, Error> {
    let filter = ExposedFilter { limit: 10_000, ..filter };
    kit.engine.exposed(caller(&kit.owner), filter).await.map(|page| page.lines)
}

async fn all(kit: &Kit) -> Vec<Exposure> {
    ask(kit, ExposedFilter::default()).await.unwrap()
}

async fn burn(kit: &Kit, name: &str, dry: bool) -> Result<Burnt, Error> {
    kit.engine.burn(caller(&kit.owner), who(name), dry).await
}

/// What lines say, short: who, path, version, access, ways.
fn said(lines: &[Exposure]) -> Vec<String> {
    let one = |l: &Exposure| {
        let who = if l.name.is_empty() { l.by } else { &l.name };
        format!("{who} {} v{} {} {}", l.path, l.version, l.access.as_str(), l.channels.join("+"))
    };
    lines.iter().map(one).collect()
}

/// A family of three below the owner, and another token, over three secrets.
async fn house() -> (Kit, [String; 3]) {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    for at in ["app/a", "app/b", "app/c"] {
        kit.put(&owner, at, b"1").await.unwrap();
    }
    let boss = kit.token(&owner, "boss", None, &["read,list,write,delegate on app/"]).await.unwrap();
    let boss = boss.token.reveal().to_owned();
    let worker = kit.token(&boss, "worker", None, &["read on app/"]).await.unwrap().token.reveal().to_owned();
    let other =
        kit.token(&owner, "other", Some(9), &["read on app/"]).await.unwrap().token.reveal().to_owned();
    kit.clock.pass(Duration::from_secs(1));
    (kit, [boss, worker, other])
}

#[tokio::test]
async fn it_tells_who_had_which_version_and_how() {
    let (kit, [boss, worker, other]) = house().await;
    kit.get(&worker, "app/a").await.unwrap();
    kit.clock.pass(Duration::from_secs(5));
    kit.run(&worker, Batch { which: BatchWhich::Paths(vec![path("app/a")]) }).await.unwrap();
    kit.get(&other, "app/b").await.unwrap();
    kit.put(&boss, "app/c", b"2").await.unwrap();
    assert!(kit.get(&worker, "app/none").await.is_err());
    let lines = all(&kit).await;
    assert_eq!(
        said(&lines),
        [
            "session app/a v1 written put",
            "boss/worker app/a v1 exposed get+batch",
            "session app/b v1 written put",
            "other app/b v1 exposed get",
            "session app/c v1 written put",
            "boss app/c v2 written put",
        ]
    );
    let worked = &lines[1];
    assert_eq!(worked.last.millis() - worked.first.millis(), 5_000);
    assert!(lines.iter().all(|line| line.seen));
    assert_eq!((lines[4].fate, lines[5].fate), (Fate::Replaced, Fate::Current));
    let family = ExposedFilter { token: Some(who("boss")), ..ExposedFilter::default() };
    assert_eq!(said(&ask(&kit, family).await.unwrap()).len(), 2);
    let path = Prefix::parse("app/b").unwrap();
    let below = ExposedFilter { path: Some(path), ..ExposedFilter::default() };
    assert_eq!(ask(&kit, below).await.unwrap().len(), 2);
    let late = ExposedFilter { since: Some(worked.last), ..ExposedFilter::default() };
    assert_eq!(ask(&kit, late).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_page_says_where_the_next_begins() {
    let (kit, [_, worker, _]) = house().await;
    for at in ["app/a", "app/b", "app/c"] {
        kit.get(&worker, at).await.unwrap();
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let filter = ExposedFilter { limit: 2, after, ..ExposedFilter::default() };
        let page = kit.engine.exposed(caller(&kit.owner), filter).await.unwrap();
        seen.extend(said(&page.lines));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, said(&all(&kit).await));
    let filter = ExposedFilter { limit: 2, after: Some("zz".into()), ..ExposedFilter::default() };
    let refused = kit.engine.exposed(caller(&kit.owner), filter).await.err().unwrap();
    assert_eq!(refused.code(), Code::BadRequest);
}

#[tokio::test]
async fn it_is_the_owners_and_asking_is_recorded() {
    let (kit, [boss, ..]) = house().await;
    let refused = kit.engine.exposed(caller(&boss), ExposedFilter::default()).await.err().unwrap();
    assert_eq!(refused.code(), Code::Forbidden);
    let refused = kit.engine.burn(caller(&boss), who("worker"), false).await.err().unwrap();
    assert_eq!(refused.code(), Code::Forbidden);
    let refused = kit.engine.exposed(peer(), ExposedFilter::default()).await.err().unwrap();
    assert_eq!(refused.code(), Code::Unauthorized);
    let unknown = ExposedFilter { token: Some(who("nobody-here")), ..ExposedFilter::default() };
    assert_eq!(ask(&kit, unknown).await.err().unwrap().code(), Code::NotFound);
    all(&kit).await;
    let read = hqv_engine::ops::audit_read::AuditRead { filter: Default::default() };
    let records = kit.run(&kit.owner, read).await.unwrap().last(100, None).unwrap().records;
    let has = |op: &str, outcome: &str| records.iter().any(|r| r.operation == op && r.outcome == outcome);
    assert!(has("exposed", "ok") && has("exposed", "denied") && has("exposed", "failed"));
    assert!(has("burn", "denied"));
}

#[tokio::test]
async fn it_is_whole_after_a_kill_and_after_a_lock() {
    let (mut kit, [_, worker, other]) = house().await;
    kit.get(&worker, "app/a").await.unwrap();
    kit.crash().await;
    kit.unlock().await;
    kit.get(&other, "app/b").await.unwrap();
    kit.engine.lock(&caller(&kit.owner)).unwrap();
    kit.unlock().await;
    let before = said(&all(&kit).await);
    assert!(before.contains(&"boss/worker app/a v1 exposed get".to_owned()), "{before:?}");
    assert!(before.contains(&"other app/b v1 exposed get".to_owned()));
    // What is stored stays, and nothing is told twice.
    kit.crash().await;
    kit.unlock().await;
    assert_eq!(said(&all(&kit).await), before);
    kit.restart().await;
    kit.unlock().await;
    assert_eq!(said(&all(&kit).await), before);
    assert!(kit.engine.vault_check(caller(&kit.owner)).await.unwrap().faults.is_empty());
}

/// A vault that was used before it had a ledger: there is no note, and all is in the record.
#[tokio::test]
async fn a_ledger_is_made_of_a_record_that_is_older() {
    let (mut kit, [_, worker, _]) = house().await;
    kit.get(&worker, "app/a").await.unwrap();
    kit.crash().await;
    kit.unlock().await;
    assert_eq!(all(&kit).await.len(), 4);
}

#[tokio::test]
async fn a_process_that_dies_at_any_step_of_storing_loses_nothing() {
    let mut fired = 0;
    for step in 1..60 {
        let disk = MemoryDisk::new();
        let faults = Arc::new(FaultShelf::new(Arc::new(MemoryShelf::open(&disk))));
        let mut kit = Kit::on(faults.clone() as Arc<dyn Shelf>, disk).await;
        let owner = kit.owner.clone();
        kit.put(&owner, "a", b"1").await.unwrap();
        kit.put(&owner, "b", b"1").await.unwrap();
        kit.get(&owner, "a").await.unwrap();
        all(&kit).await;
        kit.get(&owner, "a").await.unwrap();
        kit.get(&owner, "b").await.unwrap();
        faults.arm(step, if step % 2 == 0 { Fault::Stop } else { Fault::Fail(hqv_store::StoreError::Full) });
        let told = ask(&kit, ExposedFilter::default()).await;
        let hit = faults.fired().is_some();
        assert!(hit || told.is_ok());
        if step % 2 == 1 {
            faults.heal();
            // The shelf is well again: so is the ledger, without a restart.
            assert_eq!(all(&kit).await.len(), 4, "step {step}");
        }
        kit.crash().await;
        kit.unlock().await;
        let lines = all(&kit).await;
        assert_eq!(lines.len(), 4, "step {step}");
        assert!(kit.engine.vault_check(caller(&kit.owner)).await.unwrap().faults.is_empty());
        fired += usize::from(hit);
    }
    assert!(fired > 5, "only {fired} steps were met");
}

#[tokio::test]
async fn cr1_rows_put_back_or_taken_away_are_found_when_the_ledger_is_opened() {
    for put_back in [true, false] {
        let (mut kit, [_, worker, _]) = house().await;
        kit.get(&worker, "app/a").await.unwrap();
        all(&kit).await;
        let old: Vec<_> = kit.disk.rows().into_iter().filter(|r| r.header.kind == Kind::Ledger).collect();
        kit.clock.pass(Duration::from_secs(1));
        kit.get(&worker, "app/a").await.unwrap();
        all(&kit).await;
        let now: Vec<_> = kit.disk.rows().into_iter().filter(|r| r.header.kind == Kind::Ledger).collect();
        let changed = old.iter().find(|o| o.header.id.as_bytes().len() == 32 && !now.contains(o)).unwrap();
        if put_back {
            kit.disk.tamper_put((*changed).clone());
        } else {
            kit.disk.tamper_remove(Kind::Ledger, &changed.header.id);
        }
        kit.crash().await;
        kit.unlock().await;
        let refused = ask(&kit, ExposedFilter::default()).await.err().unwrap();
        assert_eq!(refused.code(), Code::Internal);
        let faults = kit.engine.vault_check(caller(&kit.owner)).await.unwrap().faults;
        assert!(faults.iter().any(|fault| fault.contains("Ledger")), "{faults:?}");
        // Reading and writing secrets goes on: the ledger is an index.
        assert_eq!(kit.value("app/a").await.unwrap(), b"1");
    }
}

#[tokio::test]
async fn nothing_of_it_stands_in_clear_in_the_store() {
    let (kit, [_, worker, _]) = house().await;
    kit.get(&worker, "app/a").await.unwrap();
    all(&kit).await;
    let rows: Vec<_> = kit.disk.rows().into_iter().filter(|r| r.header.kind == Kind::Ledger).collect();
    assert_eq!(rows.len(), 5);
    for row in &rows {
        let clear = [row.header.id.as_bytes(), &row.body].concat();
        for word in ["app/a", "worker", "boss", "get"] {
            assert!(!clear.windows(word.len()).any(|w| w == word.as_bytes()));
        }
    }
    // Ids say nothing either: no eight bytes of one come again in another.
    let ids: Vec<_> = rows.iter().map(|row| row.header.id).filter(|id| id.as_bytes().len() == 32).collect();
    for (at, one) in ids.iter().enumerate() {
        for two in ids.iter().skip(at + 1) {
            assert!(!one.as_bytes().windows(8).any(|w| two.as_bytes().windows(8).any(|v| v == w)));
        }
    }
}

async fn marked(kit: &Kit, at: &str) -> bool {
    let shown = kit.run(&kit.owner, Show { path: path(at) }).await.unwrap().view.exposed_since;
    let list = List { prefix: Prefix::everything(), kind: None, tag: None, limit: 100, after: None };
    let listed = kit.run(&kit.owner, list).await.unwrap().open().unwrap().entries;
    let listed = listed.iter().find(|entry| entry.path == path(at)).unwrap().exposed_since;
    assert_eq!(shown, listed);
    shown.is_some()
}

fn exposed_secrets(kit: &Kit) -> u64 {
    kit.engine.status(&caller(&kit.owner)).unwrap().owner.unwrap().exposed
}

#[tokio::test]
async fn a_burn_ends_the_family_and_marks_what_it_had_until_a_new_version() {
    let (mut kit, [boss, worker, other]) = house().await;
    kit.get(&worker, "app/a").await.unwrap();
    kit.get(&other, "app/b").await.unwrap();
    kit.get(&worker, "app/c").await.unwrap();
    kit.put(&kit.owner.clone(), "app/c", b"2").await.unwrap();
    let plan = burn(&kit, "boss", true).await.unwrap();
    assert_eq!((plan.ended, plan.marked, plan.had.len()), (2, 0, 2));
    kit.get(&worker, "app/a").await.unwrap();
    assert!(!marked(&kit, "app/a").await);
    let done = burn(&kit, "boss", false).await.unwrap();
    let had: Vec<_> = done.had.iter().map(|h| (&*h.path, h.version, h.fate)).collect();
    assert_eq!(had, [("app/a", 1, Fate::Current), ("app/c", 1, Fate::Replaced)]);
    assert_eq!((done.ended, done.marked, &*done.ancestry), (2, 1, "boss"));
    assert_eq!(&*done.had[0].by[0], "boss/worker");
    for token in [&boss, &worker] {
        assert_eq!(kit.get(token, "app/a").await.err().unwrap().code(), Code::TokenRevoked);
    }
    kit.get(&other, "app/a").await.unwrap();
    assert!(marked(&kit, "app/a").await && !marked(&kit, "app/b").await && !marked(&kit, "app/c").await);
    assert_eq!(exposed_secrets(&kit), 1);
    kit.crash().await;
    kit.unlock().await;
    assert!(marked(&kit, "app/a").await);
    assert_eq!(exposed_secrets(&kit), 1);
    let lines = all(&kit).await;
    assert!(lines.iter().filter(|l| &*l.path == "app/a").all(|l| l.exposed_since.is_some()));
    // Burning again finds the same; a new version clears the mark.
    assert_eq!(burn(&kit, "boss", false).await.unwrap().marked, 1);
    kit.put(&kit.owner.clone(), "app/a", b"2").await.unwrap();
    assert!(!marked(&kit, "app/a").await);
    assert_eq!(exposed_secrets(&kit), 0);
    assert_eq!(burn(&kit, "boss", false).await.unwrap().marked, 0);
}

#[tokio::test]
async fn a_mark_goes_with_the_secret_and_with_its_copy() {
    let (kit, [_, worker, _]) = house().await;
    let owner = kit.owner.clone();
    for at in ["app/a", "app/b", "app/c"] {
        kit.get(&worker, at).await.unwrap();
    }
    assert_eq!(burn(&kit, "worker", false).await.unwrap().marked, 3);
    kit.run(&owner, Move { from: path("app/a"), to: path("app/moved") }).await.unwrap();
    kit.run(&owner, Copy { from: path("app/b"), to: path("app/copied") }).await.unwrap();
    assert!(marked(&kit, "app/moved").await && marked(&kit, "app/copied").await);
    assert_eq!(exposed_secrets(&kit), 4);
    kit.run(&owner, Delete { path: path("app/c"), purge: false }).await.unwrap();
    assert_eq!(exposed_secrets(&kit), 3);
    let had = burn(&kit, "boss", false).await.unwrap().had;
    let had: Vec<_> = had.iter().map(|h| (&*h.path, h.fate)).collect();
    assert_eq!(had, [("app/b", Fate::Current), ("app/c", Fate::Deleted), ("app/moved", Fate::Current)]);
    kit.run(&owner, Delete { path: path("app/c"), purge: true }).await.unwrap();
    assert_eq!(burn(&kit, "boss", true).await.unwrap().had[1].fate, Fate::Deleted);
    kit.put(&owner, "app/c", b"new").await.unwrap();
    assert!(!marked(&kit, "app/c").await);
}

#[tokio::test]
async fn names_that_mean_several_tokens_are_refused_with_the_ids() {
    let (kit, [boss, worker, _]) = house().await;
    let owner = kit.owner.clone();
    let twin = kit.token(&owner, "worker", None, &["read on app/"]).await.unwrap();
    for verb in [true, false] {
        let refused = burn(&kit, "worker", verb).await.err().unwrap();
        assert_eq!(refused.code(), Code::Conflict);
        assert!(refused.message().contains(&twin.view.id.to_string()), "{refused}");
    }
    kit.get(&worker, "app/a").await.unwrap();
    assert!(kit.get(&boss, "app/a").await.is_ok());
    // One of them ends: the live one is meant. Both have: neither is.
    kit.run(&owner, TokenRevoke { who: TokenRef::Id(twin.view.id) }).await.unwrap();
    assert_eq!(&*burn(&kit, "worker", true).await.unwrap().ancestry, "boss/worker");
    kit.run(&owner, TokenRevoke { who: who("boss/worker") }).await.unwrap();
    let refused = burn(&kit, "worker", false).await.err().unwrap();
    assert_eq!(refused.code(), Code::Conflict);
    let done = burn(&kit, "boss/worker", false).await.unwrap();
    assert_eq!((done.ended, done.marked), (0, 1));
}

#[tokio::test]
async fn what_a_person_typed_into_an_entry_was_not_seen_by_who_asked() {
    let (kit, [boss, ..]) = house().await;
    kit.put(&boss, "app/new", b"written by it").await.unwrap();
    let done = burn(&kit, "boss", false).await.unwrap();
    assert_eq!(done.had.len(), 1);
    assert_eq!(done.had[0].channels, ["put"]);
}

/// The family ends whatever the shelf says to the marks, and the sentence says so.
#[tokio::test]
async fn a_burn_cut_short_at_any_step_is_finished_by_another() {
    for step in 1..80 {
        let disk = MemoryDisk::new();
        let faults = Arc::new(FaultShelf::new(Arc::new(MemoryShelf::open(&disk))));
        let mut kit = Kit::on(faults.clone() as Arc<dyn Shelf>, disk).await;
        let owner = kit.owner.clone();
        for at in ["a", "b", "c"] {
            kit.put(&owner, at, b"1").await.unwrap();
        }
        let token = kit.token(&owner, "w", None, &["read on *"]).await.unwrap().token.reveal().to_owned();
        for at in ["a", "b", "c"] {
            kit.get(&token, at).await.unwrap();
        }
        faults.arm(step, Fault::Stop);
        let told = burn(&kit, "w", false).await;
        let hit = faults.fired().is_some();
        assert!(hit || told.is_ok());
        kit.crash().await;
        let unlocked =
            kit.engine.unlock(peer(), SlotSecret::Passphrase(passphrase(PASSPHRASE))).await.unwrap();
        kit.owner = unlocked.session.reveal().to_owned();
        // Marks come all together or not at all.
        let marks = exposed_secrets(&kit);
        assert!(marks == 0 || marks == 3, "{marks} of 3 marked at step {step}");
        assert!(told.is_err() || marks == 3);
        let again = burn(&kit, "w", false).await.unwrap();
        assert_eq!((again.marked, exposed_secrets(&kit)), (3, 3));
        assert!(kit.get(&token, "a").await.is_err());
        if !hit {
            return;
        }
    }
    panic!("the burn has more steps than were tried");
}

#[tokio::test]
async fn a_put_that_was_never_answered_may_be_in_the_ledger_but_an_answer_always_is() {
    let (kit, [boss, ..]) = house().await;
    let op = put("app/x", b"1");
    kit.run(&boss, op).await.unwrap();
    assert!(said(&all(&kit).await).contains(&"boss app/x v1 written put".to_owned()));
}
