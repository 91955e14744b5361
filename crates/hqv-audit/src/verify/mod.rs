//! Checks a record with as much as one has: nothing, the audit public key, or the identity.
//!
//! One pass over the lines, in order, in bounded memory. The chain is computed from the bytes alone and
//! compared wherever a line carries it in clear; a mismatch is a finding and the pass goes on from what
//! the line says, so that one change is one finding and not a thousand.

mod clear;
mod end;
mod lines;
mod report;
mod walk;

use std::path::{Path, PathBuf};

use hqv_crypto::{AuditIdentity, AuditPublic};

use crate::{
    AuditError, DbHead,
    checkpoint::Checkpoint,
    files::{self, Place},
};

use lines::{LineEnd, Lines};
use walk::Walk;

pub use report::{Finding, Reached, Report};

/// How much is checked.
#[derive(Clone, Copy)]
pub enum Level<'a> {
    /// The chain alone.
    Chain,
    /// Chain, signatures and certificates.
    Signatures(&'a AuditPublic),
    /// The same, and every record is opened.
    Everything(&'a AuditIdentity),
}

impl Level<'_> {
    fn reached(&self) -> Reached {
        match self {
            Level::Chain => Reached::Chain,
            Level::Signatures(_) => Reached::Signatures,
            Level::Everything(_) => Reached::Everything,
        }
    }

    /// The identity's public signing key, where it is known.
    fn audit(&self) -> Option<[u8; 32]> {
        match self {
            Level::Chain => None,
            Level::Signatures(public) => Some(public.signing),
            Level::Everything(id) => Some(id.public().signing),
        }
    }
}

/// What the record is compared with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A checkpoint kept elsewhere.
    pub against: Option<Checkpoint>,
    /// What the unlocked database holds.
    pub database: Option<DbHead>,
    /// The last line to look at. For a log that is being written: its head, taken before.
    pub until: Option<u64>,
}

impl From<Option<Checkpoint>> for Options {
    fn from(against: Option<Checkpoint>) -> Self {
        Options { against, ..Options::default() }
    }
}

/// Verifies the record in a vault directory. `progress` is told the lines done, every 16,384 of them.
///
/// # Errors
/// A file cannot be read, or the checkpoint given was not signed for this vault.
pub fn verify_dir(
    dir: &Path,
    level: Level<'_>,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, AuditError> {
    over(&files::snapshot(dir)?, level, options, progress)
}

/// Verifies the files of a record, oldest first.
///
/// # Errors
/// As [`verify_dir`].
pub fn verify(
    files: &[PathBuf],
    level: Level<'_>,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, AuditError> {
    // A file that is named and missing is an error, not a file that retention took.
    files.iter().try_for_each(|path| std::fs::metadata(path).map(drop))?;
    let places: Vec<Place> = files.iter().cloned().map(Place::Aside).collect();
    over(&places, level, options, progress)
}

fn over(
    places: &[Place],
    level: Level<'_>,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, AuditError> {
    if let (Some(checkpoint), Some(audit)) = (&options.against, level.audit()) {
        checkpoint.check(&audit)?;
        if !checkpoint.claims_certified() {
            return Err(AuditError::Signature(
                "the checkpoint given was signed by a key that nobody certified",
            ));
        }
    }
    let mut walk = Walk::new(level, options);
    let mut line = Vec::new();
    for place in places {
        let Some(file) = place.open()? else { continue };
        let mut lines = Lines::of(file);
        loop {
            if walk.finished() {
                return Ok(walk.end());
            }
            match lines.next(&mut line)? {
                LineEnd::Whole => walk.line(&line),
                LineEnd::Torn => walk.torn(),
                LineEnd::Endless => walk.endless(&line),
                LineEnd::File => break,
            }
            if walk.lines().is_multiple_of(16_384) {
                progress(walk.lines());
            }
        }
    }
    Ok(walk.end())
}
