//! Tokens and their families.
//!
//! What ends or limits a token follows from its ancestors at every use: an end, a revocation or a spent
//! limit is stored once, at the token it was given to, and holds for everything below it. So ending a
//! family of any size is one row, and no descendant can be missed.

use hqv_crypto::cbor::Kept;
use hqv_model::{Code, Error, Kind, RowFacts, RowHeader, RowId, Scope, Timestamp, TokenId, TokenName};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::kin::{Kin, SiblingKey};
use crate::table::Table;

/// The most live children one token (or the owner) may have.
pub const MAX_CHILDREN: u32 = 100_000;

/// What was decided for good when the token was made.
pub struct TokenFacts {
    /// Unique for ever.
    pub id: TokenId,
    /// Who it descends from; none for the owner's.
    pub parent: Option<TokenId>,
    /// All ancestors, the oldest first; siblings share the list.
    pub ancestors: Arc<[TokenId]>,
    /// Unique among live siblings.
    pub name: TokenName,
    /// The path of names, `orchestrator/worker-3`.
    pub ancestry: Arc<str>,
    /// SHA-256 over domain and secret; the secret itself is nowhere.
    pub hash: [u8; 32],
    /// Who made it: `owner` or an ancestry.
    pub creator: Arc<str>,
    /// When.
    pub created: Timestamp,
    /// `renew` never goes beyond it.
    pub latest_end: Timestamp,
    /// The use limit of its own.
    pub max: Option<u64>,
    /// The share of uses that is set aside for it, above 0 and at most `max`.
    pub reserve: Option<u64>,
    /// True where it or an ancestor has a use limit: its uses are durable before the answer.
    pub limited: bool,
    /// What it may; tokens that may the same share it.
    pub scope: Arc<Scope>,
    /// Fields of a newer program.
    pub kept: Kept,
}

/// Its state of its own; descendants inherit an end without a mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// In force.
    Live,
    /// Suspended until thawed.
    Frozen,
    /// Ended for ever.
    Revoked,
}

/// A token row as held in memory.
#[derive(Clone)]
pub struct TokenEntry {
    /// The unchanging part.
    pub facts: Arc<TokenFacts>,
    /// Its own end.
    pub end: Timestamp,
    /// Its own state.
    pub state: State,
    /// Uses committed so far, its own and its descendants'.
    pub spent: u64,
    /// Those of them that came out of its reserve.
    pub reserve_spent: u64,
    /// What is set aside for those below it (`budget`). Follows from other rows, and is not in this one.
    pub promised: u64,
    /// It has ended, and what was set aside for it or below it went back. Not in the row either.
    pub returned: bool,
    /// The last use.
    pub last_used: Option<Timestamp>,
    /// What tells its row from any other of its id; none until first sealed.
    pub sealed: Option<Sealed>,
}

/// What of a token's row cannot be told from its id: less than half of its facts.
#[derive(Clone, Copy)]
pub struct Sealed {
    revision: u64,
    epoch: u32,
    term: u32,
    nonce: [u8; 24],
    tag: [u8; 16],
}

impl Sealed {
    /// Of a token's row.
    pub fn of(facts: &RowFacts) -> Self {
        let RowHeader { revision, epoch, term, .. } = facts.header;
        Sealed { revision, epoch, term, nonce: facts.nonce, tag: facts.tag }
    }

    /// The row's facts, as far as its MAC is over them.
    pub fn facts(&self, id: TokenId) -> RowFacts {
        let Sealed { revision, epoch, term, nonce, tag } = *self;
        let header = RowHeader { kind: Kind::Token, id: RowId::of(id.bytes()), revision, epoch, term };
        RowFacts { header, lookup: None, nonce, tag, body_len: 0 }
    }
}

