//! The record from the engine's side: every operation has its line, a power cut is said, a log that cannot
//! be written stops what must be recorded. Rows AU2, AU4, AU5.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kit;

use hqv_engine::ops::audit_read::{AuditFilter, AuditRead};
use hqv_engine::ops::batch::{Batch, BatchWhich};
use hqv_engine::ops::copy::Copy;
use hqv_engine::ops::delete::Delete;
use hqv_engine::ops::exposed::ExposedFilter;
use hqv_engine::ops::get::Get;
use hqv_engine::ops::import::{Import, Imported, OnConflict};
use hqv_engine::ops::list::List;
use hqv_engine::ops::mv::Move;
use hqv_engine::ops::session_end::{SessionEnd, WhichSession};
use hqv_engine::ops::session_list::SessionList;
use hqv_engine::ops::settings_change::SettingsChange;
use hqv_engine::ops::settings_read::SettingsRead;
use hqv_engine::ops::show::Show;
use hqv_engine::ops::token_explain::TokenExplain;
use hqv_engine::ops::token_freeze::TokenFreeze;
use hqv_engine::ops::token_list::TokenList;
use hqv_engine::ops::token_plan::TokenPlan;
use hqv_engine::ops::token_renew::TokenRenew;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::ops::token_self::TokenSelf;
use hqv_engine::ops::token_show::TokenShow;
use hqv_engine::ops::token_sweep::TokenSweep;
use hqv_engine::ops::token_thaw::TokenThaw;
use hqv_engine::ops::token_tree::TokenTree;
use hqv_engine::{Operation, RecordView, SlotSecret};
use hqv_model::{Capability, Code, OpKind, Outcome, Prefix, SecretBytes, TokenRef};
use kit::{Kit, PASSPHRASE, caller, create, passphrase, path, peer, put, remote};

async fn records(kit: &Kit) -> Vec<RecordView> {
    let read = kit.run(&kit.owner, AuditRead { filter: AuditFilter::default() }).await.unwrap();
    read.last(10_000, None).unwrap().records
}

/// Runs one operation as the owner and as a token that may nothing, and looks for both lines.
async fn both<O: Operation>(kit: &Kit, nobody: &str, seen: &mut Vec<OpKind>, make: impl Fn() -> O) {
    let denied = kit.run(nobody, make()).await.map(drop).unwrap_err();
    assert_eq!(denied.code(), Code::Forbidden, "{}", O::KIND);
    kit.run(&kit.owner, make()).await.map(drop).unwrap();
    for (outcome, who) in [("denied", "nothing"), ("ok", "")] {
        let all = records(kit).await;
        let line = all.iter().find(|r| r.operation == O::KIND.as_str() && r.outcome == outcome);
        let line = line.unwrap_or_else(|| panic!("{} {outcome} has no line", O::KIND));
        assert_eq!(line.identity.name.as_deref().unwrap_or_default(), who);
        assert_eq!(line.source, "socket");
        assert!(line.request.is_some());
    }
    seen.push(O::KIND);
}

fn who(text: &str) -> TokenRef {
    TokenRef::parse(text).unwrap()
}

/// What has a line without being the same for the owner and for a token that may nothing.
const ALSO: [(&str, &str); 22] = [
    ("init", "ok"),
    ("token-self", "ok"),
    ("exposed", "denied"),
    ("exposed", "ok"),
    ("burn", "denied"),
    ("burn", "ok"),
    ("token-show", "failed"),
    ("token-revoke", "ok"),
    ("token-explain", "failed"),
    ("token-explain", "ok"),
    ("token-tree", "failed"),
    ("token-tree", "ok"),
    ("audit-checkpoint", "ok"),
    ("metrics", "denied"),
    ("metrics", "ok"),
    ("audit-verify", "ok"),
    ("lock", "denied"),
    ("lock", "ok"),
    ("unlock", "denied"),
    ("unlock", "ok"),
    ("session-create", "ok"),
    ("session-end", "ok"),
];

async fn about_tokens(kit: &Kit, nobody: &str, s: &mut Vec<OpKind>) {
    // What every token may do to itself, and what it may not see of others.
    kit.run(nobody, TokenSelf).await.unwrap();
    assert_eq!(kit.run(nobody, TokenShow { who: who("w") }).await.err().unwrap().code(), Code::NotFound);
    both(kit, nobody, s, || TokenFreeze { who: who("w") }).await;
    both(kit, nobody, s, || TokenThaw { who: who("w") }).await;
    both(kit, nobody, s, || TokenRenew { who: who("w"), ttl: None }).await;
    let explain = || TokenExplain { who: who("w"), can: Capability::Read, path: path("a") };
    assert_eq!(kit.run(nobody, explain()).await.err().unwrap().code(), Code::NotFound);
    kit.run(&kit.owner, explain()).await.unwrap();
    let tree = || TokenTree { who: who("w"), all: false };
    assert_eq!(kit.run(nobody, tree()).await.err().unwrap().code(), Code::NotFound);
    kit.run(&kit.owner, tree()).await.unwrap();
    kit.run(&kit.owner, TokenRevoke { who: who("w") }).await.unwrap();
}

