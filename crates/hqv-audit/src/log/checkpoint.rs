//! `checkpoint`: the state of the chain, signed.

use hqv_model::Timestamp;

use crate::{AuditError, checkpoint::Checkpoint, line::LineType};

use super::Log;

impl Log {
    /// Writes a signed checkpoint, not synced, and returns it. Where no line was written since the last
    /// one, that one is returned and the log does not grow.
    ///
    /// # Errors
    /// Nothing was written.
    pub fn checkpoint(&mut self, now: Timestamp, state_seq: u64) -> Result<Checkpoint, AuditError> {
        self.look_now(now, state_seq)?;
        let newest = LineType::of(&self.last_anchor) == Some(LineType::Checkpoint);
        if !(newest && self.anchored == self.written.seq) {
            self.begin(state_seq)?;
            let begun = self.stage_begin(now)?;
            self.segment.stage_checkpoint(self.state, now, false, &mut self.staging)?;
            self.commit()?;
            self.segment.begun = Some(begun);
        }
        Checkpoint::from_line(&self.last_anchor)
    }
}
