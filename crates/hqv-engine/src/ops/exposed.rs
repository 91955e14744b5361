//! `exposed`: for every version, who ever had it in plain, by which way and when, against those that only used it.
//!
//! The answer is put together outside the mutex: the ledger is brought to the present, its rows are opened, and only
//! then does the operation pass the door, which records it before it is answered. A caller that may not ask is refused
//! before any of that.

use hqv_model::{
    Actor, Code, Error, Need, OpKind, Prefix, SecretId, SecretPath, Timestamp, TokenId, TokenRef, Verdict,
    decide,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError};

use crate::caller::{Caller, Principal};
use crate::core::Phase;
use crate::engine::{Engine, Shared};
use crate::ledger::Unlocked;
use crate::ledger::entry::{Access, Entry, Key};
use crate::ledger::index::{Index, Wanted};
use crate::operation::{Operation, View};
use crate::rows::secret::SecretBody;
use crate::secrets::SecretEntry;

/// Most lines in one answer.
pub const MOST: usize = 10_000;

/// Which lines of the ledger. Every field that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct ExposedFilter {
    /// Of this token and all that descend from it; tokens whose rows are gone are found by what they did.
    pub token: Option<TokenRef>,
    /// Of this path, or what is below it.
    pub path: Option<Prefix>,
    /// With an access at or after this moment.
    pub since: Option<Timestamp>,
    /// At most this many, 1 to [`MOST`].
    pub limit: usize,
    /// Continue after this line: what the page before answered as `next`.
    pub after: Option<String>,
}

/// What became of a version since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is the newest.
    Current,
    /// A newer one was written.
    Replaced,
    /// Its secret was deleted, or its path is gone from the vault; the value may still be good elsewhere.
    Deleted,
}

impl Fate {
    /// The word in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Fate::Current => "current",
            Fate::Replaced => "replaced",
            Fate::Deleted => "deleted",
        }
    }
}

/// One line of the ledger.
#[derive(Clone, Debug)]
pub struct Exposure {
    /// The secret's id.
    pub secret: SecretId,
    /// Its path now, or the last one known.
    pub path: Box<str>,
    /// Which version.
    pub version: u64,
    /// What became of it.
    pub fate: Fate,
    /// Since when the secret is marked as exposed, where this is its newest version.
    pub exposed_since: Option<Timestamp>,
    /// `token`, `session`, `peer` or `nobody`.
    pub by: &'static str,
    /// The id of a token or session.
    pub id: Option<String>,
    /// A token's ancestry.
    pub name: Box<str>,
    /// What was done.
    pub access: Access,
    /// Whether the value was had in plain.
    pub seen: bool,
    /// By which ways.
    pub channels: Vec<&'static str>,
    /// What the clients said they were doing: their own word.
    pub claims: Vec<Box<str>>,
    /// The first time.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
}

/// One page.
pub struct ExposedPage {
    /// By path, version, first time.
    pub lines: Vec<Exposure>,
    /// What to continue after, where there is more.
    pub next: Option<String>,
}

/// The door for an answer that is ready.
struct Exposed {
    filter: ExposedFilter,
    found: Result<ExposedPage, Error>,
}

impl Operation for Exposed {
    type Answer = ExposedPage;
    const KIND: OpKind = OpKind::Exposed;
    const ACTIVITY: bool = false;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::OwnerOnly)
    }

    fn below(&self) -> Option<&Prefix> {
        self.filter.path.as_ref()
    }

    fn perform(self, view: &mut View<'_>) -> Result<ExposedPage, Error> {
        let ExposedFilter { token, since, .. } = &self.filter;
        let token = token.as_ref().map(|who| format!("token {who}"));
        let since = since.map(|t| format!("since {}", t.to_rfc3339()));
        let said: Vec<String> = token.into_iter().chain(since).collect();
        view.detail = (!said.is_empty()).then(|| said.join(", "));
        self.found
    }
}

impl Engine {
    /// Lines of the ledger, up to the present. The owner's alone.
    ///
    /// # Errors
    /// `FORBIDDEN`, `UNAUTHORIZED`; `NOT_FOUND` and `CONFLICT` (with the ids) for the token; `INTERNAL` where the
    /// ledger's rows are not those last written.
    pub async fn exposed(&self, caller: Caller, filter: ExposedFilter) -> Result<ExposedPage, Error> {
        let found = match self.is_owner(&caller) {
            true => self.ledger_read({
                let filter = filter.clone();
                move |shared, unlocked, index| page(shared, unlocked, index, &filter)
            }),
            // The door says no, and records it.
            false => return self.run(caller, Exposed { filter, found: Err(Error::locked()) }).await,
        };
        let found = found.await;
        self.run(caller, Exposed { filter, found }).await
    }