async fn both_of_secrets(kit: &Kit, nobody: &str, s: &mut Vec<OpKind>) {
    both(kit, nobody, s, || put("a", b"1")).await;
    both(kit, nobody, s, || Get { path: path("a"), version: None }).await;
    both(kit, nobody, s, || Show { path: path("a") }).await;
    both(kit, nobody, s, || List {
        prefix: Prefix::everything(),
        kind: None,
        tag: None,
        limit: 5,
        after: None,
    })
    .await;
    both(kit, nobody, s, || Batch { which: BatchWhich::Paths(vec![path("a")]) }).await;
    let import = || Import {
        secrets: vec![Imported { path: path("a"), value: SecretBytes::from_slice(b"1"), env: None }],
        on_conflict: OnConflict::Overwrite,
    };
    both(kit, nobody, s, import).await;
    both(kit, nobody, s, || Copy { from: path("a"), to: path("b") }).await;
    both(kit, nobody, s, || Move { from: path("b"), to: path("c") }).await;
    both(kit, nobody, s, || Delete { path: path("c"), purge: false }).await;
}

#[tokio::test]
async fn au5_every_operation_allowed_and_denied_has_its_line() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    let nobody = kit.token(&owner, "nothing", None, &["ingest on nowhere"]).await.unwrap();
    let nobody = nobody.token.reveal().to_owned();
    let mut seen = Vec::new();
    let s = &mut seen;
    both_of_secrets(&kit, &nobody, s).await;
    both(&kit, &nobody, s, || create("w", None, &["read on a"])).await;
    both(&kit, &nobody, s, || TokenPlan { create: create("p", None, &["read on a"]) }).await;
    both(&kit, &nobody, s, || TokenSweep).await;
    both(&kit, &nobody, s, || TokenList { all: true }).await;
    both(&kit, &nobody, s, || SettingsRead).await;
    both(&kit, &nobody, s, || SettingsChange { changes: vec![("session-timeout".into(), "20".into())] })
        .await;
    both(&kit, &nobody, s, || SessionList).await;
    both(&kit, &nobody, s, || AuditRead { filter: AuditFilter::default() }).await;
    about_tokens(&kit, &nobody, s).await;
    for (by, may) in [(&nobody, false), (&owner, true)] {
        assert_eq!(kit.engine.exposed(caller(by), ExposedFilter::default()).await.is_ok(), may);
        assert_eq!(kit.engine.burn(caller(by), who("w"), false).await.is_ok(), may);
    }
    assert_eq!(kit.engine.metrics(caller(&nobody)).await.unwrap_err().code(), Code::Forbidden);
    let counted = kit.engine.metrics(caller(&owner)).await.unwrap();
    let gets = |outcome| counted.operations.iter().find(|(op, o, _)| (*op, *o) == (OpKind::Get, outcome));
    assert_eq!(gets(Outcome::Denied).map(|(.., n)| *n), Some(1));
    assert_eq!((counted.sessions, counted.record_missed), (1, 0));
    kit.engine.audit_checkpoint(caller(&owner)).await.unwrap();
    kit.engine.audit_verify(caller(&owner), None).await.unwrap();
    assert!(kit.engine.lock(&caller(&nobody)).is_err());
    kit.engine.lock(&caller(&owner)).unwrap();
    let wrong = SlotSecret::Passphrase(passphrase("not the passphrase"));
    assert!(kit.engine.unlock(peer(), wrong).await.is_err());
    kit.unlock().await;
    kit.engine.session_create(peer(), SlotSecret::Passphrase(passphrase(PASSPHRASE))).await.unwrap();
    kit.run(&kit.owner, SessionEnd { which: WhichSession::All }).await.unwrap();
    kit.unlock().await;
    let all = records(&kit).await;
    let has = |op: &str, outcome: &str| all.iter().any(|r| r.operation == op && r.outcome == outcome);
    for (op, outcome) in ALSO {
        assert!(has(op, outcome), "{op} {outcome} has no line");
    }
    assert_eq!(seen.len(), 20);
}