/// All tokens, by id and by the hash of their secret.
#[derive(Default)]
pub struct Tokens {
    /// By id.
    pub by_id: Table<TokenId, Arc<TokenEntry>>,
    /// Hash to id.
    pub by_hash: Table<[u8; 32], TokenId>,
    /// The newest token of each parent and name: the only one that can be live.
    pub by_sibling: Table<SiblingKey, TokenId>,
    /// Uses of unlimited tokens since the last flush, and the last of them.
    pub unflushed: HashMap<TokenId, (u64, Timestamp)>,
    /// Those of them that the group under way stores.
    flushing: HashMap<TokenId, (u64, Timestamp)>,
    /// Revoked in memory although the store would not take it; retried until it does.
    pub pending_revocations: HashSet<TokenId>,
    /// Revoked by the group under way: what becomes pending where it is not durable.
    pub revoking: Vec<TokenId>,
    /// Frozen in memory although the store would not take it; retried until it does.
    pub pending_freezes: HashSet<TokenId>,
    /// Frozen by the group under way.
    pub freezing: Vec<TokenId>,
    /// Reserved tokens by the end that they had when they were looked at last.
    pub(crate) reserved: BTreeSet<(Timestamp, TokenId)>,
    /// When the next sweep of old rows is due, on the boot clock; none: now.
    pub(crate) sweep_at: Option<std::time::Duration>,
    /// At least as many as live, by parent: children that ended still count until the bound is met.
    pub children: HashMap<Option<TokenId>, u32>,
    /// Where parents and their children's names become keys, what tokens have in common, and who descends from whom.
    pub(crate) kin: Kin,
}

/// What stands in no row yet and is kept through a lock: it holds until the daemon stops.
#[derive(Default)]
pub struct Carried {
    revoked: HashSet<TokenId>,
    frozen: HashSet<TokenId>,
    uses: HashMap<TokenId, (u64, Timestamp)>,
}

