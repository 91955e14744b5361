//! Uses: who has how many left, and what is set aside for whom.
//!
//! A child's use counts at every ancestor. A **reserve** is a share of uses set aside for one token: it is
//! taken out of what its ancestors have, up to and including the nearest one that is reserved itself, out
//! of whose reserve it comes then. So for every token
//!
//! > spent + what is set aside below it ≤ its maximum
//!
//! where "set aside below it" (`promised`) is the sum of the unspent reserves of its live reserved
//! descendants that have no other reserved token between. A reserved token spends its reserve whatever its
//! ancestors have left, and uses above it come from them. An end gives the rest back.
//!
//! `promised` is kept with each entry and changed in the same staged step as the uses, so that no reader
//! and no crash sees one without the other; at unlock it is counted anew from the rows. An end by time is
//! noticed by the writer ([`Tokens::settle_ends`]): until then the rest stays set aside, which errs on the
//! safe side.

use hqv_model::{Error, Timestamp, TokenId};
use std::sync::Arc;

use crate::family::{State, TokenEntry, Tokens, exhausted};

impl TokenEntry {
    /// What is left of its reserve.
    pub fn reserve_left(&self) -> u64 {
        self.facts.reserve.unwrap_or(0).saturating_sub(self.reserve_spent)
    }

    /// What is left of its reserve and not set aside further down.
    fn free_reserve(&self) -> u64 {
        self.reserve_left().saturating_sub(self.promised)
    }

    /// What its own limit leaves. None: no limit of its own.
    fn own_left(&self) -> Option<u64> {
        let max = self.facts.max?;
        Some(max.saturating_sub(self.spent).saturating_sub(self.promised))
    }
}

fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

impl Tokens {
    /// Uses that the token could make now. None: no limit anywhere.
    pub fn available(&self, entry: &TokenEntry, staged: bool) -> Option<u64> {
        if !entry.facts.limited {
            return None;
        }
        let above = entry.facts.ancestors.iter().filter_map(|id| self.by_id.get(id, staged));
        above.map(Arc::as_ref).chain([entry]).fold(None, |above, link| {
            let with_reserve = above.map(|n: u64| n.saturating_add(link.free_reserve()));
            least(link.own_left(), with_reserve)
        })
    }

    /// Whether a limit, its own or an ancestor's, is spent to the last use. Cheaper than
    /// [`Tokens::available`], and true only where nothing can be left: whatever is set aside is not spent.
    pub fn spent_out(&self, entry: &TokenEntry, staged: bool) -> bool {
        let over = |link: &TokenEntry| link.facts.max.is_some_and(|max| link.spent >= max);
        entry.facts.limited && self.chain(entry, staged).flatten().any(over)
    }

    /// Stages one use of a limited token, counted at every ancestor. Out of a reserve first: the lowest on
    /// the way up that has some left covers the use for all above it.
    ///
    /// # Errors
    /// `TOKEN_EXHAUSTED`.
    pub fn spend(&mut self, entry: &TokenEntry, now: Timestamp) -> Result<(), Error> {
        self.settle_ends(now);
        // Settling may have staged a newer entry of this token.
        let entry = self.by_id.get(&entry.facts.id, true).cloned().unwrap_or_else(|| Arc::new(entry.clone()));
        if self.available(&entry, true) == Some(0) {
            return Err(exhausted(&entry));
        }
        let mut covered = false;
        for link in self.upward(&entry) {
            let mut next = (*link).clone();
            next.spent = next.spent.saturating_add(1);
            next.last_used = Some(now);
            if covered {
                next.promised = next.promised.saturating_sub(1);
            }
            if next.facts.reserve.is_some() && (covered || link.free_reserve() > 0) {
                next.reserve_spent = next.reserve_spent.saturating_add(1);
                covered = true;
            }
            self.by_id.stage(next.facts.id, Some(Arc::new(next)));
        }
        Ok(())
    }

    /// How many uses could be set aside for a new child. None: no limit anywhere.
    pub fn reservable(&mut self, parent: &TokenEntry, now: Timestamp) -> Option<u64> {
        self.settle_ends(now);
        let parent = self.by_id.get(&parent.facts.id, true)?.clone();
        let mut most = None;
        for link in self.upward(&parent) {
            if link.facts.reserve.is_some() {
                return least(most, Some(link.free_reserve()));
            }
            most = least(most, link.own_left());
        }
        most
    }

    /// Stages that `uses` are set aside below `parent`, up to the nearest reserved token.
    pub fn set_aside(&mut self, parent: TokenId, uses: u64) {
        self.change_promised(parent, |promised| promised.saturating_add(uses));
    }

