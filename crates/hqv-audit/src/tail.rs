//! Where the last run left the log, found from its end and without any private key.
//!
//! The scan stops at the first line of a segment that the audit identity vouches for, so an ordinary start reads no
//! more than the last second's lines. Lines of segments that nobody certified are walked to their
//! headers, because the next unlock has to name them.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufRead, BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use crate::{
    AuditError,
    adoption::{Adopted, Adoption},
    backward::{Backward, whole_lines},
    chain::{Chain, Hash},
    checkpoint::Checkpoint,
    header::Header,
    line::{Bytes, LineType},
};

/// A line that carries the chain's state in clear.
enum Anchor {
    Header(Header),
    Checkpoint(Checkpoint),
    Adoption(Adoption),
}

impl Anchor {
    /// Reads an anchor. One that claims to be the identity's must be; numbering must not follow a line that
    /// only looks like one. What nobody certified anyone could have signed, so its signature tells nothing.
    fn read(line: &[u8], audit: &[u8; 32]) -> Option<Self> {
        match LineType::of(line)? {
            LineType::Header => {
                let header = Header::parse(line).ok()?;
                let holds = !header.certified() || header.check(audit).is_ok();
                holds.then_some(Anchor::Header(header))
            }
            LineType::Checkpoint => {
                let checkpoint = Checkpoint::from_line(line).ok()?;
                let holds = !checkpoint.claims_certified() || checkpoint.check(audit).is_ok();
                holds.then_some(Anchor::Checkpoint(checkpoint))
            }
            LineType::Adoption => {
                let adoption = Adoption::parse(line).ok()?;
                adoption.check(audit).ok()?;
                Some(Anchor::Adoption(adoption))
            }
            LineType::Record | LineType::Part | LineType::Dropped => None,
        }
    }

    /// The chain before the anchor's own line.
    fn before(&self) -> Chain {
        match self {
            Anchor::Header(header) => header.before,
            Anchor::Checkpoint(checkpoint) => checkpoint.at(),
            Anchor::Adoption(adoption) => adoption.before,
        }
    }

    fn state(&self) -> u64 {
        match self {
            Anchor::Header(header) => header.body.state,
            Anchor::Checkpoint(checkpoint) => checkpoint.state(),
            Anchor::Adoption(adoption) => adoption.state,
        }
    }

    /// Whether the identity vouches for it.
    fn vouched(&self) -> bool {
        match self {
            Anchor::Header(header) => header.certified(),
            Anchor::Checkpoint(checkpoint) => checkpoint.claims_certified(),
            Anchor::Adoption(_) => true,
        }
    }

    /// Whether nothing before it is left to adopt. An adoption may be one of several of which a power cut
    /// took the rest, so it alone does not say so.
    fn settled(&self) -> bool {
        self.vouched() && !matches!(self, Anchor::Adoption(_))
    }
}

/// What the end of the log says.
#[derive(Default)]
pub(crate) struct Tail {
    /// Bytes of whole lines in the current file.
    pub(crate) len: u64,
    /// Bytes behind the last newline.
    pub(crate) torn: u64,
    /// The chain after the last whole line; none where no line can be placed.
    pub(crate) chain: Option<Chain>,
    /// Whether the last line is a signed close.
    pub(crate) closed: bool,
    /// The state sequence of the last anchor, and whether the identity vouches for that.
    pub(crate) state: Option<(u64, bool)>,
    /// Segments that no unlock has adopted, oldest first.
    pub(crate) unadopted: Vec<Adopted>,
}

/// Looks at `files`, oldest first, of which the last is the one written to.
pub(crate) fn scan(files: &[PathBuf], audit: &[u8; 32]) -> Result<Tail, AuditError> {
    let mut tail = Tail::default();
    let mut segments = Segments::default();
    for (age, path) in files.iter().rev().enumerate() {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        let whole = whole_lines(&file, len)?;
        if age == 0 {
            (tail.len, tail.torn) = (whole, len - whole);
        }
        let done = scan_file(&file, whole, audit, &mut tail, &mut segments)?;
        if done {
            break;
        }
    }
    tail.unadopted = segments.found;
    tail.unadopted.reverse();
    Ok(tail)
}

