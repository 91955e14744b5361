//! `lock`: from here on the log can write, and can read or re-sign nothing from before.

use hqv_model::Timestamp;

use crate::{AuditError, certificate::Root, header::Why, segment::Segment};

use super::{Log, UnlockKey};

impl Log {
    /// Ends the open segment, certifies the next with the unlock's key, and wipes that key and the old
    /// segment's. The keys go whether or not the lines can be written; then the next record begins with
    /// the header that is missing. Nothing happens where the log is locked already.
    ///
    /// # Errors
    /// The lines could not be written. The lock holds all the same.
    pub fn lock(&mut self, now: Timestamp, state_seq: u64) -> Result<(), AuditError> {
        let Some(unlock) = self.unlock.take() else {
            return Ok(());
        };
        let mut next = self.locked_segment(&unlock)?;
        // Without the close before it, the header comes one line earlier. Nobody could certify that later.
        let spare = unlock.certify(self.scope, next.signer(), self.written.seq.saturating_add(1));
        drop(unlock);
        let closed = self.begin(state_seq).and_then(|()| self.stage_close(now));
        let turned = closed
            .and_then(|()| next.stage_header(self.state, now, &mut self.staging))
            .and_then(|()| self.commit());
        match &turned {
            Ok(()) => next.begun = Some(self.written.seq),
            Err(_) => {
                next.replace_chain(spare);
                self.gap.moved.get_or_insert("the segment before the lock could not be closed");
            }
        }
        // Also after a failure: the old keys are wiped even where the disk is full.
        self.segment = next;
        self.found = self.written.seq;
        turned
    }

    fn locked_segment(&mut self, unlock: &UnlockKey) -> Result<Segment, AuditError> {
        let (scope, from) = (self.scope, self.next_header());
        Segment::new(Why::Lock, scope, &self.cfg.public, &mut *self.rng, |key| {
            (Root::Audit, unlock.certify(scope, key, from))
        })
    }
}
