//! The engine's state under its one mutex, and the door every operation goes through.
//!
//! authenticate → decide → open what will be handed out → spend and stage → record → (commit) → release.
//! Readers do all of it inline, without an await; whatever must be durable does it on the writer.

use hqv_audit::{Identity, Item, ItemKind, Log, Record};
use hqv_crypto::wire::CredentialKind;
use hqv_model::{
    Actor, Code, Entropy, Error, OpKind, Outcome, Prefix, SecretPath, Timestamp, VaultId, Verdict,
};
use hqv_store::Shelf;
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::caller::{Caller, Principal, Transport};
use crate::family;
use crate::open::Open;
use crate::operation::{Operation, View};
use crate::ops::metrics::Counts;
use crate::refusals::Refusals;
use crate::settings::Settings;
use crate::tickets::Tickets;
use crate::vault_time::{Moment, VaultTime};

/// Where rows and record stand.
pub struct Places {
    /// The rows.
    pub shelf: Arc<dyn Shelf>,
    /// The record's directory.
    pub log_dir: PathBuf,
}

/// What the vault is at the moment.
pub enum Phase {
    /// No vault was made here yet.
    Empty,
    /// Keys are not in memory.
    Locked,
    /// Keys are in memory.
    Open(Box<Open>),
}

/// See the module's comment.
pub struct Core {
    /// Empty, locked or open.
    pub phase: Phase,
    /// The vault's id, once there is one.
    pub vault: Option<VaultId>,
    /// The record; none before `init`.
    pub log: Option<Log>,
    /// Randomness.
    pub rng: Box<dyn Entropy>,
    /// Vault time.
    pub time: VaultTime,
    /// Failures without a valid credential, counted.
    pub refusals: Refusals,
    /// What a locked daemon obeys: from the signed row, or what a new vault starts with.
    pub locked_settings: Settings,
    /// The newest head known to be fsynced in the record.
    pub synced_head: Option<(u64, [u8; 32])>,
    /// The sequence number of the row state that is durable; known while locked too.
    pub state_seq: u64,
    /// Counts unlocks.
    pub generation: u64,
    /// True once a stop was asked for: no new work.
    pub stopping: bool,
    /// When vault time was last stored, on the boot clock.
    pub last_flush: Duration,
    /// Sentences for `status` and `doctor`: unclean ends, jumps of the clock, a record that cannot be written.
    pub findings: Vec<String>,
    /// Tokens carry the pin of the vault's CA.
    pub pin_tokens: bool,
    /// What a lock must not lose: revocations and uses that no row holds yet.
    pub carried: family::Carried,
    /// Told the newest sequence number of the record, for those who follow it.
    pub appended: tokio::sync::watch::Sender<u64>,
    /// Entries and asks: they outlive `lock`, not the daemon.
    pub tickets: Tickets,
    /// The last record's list of secrets, to be used again: a read then allocates none.
    pub spare: Vec<Item>,
    /// Records of this run, for `metrics`.
    pub counts: Counts,
}

impl Core {
    /// The open vault, or why there is none for this caller.
    pub fn open(&mut self, caller: &Caller) -> Result<&mut Open, Error> {
        match &mut self.phase {
            Phase::Open(open) => Ok(open),
            Phase::Locked
                if caller.credential.is_some() || !matches!(caller.transport, Transport::Tcp { .. }) =>
            {
                Err(Error::locked())
            }
            Phase::Empty if caller.transport.is_socket() => Err(no_vault()),
            _ => Err(unauthorized()),
        }
    }

    /// Finds out who calls. `touch`: an owner's session counts as used.
    pub fn authenticate(&mut self, caller: &Caller, staged: bool, touch: bool) -> Result<Principal, Error> {
        let at = self.time.moment();
        self.authenticate_at(caller, at, staged, touch)
    }

    fn authenticate_at(
        &mut self,
        caller: &Caller,
        at: Moment,
        staged: bool,
        touch: bool,
    ) -> Result<Principal, Error> {
        let Moment { now, boot } = at;
        let open = self.open(caller)?;
        let Some(credential) = &caller.credential else {
            return Ok(if caller.transport.is_socket() { Principal::Peer } else { Principal::Nobody });
        };
        let hash = credential.hash();
        if credential.kind == CredentialKind::Session {
            let idle = open.settings.session_idle();
            let found = open.sessions.find(&hash, idle, boot, touch);
            return found.map(Principal::Owner).ok_or_else(session_over);
        }
        let id = open.tokens.by_hash.get(&hash, staged).copied().ok_or_else(unauthorized)?;
        let entry = open.tokens.by_id.get(&id, staged).cloned().ok_or_else(unauthorized)?;
        match open.tokens.ended(&entry, now, staged) {
            Some(_) if !open.tokens.gone(&entry, now, staged) => Err(family::frozen(&entry)),
            Some(code) => Err(family::ended(code, &entry)),
            None => Ok(Principal::Token(entry)),
        }
    }

