//! `burn`: ends a token's family, marks what it had as exposed, and says what is to be rotated.
//!
//! First the family ends: one durable commit, as `token revoke` makes, whatever happens after. From then on it receives
//! nothing, so what the ledger says next is all there will ever be. That is marked in a second commit, whole or not at
//! all, up to [`MOST_MARKED`] secrets; a family that had more is marked in several. Every step may be repeated: a burn
//! that was cut short is finished by another.

use hqv_audit::{Item, ItemKind};
use hqv_model::{
    Actor, Code, Error, Kind, Need, OpKind, SecretId, SecretPath, Timestamp, TokenId, TokenRef, Verdict,
    decide,
};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::exposed::{Fate, Fates, meant};
use crate::caller::Caller;
use crate::engine::{Engine, Shared};
use crate::family::State;
use crate::ledger::Unlocked;
use crate::ledger::index::{Index, Wanted};
use crate::operation::{Operation, View};
use crate::secrets::{SecretEntry, seal_secret};

/// Secrets marked in one commit.
pub const MOST_MARKED: usize = 10_000;
/// Secrets named in the record of one commit; the ledger says the rest.
const MOST_NAMED: usize = 1_000;

/// A version that the family has had in plain.
#[derive(Clone, Debug)]
pub struct Had {
    /// The secret's id.
    pub secret: SecretId,
    /// Its path now, or the last one known.
    pub path: Box<str>,
    /// Which version.
    pub version: u64,
    /// What became of it. What is current or deleted is to be rotated.
    pub fate: Fate,
    /// The first time.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
    /// Who of the family, by ancestry.
    pub by: Vec<Box<str>>,
    /// By which ways.
    pub channels: Vec<&'static str>,
}

/// What `burn` answers.
#[derive(Debug)]
pub struct Burnt {
    /// The token's id.
    pub id: TokenId,
    /// Its path of names.
    pub ancestry: Box<str>,
    /// How many tokens of the family were live until now, itself included.
    pub ended: u64,
    /// What it had, by path and version.
    pub had: Vec<Had>,
    /// How many secrets are marked now.
    pub marked: u64,
}

/// Ends the family. The live token that is meant, and how many ended; none where none lives.
struct End {
    who: TokenRef,
}

impl Operation for End {
    type Answer = Option<(TokenId, u64)>;
    const KIND: OpKind = OpKind::Burn;
    const WRITES: bool = true;
    const ALWAYS: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::OwnerOnly)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Self::Answer, Error> {
        view.detail = Some(format!("{}: ended", self.who));
        let (now, staged, in_doubt) = (view.now, view.staged, view.open.in_doubt);
        let tokens = &mut view.open.tokens;
        let live = tokens.all(staged).filter(|e| !tokens.gone(e, now, staged));
        let called: Vec<_> = live.filter(|e| crate::reference::matches(e, &self.who)).cloned().collect();
        let entry = match called.as_slice() {
            [] => {
                view.detail = Some(format!("{}: no live token is called that", self.who));
                return Ok(None);
            }
            [one] => one.clone(),
            all => {
                let ids: Vec<String> = all.iter().take(20).map(|e| e.facts.id.to_string()).collect();
                let say = format!("several tokens are called that: {}", ids.join(", "));
                return Err(Error::new(Code::Conflict, say).hint("name one by its id"));
            }
        };
        let id = entry.facts.id;
        let below = tokens.all(staged).filter(|e| e.facts.ancestors.contains(&id));
        let ended = 1 + below.filter(|e| !tokens.gone(e, now, staged)).count() as u64;
        view.detail = Some(format!("{} {id}: ended", entry.facts.ancestry));
        if in_doubt {
            // Nothing can be staged on top of a group in doubt; it holds in memory and is stored after.
            tokens.pending_revocations.insert(id);
        } else if entry.state != State::Revoked {
            tokens.stage_revoked(id);
            tokens.revoking.push(id);
        }
        Ok(Some((id, ended)))
    }
}

/// What the ledger says of a family.
struct Found {
    id: TokenId,
    ancestry: Box<str>,
    had: Vec<Had>,
}

/// The plan of a burn, or why there is none; for the record.
struct Plan {
    who: TokenRef,
    found: Result<Found, Error>,
}

impl Operation for Plan {
    type Answer = Found;
    const KIND: OpKind = OpKind::Burn;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::OwnerOnly)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Found, Error> {
        view.detail = Some(format!("{}: looked at, nothing changed", self.who));
        self.found
    }
}

/// Marks secrets whose newest version is one of these. Answers how many are marked.
struct Mark {
    about: String,
    had: Vec<(SecretPath, SecretId, u64, Timestamp)>,
}

impl Operation for Mark {
    type Answer = u64;
    const KIND: OpKind = OpKind::Burn;
    const WRITES: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::OwnerOnly)
    }

    fn perform(self, view: &mut View<'_>) -> Result<u64, Error> {
        let mut marked = 0;
        for (path, secret, version, first) in &self.had {
            // It may have been moved, replaced or deleted since the ledger was read: then there is nothing to mark.
            let Some((entry, body)) = view.find(path)? else { continue };
            if entry.id()? != *secret || body.newest != *version || body.deleted.is_some() {
                continue;
            }
            marked += 1;
            if view.items.len() < MOST_NAMED {
                view.items.push(named(*secret, *version, path));
            }
            if body.exposed.is_none_or(|since| since > *first) {
                let next = crate::rows::secret::SecretBody { exposed: Some(*first), ..body };
                mark(view, &entry, &next, *secret);
            }
        }
        view.detail = Some(format!("{}: {marked} secrets marked as exposed", self.about));
        Ok(marked)
    }
}

