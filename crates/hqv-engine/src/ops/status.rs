//! `status`: what the daemon is at the moment. Works locked and before `init`; the counts are the owner's.

use hqv_model::{Error, TicketCode, Timestamp};

use crate::caller::{Caller, Principal};
use crate::core::{Phase, unauthorized};
use crate::engine::Engine;
use crate::tickets::{AskState, EntryState, Tickets};

/// See the module's comment.
#[derive(Clone, Debug)]
pub struct StatusView {
    /// A vault was made here.
    pub initialized: bool,
    /// Keys are not in memory.
    pub locked: bool,
    /// Minutes until it locks itself when unused; 0 never.
    pub idle_minutes: u64,
    /// The last use, while unlocked.
    pub last_activity: Option<Timestamp>,
    /// Now, in vault time.
    pub now: Timestamp,
    /// When it will lock itself, while unlocked and not never.
    pub locks_at: Option<Timestamp>,
    /// The newest line of the record, and the newest that is fsynced.
    pub record: Option<(u64, u64)>,
    /// Sentences about what weakens the vault, and what was found.
    pub warnings: Vec<String>,
    /// What only the owner is told.
    pub owner: Option<OwnerStatus>,
}

/// What only the owner is told.
#[derive(Clone, Debug)]
pub struct OwnerStatus {
    /// Live secrets.
    pub secrets: u64,
    /// Live secrets whose newest version is known to a family that was burnt.
    pub exposed: u64,
    /// Different first segments of their paths.
    pub prefixes: u64,
    /// Live tokens.
    pub tokens: u64,
    /// The next end of a live token.
    pub next_end: Option<Timestamp>,
    /// Live sessions.
    pub sessions: u64,
    /// What waits for a person.
    pub waiting: Vec<Waits>,
}

/// An entry or an ask that waits.
#[derive(Clone, Debug)]
pub struct Waits {
    /// What `answer` or `approve` takes.
    pub code: TicketCode,
    /// The path of an entry, the rules of an ask.
    pub what: String,
    /// An ask, to be approved; else an entry, to be answered.
    pub is_ask: bool,
}

impl Engine {
    /// Anybody of the same user on the socket may ask; over TCP a token or session is needed.
    ///
    /// # Errors
    /// `UNAUTHORIZED`, `VAULT_LOCKED`, `TOKEN_*`.
    pub fn status(&self, caller: &Caller) -> Result<StatusView, Error> {
        let mut core = self.shared.core();
        let socket = caller.transport.is_socket();
        // A credential that no longer holds does not keep a person on the socket from asking.
        let principal = match core.authenticate(caller, false, false) {
            Ok(principal) => principal,
            Err(_) if socket => Principal::Peer,
            Err(error) => {
                core.refusals.count(caller.transport.label(), error.code());
                return Err(error);
            }
        };
        if matches!(principal, Principal::Nobody) {
            core.refusals.count(caller.transport.label(), unauthorized().code());
            return Err(unauthorized());
        }
        let (now, boot) = (core.now(), core.time.boot());
        let newest = *core.appended.borrow();
        let record = core.log.is_some().then(|| (newest, core.synced_head.map_or(0, |(seq, _)| seq)));
        let mut view = StatusView {
            initialized: !matches!(core.phase, Phase::Empty),
            locked: !matches!(core.phase, Phase::Open(_)),
            idle_minutes: self.shared.idle_minutes.unwrap_or(core.locked_settings.idle_minutes),
            last_activity: None,
            now,
            locks_at: None,
            record,
            warnings: core.findings.clone(),
            owner: None,
        };
        if self.shared.idle_minutes == Some(0) {
            view.warnings.push("never locks by itself (serve --idle-timeout 0)".into());
        }
        if core.time.ahead_of_wall().as_secs() > 300 {
            view.warnings
                .push("the wall clock stands behind the vault's time; tokens go by the later one".into());
        }
        view.warnings.extend(core.mirror_warnings());
        let Phase::Open(open) = &core.phase else {
            view.warnings.extend(core.locked_settings.weakenings());
            return Ok(view);
        };
        view.warnings.extend(open.settings.weakenings());
        view.idle_minutes = self.shared.idle_minutes.unwrap_or(open.settings.idle_minutes);
        view.last_activity = Some(open.last_activity_at);
        if view.idle_minutes > 0 {
            let limit = std::time::Duration::from_secs(view.idle_minutes.saturating_mul(60));
            view.locks_at = Some(now.plus(limit.saturating_sub(boot.saturating_sub(open.last_activity))));
        }
        if matches!(principal, Principal::Owner(_)) {
            view.owner = Some(owner_status(open, waiting(&core.tickets), now, boot));
        }
        Ok(view)
    }

    /// `GET /v1/health`: true while unlocked. No detail, no record.
    pub fn healthy(&self) -> bool {
        matches!(self.shared.core().phase, Phase::Open(_))
    }
}

/// Entries first, then asks, each in the order in which they came.
fn waiting(tickets: &Tickets) -> Vec<Waits> {
    let entries = tickets.entries.iter().filter(|entry| entry.body.state == EntryState::Waiting);
    let entries =
        entries.map(|t| Waits { code: t.code, what: t.body.path.as_str().to_owned(), is_ask: false });
    let asks = tickets.asks.iter().filter(|ask| ask.body.state == AskState::Waiting);
    entries
        .chain(asks.map(|t| Waits { code: t.code, what: t.body.rules.to_string(), is_ask: true }))
        .collect()
}

fn owner_status(
    open: &crate::open::Open,
    waiting: Vec<Waits>,
    now: Timestamp,
    boot: std::time::Duration,
) -> OwnerStatus {
    let tokens = &open.tokens;
    let live: Vec<_> = tokens.all(false).filter(|e| tokens.ended(e, now, false).is_none()).collect();
    let first = open.secrets.paths.keys().map(|path| path.split('/').next().unwrap_or_default());
    let prefixes: std::collections::BTreeSet<&str> = first.collect();
    OwnerStatus {
        secrets: open.secrets.paths.len() as u64,
        exposed: open.secrets.exposed.len() as u64,
        prefixes: prefixes.len() as u64,
        tokens: live.len() as u64,
        next_end: live.iter().map(|e| tokens.effective_end(e, false)).min(),
        sessions: open.sessions.list(open.settings.session_idle(), now, boot, None).len() as u64,
        waiting,
    }
}