    /// The door. See the module's comment.
    pub fn run<O: Operation>(
        &mut self,
        places: &Places,
        caller: &Caller,
        op: O,
        staged: bool,
    ) -> Result<O::Answer, Error> {
        let at = self.time.moment();
        let principal = self.admit::<O>(caller, at, staged)?;
        self.run_as(places, caller, op, &principal, at, staged)
    }

    /// Authenticates for one operation; a refusal is counted.
    pub(crate) fn admit<O: Operation>(
        &mut self,
        caller: &Caller,
        at: Moment,
        staged: bool,
    ) -> Result<Principal, Error> {
        let principal = self.authenticate_at(caller, at, staged, O::ACTIVITY);
        principal.inspect_err(|error| self.refusals.count(caller.transport.label(), error.code()))
    }

    /// The rest of the door, for who was let in a moment ago under the same lock.
    pub(crate) fn run_as<O: Operation>(
        &mut self,
        places: &Places,
        caller: &Caller,
        op: O,
        principal: &Principal,
        at: Moment,
        staged: bool,
    ) -> Result<O::Answer, Error> {
        if let Err((error, items)) = self.permit(&op, principal, staged) {
            return self.refuse::<O>(caller, principal, error, items);
        }
        self.perform(places, caller, op, principal, at, staged)
    }

    /// Decides, and sees that a use is left. Nothing is changed yet.
    fn permit<O: Operation>(
        &mut self,
        op: &O,
        principal: &Principal,
        staged: bool,
    ) -> Result<(), (Error, Vec<Item>)> {
        let actor = principal.actor();
        let error = match op.judge(&actor) {
            Verdict::Deny(_) if matches!(actor, Actor::Nobody) => unauthorized(),
            Verdict::Deny(reason) => Error::forbidden(reason.to_string()).hint(WHAT_IT_MAY),
            Verdict::Allow { .. } => match (principal, &self.phase) {
                (Principal::Token(entry), Phase::Open(open))
                    if O::SPENDS && open.tokens.spent_out(entry, staged) =>
                {
                    family::exhausted(entry)
                }
                _ => return Ok(()),
            },
        };
        let mut items = named::<O>(op.names().into_iter().map(SecretPath::as_str));
        items.extend(named::<O>(op.below().map(prefix_text)));
        Err((error, items))
    }

    fn refuse<O: Operation>(
        &mut self,
        caller: &Caller,
        principal: &Principal,
        error: Error,
        items: Vec<Item>,
    ) -> Result<O::Answer, Error> {
        if matches!(principal, Principal::Nobody | Principal::Peer) {
            self.refusals.count(caller.transport.label(), error.code());
            return Err(error);
        }
        let detail = Some(error.message().to_owned());
        self.record(caller, principal, O::KIND, Outcome::Denied, Some(error.code()), detail, items)?;
        Err(error.actor(principal.label()))
    }

    fn perform<O: Operation>(
        &mut self,
        places: &Places,
        caller: &Caller,
        op: O,
        principal: &Principal,
        at: Moment,
        staged: bool,
    ) -> Result<O::Answer, Error> {
        let Moment { now, boot } = at;
        let pin_tokens = self.pin_tokens;
        let Phase::Open(open) = &mut self.phase else {
            return Err(Error::locked());
        };
        let rng = self.rng.as_mut();
        let asked = op.asked();
        let items = std::mem::take(&mut self.spare);
        let mut below = named::<O>(op.below().map(prefix_text));
        let mut view = View {
            open,
            tickets: &mut self.tickets,
            staged,
            now,
            boot,
            rng,
            principal,
            caller,
            shelf: &places.shelf,
            log_dir: &places.log_dir,
            pin_tokens,
            items,
            detail: None,
            free: false,
        };
        let done = op.perform(&mut view);
        let (mut items, detail, free) = (std::mem::take(&mut view.items), view.detail.take(), view.free);
        items.append(&mut below);
        let done = match O::SPENDS && !free {
            true => done.and_then(|answer| charge(open, principal, now, staged).map(|()| answer)),
            false => done,
        };
        match done {
            Ok(answer) => {
                if O::ACTIVITY {
                    (open.last_activity, open.last_activity_at) = (boot, now);
                }
                let said = (O::KIND, Outcome::Ok, None);
                let recorded = self.record_at(now, caller, principal, said, detail, items);
                self.conclude::<O>(staged, recorded).map(|()| answer)
            }
            Err(error) => {
                self.settle(staged, false);
                // What was opened on the way was not handed out: the record names what was asked for.
                items.retain(|item| item.kind == ItemKind::Named);
                items.extend(named::<O>(asked.as_slice().iter().map(SecretPath::as_str)));
                self.fail::<O>(caller, principal, error, items)
            }
        }
    }

