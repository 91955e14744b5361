//! `append`: one record, written before the answer that it records.

use hqv_model::{OpKind, Timestamp};

use std::sync::Arc;

use crate::{AuditError, encode, header::Why, mirror::Mirror, record::Record};

use super::{ANCHOR_BYTES, ANCHOR_LINES, Gap, Log};

impl Log {
    /// Seals and writes a record; returns its line. When this returns, write(2) has returned.
    /// `state_seq` is the highest sequence that is fsynced in the database.
    ///
    /// # Errors
    /// The record is not written, and the request must not be answered as done. The failure is counted,
    /// and the next record that can be written is preceded by one that says so.
    pub fn append(&mut self, record: &Record<'_>, state_seq: u64) -> Result<u64, AuditError> {
        let written = self.try_append(record, state_seq);
        if written.is_err() {
            self.gap.missed = self.gap.missed.saturating_add(1);
            self.gap.since.get_or_insert(record.time);
        }
        written
    }

    fn try_append(&mut self, record: &Record<'_>, state_seq: u64) -> Result<u64, AuditError> {
        self.look(record.time, state_seq)?;
        self.turn_if_due(record.time, state_seq)?;
        if self.segment.records >= self.cfg.max_segment {
            self.rotate(record.time, state_seq)?;
        }
        self.begin(state_seq)?;
        let begun = self.stage_begin(record.time)?;
        let mut lines = self.stage_gap(record.time)?;
        lines += self.stage_record(record)?;
        let line = self.staging.chain().seq;
        let (more, bytes) = self.staging.after_anchor();
        if self.since.lines + more >= ANCHOR_LINES || self.since.bytes + bytes >= ANCHOR_BYTES {
            self.segment.stage_checkpoint(self.state, record.time, false, &mut self.staging)?;
        }
        self.commit()?;
        self.segment.begun = Some(begun);
        self.segment.records += lines;
        self.gap = Gap::default();
        self.mirrored(record, line);
        Ok(line)
    }

    /// A full segment is followed by another, unless the chain of certificates has no room.
    fn rotate(&mut self, now: Timestamp, state_seq: u64) -> Result<(), AuditError> {
        self.begin(state_seq)?;
        match self.following(Why::Full)? {
            Some(next) => self.turn(next, now),
            None => Ok(()),
        }
    }

    /// A copy of what was just written, for the mirror.
    fn mirrored(&mut self, record: &Record<'_>, line: u64) {
        if let Some(mirror) = &self.mirror {
            encode::record(record, self.state, &mut self.times, &mut self.json);
            mirror.take(line, self.json.bytes(), !self.segment.certified());
            self.json.clear();
        }
    }

    /// From now on a copy of each record goes there; none: nowhere.
    pub fn set_mirror(&mut self, mirror: Option<Arc<Mirror>>) {
        if let Some(old) = std::mem::replace(&mut self.mirror, mirror) {
            old.stop();
        }
    }

    /// The mirror, if there is one.
    pub fn mirror(&self) -> Option<&Arc<Mirror>> {
        self.mirror.as_ref()
    }

    fn stage_gap(&mut self, now: Timestamp) -> Result<u64, AuditError> {
        let mut said = Vec::new();
        if let Some(moved) = self.gap.moved {
            said.push(moved.to_owned());
        }
        if self.gap.missed > 0 {
            let since = self.gap.since.unwrap_or(now).to_rfc3339();
            let records = if self.gap.missed == 1 { "record" } else { "records" };
            said.push(format!("{} {records} since {since} could not be written", self.gap.missed));
        }
        if said.is_empty() {
            return Ok(0);
        }
        self.stage_own(now, OpKind::UndoGap, said.join("; "))
    }
}
