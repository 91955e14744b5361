//! `token freeze`: suspends a token and, with it, its whole family: one row, whatever its size. Name, reserve and end
//! stay as they are, until `thaw` or the end.

use hqv_model::{Actor, Code, Error, Need, OpKind, TokenId, TokenRef, Verdict, decide};

use crate::family::State;
use crate::operation::{Operation, View};
use crate::reference;

/// See the module's comment.
pub struct TokenFreeze {
    /// Which; below the caller.
    pub who: TokenRef,
}

/// What `token freeze` and `thaw` answer.
pub struct Suspended {
    /// The token's id.
    pub id: TokenId,
    /// Its path of names.
    pub ancestry: String,
    /// How many descendants that have not ended it concerns.
    pub descendants: u64,
}

impl Operation for TokenFreeze {
    type Answer = Suspended;
    const KIND: OpKind = OpKind::TokenFreeze;
    const WRITES: bool = true;
    const ALWAYS: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Delegate)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Suspended, Error> {
        let entry = reference::below(view, &self.who)?;
        let id = entry.facts.id;
        view.detail = Some(format!("{} {id}", entry.facts.ancestry));
        if view.open.tokens.gone(&entry, view.now, view.staged) {
            return Err(Error::new(
                Code::Conflict,
                format!("token {} has ended: nothing to freeze", entry.facts.ancestry),
            ));
        }
        let done = suspended(view, id, &entry.facts.ancestry);
        let tokens = &mut view.open.tokens;
        if view.open.in_doubt {
            // Nothing can be staged on top of a group in doubt; it holds in memory and is stored after.
            tokens.pending_freezes.insert(id);
        } else if entry.state == State::Live {
            tokens.stage_state(&entry, State::Frozen);
            tokens.freezing.push(id);
        }
        Ok(done)
    }
}

/// The answer, for `thaw` too.
pub(super) fn suspended(view: &View<'_>, id: TokenId, ancestry: &str) -> Suspended {
    let tokens = &view.open.tokens;
    let below = tokens.below(id, view.staged);
    let descendants = below.iter().filter(|e| !tokens.gone(e, view.now, view.staged)).count() as u64;
    Suspended { id, ancestry: ancestry.to_owned(), descendants }
}