    /// Records that an operation did not come about, as refused or as failed.
    fn fail<O: Operation>(
        &mut self,
        caller: &Caller,
        principal: &Principal,
        error: Error,
        items: Vec<Item>,
    ) -> Result<O::Answer, Error> {
        let detail = Some(error.message().to_owned());
        let denied = matches!(error.code(), Code::Forbidden | Code::Unauthorized | Code::TokenExhausted);
        let outcome = if denied { Outcome::Denied } else { Outcome::Failed };
        self.record(caller, principal, O::KIND, outcome, Some(error.code()), detail, items)?;
        Err(if denied { error.actor(principal.label()) } else { error })
    }

    /// See [`crate::Engine::meaningless`].
    pub(crate) fn meaningless(&mut self, caller: &Caller, op: OpKind, error: Error) -> Error {
        let known = self.authenticate(caller, false, true).and_then(|principal| match principal {
            Principal::Owner(_) | Principal::Token(_) => Ok(principal),
            Principal::Peer | Principal::Nobody => Err(unauthorized()),
        });
        let principal = match known {
            Ok(principal) => principal,
            Err(refused) => {
                self.refusals.count(caller.transport.label(), refused.code());
                return refused;
            }
        };
        let (code, detail) = (Some(error.code()), Some(error.message().to_owned()));
        let recorded = self.record(caller, &principal, op, Outcome::Failed, code, detail, Vec::new());
        recorded.err().unwrap_or(error)
    }

    /// What is on record stays staged, and so does what must always take effect.
    fn conclude<O: Operation>(&mut self, staged: bool, recorded: Result<(), Error>) -> Result<(), Error> {
        if O::ALWAYS && recorded.is_err() {
            self.note(format!("a {} could not be recorded", O::KIND));
            self.settle(staged, true);
            return Ok(());
        }
        self.settle(staged, recorded.is_ok());
        recorded
    }

    /// The operation's staged changes stay in the group, or are undone. A reader staged nothing: what is
    /// staged while it runs is a sealed group on its way to the disk.
    fn settle(&mut self, staged: bool, whole: bool) {
        if staged && let Phase::Open(open) = &mut self.phase {
            if whole {
                open.keep()
            } else {
                open.undo()
            }
            self.tickets.settle(whole);
        }
    }

    /// Writes one record, before the answer that it records leaves. An error here fails the request.
    #[allow(clippy::too_many_arguments, reason = "one call for one line of the record")]
    pub fn record(
        &mut self,
        caller: &Caller,
        principal: &Principal,
        op: OpKind,
        outcome: Outcome,
        code: Option<Code>,
        detail: Option<String>,
        items: Vec<Item>,
    ) -> Result<(), Error> {
        let now = self.time.now();
        self.record_at(now, caller, principal, (op, outcome, code), detail, items)
    }

    fn record_at(
        &mut self,
        now: Timestamp,
        caller: &Caller,
        principal: &Principal,
        (op, outcome, code): (OpKind, Outcome, Option<Code>),
        detail: Option<String>,
        items: Vec<Item>,
    ) -> Result<(), Error> {
        let mut record = Record::new(now, op, outcome, identity(principal, &caller.transport));
        record.code = code;
        record.source = caller.transport.label().into();
        record.request = Some(caller.request);
        record.agent = caller.agent.as_deref().map(Cow::Borrowed);
        record.claim = caller.claim.as_deref().map(Cow::Borrowed);
        record.reason = caller.reason.as_deref().map(Cow::Borrowed);
        record.detail = detail.map(Cow::Owned);
        record.items = items;
        let appended = self.append(&record);
        // A long list is given back.
        record.items.clear();
        if record.items.capacity() <= 16 {
            self.spare = record.items;
        }
        appended
    }

