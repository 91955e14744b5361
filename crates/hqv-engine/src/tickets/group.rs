//! What the writer's group makes of tickets: staged with it, published with it, or undone.
//!
//! While it is staged the ticket is busy: it still counts as waiting for whoever looks, and nobody else can
//! answer it. So a value is told of once it is durable, and a group that never happened leaves the ticket as
//! it was.

use hqv_model::{AskId, AskRef, EntryId, EntryRef};
use std::time::Duration;

use super::{AskState, EntryState, EntryStored, Tickets};

/// What the operation or group under way makes of a ticket.
enum Staged {
    Stored(EntryId, EntryStored, Duration),
    Collected(AskId, Duration),
}

/// The group under way.
#[derive(Default)]
pub struct Group {
    staged: Vec<Staged>,
    /// Where the operation under way begins.
    mark: usize,
}

impl Tickets {
    /// The operation under way stores this entry's value.
    pub fn stage_stored(&mut self, id: EntryId, stored: EntryStored, boot: Duration) {
        if let Some(entry) = self.entry(&EntryRef::Id(id)) {
            entry.busy = true;
            self.group.staged.push(Staged::Stored(id, stored, boot));
        }
    }

    /// The operation under way hands this ask's token over.
    pub fn stage_collected(&mut self, id: AskId, boot: Duration) {
        if let Some(ask) = self.ask(&AskRef::Id(id)) {
            ask.busy = true;
            self.group.staged.push(Staged::Collected(id, boot));
        }
    }

    /// The operation under way is whole, or is undone.
    pub fn settle(&mut self, whole: bool) {
        if !whole {
            let undone = self.group.staged.split_off(self.group.mark.min(self.group.staged.len()));
            self.release(undone);
        }
        self.group.mark = self.group.staged.len();
    }

    /// The group is durable, or never happened.
    pub fn conclude(&mut self, durable: bool) {
        self.group.mark = 0;
        let staged = std::mem::take(&mut self.group.staged);
        if staged.is_empty() {
            return;
        }
        if !durable {
            self.release(staged);
            return;
        }
        // A slow disk must not eat into the time for which the outcome is kept.
        let seen = self.seen;
        for one in staged {
            match one {
                Staged::Stored(id, stored, boot) => {
                    if let Some(entry) = self.entry(&EntryRef::Id(id)) {
                        (entry.busy, entry.ended) = (false, Some(boot.max(seen)));
                        entry.body.over(EntryState::Stored(stored));
                    }
                }
                Staged::Collected(id, boot) => {
                    if let Some(ask) = self.ask(&AskRef::Id(id)) {
                        (ask.busy, ask.ended) = (false, Some(boot.max(seen)));
                        ask.body.state = AskState::Collected;
                    }
                }
            }
        }
        self.tell();
    }

    fn release(&mut self, undone: Vec<Staged>) {
        for one in undone {
            match one {
                Staged::Stored(id, ..) => {
                    if let Some(entry) = self.entry(&EntryRef::Id(id)) {
                        entry.busy = false;
                    }
                }
                Staged::Collected(id, _) => {
                    if let Some(ask) = self.ask(&AskRef::Id(id)) {
                        ask.busy = false;
                    }
                }
            }
        }
    }
}
