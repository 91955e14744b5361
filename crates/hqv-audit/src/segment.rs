//! The open segment: what the writer holds of it.

use hqv_crypto::AuditPublic;
use hqv_model::{Entropy, Timestamp};

use crate::{
    AuditError,
    certificate::{Link, Root, Scope},
    chain::Chain,
    checkpoint, dropped, header,
    header::Why,
    keys::{RecordKey, SigningKey},
    line::{self, LineType},
    staging::Staging,
};

/// JSON bytes in one line; with counter, tag and base64url this stays below [`line::MAX_LINE`].
const PART: usize = 48_000;

/// The open segment's keys and counters.
pub(crate) struct Segment {
    why: Why,
    scope: Scope,
    signer: SigningKey,
    root: Root,
    chain: Vec<Link>,
    record_key: RecordKey,
    sealed: Vec<u8>,
    counter: u64,
    /// The line of its header, once that is written.
    pub(crate) begun: Option<u64>,
    /// Whether its last checkpoint is written.
    pub(crate) closed: bool,
    /// Record lines that it holds.
    pub(crate) records: u64,
}

impl Segment {
    /// Keys for a segment whose certificates `certify` makes.
    pub(crate) fn new(
        why: Why,
        scope: Scope,
        public: &AuditPublic,
        rng: &mut dyn Entropy,
        certify: impl FnOnce(&SigningKey) -> (Root, Vec<Link>),
    ) -> Result<Self, AuditError> {
        let signer = SigningKey::generate(rng);
        let record_key = RecordKey::generate(rng);
        let sealed = record_key.seal_to(public, scope, signer.public(), rng)?;
        let (root, chain) = certify(&signer);
        Ok(Segment {
            why,
            scope,
            signer,
            root,
            chain,
            record_key,
            sealed,
            counter: 0,
            begun: None,
            closed: false,
            records: 0,
        })
    }

    pub(crate) fn certified(&self) -> bool {
        self.root == Root::Audit
    }

    pub(crate) fn signer(&self) -> &SigningKey {
        &self.signer
    }

    #[cfg(test)]
    pub(crate) fn record_key(&self) -> &RecordKey {
        &self.record_key
    }

    /// Another chain for the same key.
    pub(crate) fn replace_chain(&mut self, chain: Vec<Link>) {
        self.chain = chain;
    }

    pub(crate) fn public(&self) -> &[u8; 32] {
        self.signer.public()
    }

    /// Root and chain for a segment that this one's key certifies.
    pub(crate) fn certify(&self, next: &SigningKey, from: u64) -> (Root, Vec<Link>) {
        let mut chain = self.chain.clone();
        chain.push(self.scope.link(next.public(), from, |m| self.signer.sign(m)));
        (self.root, chain)
    }

    pub(crate) fn links(&self) -> usize {
        self.chain.len()
    }

    /// Seals one record as one line, or as linked parts, and says how many lines that took.
    pub(crate) fn stage_record(
        &mut self,
        json: &[u8],
        scratch: &mut Vec<u8>,
        staging: &mut Staging,
    ) -> Result<u64, AuditError> {
        let mut lines = 0;
        let mut parts = json.chunks(PART).peekable();
        while let Some(part) = parts.next() {
            let kind = if parts.peek().is_some() { LineType::Part } else { LineType::Record };
            let counter = self.counter;
            self.counter = counter.checked_add(1).ok_or(AuditError::Malformed("no nonce is left"))?;
            staging.line(|before, out| {
                self.record_key.seal(kind, &before, counter, part, scratch);
                out.push(kind.byte());
                line::encode_into(scratch, out);
                Ok(())
            })?;
            lines += 1;
        }
        Ok(lines)
    }

    /// Stages the segment's header.
    pub(crate) fn stage_header(
        &self,
        state: u64,
        time: Timestamp,
        staging: &mut Staging,
    ) -> Result<(), AuditError> {
        staging.anchor(|before, out| {
            let facts = header::Facts {
                why: self.why,
                scope: self.scope,
                before,
                state,
                time,
                key: self.signer.public(),
                root: self.root,
                chain: &self.chain,
                sealed: &self.sealed,
            };
            facts.write(|m| self.signer.sign(m), out)
        })
    }

    /// Stages a checkpoint; with `close` it is the segment's last line.
    pub(crate) fn stage_checkpoint(
        &self,
        state: u64,
        time: Timestamp,
        close: bool,
        staging: &mut Staging,
    ) -> Result<(), AuditError> {
        staging.anchor(|at, out| {
            let facts = checkpoint::Facts {
                scope: self.scope,
                at,
                state,
                time,
                close,
                key: self.signer.public(),
                root: self.root,
                chain: &self.chain,
            };
            facts.write(|m| self.signer.sign(m), out)
        })
    }

    /// Stages the statement that stands for everything up to `gone`.
    pub(crate) fn stage_dropped(
        &self,
        state: u64,
        time: Timestamp,
        gone: Chain,
        staging: &mut Staging,
    ) -> Result<(), AuditError> {
        staging.line(|before, out| {
            let facts = dropped::Facts {
                scope: self.scope,
                before,
                state,
                time,
                gone,
                key: self.signer.public(),
                root: self.root,
                chain: &self.chain,
            };
            facts.write(|m| self.signer.sign(m), out)
        })
    }
}