    /// A look without a record: whether it is worth the work. The door decides.
    pub(crate) fn is_owner(&self, caller: &Caller) -> bool {
        let mut core = self.shared.core();
        matches!(core.authenticate(caller, false, false), Ok(Principal::Owner(_)))
    }

    /// Brings the ledger to the present and reads in it, on a thread that may wait.
    pub(crate) async fn ledger_read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared, &Unlocked, &Index) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = self.shared.clone();
        let done = tokio::task::spawn_blocking(move || {
            let turn = shared.ledger_turn();
            let unlocked = shared.bring_ledger(&turn)?;
            let index = shared.open_index(&unlocked, &turn)?;
            let index = index.lock().unwrap_or_else(PoisonError::into_inner);
            read(&shared, &unlocked, index.as_ref().ok_or_else(Error::locked)?)
        });
        done.await.unwrap_or_else(|e| Err(Error::internal("reading the ledger failed").cause(e)))
    }
}

fn page(
    shared: &Shared,
    unlocked: &Unlocked,
    index: &Index,
    filter: &ExposedFilter,
) -> Result<ExposedPage, Error> {
    let family = filter.token.as_ref().map(|who| meant(shared, index, who)).transpose()?;
    let path = filter.path.as_ref().map(|prefix| (prefix.as_str().to_owned(), shared.secrets_below(prefix)));
    let wanted = Wanted { family: family.map(|(id, _)| id), path, since: filter.since };
    let mut lines = index.wanted(&wanted);
    if let Some(after) = &filter.after {
        let key = Key::from_str_radix(after, 16).ok();
        let last =
            key.and_then(|key| index.get(key)).ok_or_else(|| Error::bad_request("an unknown cursor"))?;
        lines.retain(|entry| order(entry) > order(last));
    }
    let limit = filter.limit.clamp(1, MOST);
    let more = lines.len() > limit;
    if more {
        lines.select_nth_unstable_by(limit, |a, b| order(a).cmp(&order(b)));
        lines.truncate(limit);
    }
    lines.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
    let next = lines.last().filter(|_| more).map(|last| format!("{:x}", last.key()));
    let fates = Fates::of(shared, unlocked, lines.iter().map(|entry| entry.secret).collect())?;
    Ok(ExposedPage { lines: lines.into_iter().map(|entry| fates.line(entry)).collect(), next })
}

/// The order of an answer; no two lines stand at the same place.
fn order(entry: &Entry) -> (&str, SecretId, u64, Timestamp, [u8; 16], Access) {
    (&entry.path, entry.secret, entry.version, entry.first, entry.who.id, entry.access)
}

/// The one token that a reference means, with its ancestry: a live one, or else an ended one, whose row may be gone.
///
/// # Errors
/// `NOT_FOUND`; `CONFLICT` with the ids, where several are called that and none or more than one of them lives.
pub(crate) fn meant(shared: &Shared, index: &Index, who: &TokenRef) -> Result<Named, Error> {
    let (live, mut ended) = shared.tokens_called(who)?;
    if let Some(live) = live {
        return Ok(live);
    }
    ended.extend(index.tokens(who));
    let ids: Vec<String> = ended.keys().take(20).map(TokenId::to_string).collect();
    match (ended.len(), ended.pop_first()) {
        (1, Some(one)) => Ok(one),
        (0, _) | (_, None) => {
            Err(Error::not_found(format!("no token is called {who}")).hint("hq-vault token list --all"))
        }
        _ => Err(several(&ids)),
    }
}

fn several(ids: &[String]) -> Error {
    Error::new(Code::Conflict, format!("several tokens are called that: {}", ids.join(", ")))
        .hint("name one by its id")
}

/// A token's id with its ancestry.
type Named = (TokenId, Box<str>);
/// Tokens by their ids, with their ancestries.
type Called = BTreeMap<TokenId, Box<str>>;