    /// Stages the end of a token: what was set aside for it, or below it, goes back.
    pub fn stage_revoked(&mut self, id: TokenId) {
        let Some(entry) = self.by_id.get(&id, true).cloned() else {
            return;
        };
        let mut next = (*entry).clone();
        next.state = State::Revoked;
        next.returned = true;
        self.by_id.stage(id, Some(Arc::new(next)));
        if !entry.returned {
            self.give_back(&entry);
        }
    }

    /// Stages what the ends that time has brought give back.
    pub fn settle_ends(&mut self, now: Timestamp) {
        if self.reserved.first().is_none_or(|(end, _)| *end > now) {
            return;
        }
        let due: Vec<(Timestamp, TokenId)> =
            self.reserved.iter().take_while(|(end, _)| *end <= now).copied().collect();
        for key in due {
            let Some(entry) = self.by_id.get(&key.1, true).filter(|entry| !entry.returned).cloned() else {
                continue;
            };
            let end = self.effective_end(&entry, true);
            if end > now {
                // It was renewed. The key that stands goes only with the renewal's commit: one that fails
                // leaves the earlier end in force, and nothing else would look at it then.
                if self.committed_end(&key.1).is_some_and(|end| end > now) {
                    self.reserved.remove(&key);
                }
                self.reserved.insert((end, key.1));
                continue;
            }
            let mut next = (*entry).clone();
            next.returned = true;
            self.by_id.stage(key.1, Some(Arc::new(next)));
            self.give_back(&entry);
        }
    }

    /// The end that is durable.
    fn committed_end(&self, id: &TokenId) -> Option<Timestamp> {
        self.by_id.get(id, false).map(|entry| self.effective_end(entry, false))
    }

    /// True where [`Tokens::settle_ends`] has something to do.
    pub fn ends_due(&self, now: Timestamp) -> bool {
        self.reserved.first().is_some_and(|(end, _)| *end <= now)
    }

    /// A new reserved token is watched for its end. Watching one whose row was never stored does no harm.
    pub fn watch_end(&mut self, end: Timestamp, id: TokenId) {
        self.reserved.insert((end, id));
    }

    /// Ends that are durable are watched no more.
    pub(crate) fn forget_returned(&mut self) {
        while let Some(key) = self.reserved.first().copied() {
            if self.by_id.get(&key.1, false).is_some_and(|entry| !entry.returned) {
                break;
            }
            self.reserved.remove(&key);
        }
    }

    /// Counts from the rows what is set aside where, at unlock.
    pub fn count_reserves(&mut self, now: Timestamp) {
        let reserved: Vec<Arc<TokenEntry>> =
            self.all(false).filter(|entry| entry.facts.reserve.is_some()).cloned().collect();
        for entry in reserved {
            if self.gone(&entry, now, false) {
                let mut next = self
                    .by_id
                    .get(&entry.facts.id, false)
                    .map_or_else(|| (*entry).clone(), |e| (**e).clone());
                next.returned = true;
                self.by_id.load(next.facts.id, Arc::new(next));
                continue;
            }
            self.reserved.insert((self.effective_end(&entry, false), entry.facts.id));
            for id in entry.facts.ancestors.iter().rev() {
                let Some(link) = self.by_id.get(id, false) else { break };
                let mut next = (**link).clone();
                next.promised = next.promised.saturating_add(entry.reserve_left());
                let over = next.facts.reserve.is_some();
                self.by_id.load(*id, Arc::new(next));
                if over {
                    break;
                }
            }
        }
    }

    /// What was set aside at the ancestors for an ended token: its own rest, or what stood below it.
    fn give_back(&mut self, ended: &TokenEntry) {
        let uses = if ended.facts.reserve.is_some() { ended.reserve_left() } else { ended.promised };
        if let (Some(parent), 1..) = (ended.facts.parent, uses) {
            self.change_promised(parent, |promised| promised.saturating_sub(uses));
        }
    }

    /// From `lowest` up to the nearest reserved token. Above one that gave back already there is nothing to
    /// change.
    fn change_promised(&mut self, lowest: TokenId, change: impl Fn(u64) -> u64) {
        let Some(entry) = self.by_id.get(&lowest, true).cloned() else {
            return;
        };
        for link in self.upward(&entry) {
            if link.returned {
                return;
            }
            let mut next = (*link).clone();
            next.promised = change(next.promised);
            let over = next.facts.reserve.is_some();
            self.by_id.stage(next.facts.id, Some(Arc::new(next)));
            if over {
                return;
            }
        }
    }

    /// The token and its ancestors as the writer sees them, the token first.
    fn upward(&self, entry: &TokenEntry) -> Vec<Arc<TokenEntry>> {
        let ids = std::iter::once(&entry.facts.id).chain(entry.facts.ancestors.iter().rev());
        ids.filter_map(|id| self.by_id.get(id, true).cloned()).collect()
    }
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
