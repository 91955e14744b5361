//! `deny`: the owner refuses an ask, or takes back a grant that was not collected yet.

use hqv_model::{AskRef, Error, OpKind};

use crate::caller::Caller;
use crate::engine::Engine;
use crate::tickets::AskState;

impl Engine {
    /// Refuses an ask.
    ///
    /// # Errors
    /// `CONFLICT` where it is over, `NOT_FOUND`, `UNAUTHORIZED`, `FORBIDDEN` to a token, `VAULT_LOCKED`.
    pub fn ask_deny(&self, caller: &Caller, which: &AskRef) -> Result<(), Error> {
        let mut core = self.shared.core();
        let called = core.called(caller, OpKind::AskDeny)?;
        core.decides(&called, Some(which))?;
        let missing = core.missing_ask(which);
        let found = match core.tickets.ask(which) {
            Some(ask) if matches!(ask.body.state, AskState::Waiting | AskState::Approved) && !ask.busy => {
                Ok((ask.id, format!("ask {} {} by {}", ask.code, ask.id, ask.by.who.label())))
            }
            Some(_) => Err(Error::conflict("this ask is over already")),
            None => Err(missing),
        };
        let (id, detail) = match found {
            Ok(found) => found,
            Err(error) => return Err(core.ticket_refused(&called, error, Vec::new(), true)),
        };
        core.ticket_done(&called, detail, Vec::new())?;
        if let Some(ask) = core.tickets.ask(&AskRef::Id(id)) {
            ask.body.state = AskState::Denied;
            ask.body.grant = None;
            ask.ended = Some(called.boot);
        }
        core.tickets.tell();
        Ok(())
    }
}
