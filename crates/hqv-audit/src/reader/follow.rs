//! Follows a log as it grows: what was read is not read again.
//!
//! Between two calls it keeps the open file, the position and the open segment's record key; the identity is
//! lent for each call. When the name belongs to another file, the old one is read to its end first.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use hqv_crypto::AuditIdentity;

use crate::{AuditError, backward::whole_lines, chain::Chain, files};

use super::{
    Page, Reader,
    decode::{Decoder, Opener},
};

/// A reader that goes on where it stopped.
pub struct Follower {
    path: PathBuf,
    file: File,
    offset: u64,
    decoder: Decoder,
    from: u64,
}

impl Follower {
    /// From line `seq` on, in the current file of a vault directory. Lines in files that were set aside
    /// are for [`Reader::from`].
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(dir: &Path, id: &AuditIdentity, seq: u64) -> Result<Self, AuditError> {
        let path = files::current(dir);
        let file = File::open(&path)?;
        let end = whole_lines(&file, file.metadata()?.len())?;
        let reader = Reader { files: Vec::new(), id };
        // A line that is not there yet comes after the last one: the place to begin is the end's.
        let (offset, decoder) = reader.place(&file, end, seq)?;
        Ok(Follower { path, file, offset, decoder, from: seq })
    }

    /// Up to `limit` records that were not returned yet, oldest first; none where nothing was written.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn next(&mut self, id: &AuditIdentity, limit: usize) -> Result<Page, AuditError> {
        let mut page = Page::default();
        self.read_on(id, limit, &mut page)?;
        if page.records.len() < limit && self.moved() {
            // Whatever was written between the reading and the look is in the old file still.
            self.read_on(id, limit, &mut page)?;
            if page.records.len() < limit {
                self.file = File::open(&self.path)?;
                self.offset = 0;
                self.decoder = Decoder::new(Opener::none(), Chain { seq: 0, head: [0; 32] });
                self.read_on(id, limit, &mut page)?;
            }
        }
        Ok(page)
    }

    fn read_on(&mut self, id: &AuditIdentity, limit: usize, page: &mut Page) -> Result<(), AuditError> {
        let mut reader = BufReader::with_capacity(64 * 1024, &self.file);
        reader.seek(SeekFrom::Start(self.offset))?;
        let mut line = Vec::new();
        while page.records.len() < limit {
            line.clear();
            let read = reader.read_until(b'\n', &mut line)?;
            // A line without its newline is being written; it is read again when it is whole.
            let Some(whole) = line.strip_suffix(b"\n") else {
                break;
            };
            page.take(self.decoder.line(id, whole), self.from);
            self.offset += read as u64;
        }
        Ok(())
    }

    /// Whether the name belongs to another file, or the file was cut below what was read.
    fn moved(&self) -> bool {
        let (Ok(ours), Ok(named)) = (self.file.metadata(), fs::metadata(&self.path)) else {
            return false;
        };
        (ours.dev(), ours.ino()) != (named.dev(), named.ino()) || named.len() < self.offset
    }
}
