//! `token show`: one token's metadata.

use hqv_model::{Actor, Error, Need, OpKind, TokenRef, Verdict, decide};

use crate::operation::{Operation, View};
use crate::reference;
use crate::views::TokenView;

/// See the module's comment.
pub struct TokenShow {
    /// Which; within the caller's family.
    pub who: TokenRef,
}

impl Operation for TokenShow {
    type Answer = TokenView;
    const KIND: OpKind = OpKind::TokenShow;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        // Every token may show itself; what else it sees is limited by the look-up in its family.
        decide(actor, &Need::Myself)
    }

    fn perform(self, view: &mut View<'_>) -> Result<TokenView, Error> {
        let entry = reference::find(view, &self.who)?;
        reference::may_manage(view, &entry)?;
        Ok(TokenView::of(&view.open.tokens, &entry, view.now, view.staged))
    }
}
