//! `pending`, the entries: what waits for a value. The owner's.

use hqv_model::{EntryId, Error, OpKind};

use crate::caller::Caller;
use crate::core::Phase;
use crate::engine::Engine;
use crate::tickets::{EntryState, EntryView, known};

impl Engine {
    /// The entries that wait, oldest first.
    ///
    /// # Errors
    /// `VAULT_LOCKED`, `UNAUTHORIZED`, `FORBIDDEN` to a token.
    pub fn entry_list(&self, caller: &Caller) -> Result<Vec<EntryView>, Error> {
        let mut core = self.shared.core();
        let called = core.called(caller, OpKind::EntryList)?;
        let allowed =
            if matches!(core.phase, Phase::Locked) { Err(Error::locked()) } else { called.owner_only() };
        if let Err(error) = allowed {
            return Err(core.ticket_refused(&called, error, Vec::new(), false));
        }
        let waits = core.tickets.entries.iter().filter(|entry| entry.body.state == EntryState::Waiting);
        let ids: Vec<EntryId> = waits.map(|entry| entry.id).collect();
        let views = ids.into_iter().map(|id| core.entry_view(&called, id)).collect::<Result<Vec<_>, _>>()?;
        let items = views.iter().flat_map(|view| known(&view.path, called.op)).collect();
        core.ticket_done(&called, format!("{} entries", views.len()), items)?;
        Ok(views)
    }
}
