//! Reads records with the audit identity, newest first or from a line on.
//!
//! A record opens with its segment's key and the hash before it. So the reader walks back from the end to
//! the nearest line that carries the chain's state, goes forward from there, and repeats; the segment's
//! header gives the key. It does not verify the record as a whole: that is [`crate::verify`]'s.

mod decode;
mod follow;
mod walk;

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use hqv_crypto::AuditIdentity;

use crate::{
    AuditError,
    adoption::Adoption,
    backward::{Backward, whole_lines},
    chain::Chain,
    checkpoint::Checkpoint,
    files::{self, Place},
    header::Header,
    line::{LineType, MAX_LINE},
};

use decode::{Decoded, Decoder, Opener};

pub use follow::Follower;

pub use crate::view::{IdentityView, ItemView, RecordView};

/// Decides which records are wanted.
pub type Filter<'f> = dyn Fn(&RecordView) -> bool + 'f;

/// What a reading found.
#[derive(Debug, Default)]
pub struct Page {
    /// The records.
    pub records: Vec<RecordView>,
    /// Lines that should have been records and do not open. `verify` says more.
    pub damaged: Vec<u64>,
}

/// Reads one vault's record.
pub struct Reader<'a> {
    files: Vec<Place>,
    id: &'a AuditIdentity,
}

/// A stretch of lines that begins at a line where the chain is known.
struct Stretch {
    offset: u64,
    end: u64,
    chain: Chain,
}

/// What `last` looks for, and what it has.
struct Wanted<'f> {
    n: usize,
    filter: &'f Filter<'f>,
    before: u64,
    page: Page,
}

impl Wanted<'_> {
    fn enough(&self) -> bool {
        self.page.records.len() >= self.n
    }
}

impl Page {
    fn take(&mut self, decoded: Decoded, from: u64) {
        match decoded {
            Decoded::Record(view) if view.sequence >= from => self.records.push(*view),
            Decoded::Damaged(bad) if bad >= from => self.damaged.push(bad),
            _ => {}
        }
    }
}

