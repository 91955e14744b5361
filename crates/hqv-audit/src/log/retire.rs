//! Retention: files set aside go, and a signed statement stays for them.
//!
//! [`plan`] looks, without the log. [`Log::retire`] writes the statement; the caller syncs the record and only then calls
//! [`Retired::remove`]. Files that a crash in between left are found again by the next plan.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use hqv_crypto::AuditPublic;
use hqv_model::Timestamp;

use crate::{AuditError, chain::Chain, files, header::Header, line::MAX_LINE};

use super::Log;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retain {
    /// All.
    #[default]
    All,
    /// Files with a line younger than so many milliseconds.
    Age(u64),
    /// The newest so many of the files set aside.
    Files(u64),
}

/// Files that may go.
#[derive(Debug)]
pub struct Retired {
    files: Vec<PathBuf>,
    gone: Chain,
}

impl Retired {
    /// The last line that goes.
    pub fn to(&self) -> u64 {
        self.gone.seq
    }

    /// How many files go.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Removes the files, the oldest first: what a crash leaves has no hole.
    ///
    /// # Errors
    /// What the system said.
    pub fn remove(&self, dir: &Path) -> io::Result<()> {
        for file in &self.files {
            match fs::remove_file(file) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => hqv_sys::files::fsync_dir(dir)?,
            }
        }
        Ok(())
    }
}

/// What of a vault's record may go by `retain`: whole files, the oldest first, none with a line above `upto` (what the
/// ledger has not read yet), and none before a file whose beginning the audit identity does not vouch for.
///
/// # Errors
/// A file cannot be read.
pub fn plan(
    dir: &Path,
    public: &AuditPublic,
    retain: Retain,
    now: Timestamp,
    upto: u64,
) -> Result<Option<Retired>, AuditError> {
    if retain == Retain::All {
        return Ok(None);
    }
    let all = files::list(dir)?;
    let mut found = None;
    for (at, pair) in all.windows(2).enumerate() {
        let [_, next] = pair else { break };
        let Some(header) = first_header(next)? else { break };
        let proven = header.certified() && header.check(&public.signing).is_ok();
        let aside_after = all.len().saturating_sub(at + 2) as u64;
        let due = match retain {
            Retain::All => false,
            Retain::Age(age) => {
                now.millis().saturating_sub(header.time().millis()) > i64::try_from(age).unwrap_or(i64::MAX)
            }
            Retain::Files(keep) => aside_after >= keep,
        };
        if !due || header.before.seq > upto {
            break;
        }
        if proven {
            found = Some(Retired { files: all.iter().take(at + 1).cloned().collect(), gone: header.before });
        }
    }
    Ok(found)
}

fn first_header(path: &Path) -> Result<Option<Header>, AuditError> {
    let mut line = Vec::new();
    BufReader::new(File::open(path)?).take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
    Ok(Header::parse(line.strip_suffix(b"\n").unwrap_or(&line)).ok())
}

impl Log {
    /// Writes the statement that stands for what goes; not synced. False, and nothing is written, while the open
    /// segment is one that nobody vouches for.
    ///
    /// # Errors
    /// Nothing was written, and nothing may go.
    pub fn retire(&mut self, gone: &Retired, now: Timestamp, state_seq: u64) -> Result<bool, AuditError> {
        if !self.segment.certified() {
            return Ok(false);
        }
        self.look_now(now, state_seq)?;
        self.begin(state_seq)?;
        let begun = self.stage_begin(now)?;
        self.segment.stage_dropped(self.state, now, gone.gone, &mut self.staging)?;
        self.commit()?;
        self.segment.begun = Some(begun);
        Ok(true)
    }
}
