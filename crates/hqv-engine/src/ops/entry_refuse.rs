//! A person does not want to type the value: the entry is over.

use hqv_model::{EntryRef, Error, OpKind};

use super::entry_store::{no_entry, waiting};
use crate::caller::Caller;
use crate::engine::Engine;
use crate::tickets::{EntryState, Proof, known};

impl Engine {
    /// Refuses an entry that waits. With the submit secret it works while the vault is locked.
    ///
    /// # Errors
    /// As [`Engine::entry_about`], and `CONFLICT` where it is over or being answered.
    pub fn entry_refuse(&self, caller: &Caller, entry: &EntryRef, proof: &Proof) -> Result<(), Error> {
        let mut core = self.shared.core();
        let called = core.called(caller, OpKind::EntryRefuse)?;
        let id = core.prove(&called, entry, proof)?;
        let entry = core.tickets.entry(&EntryRef::Id(id)).ok_or_else(no_entry)?;
        let items = known(&entry.body.path, called.op);
        if let Err(error) = waiting(entry) {
            let full = entry.complain();
            return Err(core.ticket_refused(&called, error, items, full));
        }
        let detail = format!("entry {} {id} asked by {}", entry.code, entry.by.who.label());
        core.ticket_done(&called, detail, items)?;
        if let Some(entry) = core.tickets.entry(&EntryRef::Id(id)) {
            entry.ended = Some(called.boot);
            entry.body.over(EntryState::Refused);
        }
        core.tickets.tell();
        Ok(())
    }
}