impl Shared {
    /// How many of a token and its descendants live.
    pub(crate) fn live_family(&self, id: TokenId) -> u64 {
        let mut core = self.core();
        let now = core.now();
        let Phase::Open(open) = &core.phase else {
            return 0;
        };
        let family = open.tokens.all(false).filter(|e| e.facts.id == id || e.facts.ancestors.contains(&id));
        family.filter(|e| !open.tokens.gone(e, now, false)).count() as u64
    }

    /// Of the tokens that have a row: the live one that is called so, and the ended ones.
    fn tokens_called(&self, who: &TokenRef) -> Result<(Option<Named>, Called), Error> {
        let mut core = self.core();
        let now = core.now();
        let Phase::Open(open) = &core.phase else {
            return Err(Error::locked());
        };
        let (mut live, mut ended) = (Called::new(), Called::new());
        for entry in open.tokens.all(false).filter(|entry| crate::reference::matches(entry, who)) {
            let to = if open.tokens.gone(entry, now, false) { &mut ended } else { &mut live };
            to.insert(entry.facts.id, entry.facts.ancestry.as_ref().into());
        }
        if live.len() > 1 {
            let ids: Vec<String> = live.keys().take(20).map(TokenId::to_string).collect();
            return Err(several(&ids));
        }
        Ok((live.pop_first(), ended))
    }

    /// Live secrets at or below a prefix: they may have had other paths before.
    fn secrets_below(&self, prefix: &Prefix) -> HashSet<SecretId> {
        let core = self.core();
        let Phase::Open(open) = &core.phase else {
            return HashSet::new();
        };
        let exact = SecretPath::parse(prefix.as_str().trim_end_matches('/')).ok();
        let exact = exact.map(|path| open.keys.lookup(&path));
        let below = open.secrets.below(prefix, None, false).map(|(lookup, _)| lookup);
        let entries = below.chain(exact).filter_map(|lookup| open.secrets.by_lookup.get(&lookup, false));
        entries.filter_map(|entry| entry.id().ok()).collect()
    }
}

/// What became of secrets.
pub(crate) struct Fates(HashMap<SecretId, SecretBody>);

impl Fates {
    /// Looks secrets up and opens their rows, which needs the mutex for the first half only.
    pub(crate) fn of(shared: &Shared, unlocked: &Unlocked, ids: HashSet<SecretId>) -> Result<Self, Error> {
        let entries: Vec<Arc<SecretEntry>> = match &shared.core().phase {
            Phase::Open(open) => {
                let all = open.secrets.by_lookup.committed().map(|(_, entry)| entry);
                all.filter(|entry| entry.id().is_ok_and(|id| ids.contains(&id))).cloned().collect()
            }
            _ => return Err(Error::locked()),
        };
        let opened = entries.iter().map(|entry| Ok((entry.id()?, entry.open(&unlocked.keys)?)));
        opened.collect::<Result<_, Error>>().map(Fates)
    }

    /// The secret's row, where it is there.
    pub(crate) fn body(&self, secret: &SecretId) -> Option<&SecretBody> {
        self.0.get(secret)
    }

    /// What became of a version.
    pub(crate) fn fate(&self, secret: &SecretId, version: u64) -> Fate {
        match self.body(secret) {
            Some(body) if body.newest != version => Fate::Replaced,
            Some(body) if body.deleted.is_none() => Fate::Current,
            _ => Fate::Deleted,
        }
    }

    fn line(&self, entry: &Entry) -> Exposure {
        use crate::ledger::entry::WhoKind;
        let body = self.body(&entry.secret);
        let fate = self.fate(&entry.secret, entry.version);
        let who = &entry.who;
        Exposure {
            secret: entry.secret,
            path: body.map_or(&*entry.path, |body| body.path.as_str()).into(),
            version: entry.version,
            fate,
            exposed_since: body.filter(|body| body.newest == entry.version).and_then(|body| body.exposed),
            by: who.kind.as_str(),
            id: match who.kind {
                WhoKind::Token => Some(TokenId::from_bytes(who.id).to_string()),
                WhoKind::Session => Some(hqv_model::SessionId::from_bytes(who.id).to_string()),
                WhoKind::Peer | WhoKind::Nobody => None,
            },
            name: who.name.clone(),
            access: entry.access,
            seen: entry.seen(),
            channels: entry.channels.words().collect(),
            claims: entry.claims.clone(),
            first: entry.first,
            last: entry.last,
        }
    }
}