/// The unproven segments met so far, newest first.
#[derive(Default)]
struct Segments {
    found: Vec<Adopted>,
    /// The chain before the header or adoption found last: there the segment before it ends.
    end: Option<Chain>,
    /// Header lines that an adoption names.
    adopted: HashSet<u64>,
}

impl Segments {
    fn take(&mut self, anchor: Anchor) {
        let before = anchor.before();
        match anchor {
            Anchor::Header(header) => {
                if let Some(end) = self.end.filter(|_| !self.adopted.contains(&header.line())) {
                    let (key, head) = (header.body.key, Bytes(end.head));
                    self.found.push(Adopted { key, from: header.line(), to: end.seq, head, own: false });
                }
                self.end = Some(before);
            }
            Anchor::Adoption(adoption) => {
                self.adopted.extend(adoption.adopts.iter().map(|segment| segment.from));
                self.end = Some(before);
            }
            Anchor::Checkpoint(_) => {}
        }
    }
}

/// One file from its end; true when a vouched line was met.
fn scan_file(
    file: &File,
    whole: u64,
    audit: &[u8; 32],
    tail: &mut Tail,
    segments: &mut Segments,
) -> Result<bool, AuditError> {
    let mut lines = Backward::new(file, whole);
    loop {
        // A file that stops being lines is read no further back; verify will name the place.
        let Ok(Some((offset, line))) = lines.next() else {
            return Ok(false);
        };
        let Some(anchor) = Anchor::read(line, audit) else {
            continue;
        };
        if tail.chain.is_none() {
            let end = hash_from(file, offset, whole, anchor.before())?;
            tail.chain = Some(end);
            tail.state = Some((anchor.state(), anchor.vouched()));
            tail.closed = matches!(&anchor, Anchor::Checkpoint(c) if c.closes() && c.seq() + 1 == end.seq);
            segments.end = Some(end);
        }
        if anchor.settled() {
            return Ok(true);
        }
        segments.take(anchor);
    }
}

/// The chain at `end`, from a line at `offset` before which it stood at `chain`.
fn hash_from(file: &File, offset: u64, end: u64, mut chain: Chain) -> Result<Chain, AuditError> {
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    reader.seek(SeekFrom::Start(offset))?;
    let mut line = Vec::new();
    let mut at = offset;
    while at < end {
        line.clear();
        let n = reader.read_until(b'\n', &mut line)?;
        if n == 0 {
            break;
        }
        at += n as u64;
        chain.push(line.strip_suffix(b"\n").unwrap_or(&line));
    }
    Ok(chain)
}

/// The hash after line `seq`, if the log holds that line.
pub(crate) fn hash_at(files: &[PathBuf], seq: u64, audit: &[u8; 32]) -> Result<Option<Hash>, AuditError> {
    for path in files.iter().rev() {
        if let Some(hash) = hash_in_file(path, seq, audit)? {
            return Ok(Some(hash));
        }
    }
    Ok(None)
}

fn hash_in_file(path: &Path, seq: u64, audit: &[u8; 32]) -> Result<Option<Hash>, AuditError> {
    let file = File::open(path)?;
    let whole = whole_lines(&file, file.metadata()?.len())?;
    let mut lines = Backward::new(&file, whole);
    while let Ok(Some((offset, line))) = lines.next() {
        let Some(anchor) = Anchor::read(line, audit) else {
            continue;
        };
        let before = anchor.before();
        if before.seq == seq {
            return Ok(Some(before.head));
        }
        if before.seq < seq {
            return forward_to(&file, offset, before, seq);
        }
    }
    Ok(None)
}

fn forward_to(file: &File, offset: u64, mut chain: Chain, seq: u64) -> Result<Option<Hash>, AuditError> {
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    reader.seek(SeekFrom::Start(offset))?;
    let mut line = Vec::new();
    while chain.seq < seq {
        line.clear();
        reader.read_until(b'\n', &mut line)?;
        let Some(whole) = line.strip_suffix(b"\n") else {
            return Ok(None);
        };
        chain.push(whole);
    }
    Ok(Some(chain.head))
}