impl Tokens {
    /// The token and its ancestors, the token first.
    pub(crate) fn chain<'a>(
        &'a self,
        entry: &'a TokenEntry,
        staged: bool,
    ) -> impl Iterator<Item = Option<&'a TokenEntry>> {
        let above = entry.facts.ancestors.iter().rev();
        std::iter::once(Some(entry))
            .chain(above.map(move |id| self.by_id.get(id, staged).map(|a| a.as_ref())))
    }

    /// Why the token does not stand, if it does not: its own end or that of an ancestor, or a freeze.
    pub fn ended(&self, entry: &TokenEntry, now: Timestamp, staged: bool) -> Option<Code> {
        let (mut expired, mut frozen) = (false, false);
        for link in self.chain(entry, staged) {
            let Some(link) = link else {
                return Some(Code::TokenRevoked);
            };
            if link.state == State::Revoked || self.pending_revocations.contains(&link.facts.id) {
                return Some(Code::TokenRevoked);
            }
            frozen |= self.is_frozen(link);
            expired |= link.end <= now;
        }
        match (expired, frozen) {
            (true, _) => Some(Code::TokenExpired),
            (false, true) => Some(Code::TokenRevoked),
            (false, false) => None,
        }
    }

    /// Whether it ended for good. One that is frozen, itself or by an ancestor, has not: its name, its reserve and its
    /// end stay as they are.
    pub fn gone(&self, entry: &TokenEntry, now: Timestamp, staged: bool) -> bool {
        self.chain(entry, staged).any(|link| {
            link.is_none_or(|link| {
                link.state == State::Revoked
                    || link.end <= now
                    || self.pending_revocations.contains(&link.facts.id)
            })
        })
    }

    /// Whether its own state is frozen, stored or not yet.
    pub fn is_frozen(&self, entry: &TokenEntry) -> bool {
        entry.state == State::Frozen || self.pending_freezes.contains(&entry.facts.id)
    }

    /// Stages a state that may change again: frozen, or live once more. What was set aside stays so.
    pub fn stage_state(&mut self, entry: &TokenEntry, state: State) {
        let mut next = entry.clone();
        next.state = state;
        self.by_id.stage(next.facts.id, Some(Arc::new(next)));
    }

    /// When it ends, its ancestors' ends included.
    pub fn effective_end(&self, entry: &TokenEntry, staged: bool) -> Timestamp {
        self.chain(entry, staged).flatten().map(|link| link.end).min().unwrap_or(entry.end)
    }

    /// Every token as the writer (`staged`) or a reader sees it, in no order.
    pub fn all(&self, staged: bool) -> impl Iterator<Item = &Arc<TokenEntry>> {
        self.by_id.all(staged).map(|(_, entry)| entry)
    }

    /// Uses counted so far and the last of them, those not yet stored included.
    pub fn spent(&self, entry: &TokenEntry, staged: bool) -> (u64, Option<Timestamp>) {
        let id = &entry.facts.id;
        // The writer sees the rows that already count what it is storing.
        let flushing = if staged { None } else { self.flushing.get(id) };
        let more = self.unflushed.get(id).into_iter().chain(flushing);
        more.fold((entry.spent, entry.last_used), |(n, last), (uses, at)| {
            (n.saturating_add(*uses), last.max(Some(*at)))
        })
    }

    /// Counts one use of a token without any limit above it: in memory, flushed within a second.
    pub fn count_unlimited(&mut self, entry: &TokenEntry, now: Timestamp) {
        for id in entry.facts.ancestors.iter().chain(std::iter::once(&entry.facts.id)) {
            add_uses(&mut self.unflushed, *id, 1, now);
        }
    }

    /// Moves the uses counted in memory into staged rows.
    pub fn stage_unflushed(&mut self) {
        for (id, (uses, last)) in std::mem::take(&mut self.unflushed) {
            if let Some(entry) = self.by_id.get(&id, true) {
                let mut next = (**entry).clone();
                next.spent = next.spent.saturating_add(uses);
                next.last_used = next.last_used.max(Some(last));
                self.by_id.stage(id, Some(Arc::new(next)));
                add_uses(&mut self.flushing, id, uses, last);
            }
        }
    }

    /// What a lock must not lose. Revocations of the group under way are among it: its commit may yet fail.
    pub fn carry(&mut self) -> Carried {
        self.hold_revocations();
        Carried {
            revoked: std::mem::take(&mut self.pending_revocations),
            frozen: std::mem::take(&mut self.pending_freezes),
            uses: std::mem::take(&mut self.unflushed),
        }
    }

    /// Takes over what the last lock kept, as far as the rows do not say it.
    pub fn resume(&mut self, carried: Carried) {
        let stands = |id: &TokenId| self.by_id.get(id, false).is_some_and(|e| e.state != State::Revoked);
        let moves = |id: &TokenId| self.by_id.get(id, false).is_some_and(|e| e.state == State::Live);
        self.pending_freezes = carried.frozen.into_iter().filter(moves).collect();
        self.pending_revocations = carried.revoked.into_iter().filter(stands).collect();
        self.unflushed = carried.uses;
    }

    /// A new token enters all indexes.
    pub fn stage_new(&mut self, entry: TokenEntry) {
        let facts = entry.facts.clone();
        self.by_id.stage(facts.id, Some(Arc::new(entry)));
        self.by_hash.stage(facts.hash, Some(facts.id));
        self.by_sibling.stage(self.kin.sibling(facts.parent, &facts.name), Some(facts.id));
    }

    /// The newest token of a parent (none: the owner) and name, as the writer (`staged`) or a reader sees it.
    pub fn sibling(
        &self,
        parent: Option<TokenId>,
        name: &TokenName,
        staged: bool,
    ) -> Option<&Arc<TokenEntry>> {
        let id = self.by_sibling.get(&self.kin.sibling(parent, name), staged)?;
        self.by_id.get(id, staged)
    }

    /// Every token that descends from this one, as the writer (`staged`) or a reader sees it, in no order.
    pub fn below(&self, id: TokenId, staged: bool) -> Vec<&Arc<TokenEntry>> {
        let (mut found, mut parents) = (Vec::new(), vec![id]);
        while let Some(parent) = parents.pop() {
            for child in self.kin.children(&parent) {
                parents.extend(self.kin.has_children(child).then_some(*child));
                found.extend(self.by_id.get(child, staged));
            }
        }
        if staged {
            let made = |id: &TokenId| self.by_id.get(id, false).is_none();
            let staged = self.by_id.staged().filter_map(|(id, entry)| entry.filter(|_| made(id)));
            found.extend(staged.filter(|entry| entry.facts.ancestors.contains(&id)));
        }
        found
    }

    /// Whether the parent may have one more live child. The count at hand includes ended ones and misses those
    /// of the group under way; where it comes near the bound it is taken anew.
    pub fn has_room(&mut self, parent: Option<TokenId>, now: Timestamp, staged: bool) -> bool {
        let under_way = u32::try_from(self.by_hash.staged().count()).unwrap_or(u32::MAX);
        if self.children.get(&parent).is_none_or(|n| n.saturating_add(under_way) < MAX_CHILDREN) {
            return true;
        }
        let child = |e: &&Arc<TokenEntry>| e.facts.parent == parent && !self.gone(e, now, staged);
        let live = u32::try_from(self.all(staged).filter(child).count()).unwrap_or(u32::MAX);
        self.children.insert(parent, live);
        live < MAX_CHILDREN
    }

    /// Ends every token at once, in memory; the next commit stores it.
    pub fn end_all(&mut self) {
        let live = |e: &&Arc<TokenEntry>| e.state != State::Revoked;
        let all: Vec<TokenId> = self.all(true).filter(live).map(|e| e.facts.id).collect();
        self.pending_revocations.extend(all);
    }

    /// Stages the freezes and revocations that so far hold in memory only.
    pub fn stage_pending(&mut self) {
        let frozen: Vec<TokenId> = self.pending_freezes.iter().copied().collect();
        for id in frozen {
            if let Some(entry) = self.by_id.get(&id, true).filter(|e| e.state == State::Live).cloned() {
                self.stage_state(&entry, State::Frozen);
            }
        }
        let pending: Vec<TokenId> = self.pending_revocations.iter().copied().collect();
        for id in pending {
            if self.by_id.get(&id, true).is_some_and(|entry| entry.state != State::Revoked) {
                self.stage_revoked(id);
            }
        }
    }

    /// Loads a row at unlock.
    pub fn load(&mut self, mut entry: TokenEntry) {
        self.kin.share(&mut entry);
        let facts = entry.facts.clone();
        self.kin.born(&facts);
        let key = self.kin.sibling(facts.parent, &facts.name);
        let newer =
            self.by_sibling.get(&key, false).and_then(|id| self.by_id.get(id, false)).is_none_or(|other| {
                (other.state == State::Revoked, entry.end) >= (entry.state == State::Revoked, other.end)
            });
        if newer {
            self.by_sibling.load(key, facts.id);
        }
        *self.children.entry(facts.parent).or_default() += 1;
        self.by_hash.load(facts.hash, facts.id);
        self.by_id.load(facts.id, Arc::new(entry));
    }

    /// An operation is whole: its staged changes stay in the group.
    pub fn keep(&mut self) {
        self.by_id.keep();
        self.by_hash.keep();
        self.by_sibling.keep();
    }

    /// Undoes the operation under way.
    pub fn undo(&mut self) {
        self.by_id.undo();
        self.by_hash.undo();
        self.by_sibling.undo();
    }

    /// The group is durable.
    pub fn publish(&mut self) {
        let made: Vec<Option<TokenId>> = self
            .by_hash
            .staged()
            .filter_map(|(_, id)| self.by_id.get(id?, true).map(|e| e.facts.parent))
            .collect();
        for parent in made {
            *self.children.entry(parent).or_default() += 1;
        }
        for (id, entry) in self.by_id.staged() {
            match (self.by_id.get(id, false), entry) {
                (None, Some(made)) => self.kin.born(&made.facts),
                (Some(before), None) => {
                    self.children.remove(&Some(*id));
                    self.kin.gone(&before.facts);
                }
                _ => {}
            }
        }
        self.revoking.clear();
        self.freezing.clear();
        self.flushing.clear();
        let by_id = &self.by_id;
        self.pending_freezes.retain(|id| by_id.get(id, true).is_some_and(|e| e.state == State::Live));
        self.pending_revocations.retain(|id| by_id.get(id, true).is_some_and(|e| e.state != State::Revoked));
        self.by_id.publish();
        self.by_hash.publish();
        self.by_sibling.publish();
        self.forget_returned();
    }

    /// The group was not confirmed: its revocations and freezes hold in memory all the same, and are retried.
    pub fn hold_revocations(&mut self) {
        self.pending_freezes.extend(self.freezing.drain(..));
        self.pending_revocations.extend(self.revoking.drain(..));
    }

    /// The group did not become durable.
    pub fn discard(&mut self) {
        self.hold_revocations();
        for (id, (uses, last)) in std::mem::take(&mut self.flushing) {
            add_uses(&mut self.unflushed, id, uses, last);
        }
        self.by_id.discard();
        self.by_hash.discard();
        self.by_sibling.discard();
    }
}

