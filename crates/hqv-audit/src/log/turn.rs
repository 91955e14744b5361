//! A full or old file is set aside and the record goes on in a new one.
//!
//! Three steps, each of which may be the last of a run: the open segment gets its signed end, the file gets its
//! number for a name, a header begins a new file. The next start goes on after any of them without a finding. Nothing
//! is synced here, under the engine's mutex: the next [`SyncPoint`](super::SyncPoint) brings the old file and the
//! folder to the disk too.

use std::os::unix::fs::FileExt;

use hqv_model::Timestamp;

use crate::{
    AuditError,
    certificate::MAX_LINKS,
    files,
    header::{Header, Why},
    line::MAX_LINE,
};

use super::Log;

/// When a file is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rotation {
    /// At so many bytes; 0: whatever its size. The lines written at once with the one that passes it stay with it.
    pub size: u64,
    /// When its first line is so many milliseconds old; 0: whatever its age.
    pub age: u64,
}

/// How far the open file is on its way aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turning {
    No,
    /// It has its end; the number of its first line.
    Closed(u64),
    /// It has its new name; the new file is missing.
    Renamed,
}

/// A name that is taken is tried again after so long.
const AGAIN_MILLIS: i64 = 60_000;

impl Log {
    /// From now on files are set aside by these rules.
    pub fn set_rotation(&mut self, rotation: Rotation) {
        self.rotation = rotation;
    }

    /// Looks at the age too: for once a second.
    pub(super) fn turn_if_due(&mut self, now: Timestamp, state_seq: u64) -> Result<(), AuditError> {
        let Rotation { size, age } = self.rotation;
        let large = size > 0 && self.sink.bytes() >= size;
        let old = age > 0
            && self.began.is_some_and(|(_, began)| {
                now.millis().saturating_sub(began.millis()) >= i64::try_from(age).unwrap_or(i64::MAX)
            });
        if large || old { self.turn_file(now, state_seq) } else { Ok(()) }
    }

    /// Begins the change of files, or goes on with it. Where the file cannot be set aside the record stays in it.
    pub(super) fn turn_file(&mut self, now: Timestamp, state_seq: u64) -> Result<(), AuditError> {
        if self.turning == Turning::No {
            let rest = self.not_before.is_some_and(|until| now < until);
            // A locked daemon whose chain of certificates is full keeps its segment, and so its file.
            let full = self.unlock.is_none() && self.segment.links() >= MAX_LINKS;
            let (Some((first, _)), false) = (self.began, rest || full) else {
                return Ok(());
            };
            self.begin(state_seq)?;
            self.stage_close(now)?;
            self.commit()?;
            self.segment.closed = self.segment.begun.is_some();
            self.turning = Turning::Closed(first);
        }
        if let Turning::Closed(first) = self.turning {
            let old = self.sink.file()?;
            if self.sink.set_aside(&files::set_aside(first)).is_err() {
                self.not_before = Some(Timestamp::from_millis(now.millis().saturating_add(AGAIN_MILLIS)));
                self.turning = Turning::No;
                return self.begin_anew(now, state_seq, Why::Full);
            }
            self.older.push(old);
            self.turning = Turning::Renamed;
        }
        self.sink.reopen_unsynced()?;
        self.turning = Turning::No;
        self.turns += 1;
        let first = self.written.seq.saturating_add(1);
        self.began = Some((first, now));
        self.begin_anew(now, state_seq, Why::Full)
    }

    /// Number and time of the open file's first line, where that is a header.
    pub(super) fn first_line(&self) -> Option<(u64, Timestamp)> {
        let file = self.sink.file().ok()?;
        let mut bytes = vec![0; MAX_LINE];
        let read = file.read_at(&mut bytes, 0).ok()?;
        let line = bytes.get(..read)?.split(|b| *b == b'\n').next()?;
        let header = Header::parse(line).ok()?;
        Some((header.line(), header.time()))
    }
}
