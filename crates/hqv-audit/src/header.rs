//! `H`: a segment begins.

use hqv_model::{Timestamp, VaultId};
use serde::{Deserialize, Serialize};

use crate::{
    AuditError,
    certificate::{Link, Root, Scope},
    chain::Chain,
    keys::verify,
    line::{self, Bytes, LineType, VERSION},
};

/// Why a segment begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// The daemon started, locked.
    Start,
    /// The vault was unlocked.
    Unlock,
    /// The vault was locked.
    Lock,
    /// The segment before was full, or its file was.
    Full,
    /// The file was moved, deleted or changed under the daemon.
    Reopened,
}

/// The object of a header line. `seq` and `head` are those of the line before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    v: u8,
    pub(crate) why: Why,
    vault: String,
    epoch: u32,
    seq: u64,
    head: Bytes<32>,
    pub(crate) state: u64,
    time: String,
    pub(crate) key: Bytes<32>,
    pub(crate) root: Root,
    pub(crate) chain: Vec<Link>,
    /// The record key and nonce salt, sealed to the reading key.
    sealed: String,
}

/// A header, read.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) body: Body,
    pub(crate) scope: Scope,
    pub(crate) before: Chain,
    pub(crate) sealed: Vec<u8>,
    time: Timestamp,
    signed: Vec<u8>,
    signature: [u8; 64],
}

/// What the writer says in a header.
pub(crate) struct Facts<'a> {
    pub(crate) why: Why,
    pub(crate) scope: Scope,
    pub(crate) before: Chain,
    pub(crate) state: u64,
    pub(crate) time: Timestamp,
    pub(crate) key: &'a [u8; 32],
    pub(crate) root: Root,
    pub(crate) chain: &'a [Link],
    pub(crate) sealed: &'a [u8],
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
            why: self.why,
            vault: self.scope.vault.to_string(),
            epoch: self.scope.epoch,
            seq: self.before.seq,
            head: Bytes(self.before.head),
            state: self.state,
            time: self.time.to_rfc3339(),
            key: Bytes(*self.key),
            root: self.root,
            chain: self.chain.to_vec(),
            sealed: line::encode(self.sealed),
        };
        line::write_clear(LineType::Header, &body, sign, out)
    }
}

impl Header {
    /// Reads the line and checks its form, not its signatures.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, AuditError> {
        let clear = line::read_clear::<Body>(LineType::Header, text)?;
        let body = clear.body;
        check_version(body.v)?;
        let (scope, time) = scope_and_time(&body.vault, body.epoch, &body.time)?;
        let mut sealed = Vec::new();
        line::decode_into(body.sealed.as_bytes(), &mut sealed)?;
        let before = Chain { seq: body.seq, head: body.head.0 };
        Ok(Header { scope, before, sealed, time, signed: clear.signed, signature: clear.signature, body })
    }

    /// When the segment began.
    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }

    /// The number of the header's own line.
    pub(crate) fn line(&self) -> u64 {
        self.before.seq.saturating_add(1)
    }

    /// Whether the audit identity vouches for the segment, once [`Header::check`] holds.
    pub(crate) fn certified(&self) -> bool {
        self.body.root == Root::Audit
    }

    /// Checks the segment's own signature and its certificates.
    pub(crate) fn check(&self, audit: &[u8; 32]) -> Result<(), AuditError> {
        if !verify(&self.body.key.0, &self.signed, &self.signature) {
            return Err(AuditError::Signature("the header is not signed by its segment's key"));
        }
        self.scope.check(self.body.root, &self.body.chain, &self.body.key.0, self.line(), audit)
    }
}

pub(crate) fn check_version(v: u8) -> Result<(), AuditError> {
    if v == VERSION {
        Ok(())
    } else {
        Err(AuditError::Malformed("a version that this program does not know"))
    }
}

/// The vault, epoch and time of a clear line, each in its one spelling.
pub(crate) fn scope_and_time(vault: &str, epoch: u32, time: &str) -> Result<(Scope, Timestamp), AuditError> {
    let id = VaultId::parse(vault).map_err(|_| AuditError::Malformed("not a vault id"))?;
    let at = Timestamp::parse_rfc3339(time).map_err(|_| AuditError::Malformed("not a time"))?;
    if id.to_string() != vault || at.to_rfc3339() != time {
        return Err(AuditError::Malformed("a spelling other than the one agreed"));
    }
    Ok((Scope { vault: id, epoch }, at))
}
