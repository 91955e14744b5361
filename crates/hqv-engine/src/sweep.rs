//! Rows of tokens that have ended: when they may go, and their going.
//!
//! A row that goes takes nothing along. The record and the ledger name tokens by their own words, a family's uses were
//! counted at every ancestor, and what was set aside came back with the end. What is lost is the answer: who still
//! holds such a token hears `UNAUTHORIZED` and no more why. So rows stay for [`KEPT`] after the end that was given
//! them, a revoked token's too, since no row says when it was revoked.
//!
//! The lowest go first: a token whose parent's row is missing has ended for good, whatever its own row says, but it
//! could no longer say by which end.

use hqv_model::{Timestamp, TokenId};
use std::time::Duration;

use crate::family::{State, TokenEntry, Tokens};

/// How long the row of an ended token is kept, after the end that stands in it.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Rows that go in one transaction.
pub const AT_ONCE: usize = 500;
/// Looking through all tokens takes some 10 ms for 100,000 of them: it is done at unlock and then this often.
const EVERY: Duration = Duration::from_secs(3600);

impl Tokens {
    /// Stages that rows of ended tokens go, of those that are `asked` for: at most [`AT_ONCE`]. Answers how many went
    /// and how many could go.
    pub fn sweep(&mut self, now: Timestamp, asked: impl Fn(&TokenEntry) -> bool) -> (usize, usize) {
        // What ends give back is given back before their rows go.
        self.settle_ends(now);
        let dead = self.all(true).filter(|entry| asked(entry) && self.dead(entry, now));
        let mut due: Vec<(usize, TokenId)> =
            dead.map(|entry| (entry.facts.ancestors.len(), entry.facts.id)).collect();
        let could = due.len();
        due.sort_unstable_by_key(|(depth, _)| std::cmp::Reverse(*depth));
        due.truncate(AT_ONCE);
        for (_, id) in &due {
            self.stage_removed(id);
        }
        (due.len(), could)
    }

    /// The daemon's own sweep, of what ended longer than [`KEPT`] ago. Answers how many went.
    pub fn sweep_old(&mut self, now: Timestamp, boot: Duration) -> usize {
        if self.sweep_at.is_some_and(|at| boot < at) {
            return 0;
        }
        let (went, could) = self.sweep(now, |entry| entry.end.plus(KEPT) <= now);
        self.kin.tidy();
        // More are due: the next minute goes on.
        self.sweep_at = (went == could).then(|| boot.saturating_add(EVERY));
        went
    }

    /// Ended for good, by what stands in rows: a revocation that so far holds in memory only is stored first, since
    /// storing it gives reserves back.
    fn dead(&self, entry: &TokenEntry, now: Timestamp) -> bool {
        let over = |link: &TokenEntry| link.state == State::Revoked || link.end <= now;
        self.chain(entry, true).any(|link| link.is_none_or(over))
    }

    fn stage_removed(&mut self, id: &TokenId) {
        let Some(entry) = self.by_id.get(id, true).cloned() else {
            return;
        };
        let facts = &entry.facts;
        let key = self.kin.sibling(facts.parent, &facts.name);
        if self.by_sibling.get(&key, true) == Some(id) {
            self.by_sibling.stage(key, None);
        }
        self.by_hash.stage(facts.hash, None);
        self.by_id.stage(*id, None);
    }
}
