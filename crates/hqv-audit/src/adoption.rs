//! `A`: at unlock, the audit identity takes over what was written while nobody could certify it.
//!
//! It names every such segment that the log holds then. What this very process wrote is told from what
//! was found on the disk at its start: the latter may have been written by anyone who can write files.

use serde::{Deserialize, Serialize};

use crate::{
    AuditError,
    certificate::Scope,
    chain::Chain,
    header::{check_version, scope_and_time},
    keys::verify,
    line::{self, Bytes, LineType, VERSION},
};
use hqv_model::Timestamp;

/// Segments in one line; it stays below [`line::MAX_LINE`].
pub(crate) const MAX_ADOPTED: usize = 256;

/// A segment that is adopted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adopted {
    pub(crate) key: Bytes<32>,
    /// The line of its header.
    pub(crate) from: u64,
    /// Its last line.
    pub(crate) to: u64,
    /// The hash after its last line.
    pub(crate) head: Bytes<32>,
    /// Whether the adopting process wrote it itself.
    pub(crate) own: bool,
}

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
    adopts: Vec<Adopted>,
}

/// An adoption line, read.
#[derive(Debug, Clone)]
pub(crate) struct Adoption {
    pub(crate) scope: Scope,
    pub(crate) before: Chain,
    pub(crate) state: u64,
    pub(crate) adopts: Vec<Adopted>,
    signed: Vec<u8>,
    signature: [u8; 64],
}

/// Appends an adoption line, without newline.
pub(crate) fn write(
    scope: Scope,
    before: Chain,
    state: u64,
    time: Timestamp,
    adopts: &[Adopted],
    sign: impl FnOnce(&[u8]) -> [u8; 64],
    out: &mut Vec<u8>,
) -> Result<(), AuditError> {
    let body = Body {
        v: VERSION,
        vault: scope.vault.to_string(),
        epoch: scope.epoch,
        seq: before.seq,
        head: Bytes(before.head),
        state,
        time: time.to_rfc3339(),
        adopts: adopts.to_vec(),
    };
    line::write_clear(LineType::Adoption, &body, sign, out)
}

impl Adoption {
    /// Reads the line and checks its form, not its signature.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, AuditError> {
        let clear = line::read_clear::<Body>(LineType::Adoption, text)?;
        let body = clear.body;
        check_version(body.v)?;
        let (scope, _) = scope_and_time(&body.vault, body.epoch, &body.time)?;
        let before = Chain { seq: body.seq, head: body.head.0 };
        Ok(Adoption {
            scope,
            before,
            state: body.state,
            adopts: body.adopts,
            signed: clear.signed,
            signature: clear.signature,
        })
    }

    /// Checks that the audit identity itself signed it.
    pub(crate) fn check(&self, audit: &[u8; 32]) -> Result<(), AuditError> {
        if verify(audit, &self.signed, &self.signature) {
            Ok(())
        } else {
            Err(AuditError::Signature("the adoption is not signed by the audit identity"))
        }
    }
}
