//! `token tree`: a token and what descends from it, with what each has spent, set aside and free.

use hqv_model::{Actor, Error, Need, OpKind, TokenRef, Verdict, decide};

use crate::operation::{Operation, View};
use crate::reference;
use crate::views::TokenView;

/// See the module's comment.
pub struct TokenTree {
    /// Which; the caller itself or below it.
    pub who: TokenRef,
    /// Ended ones too. The token itself is shown in any case.
    pub all: bool,
}

impl Operation for TokenTree {
    type Answer = Vec<TokenView>;
    const KIND: OpKind = OpKind::TokenTree;
    const ACTIVITY: bool = false;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Myself)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Vec<TokenView>, Error> {
        let top = reference::find(view, &self.who)?;
        reference::may_manage(view, &top)?;
        let id = top.facts.id;
        view.detail = Some(format!("{} {id}", top.facts.ancestry));
        let tokens = &view.open.tokens;
        let mut tree: Vec<TokenView> = tokens
            .below(id, view.staged)
            .into_iter()
            .filter(|entry| self.all || !tokens.gone(entry, view.now, view.staged))
            .map(|entry| TokenView::of(tokens, entry, view.now, view.staged))
            .collect();
        TokenView::in_families(&mut tree);
        tree.insert(0, TokenView::of(tokens, &top, view.now, view.staged));
        Ok(tree)
    }
}