    /// A record of the daemon's own doing.
    pub fn record_own(&mut self, op: OpKind, outcome: Outcome, detail: Option<String>) -> Result<(), Error> {
        let now = self.time.now();
        let mut record = Record::new(now, op, outcome, Identity::Daemon);
        record.detail = detail.map(Cow::Owned);
        self.append(&record)
    }

    /// One line for many refusals of one source.
    pub(crate) fn record_refusals(
        &mut self,
        now: Timestamp,
        source: String,
        detail: String,
    ) -> Result<(), Error> {
        let mut record = Record::new(now, OpKind::Refused, Outcome::Denied, Identity::Nobody);
        record.source = source.into();
        record.detail = Some(detail.into());
        self.append(&record)
    }

    pub(crate) fn append(&mut self, record: &Record<'_>) -> Result<(), Error> {
        let Some(log) = &mut self.log else {
            // Before `init` there is nothing to record; a vault without a record answers nobody.
            return if self.vault.is_none() { Ok(()) } else { Err(unrecorded()) };
        };
        match log.append(record, self.state_seq) {
            Ok(seq) => {
                self.counts.add(record.op, record.outcome);
                if let Phase::Open(open) = &mut self.phase {
                    open.ledger.fold(seq, record);
                }
                // Waking is dear, and mostly nobody follows.
                let followed = self.appended.receiver_count() > 0;
                self.appended.send_if_modified(|newest| {
                    *newest = seq;
                    followed
                });
                Ok(())
            }
            Err(error) => Err(unrecorded().cause(error)),
        }
    }

    /// Vault time now.
    pub fn now(&mut self) -> Timestamp {
        self.time.now()
    }
}

/// Spends one use: on the writer in staged rows, elsewhere (no limit anywhere above) in memory.
fn charge(open: &mut Open, principal: &Principal, now: Timestamp, staged: bool) -> Result<(), Error> {
    match principal {
        Principal::Token(entry) if staged && entry.facts.limited => open.tokens.spend(entry, now),
        Principal::Token(entry) => {
            open.tokens.count_unlimited(entry, now);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What was asked for and not touched, for the record.
fn named<'a, O: Operation>(asked: impl IntoIterator<Item = &'a str>) -> Vec<Item> {
    let item = |path: &str| Item {
        secret: None,
        version: None,
        path: path.into(),
        kind: ItemKind::Named,
        channel: O::KIND.as_str().into(),
    };
    asked.into_iter().map(item).collect()
}

/// A prefix as an item's path: it ends in a slash, as no path does.
fn prefix_text(prefix: &Prefix) -> &str {
    if prefix.as_str().is_empty() { "/" } else { prefix.as_str() }
}

/// Who acted, as the record names it.
pub fn identity<'a>(principal: &'a Principal, transport: &'a Transport) -> Identity<'a> {
    match (principal, transport) {
        (Principal::Owner(id), _) => Identity::Session { id: *id },
        (Principal::Token(t), _) => Identity::Token {
            id: t.facts.id,
            ancestry: Cow::Borrowed(&t.facts.ancestry),
            ancestors: Cow::Borrowed(&t.facts.ancestors),
        },
        (_, Transport::Socket { uid, pid, program }) => {
            Identity::Peer { uid: *uid, pid: *pid, program: program.as_deref().map(Cow::Borrowed) }
        }
        _ => Identity::Nobody,
    }
}

/// The second line of a refusal to a token.
pub const WHAT_IT_MAY: &str = "hq-vault whoami says what it may; ask who gave it for more";

/// No credential, or one that is not known here.
pub fn unauthorized() -> Error {
    Error::new(Code::Unauthorized, "this needs a token or the owner's session")
        .hint("set HQ_VAULT_TOKEN, or sign in with hq-vault unlock")
}

fn session_over() -> Error {
    Error::new(Code::Unauthorized, "the owner's session is over").hint("hq-vault unlock")
}

/// There is no vault to work on.
pub fn no_vault() -> Error {
    Error::unavailable("no vault was made here yet").hint("hq-vault init")
}

fn unrecorded() -> Error {
    Error::unavailable("the record cannot be written, so nothing was done")
        .hint("look at the disk and the permissions of audit.log; hq-vault doctor says more")
}
