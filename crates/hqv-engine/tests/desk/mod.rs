//! What the tests of entries and asks share: callers of every sort, and the operations in one line each.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use crate::kit::{Kit, caller, path, peer};
use hqv_crypto::entry_seal;
use hqv_engine::ops::ask_approve::{AskApprove, AskApproved};
use hqv_engine::ops::ask_create::{AskCreate, AskOpened};
use hqv_engine::ops::audit_read::{AuditFilter, AuditRead};
use hqv_engine::ops::entry_create::{EntryCreate, EntryOpened};
use hqv_engine::ops::entry_store::{Brought, EntryStore};
use hqv_engine::tickets::{AskView, Asker, EntryStored, Narrowing, Proof};
use hqv_engine::{Caller, RecordView, Transport};
use hqv_model::*;

/// The page of an entry.
pub fn page() -> Caller {
    Caller { transport: Transport::Page, ..peer() }
}

/// Another process of the same user.
pub fn other_peer() -> Caller {
    Caller {
        transport: Transport::Socket { uid: 1000, pid: Some(666), program: Some("other".into()) },
        ..peer()
    }
}

pub fn entry(at: &str, overwrite: bool) -> EntryCreate {
    EntryCreate { path: path(at), kind: None, description: None, overwrite, asker: Asker::default() }
}

pub fn open(kit: &Kit, who: &Caller, at: &str) -> EntryOpened {
    kit.engine.entry_create(who, entry(at, false)).unwrap()
}

pub fn secret(text: &SecretText) -> SecretText {
    SecretText::new(text.reveal().to_owned())
}

pub fn submit(opened: &EntryOpened) -> Proof {
    Proof::Submit(secret(opened.submit.as_ref().unwrap()))
}

pub fn plain(value: &[u8]) -> Brought {
    Brought::Plain(SecretBytes::from_slice(value))
}

/// As the page seals it.
pub fn sealed(kit: &Kit, opened: &EntryOpened, at: &str, overwrite: bool, value: &[u8]) -> Brought {
    let info = entry_seal::info(kit.engine.vault().unwrap(), opened.id, &path(at), overwrite);
    let mut rng = crate::kit::seeded(7);
    let (enc, ciphertext) = entry_seal::seal(&opened.public.unwrap(), &info, value, &mut rng).unwrap();
    Brought::Sealed { enc: enc.to_vec(), ciphertext }
}

/// A prompt stores.
pub async fn store(kit: &Kit, who: Caller, opened: &EntryOpened, value: &[u8]) -> Result<EntryStored> {
    let (entry, proof) = (EntryRef::Id(opened.id), submit(opened));
    let store = EntryStore { entry, proof, value: plain(value), route: EntryRoute::IngestTty };
    kit.engine.entry_store(who, store).await
}

/// The owner answers.
pub async fn answer(kit: &Kit, code: TicketCode, value: &[u8]) -> Result<EntryStored> {
    let store = EntryStore {
        entry: EntryRef::Code(code),
        proof: Proof::Owner,
        value: plain(value),
        route: EntryRoute::Answer,
    };
    kit.engine.entry_store(caller(&kit.owner), store).await
}

pub fn ask(rules: &[&str], ttl: Option<&str>, uses: Option<u64>) -> AskCreate {
    let rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
    AskCreate {
        rules: Scope::parse_rules(&rules).unwrap(),
        ttl: ttl.map(|ttl| Ttl::parse(ttl).unwrap()),
        max_uses: uses.map(|uses| UseLimit::new(uses).unwrap()),
        reason: "deploy preview".into(),
        name: None,
        asker: Asker::default(),
    }
}

pub fn shown(kit: &Kit, code: TicketCode) -> AskView {
    let all = kit.engine.ask_list(&caller(&kit.owner)).unwrap();
    all.into_iter().find(|ask| ask.code == code).unwrap()
}

/// The owner approves what is shown now.
pub fn approve(kit: &Kit, opened: &AskOpened, narrower: Narrowing) -> Result<AskApproved> {
    let fingerprint = shown(kit, opened.code).fingerprint;
    let approve = AskApprove { ask: AskRef::Code(opened.code), fingerprint, narrower };
    kit.engine.ask_approve(&caller(&kit.owner), approve)
}

pub async fn records(kit: &Kit) -> Vec<RecordView> {
    let read = kit.run(&kit.owner, AuditRead { filter: AuditFilter::default() }).await.unwrap();
    read.last(10_000, None).unwrap().records
}

/// The newest record of an operation with this outcome.
pub async fn record(kit: &Kit, op: &str, outcome: &str) -> RecordView {
    let all = records(kit).await;
    let found = all.into_iter().filter(|r| r.operation == op && r.outcome == outcome);
    found.max_by_key(|r| r.sequence).unwrap_or_else(|| panic!("{op} {outcome} has no line"))
}

pub fn code<T>(result: Result<T>) -> Code {
    result.err().unwrap().code()
}