#[tokio::test]
async fn au2_failures_without_a_token_are_counted_not_written_one_by_one() {
    let kit = Kit::new().await;
    for _ in 0..500 {
        let op = Get { path: path("a"), version: None };
        let refused = kit.engine.run(remote(None), op).await.err().unwrap();
        assert_eq!(refused.code(), Code::Unauthorized);
    }
    let before = records(&kit).await.len();
    kit.engine.tick();
    let all = records(&kit).await;
    assert!(all.len() <= before + 3, "{} lines more", all.len() - before);
    let line = all.iter().find(|r| r.operation == "refused").unwrap();
    assert_eq!(line.source, "127.0.0.1");
    assert!(line.detail.as_deref().unwrap().starts_with("500 refused"), "{line:?}");
}

#[tokio::test]
async fn au4_a_power_cut_loses_at_most_what_was_not_fsynced_and_it_is_said() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    kit.engine.tick();
    let log = kit.dir.path().join("audit.log");
    let synced = std::fs::metadata(&log).unwrap().len();
    for _ in 0..20 {
        kit.get(&owner, "k").await.unwrap();
    }
    kit.put(&owner, "k", b"after").await.unwrap();
    assert!(std::fs::metadata(&log).unwrap().len() > synced);
    // The power goes: pages of the log that were not fsynced are gone, commits of the store are not.
    std::fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(synced).unwrap();
    kit.crash().await;
    kit.unlock().await;
    assert_eq!(kit.value("k").await.unwrap(), b"after");
    let status = kit.engine.status(&caller(&kit.owner)).unwrap();
    assert!(status.warnings.iter().any(|w| w.contains("a second")), "{:?}", status.warnings);
    assert!(!status.warnings.iter().any(|w| w.contains("put back")), "{:?}", status.warnings);
    let report = kit.engine.audit_verify(caller(&kit.owner), None).await.unwrap();
    assert!(report.is_ok(), "{:?}", report.findings);
    assert_eq!(report.unclean_ends.len(), 1);
}

/// The head that the database holds is compared at every unlock, not only at the first of a run.
#[tokio::test]
async fn au4_a_record_changed_while_locked_is_found_by_the_next_unlock_of_the_same_run() {
    let mut kit = Kit::new().await;
    let log = kit.dir.path().join("audit.log");
    for round in 0..2 {
        let owner = kit.owner.clone();
        kit.put(&owner, "k", b"v").await.unwrap();
        kit.engine.tick();
        // Only what the next commit carries is known to the database.
        kit.put(&owner, "k", b"w").await.unwrap();
        kit.engine.lock(&caller(&owner)).unwrap();
        kit.unlock().await;
        let status = kit.engine.status(&caller(&kit.owner)).unwrap();
        assert!(!status.warnings.iter().any(|w| w.contains("changed")), "{round}: {:?}", status.warnings);
    }
    kit.engine.lock(&caller(&kit.owner)).unwrap();
    let mut bytes = std::fs::read(&log).unwrap();
    for at in 0..bytes.len() - 20 {
        // Every record and checkpoint: an untouched checkpoint would vouch for what stands before it.
        if matches!(&bytes[at..at + 2], b"\nR" | b"\nC") {
            bytes[at + 20] ^= 1;
        }
    }
    std::fs::write(&log, &bytes).unwrap();
    kit.unlock().await;
    let status = kit.engine.status(&caller(&kit.owner)).unwrap();
    assert!(status.warnings.iter().any(|w| w.contains("changed")), "{:?}", status.warnings);
}

#[tokio::test]
async fn au2_a_log_that_cannot_be_written_fails_closed_but_lock_and_revoke_work() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    let token = kit.token(&owner, "w", Some(5), &["read on k"]).await.unwrap().token.reveal().to_owned();
    // The directory goes away and a file stands in its place: no log can be opened again.
    let dir = kit.dir.path().to_owned();
    std::fs::remove_dir_all(&dir).unwrap();
    std::fs::write(&dir, b"").unwrap();
    kit.clock.pass(std::time::Duration::from_secs(2));
    kit.engine.tick();
    let refused = kit.get(&token, "k").await.err().unwrap();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(kit.put(&owner, "k", b"x").await.err().unwrap().code(), Code::Unavailable);
    kit.run(&owner, TokenRevoke { who: who("w") }).await.unwrap();
    kit.engine.lock(&caller(&owner)).unwrap();
    assert!(!kit.engine.healthy());
    std::fs::remove_file(&dir).unwrap();
    std::fs::create_dir(&dir).unwrap();
}

#[tokio::test]
async fn au5_a_path_that_was_not_there_stands_in_the_record() {
    let kit = Kit::new().await;
    assert!(kit.value("no/such").await.is_err());
    let all = records(&kit).await;
    let line = all.iter().find(|r| r.operation == "get" && r.outcome == "failed").unwrap();
    assert_eq!(line.items.iter().map(|i| i.path.as_str()).collect::<Vec<_>>(), ["no/such"]);
}
