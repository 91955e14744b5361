//! `compare`: what the database knows of the log, against the log.

use hqv_model::{OpKind, Timestamp};

use crate::{AuditError, files, tail};

use super::{DbHead, Log, start::RolledBack};

impl Log {
    /// Compares with what the unlocked database holds, and records what does not fit. To be called at
    /// unlock before [`Log::adopt`]. Returns sentences for the owner; none when all is well.
    ///
    /// # Errors
    /// The log could not be read, or a finding could not be recorded.
    pub fn compare(&mut self, db: &DbHead, now: Timestamp) -> Result<Vec<String>, AuditError> {
        let mut findings = Vec::new();
        if let Some(found) = self.head_differs(db)? {
            self.append_own(now, OpKind::UncleanEnd, found.clone())?;
            findings.push(found);
        }
        if let Some(back) = RolledBack::seen(self.found_state, db.state_seq) {
            if !self.said_put_back {
                self.append_own(now, OpKind::RolledBack, back.to_string())?;
                self.said_put_back = true;
            }
            findings.push(back.to_string());
        }
        Ok(findings)
    }

    fn head_differs(&self, db: &DbHead) -> Result<Option<String>, AuditError> {
        let Some((seq, head)) = db.head.filter(|(seq, _)| *seq > 0) else {
            return Ok(None);
        };
        if seq > self.found {
            let found = self.found;
            return Ok(Some(format!(
                "the record was cut: it ended at line {found}, and line {seq} had been safe on the disk"
            )));
        }
        let files = files::list(&self.cfg.dir)?;
        match tail::hash_at(&files, seq, &self.cfg.public.signing)? {
            Some(there) if there == head => Ok(None),
            Some(_) => Ok(Some(format!("the record was changed at or before line {seq}"))),
            None => Ok(Some(format!("line {seq} of the record is missing"))),
        }
    }
}
