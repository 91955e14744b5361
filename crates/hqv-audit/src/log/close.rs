//! `close`: a clean stop.

use std::fs::File;

use hqv_model::Timestamp;

use crate::AuditError;

use super::Log;

impl Log {
    /// Signs the end of the open segment and syncs the file. Nothing can be appended afterwards. Where a sync
    /// failed before, nothing is signed: the end would vouch for lines that may be missing.
    ///
    /// # Errors
    /// The next start will call this an unclean end.
    pub fn close(&mut self, now: Timestamp, state_seq: u64) -> Result<(), AuditError> {
        if self.ended {
            return Ok(());
        }
        self.begin(state_seq)?;
        self.ended = true;
        if let Some(mirror) = self.mirror.take() {
            mirror.finish();
        }
        self.must_be_safe()?;
        if self.segment.begun.is_none() {
            self.segment.stage_header(self.state, now, &mut self.staging)?;
        }
        if !self.segment.closed {
            self.segment.stage_checkpoint(self.state, now, true, &mut self.staging)?;
        }
        self.commit()?;
        self.segment.closed = true;
        let older = std::mem::take(&mut self.older);
        older.iter().try_for_each(File::sync_all)?;
        match self.sink.file() {
            Ok(file) => Ok(file.sync_all()?),
            // Memory has no file.
            Err(e) if e.kind() == std::io::ErrorKind::Unsupported => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}
