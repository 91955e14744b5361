//! What a verification found, and what its level cannot find.

use std::fmt;

use crate::chain::Hash;

/// Findings kept; the rest are counted.
const MAX_FINDINGS: usize = 100;

/// How much was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// The chain alone, with nothing known.
    Chain,
    /// Chain, signatures and certificates, with the audit public key.
    Signatures,
    /// All of it: every record was opened.
    Everything,
}

impl Reached {
    /// The level's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Reached::Chain => "chain",
            Reached::Signatures => "chain and signatures",
            Reached::Everything => "everything",
        }
    }

    /// What this level would have found.
    pub fn sees(self) -> &'static str {
        match self {
            Reached::Chain => {
                "lines changed, dropped, added, doubled or swapped by somebody who did not compute the \
                 hashes of all later lines again"
            }
            Reached::Signatures => {
                "every change before the last checkpoint by anyone without the keys: lines changed, dropped, \
                 added, doubled, swapped or cut away; segments that nobody certified or adopted"
            }
            Reached::Everything => {
                "every change by anyone without the keys, with the line at which it begins, also behind the \
                 last checkpoint; records that do not open; a database that was put back"
            }
        }
    }

    /// What this level cannot find.
    pub fn misses(self) -> &'static str {
        match self {
            Reached::Chain => {
                "a log that was computed anew, which needs no key; forged signatures; what the records say. \
                 Give the audit public key to check signatures"
            }
            Reached::Signatures => {
                "changes to lines behind the last checkpoint (at most a second of traffic); whether the \
                 records open; a cut exactly behind a checkpoint, unless one kept elsewhere is given; a \
                 history written anew by the holder of the root key"
            }
            Reached::Everything => {
                "a cut exactly behind a line when vault.db was put back with it, unless a checkpoint kept \
                 elsewhere is given; a history written anew by the holder of the root key; what was never \
                 recorded"
            }
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The line, or the first of the lines, that it is about.
    pub line: u64,
    /// Whether the record is not what was written. Otherwise the owner should know, and all may be well.
    pub bad: bool,
    /// A sentence.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// What a verification found.
#[derive(Debug, Clone)]
pub struct Report {
    /// The level that was reached.
    pub level: Reached,
    /// The number of the first line there is.
    pub first: u64,
    /// The number of the last line.
    pub last: u64,
    /// The hash after the last line.
    pub head: Hash,
    /// Lines of all types.
    pub lines: u64,
    /// Records; one that is split over several lines counts once.
    pub records: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// Segments.
    pub segments: u64,
    /// Segments, among them, that nobody had certified when they were written.
    pub unproven: u64,
    /// Records in those.
    pub unproven_records: u64,
    /// Lines after which a segment ended without a signed close.
    pub unclean_ends: Vec<u64>,
    /// Lines behind the last checkpoint: chained, not yet signed.
    pub unsigned: u64,
    /// The first bad finding. Those after it may be its consequences.
    pub first_bad: Option<Finding>,
    /// All findings, bad or not, in the order in which they were met; at most 100.
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub more: u64,
}

impl Report {
    pub(super) fn new(level: Reached) -> Self {
        Report {
            level,
            first: 0,
            last: 0,
            head: [0; 32],
            lines: 0,
            records: 0,
            checkpoints: 0,
            segments: 0,
            unproven: 0,
            unproven_records: 0,
            unclean_ends: Vec::new(),
            unsigned: 0,
            first_bad: None,
            findings: Vec::new(),
            more: 0,
        }
    }

    /// Whether the record is what was written, as far as this level can see.
    pub fn is_ok(&self) -> bool {
        self.first_bad.is_none()
    }

    pub(super) fn bad(&mut self, line: u64, text: impl Into<String>) {
        let finding = Finding { line, bad: true, text: text.into() };
        self.first_bad.get_or_insert_with(|| finding.clone());
        self.push(finding);
    }

    /// A finding about what lies before all others, though it was met last.
    pub(super) fn bad_first(&mut self, line: u64, text: impl Into<String>) {
        let finding = Finding { line, bad: true, text: text.into() };
        self.first_bad = Some(finding.clone());
        self.findings.insert(0, finding);
    }

    pub(super) fn note(&mut self, line: u64, text: impl Into<String>) {
        self.push(Finding { line, bad: false, text: text.into() });
    }

    fn push(&mut self, finding: Finding) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }
}
