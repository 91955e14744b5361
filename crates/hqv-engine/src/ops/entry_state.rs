//! What became of an entry: asked again and again by the command that waits for it, so nothing is recorded.

use hqv_model::{EntryId, EntryRef, Error, OpKind};

use super::entry_store::no_entry;
use crate::caller::Caller;
use crate::engine::Engine;
use crate::tickets::EntryState;

impl Engine {
    /// What became of the caller's own entry, or, for the owner, of any. Works while the vault is locked, and
    /// does not count as use. [`Engine::ticket_events`] says when to ask again.
    ///
    /// # Errors
    /// `NOT_FOUND` for an entry that is somebody else's, is not there or ended more than ten minutes ago.
    pub fn entry_state(&self, caller: &Caller, id: EntryId) -> Result<EntryState, Error> {
        let mut core = self.shared.core();
        let called = core.called_as(caller, OpKind::EntryList, false)?;
        let owner = called.is_owner();
        let entry = core.tickets.entry(&EntryRef::Id(id));
        match (&called.seat, entry) {
            (Some(seat), Some(entry)) if owner || entry.seat.is(seat) => Ok(entry.body.state.clone()),
            (_, entry) => {
                let full = entry.is_some_and(|entry| entry.complain());
                Err(core.ticket_refused(&called, no_entry(), Vec::new(), full))
            }
        }
    }
}
