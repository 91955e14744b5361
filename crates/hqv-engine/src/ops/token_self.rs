//! `whoami`: who acts, what it may and what it has left.

use hqv_model::{Actor, Error, Need, OpKind, Verdict, decide};

use crate::caller::Principal;
use crate::core::unauthorized;
use crate::operation::{Operation, View};
use crate::session::SessionView;
use crate::views::TokenView;

/// See the module's comment.
pub struct TokenSelf;

/// Who the caller is.
pub enum WhoAmI {
    /// The owner.
    Owner(SessionView),
    /// A token.
    Token(TokenView),
}

impl Operation for TokenSelf {
    type Answer = WhoAmI;
    const KIND: OpKind = OpKind::TokenSelf;
    const ACTIVITY: bool = false;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Myself)
    }

    fn perform(self, view: &mut View<'_>) -> Result<WhoAmI, Error> {
        match view.principal {
            Principal::Token(entry) => {
                Ok(WhoAmI::Token(TokenView::of(&view.open.tokens, entry, view.now, view.staged)))
            }
            Principal::Owner(session) => {
                let idle = view.open.settings.session_idle();
                let all = view.open.sessions.list(idle, view.now, view.boot, Some(*session));
                all.into_iter().find(|s| s.current).map(WhoAmI::Owner).ok_or_else(unauthorized)
            }
            _ => Err(unauthorized()),
        }
    }
}
