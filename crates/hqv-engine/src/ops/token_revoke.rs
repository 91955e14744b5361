//! `token revoke`: ends a token and, with it, its whole family: one row, whatever its size.

use hqv_model::{Actor, Error, Need, OpKind, TokenId, TokenRef, Verdict, decide};

use crate::family::State;
use crate::operation::{Operation, View};
use crate::reference;

/// See the module's comment.
pub struct TokenRevoke {
    /// Which; within the caller's family.
    pub who: TokenRef,
}

/// What `token revoke` answers.
pub struct Revoked {
    /// The token's id.
    pub id: TokenId,
    /// Its path of names.
    pub ancestry: String,
    /// How many live descendants ended with it.
    pub descendants: u64,
}

impl Operation for TokenRevoke {
    type Answer = Revoked;
    const KIND: OpKind = OpKind::TokenRevoke;
    const WRITES: bool = true;
    const ALWAYS: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Myself)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Revoked, Error> {
        let entry = reference::find(view, &self.who)?;
        reference::may_manage(view, &entry)?;
        let id = entry.facts.id;
        view.detail = Some(format!("{} {id}", entry.facts.ancestry));
        let tokens = &view.open.tokens;
        let below = tokens.below(id, view.staged);
        let descendants = below.iter().filter(|e| !tokens.gone(e, view.now, view.staged)).count() as u64;
        if view.open.in_doubt {
            // Nothing can be staged on top of a group in doubt; it holds in memory and is stored after.
            view.open.tokens.pending_revocations.insert(id);
        } else if entry.state != State::Revoked {
            view.open.tokens.stage_revoked(id);
            view.open.tokens.revoking.push(id);
        }
        Ok(Revoked { id, ancestry: entry.facts.ancestry.to_string(), descendants })
    }
}
