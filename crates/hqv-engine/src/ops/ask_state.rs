//! What became of an ask: asked again and again by the command that waits for it, so nothing is recorded.

use hqv_model::{AskId, AskRef, Error, OpKind};

use super::ask_collect::no_ask;
use crate::caller::Caller;
use crate::engine::Engine;
use crate::tickets::AskState;

impl Engine {
    /// What became of the caller's own ask, or, for the owner, of any. Works while the vault is locked, and
    /// does not count as use. [`Engine::ticket_events`] says when to ask again.
    ///
    /// # Errors
    /// `NOT_FOUND` for an ask that is somebody else's, is not there or ended more than ten minutes ago.
    pub fn ask_state(&self, caller: &Caller, id: AskId) -> Result<AskState, Error> {
        let mut core = self.shared.core();
        let called = core.called_as(caller, OpKind::AskList, false)?;
        let owner = called.is_owner();
        let ask = core.tickets.ask(&AskRef::Id(id));
        match (&called.seat, ask) {
            (Some(seat), Some(ask)) if owner || ask.seat.is(seat) => Ok(ask.body.state),
            (_, ask) => {
                let full = ask.is_some_and(|ask| ask.complain());
                Err(core.ticket_refused(&called, no_ask(), Vec::new(), full))
            }
        }
    }
}
