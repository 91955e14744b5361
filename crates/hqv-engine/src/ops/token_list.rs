//! `token list`: the owner's all, or a token's descendants. Never token values.

use hqv_model::{Actor, Error, Need, OpKind, Verdict, decide};

use crate::caller::Principal;
use crate::operation::{Operation, View};
use crate::views::TokenView;

/// See the module's comment.
pub struct TokenList {
    /// Ended ones too.
    pub all: bool,
}

impl Operation for TokenList {
    type Answer = Vec<TokenView>;
    const KIND: OpKind = OpKind::TokenList;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Delegate)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Vec<TokenView>, Error> {
        let tokens = &view.open.tokens;
        let me = match view.principal {
            Principal::Token(entry) => Some(entry.facts.id),
            _ => None,
        };
        let mut all: Vec<TokenView> = tokens
            .all(view.staged)
            .filter(|entry| me.is_none_or(|me| entry.facts.ancestors.contains(&me)))
            .filter(|entry| self.all || !tokens.gone(entry, view.now, view.staged))
            .map(|entry| TokenView::of(tokens, entry, view.now, view.staged))
            .collect();
        TokenView::in_families(&mut all);
        Ok(all)
    }
}