fn named(secret: SecretId, version: u64, path: &SecretPath) -> Item {
    let path = path.shared();
    Item { secret: Some(secret), version: Some(version), path, kind: ItemKind::Named, channel: "burn".into() }
}

fn mark(view: &mut View<'_>, entry: &SecretEntry, next: &crate::rows::secret::SecretBody, id: SecretId) {
    let keys = view.keys();
    let revision = entry.row.header.revision.saturating_add(1);
    let row = seal_secret(&keys, id, revision, next, view.rng);
    let before = Some(view.open.mac(&entry.row.facts()));
    view.open.change(Kind::Secret, row.header.id, before, Some(row.clone()));
    let lookup = keys.lookup(&next.path);
    let versions = entry.versions.clone();
    view.open.secrets.stage(lookup, Some(Arc::new(SecretEntry { row, versions })));
    view.open.secrets.stage_exposed(lookup, true);
}

impl Engine {
    /// See the module's comment. With `dry` nothing is changed: what would be. The owner's alone.
    ///
    /// # Errors
    /// `FORBIDDEN`, `UNAUTHORIZED`; `NOT_FOUND` and `CONFLICT` (with the ids) for the token. Where the family has ended
    /// and the rest fails, the sentence says so.
    pub async fn burn(&self, caller: Caller, who: TokenRef, dry: bool) -> Result<Burnt, Error> {
        if dry || !self.is_owner(&caller) {
            return self.plan(caller, who).await;
        }
        let caller = Arc::new(caller);
        let ended = self.run_part(&caller, End { who: who.clone() }).await?;
        // A name may be given again meanwhile; the id stays.
        let target = ended.map_or(who, |(id, _)| TokenRef::Id(id));
        let found = match self.found(target.clone()).await {
            Ok(found) => found,
            Err(error) => {
                let told = if ended.is_some() { half_done(error) } else { error };
                let refused = Plan { who: target, found: Err(told) };
                return self.run_part(&caller, refused).await.map(|found| of(found, 0, 0));
            }
        };
        let marked = self.mark_all(&caller, &found).await.map_err(half_done)?;
        Ok(of(found, ended.map_or(0, |(_, n)| n), marked))
    }

    async fn plan(&self, caller: Caller, who: TokenRef) -> Result<Burnt, Error> {
        let found = match self.is_owner(&caller) {
            true => self.found(who.clone()).await,
            false => Err(Error::locked()),
        };
        let found = self.run(caller, Plan { who, found }).await?;
        let ended = self.shared.live_family(found.id);
        Ok(of(found, ended, 0))
    }

    async fn found(&self, who: TokenRef) -> Result<Found, Error> {
        self.ledger_read(move |shared, unlocked, index| found(shared, unlocked, index, &who)).await
    }

    async fn mark_all(&self, caller: &Arc<Caller>, found: &Found) -> Result<u64, Error> {
        let about = format!("{} {}", found.ancestry, found.id);
        let current = found.had.iter().filter(|had| had.fate == Fate::Current);
        let all: Vec<_> = current
            .map(|had| Ok((SecretPath::parse(&had.path)?, had.secret, had.version, had.first)))
            .collect::<Result<_, Error>>()?;
        let mut marked = 0;
        // The last word is recorded also where nothing is to be marked.
        let mut parts = all.chunks(MOST_MARKED);
        let mut next = Some(parts.next().unwrap_or_default());
        while let Some(part) = next {
            marked += self.run_part(caller, Mark { about: about.clone(), had: part.to_vec() }).await?;
            next = parts.next();
        }
        Ok(marked)
    }
}

fn of(found: Found, ended: u64, marked: u64) -> Burnt {
    Burnt { id: found.id, ancestry: found.ancestry, ended, had: found.had, marked }
}

/// What a person must know before anything else: the family is over.
fn half_done(error: Error) -> Error {
    let say = format!("the family has ended, but what it had is not marked: {}", error.message());
    Error::new(error.code(), say).hint("run the same command again")
}

fn found(shared: &Shared, unlocked: &Unlocked, index: &Index, who: &TokenRef) -> Result<Found, Error> {
    let (id, ancestry) = meant(shared, index, who)?;
    let lines = index.wanted(&Wanted { family: Some(id), ..Wanted::default() });
    let fates = Fates::of(shared, unlocked, lines.iter().map(|entry| entry.secret).collect())?;
    let mut had: BTreeMap<(SecretId, u64), Had> = BTreeMap::new();
    for entry in lines.into_iter().filter(|entry| entry.seen()) {
        let body = fates.body(&entry.secret);
        let one = had.entry((entry.secret, entry.version)).or_insert_with(|| Had {
            secret: entry.secret,
            path: body.map_or(&*entry.path, |body| body.path.as_str()).into(),
            version: entry.version,
            fate: fates.fate(&entry.secret, entry.version),
            first: entry.first,
            last: entry.last,
            by: Vec::new(),
            channels: Vec::new(),
        });
        one.first = one.first.min(entry.first);
        one.last = one.last.max(entry.last);
        if !one.by.contains(&entry.who.name) {
            one.by.push(entry.who.name.clone());
        }
        for channel in entry.channels.words() {
            if !one.channels.contains(&channel) {
                one.channels.push(channel);
            }
        }
    }
    let mut had: Vec<Had> = had.into_values().collect();
    had.iter_mut().for_each(|one| one.by.sort_unstable());
    had.sort_by(|a, b| (&a.path, a.version).cmp(&(&b.path, b.version)));
    Ok(Found { id, ancestry, had })
}
