//! `thaw`: a frozen token goes on, and its family with it. What ended meanwhile stays ended.

use hqv_model::{Actor, Error, Need, OpKind, TokenRef, Verdict, decide};

use super::token_freeze::{Suspended, suspended};
use crate::family::State;
use crate::operation::{Operation, View};
use crate::reference;

/// See the module's comment.
pub struct TokenThaw {
    /// Which; below the caller.
    pub who: TokenRef,
}

impl Operation for TokenThaw {
    type Answer = Suspended;
    const KIND: OpKind = OpKind::TokenThaw;
    const WRITES: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Delegate)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Suspended, Error> {
        let entry = reference::below(view, &self.who)?;
        let (id, ancestry) = (entry.facts.id, &*entry.facts.ancestry);
        view.detail = Some(format!("{ancestry} {id}"));
        let tokens = &mut view.open.tokens;
        if tokens.gone(&entry, view.now, view.staged) {
            return Err(Error::conflict(format!("token {ancestry} has ended and cannot be thawed"))
                .hint("make a new one: hq-vault token create"));
        }
        if tokens.pending_freezes.contains(&id) {
            return Err(Error::unavailable(format!("the freeze of {ancestry} is not stored yet"))
                .hint("storing it is tried every second; try again"));
        }
        if entry.state != State::Frozen {
            let above = tokens.ended(&entry, view.now, view.staged).is_some();
            let what = if above { "is frozen by one above it" } else { "is not frozen" };
            return Err(Error::conflict(format!("token {ancestry} {what}")).hint("hq-vault token tree"));
        }
        tokens.stage_state(&entry, State::Live);
        Ok(suspended(view, id, ancestry))
    }
}
