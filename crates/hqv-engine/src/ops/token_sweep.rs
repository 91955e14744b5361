//! `token revoke --expired`: the rows of tokens that have ended go, long before they would by themselves.

use hqv_model::{Actor, Error, Need, OpKind, Verdict, decide};

use crate::caller::Principal;
use crate::operation::{Operation, View};

/// The owner's all, or those below the token that asks.
pub struct TokenSweep;

/// What `token revoke --expired` answers.
pub struct Swept {
    /// How many rows went; at most [`crate::sweep::AT_ONCE`] at once.
    pub removed: u64,
    /// How many more could go.
    pub left: u64,
}

impl Operation for TokenSweep {
    type Answer = Swept;
    const KIND: OpKind = OpKind::TokenSweep;
    const WRITES: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Delegate)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Swept, Error> {
        let me = match view.principal {
            Principal::Token(entry) => Some(entry.facts.id),
            _ => None,
        };
        let tokens = &mut view.open.tokens;
        let (went, could) =
            tokens.sweep(view.now, |entry| me.is_none_or(|me| entry.facts.ancestors.contains(&me)));
        view.detail = Some(format!("rows of {went} ended tokens"));
        Ok(Swept { removed: went as u64, left: could.saturating_sub(went) as u64 })
    }
}
