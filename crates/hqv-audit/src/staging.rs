//! Lines that are made but not written yet: one buffer, one write(2), and the chain as it will be.

use crate::{AuditError, chain::Chain};

/// The buffer between sealing and writing. It holds no plain text.
pub(crate) struct Staging {
    out: Vec<u8>,
    chain: Chain,
    last_anchor: Option<usize>,
    since_anchor: u64,
}

impl Staging {
    pub(crate) fn new(chain: Chain) -> Self {
        Staging { out: Vec::with_capacity(4096), chain, last_anchor: None, since_anchor: 0 }
    }

    /// Drops what was staged and goes on from `written`.
    pub(crate) fn begin(&mut self, written: Chain) {
        self.out.clear();
        self.chain = written;
        self.last_anchor = None;
        self.since_anchor = 0;
    }

    /// Adds a line that `build` appends without its newline.
    pub(crate) fn line(
        &mut self,
        build: impl FnOnce(Chain, &mut Vec<u8>) -> Result<(), AuditError>,
    ) -> Result<(), AuditError> {
        let start = self.out.len();
        build(self.chain, &mut self.out)?;
        self.chain.push(self.out.get(start..).unwrap_or_default());
        self.out.push(b'\n');
        self.since_anchor += 1;
        Ok(())
    }

    /// Adds a line that carries the state of the chain in clear.
    pub(crate) fn anchor(
        &mut self,
        build: impl FnOnce(Chain, &mut Vec<u8>) -> Result<(), AuditError>,
    ) -> Result<(), AuditError> {
        let start = self.out.len();
        self.line(build)?;
        self.last_anchor = Some(start);
        self.since_anchor = 0;
        Ok(())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.out
    }

    /// Where the chain stands once the bytes are written.
    pub(crate) fn chain(&self) -> Chain {
        self.chain
    }

    /// The last anchor among the staged lines, without newline.
    pub(crate) fn last_anchor(&self) -> Option<&[u8]> {
        self.out.get(self.last_anchor?..)?.split(|b| *b == b'\n').next()
    }

    /// Staged lines and bytes after the last anchor, or all where there is none.
    pub(crate) fn after_anchor(&self) -> (u64, u64) {
        let bytes = match self.last_anchor() {
            Some(line) => self.out.len() - self.last_anchor.unwrap_or(0) - line.len() - 1,
            None => self.out.len(),
        };
        (self.since_anchor, bytes as u64)
    }
}
