//! `D`: what retention dropped. The statement stands in a later file, signed like a checkpoint, and is on the disk
//! before a file goes: so a record whose beginning is gone without one was cut by somebody else.

use serde::{Deserialize, Serialize};

use crate::{
    AuditError,
    certificate::{Link, Root, Scope},
    chain::Chain,
    header::{check_version, scope_and_time},
    keys::verify,
    line::{self, Bytes, LineType, VERSION},
};
use hqv_model::Timestamp;

/// `seq` and `head` are those of the line before; `to` and `at` those of the last line dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    v: u8,
    vault: String,
    epoch: u32,
    seq: u64,
    head: Bytes<32>,
    state: u64,
    time: String,
    to: u64,
    at: Bytes<32>,
    key: Bytes<32>,
    root: Root,
    chain: Vec<Link>,
}

/// A statement, read.
pub(crate) struct Dropped {
    body: Body,
    scope: Scope,
    signed: Vec<u8>,
    signature: [u8; 64],
}

/// What the writer says.
pub(crate) struct Facts<'a> {
    pub(crate) scope: Scope,
    pub(crate) before: Chain,
    pub(crate) state: u64,
    pub(crate) time: Timestamp,
    /// The chain after the last line dropped.
    pub(crate) gone: Chain,
    pub(crate) key: &'a [u8; 32],
    pub(crate) root: Root,
    pub(crate) chain: &'a [Link],
}

impl Facts<'_> {
    /// Appends the line, without newline.
    pub(crate) fn write(
        &self,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
        out: &mut Vec<u8>,
    ) -> Result<(), AuditError> {
        let body = Body {
            v: VERSION,
            vault: self.scope.vault.to_string(),
            epoch: self.scope.epoch,
            seq: self.before.seq,
            head: Bytes(self.before.head),
            state: self.state,
            time: self.time.to_rfc3339(),
            to: self.gone.seq,
            at: Bytes(self.gone.head),
            key: Bytes(*self.key),
            root: self.root,
            chain: self.chain.to_vec(),
        };
        line::write_clear(LineType::Dropped, &body, sign, out)
    }
}

impl Dropped {
    /// Reads the line and checks its form, not its signature.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, AuditError> {
        let clear = line::read_clear::<Body>(LineType::Dropped, text)?;
        check_version(clear.body.v)?;
        let (scope, _) = scope_and_time(&clear.body.vault, clear.body.epoch, &clear.body.time)?;
        Ok(Dropped { scope, signed: clear.signed, signature: clear.signature, body: clear.body })
    }

    /// The chain before the statement's own line.
    pub(crate) fn before(&self) -> Chain {
        Chain { seq: self.body.seq, head: self.body.head.0 }
    }

    /// The chain after the last line dropped.
    pub(crate) fn gone(&self) -> Chain {
        Chain { seq: self.body.to, head: self.body.at.0 }
    }

    pub(crate) fn state(&self) -> u64 {
        self.body.state
    }

    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }

    /// Whether it was signed for this segment. One that nobody certified drops nothing.
    pub(crate) fn same_signer(&self, key: &[u8; 32], root: Root, chain: &[Link]) -> bool {
        root == Root::Audit && self.body.root == root && self.body.key.0 == *key && self.body.chain == chain
    }

    pub(crate) fn signature_holds(&self) -> bool {
        verify(&self.body.key.0, &self.signed, &self.signature)
    }
}