fn add_uses(to: &mut HashMap<TokenId, (u64, Timestamp)>, id: TokenId, uses: u64, last: Timestamp) {
    let slot = to.entry(id).or_insert((0, last));
    slot.0 = slot.0.saturating_add(uses);
    slot.1 = slot.1.max(last);
}

/// The error for a token whose uses, or an ancestor's, are spent.
pub fn exhausted(entry: &TokenEntry) -> Error {
    Error::new(Code::TokenExhausted, format!("token {} has no uses left", entry.facts.ancestry))
        .actor(&*entry.facts.ancestry)
        .hint("ask who gave it for a new one")
}

/// The error for a token that is frozen, told to whoever holds it.
pub fn frozen(entry: &TokenEntry) -> Error {
    Error::new(Code::TokenRevoked, format!("token {} is frozen", entry.facts.ancestry))
        .actor(&*entry.facts.ancestry)
        .hint("ask who gave it; hq-vault thaw lets it go on")
}

/// The error for a token that ended, told to whoever holds it.
pub fn ended(code: Code, entry: &TokenEntry) -> Error {
    let what = if code == Code::TokenExpired { "has expired" } else { "was revoked" };
    Error::new(code, format!("token {} {what}", entry.facts.ancestry))
        .actor(&*entry.facts.ancestry)
        .hint("ask who gave it for a new one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tk5_children_that_ended_make_room() {
        let mut tokens = Tokens::default();
        tokens.children.insert(None, MAX_CHILDREN);
        assert!(tokens.has_room(None, Timestamp::from_millis(0), true), "no child lives");
        assert_eq!(tokens.children.get(&None), Some(&0));
    }

    fn child(number: u32, end: Timestamp) -> TokenEntry {
        // Ids and hashes are uniform, as the tables need them.
        let spread = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        let (mut id, mut hash) = ([0; 16], [0; 32]);
        id[8..].copy_from_slice(&spread);
        hash[24..].copy_from_slice(&spread);
        let name = format!("t{number}");
        let facts = TokenFacts {
            id: TokenId::from_bytes(id),
            parent: None,
            ancestors: Arc::default(),
            name: TokenName::parse(&name).unwrap_or_else(|error| panic!("{error}")),
            ancestry: name.into(),
            hash,
            creator: "owner".into(),
            created: Timestamp::from_millis(0),
            latest_end: end,
            max: None,
            reserve: None,
            limited: false,
            scope: Scope::default_scope().into(),
            kept: Kept::default(),
        };
        TokenEntry {
            facts: Arc::new(facts),
            end,
            state: State::Live,
            spent: 0,
            reserve_spent: 0,
            promised: 0,
            returned: false,
            last_used: None,
            sealed: None,
        }
    }

    #[test]
    fn tk5_a_parent_has_100_000_live_children_and_no_more() {
        let (now, end) = (Timestamp::from_millis(1), Timestamp::from_millis(10));
        let mut tokens = Tokens::default();
        for number in 0..MAX_CHILDREN - 2 {
            tokens.load(child(number, end));
        }
        // Those of the group under way count, and of those that ended none does.
        for number in MAX_CHILDREN..MAX_CHILDREN + 2 {
            assert!(tokens.has_room(None, now, true));
            tokens.stage_new(child(number, end));
            tokens.keep();
        }
        assert!(!tokens.has_room(None, now, true));
        tokens.publish();
        assert!(!tokens.has_room(None, now, true));
        tokens.stage_revoked(TokenId::from_bytes([0; 16]));
        assert!(tokens.has_room(None, now, true));
        tokens.stage_new(child(MAX_CHILDREN + 2, end));
        assert!(!tokens.has_room(None, now, true));
        assert!(tokens.has_room(None, end, true), "all have ended");
    }
}
