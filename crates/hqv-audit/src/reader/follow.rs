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

use crate::{
    AuditError,
    backward::whole_lines,
    chain::Chain,
    files::{self, Place},
};

use super::{
    Page, Reader,
    decode::{Decoder, Opener},
};

/// A reader that goes on where it stopped.
pub struct Follower {
    dir: PathBuf,
    file: File,
    offset: u64,
    decoder: Decoder,
    from: u64,
}

impl Follower {
    /// From line `seq` on, whichever file holds it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(dir: &Path, id: &AuditIdentity, seq: u64) -> Result<Self, AuditError> {
        let reader = Reader::open(dir, id)?;
        let first = reader.first_file(seq)?;
        let file = reader.files.get(first).map(Place::open).transpose()?.flatten();
        let file = file.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))?;
        let end = whole_lines(&file, file.metadata()?.len())?;
        // A line that is not there yet comes after the last one: the place to begin is the end's.
        let (offset, decoder) = reader.place(&file, end, seq)?;
        Ok(Follower { dir: dir.to_owned(), file, offset, decoder, from: seq })
    }

    /// Up to `limit` records that were not returned yet, oldest first; none where nothing was written.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn next(&mut self, id: &AuditIdentity, limit: usize) -> Result<Page, AuditError> {
        let mut page = Page::default();
        self.read_on(id, limit, &mut page)?;
        while page.records.len() < limit && self.moved() {
            // Whatever was written between the reading and the look is in the old file still.
            self.read_on(id, limit, &mut page)?;
            if page.records.len() >= limit {
                break;
            }
            let Some(file) = self.following(id)? else { break };
            self.file = file;
            self.offset = 0;
            self.decoder = Decoder::new(Opener::none(), Chain { seq: 0, head: [0; 32] });
            self.read_on(id, limit, &mut page)?;
        }
        Ok(page)
    }

    /// The file that goes on after what was read; where several were set aside meanwhile, not the newest.
    fn following(&self, id: &AuditIdentity) -> Result<Option<File>, AuditError> {
        let reader = Reader::open(&self.dir, id)?;
        let next = reader.first_file(self.decoder.chain.seq.saturating_add(1))?;
        let ours = self.file.metadata()?;
        let same =
            |file: &File| file.metadata().is_ok_and(|m| (m.dev(), m.ino()) == (ours.dev(), ours.ino()));
        let found = reader.files.get(next).map(Place::open).transpose()?.flatten();
        if let Some(found) = found.filter(|file| !same(file)) {
            return Ok(Some(found));
        }
        // Somebody else moved or emptied the file: what has the name now is what there is.
        let cut = ours.len() < self.offset;
        let last = reader.files.last().map(Place::open).transpose()?.flatten();
        Ok(last.filter(|file| cut || (!same(file) && file.metadata().is_ok_and(|meta| meta.len() > 0))))
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
        let (Ok(ours), Ok(named)) = (self.file.metadata(), fs::metadata(files::current(&self.dir))) else {
            return false;
        };
        (ours.dev(), ours.ino()) != (named.dev(), named.ino()) || named.len() < self.offset
    }
}
