//! `token create --dry-run`: what the token would be, with the same checks and cuts. Nothing is made.

use hqv_model::{Actor, Error, Need, OpKind, TokenId, Verdict, decide};

use super::token_create::TokenCreate;
use crate::caller::Principal;
use crate::operation::{Operation, View};
use crate::views::TokenView;

/// See the module's comment.
pub struct TokenPlan {
    /// What would be created.
    pub create: TokenCreate,
}

/// What a dry run answers.
pub struct Planned {
    /// As it would be. Its id is nobody's.
    pub view: TokenView,
    /// What would be cut, and what a person should know.
    pub notes: Vec<String>,
}

impl Operation for TokenPlan {
    type Answer = Planned;
    const KIND: OpKind = OpKind::TokenPlan;
    // On the writer: what is left to give is counted there, with the ends that time has brought.
    const WRITES: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Delegate)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Planned, Error> {
        let parent = match view.principal {
            Principal::Token(entry) => Some(entry.clone()),
            _ => None,
        };
        view.detail = Some(format!("name {}", self.create.name));
        let (id, creator) = (TokenId::from_bytes([0; 16]), view.principal.label());
        // A draft has no secret: nothing could be opened with it.
        let (entry, notes) = self.create.draft(view, parent.as_deref(), id, creator, &[0; 32])?;
        let planned = TokenView::of(&view.open.tokens, &entry, view.now, true);
        Ok(Planned { view: planned, notes })
    }
}
