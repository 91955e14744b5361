//! What a person is shown of an entry before answering it: by who holds its submit secret, or by the owner.

use hqv_model::{EntryId, EntryRef, Error, OpKind};

use super::entry_store::no_entry;
use crate::caller::{Caller, Transport};
use crate::core::{Core, Phase, no_vault, unauthorized};
use crate::engine::Engine;
use crate::settings::EntryRequire;
use crate::tickets::{Called, EntryView, Proof, known};

impl Engine {
    /// One entry, whatever became of it. With the submit secret it works while the vault is locked.
    ///
    /// # Errors
    /// `NOT_FOUND` for a wrong id, code or secret alike, `VAULT_LOCKED` to the owner of a locked vault,
    /// `UNAUTHORIZED` and `FORBIDDEN` to who claims to be the owner.
    pub fn entry_about(&self, caller: &Caller, entry: &EntryRef, proof: &Proof) -> Result<EntryView, Error> {
        let mut core = self.shared.core();
        let called = core.called_as(caller, OpKind::EntryList, matches!(proof, Proof::Owner))?;
        let id = core.prove(&called, entry, proof)?;
        let view = core.entry_view(&called, id)?;
        if matches!(proof, Proof::Owner) {
            core.ticket_done(&called, format!("entry {} {id}", view.code), known(&view.path, called.op))?;
        }
        Ok(view)
    }
}

impl Core {
    /// The view of an entry that is there.
    pub(crate) fn entry_view(&mut self, called: &Called<'_>, id: EntryId) -> Result<EntryView, Error> {
        let vault = self.vault.ok_or_else(no_vault)?;
        let answer_only = self.obeyed().entry_require == EntryRequire::Answer;
        let path = self.tickets.entry(&EntryRef::Id(id)).map(|entry| entry.body.path.clone());
        let exists = path.and_then(|path| self.stands(&path));
        let entry = self.tickets.entry(&EntryRef::Id(id)).ok_or_else(no_entry)?;
        Ok(entry.view(vault, exists, answer_only, entry.expires(called.now, called.boot)))
    }

    /// The entry that the proof opens. A wrong id, a wrong code and a wrong secret get one answer; the
    /// refusal is on record.
    pub(crate) fn prove(
        &mut self,
        called: &Called<'_>,
        which: &EntryRef,
        proof: &Proof,
    ) -> Result<EntryId, Error> {
        let locked = matches!(self.phase, Phase::Locked);
        let allowed = match proof {
            Proof::Owner if locked => Err(Error::locked()),
            Proof::Owner => called.owner_only(),
            // Over the network somebody must stand behind the secret.
            Proof::Submit(_) if called.seat.is_none() && called.caller.transport != Transport::Page => {
                Err(unauthorized())
            }
            Proof::Submit(_) => Ok(()),
        };
        let ask =
            matches!(which, EntryRef::Code(code) if self.tickets.asks.iter().any(|ask| ask.code == *code));
        let entry = self.tickets.entry(which);
        let error = match (allowed, &entry, proof) {
            (Ok(()), Some(entry), Proof::Owner) => return Ok(entry.id),
            (Ok(()), Some(entry), Proof::Submit(secret)) if entry.body.opens(secret) => return Ok(entry.id),
            (Ok(()), None, Proof::Owner) if ask => Error::not_found(format!("{which} asks for a token"))
                .hint(format!("hq-vault approve {which}")),
            (Ok(()), ..) => no_entry(),
            (Err(error), ..) => error,
        };
        let items = entry.as_ref().map(|entry| known(&entry.body.path, called.op)).unwrap_or_default();
        let full = entry.is_some_and(|entry| entry.complain());
        Err(self.ticket_refused(called, error, items, full))
    }
}
