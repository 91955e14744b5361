//! `token renew`: moves a token's end, never beyond its latest end or its parent's, and never to an earlier moment.

use hqv_model::{Actor, Error, Need, OpKind, Timestamp, TokenRef, Ttl, Verdict, decide, format_duration};
use std::sync::Arc;
use std::time::Duration;

use crate::family::TokenEntry;
use crate::operation::{Operation, View};
use crate::reference;
use crate::views::TokenView;

/// See the module's comment.
pub struct TokenRenew {
    /// Which; below the caller.
    pub who: TokenRef,
    /// How long it lives from now on; the vault's default, or the parent's rest.
    pub ttl: Option<Ttl>,
}

/// What `token renew` answers.
pub struct Renewed {
    /// The token as it is now.
    pub view: TokenView,
    /// What was cut.
    pub notes: Vec<String>,
}

impl Operation for TokenRenew {
    type Answer = Renewed;
    const KIND: OpKind = OpKind::TokenRenew;
    const WRITES: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Delegate)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Renewed, Error> {
        let entry = reference::below(view, &self.who)?;
        let (id, ancestry) = (entry.facts.id, &entry.facts.ancestry);
        view.detail = Some(format!("{ancestry} {id}"));
        if view.open.tokens.gone(&entry, view.now, view.staged) {
            return Err(Error::conflict(format!("token {ancestry} has ended and cannot be renewed"))
                .hint("make a new one: hq-vault token create"));
        }
        if view.open.tokens.ended(&entry, view.now, view.staged).is_some() {
            return Err(Error::conflict(format!("token {ancestry} is frozen: its end stays as it is"))
                .hint("hq-vault thaw NAME first"));
        }
        let mut notes = Vec::new();
        let mut next = (*entry).clone();
        next.end = self.end(view, &entry, &mut notes);
        let next = Arc::new(next);
        view.open.tokens.by_id.stage(id, Some(next.clone()));
        let now = TokenView::of(&view.open.tokens, &next, view.now, view.staged);
        view.detail = Some(format!("{ancestry} {id} until {}", now.expires_at.to_rfc3339()));
        Ok(Renewed { view: now, notes })
    }
}

impl TokenRenew {
    fn end(&self, view: &View<'_>, entry: &TokenEntry, notes: &mut Vec<String>) -> Timestamp {
        let tokens = &view.open.tokens;
        let parent = entry.facts.parent.and_then(|id| tokens.by_id.get(&id, view.staged));
        let parent_end = parent.map(|parent| tokens.effective_end(parent, view.staged));
        let after = |ttl: Ttl| view.now.plus(Duration::from_millis(ttl.as_millis()));
        let wanted = match (self.ttl, parent_end) {
            (Some(ttl), _) => after(ttl),
            (None, Some(end)) => end.min(entry.facts.latest_end),
            (None, None) => after(view.open.settings(view.staged).token_ttl),
        };
        let mut end = wanted;
        if end > entry.facts.latest_end {
            end = entry.facts.latest_end;
            notes.push("cut to its latest end".into());
        }
        if let Some(limit) = parent_end
            && end > limit
        {
            end = limit;
            let rest = u64::try_from(limit.since(view.now).as_millis()).unwrap_or(u64::MAX);
            notes.push(format!("cut to the {} that are left of the parent's", format_duration(rest)));
        }
        if end < entry.end {
            notes.clear();
            notes.push("it ends later than that already; its end stays".into());
            end = entry.end;
        }
        end
    }
}