impl<'a> Reader<'a> {
    /// The record in a vault directory.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub fn open(dir: &Path, id: &'a AuditIdentity) -> Result<Self, AuditError> {
        Ok(Reader { files: files::snapshot(dir)?, id })
    }

    /// The newest `n` records that `filter` wants, newest first; with `before`, of those on lines below it.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn last(&self, n: usize, filter: &Filter<'_>, before: Option<u64>) -> Result<Page, AuditError> {
        let mut wanted = Wanted { n, filter, before: before.unwrap_or(u64::MAX), page: Page::default() };
        for path in self.files.iter().rev() {
            if let Some(file) = path.open()? {
                self.last_in_file(&file, &mut wanted)?;
            }
        }
        Ok(wanted.page)
    }

    fn last_in_file(&self, file: &File, wanted: &mut Wanted<'_>) -> Result<(), AuditError> {
        let mut end = whole_lines(file, file.metadata()?.len())?;
        let mut lines = Backward::new(file, end);
        // Stretches whose segment's header lies further back.
        let mut waiting: Vec<Stretch> = Vec::new();
        while !wanted.enough() {
            let Some((offset, line)) = lines.next()? else {
                break;
            };
            let Some((chain, header)) = anchor(line) else {
                continue;
            };
            if chain.seq.saturating_add(2) < wanted.before {
                waiting.push(Stretch { offset, end, chain });
            }
            end = offset;
            if let Some(header) = header {
                let opener = Opener::of(&header, self.id);
                for stretch in waiting.drain(..) {
                    self.newest(file, &stretch, &opener, wanted)?;
                }
            }
        }
        // Without a header nothing opens; the lines are named as damaged.
        for stretch in waiting {
            self.newest(file, &stretch, &Opener::none(), wanted)?;
        }
        Ok(())
    }

    /// Appends a stretch's wanted records, newest first.
    fn newest(
        &self,
        file: &File,
        stretch: &Stretch,
        opener: &Opener,
        wanted: &mut Wanted<'_>,
    ) -> Result<(), AuditError> {
        if wanted.enough() {
            return Ok(());
        }
        let mut found = Vec::new();
        let mut decoder = Decoder::new(opener.clone(), stretch.chain);
        for_lines(file, stretch.offset, stretch.end, |line| {
            match decoder.line(self.id, line) {
                Decoded::Record(view) if view.sequence < wanted.before && (wanted.filter)(&view) => {
                    found.push(*view);
                }
                Decoded::Damaged(seq) if seq < wanted.before => wanted.page.damaged.push(seq),
                _ => {}
            }
            true
        })?;
        let room = wanted.n - wanted.page.records.len();
        wanted.page.records.extend(found.into_iter().rev().take(room));
        Ok(())
    }

    /// Up to `limit` records on line `seq` and after, oldest first. For a stream of them, see [`Follower`].
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn from(&self, seq: u64, limit: usize) -> Result<Page, AuditError> {
        let mut page = Page::default();
        let first = self.first_file(seq)?;
        for path in self.files.iter().skip(first) {
            let Some(file) = path.open()? else { continue };
            let end = whole_lines(&file, file.metadata()?.len())?;
            let (offset, mut decoder) = self.place(&file, end, seq)?;
            for_lines(&file, offset, end, |line| {
                page.take(decoder.line(self.id, line), seq);
                page.records.len() < limit
            })?;
            if page.records.len() >= limit {
                break;
            }
        }
        Ok(page)
    }

    /// The newest file whose first line is not behind `seq`.
    fn first_file(&self, seq: u64) -> Result<usize, AuditError> {
        for (at, path) in self.files.iter().enumerate().rev() {
            let Some(mut file) = path.open()? else { continue };
            if begins_below(&mut file, seq)? {
                return Ok(at);
            }
        }
        Ok(0)
    }

    /// Where to begin decoding in a file so that line `seq` is reached with chain and key known.
    fn place(&self, file: &File, end: u64, seq: u64) -> Result<(u64, Decoder), AuditError> {
        let mut lines = Backward::new(file, end);
        let mut at = None;
        while let Some((offset, line)) = lines.next()? {
            let Some((chain, header)) = anchor(line) else {
                continue;
            };
            if chain.seq < seq && at.is_none() {
                at = Some((offset, chain));
            }
            if let (Some((offset, chain)), Some(header)) = (at, header) {
                return Ok((offset, Decoder::new(Opener::of(&header, self.id), chain)));
            }
        }
        // The header at the file's beginning, if there is one, will say where it stands.
        Ok((0, Decoder::new(Opener::none(), Chain { seq: 0, head: [0; 32] })))
    }
}

/// Whether the file's first line, a header, is not behind line `seq`.
fn begins_below(file: &mut File, seq: u64) -> Result<bool, AuditError> {
    file.seek(SeekFrom::Start(0))?;
    let mut first = Vec::new();
    BufReader::new(&*file).take(MAX_LINE as u64).read_until(b'\n', &mut first)?;
    let line = first.strip_suffix(b"\n").unwrap_or(&first);
    Ok(anchor(line).is_some_and(|(chain, _)| chain.seq < seq))
}

/// The chain before a line that carries it, and the header if it is one. Signatures are not checked: a
/// record opens only where the chain is the true one.
fn anchor(line: &[u8]) -> Option<(Chain, Option<Header>)> {
    match LineType::of(line)? {
        LineType::Header => {
            let header = Header::parse(line).ok()?;
            Some((header.before, Some(header)))
        }
        LineType::Checkpoint => Some((Checkpoint::from_line(line).ok()?.at(), None)),
        LineType::Adoption => Some((Adoption::parse(line).ok()?.before, None)),
        LineType::Record | LineType::Part | LineType::Dropped => None,
    }
}

/// Calls `each` with every line between two offsets until it says false.
fn for_lines(
    file: &File,
    offset: u64,
    end: u64,
    mut each: impl FnMut(&[u8]) -> bool,
) -> Result<(), AuditError> {
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    reader.seek(SeekFrom::Start(offset))?;
    let mut at = offset;
    let mut line = Vec::new();
    while at < end {
        line.clear();
        let n = reader.read_until(b'\n', &mut line)?;
        if n == 0 || !each(line.strip_suffix(b"\n").unwrap_or(&line)) {
            break;
        }
        at += n as u64;
    }
    Ok(())
}
