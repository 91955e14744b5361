//! Whether the log is still where a reader will look for it.
//!
//! Moved, deleted or cut by another program: at most once a second the name is compared with the open
//! file. The record then goes on in a file under the old name, in a segment of its own, and says so.

use hqv_model::Timestamp;

use crate::{AuditError, certificate::Root, header::Why, segment::Segment, sink::Standing};

use super::{Log, turn::Turning};

const EVERY_MILLIS: i64 = 1000;

impl Log {
    /// Looks, when a second has passed or the clock went back.
    pub(super) fn look(&mut self, now: Timestamp, state_seq: u64) -> Result<(), AuditError> {
        let due = match self.looked {
            Some(last) => {
                !(last.millis()..last.millis().saturating_add(EVERY_MILLIS)).contains(&now.millis())
            }
            None => true,
        };
        if due { self.look_now(now, state_seq) } else { Ok(()) }
    }

    /// Looks, and moves house where that is needed. Until that worked nothing is written.
    pub(super) fn look_now(&mut self, now: Timestamp, state_seq: u64) -> Result<(), AuditError> {
        if self.turning != Turning::No {
            return self.turn_file(now, state_seq);
        }
        match self.sink.standing() {
            // Closed when it was missed, and back again: the next lines need a segment.
            Standing::Same if self.segment.closed => {
                self.say_moved(now, state_seq, "audit.log was moved away and came back")?;
            }
            Standing::Same => {}
            Standing::Elsewhere => {
                self.close_old_place(now, state_seq);
                self.reopen()?;
                self.say_moved(
                    now,
                    state_seq,
                    "audit.log was moved or deleted; the record goes on in a new file",
                )?;
            }
            Standing::Changed => {
                self.reopen()?;
                self.say_moved(now, state_seq, "audit.log was cut or written to by another program")?;
            }
        }
        self.looked = Some(now);
        Ok(())
    }

    /// What was written to the old file is still ours to keep: a moved log must not lose its tail. The system tells of
    /// lost pages once, so that is remembered also where the new place cannot be opened.
    pub(super) fn reopen(&mut self) -> Result<(), AuditError> {
        if let Ok(file) = self.sink.file() {
            self.unsafe_lines |= file.sync_data().is_err();
        }
        self.sink.reopen()?;
        self.began = self.first_line();
        Ok(())
    }

    /// A moved file gets its signed end, if it can still be written.
    fn close_old_place(&mut self, now: Timestamp, state_seq: u64) {
        let closed = self.begin(state_seq).and_then(|()| self.stage_close(now)).and_then(|()| self.commit());
        if closed.is_ok() {
            self.segment.closed = true;
        }
    }

    fn say_moved(&mut self, now: Timestamp, state_seq: u64, said: &'static str) -> Result<(), AuditError> {
        self.gap.moved = Some(said);
        self.begin_anew(now, state_seq, Why::Reopened)
    }

    /// A segment for the new place. Where no certificate can be had it is one that the next unlock adopts.
    pub(super) fn begin_anew(&mut self, now: Timestamp, state_seq: u64, why: Why) -> Result<(), AuditError> {
        self.begin(state_seq)?;
        let from = self.next_header();
        let next = match self.following(why)? {
            Some(next) => next,
            None => Segment::new(why, self.scope, &self.cfg.public, &mut *self.rng, |key| {
                (Root::None, vec![self.scope.own_link(key, from)])
            })?,
        };
        self.turn(next, now)
    }
}
