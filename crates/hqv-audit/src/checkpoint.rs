//! `C`: the signed state of the chain. Kept elsewhere, it proves what the log held.

use hqv_crypto::AuditPublic;
use hqv_model::{Timestamp, VaultId};
use serde::{Deserialize, Serialize};

use crate::{
    AuditError,
    certificate::{Link, Root, Scope},
    chain::{Chain, Hash},
    header::{check_version, scope_and_time},
    keys::verify,
    line::{self, Bytes, LineType, VERSION},
};

/// The object of a checkpoint line. `seq` and `head` are those of the line before.
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
    /// Whether the segment ends here.
    close: bool,
    key: Bytes<32>,
    root: Root,
    chain: Vec<Link>,
}

/// A checkpoint: one line that verifies alone with the audit public key.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    line: String,
    body: Body,
    scope: Scope,
    time: Timestamp,
    signed: Vec<u8>,
    signature: [u8; 64],
}

/// What the writer says in a checkpoint.
pub(crate) struct Facts<'a> {
    pub(crate) scope: Scope,
    pub(crate) at: Chain,
    pub(crate) state: u64,
    pub(crate) time: Timestamp,
    pub(crate) close: bool,
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
            seq: self.at.seq,
            head: Bytes(self.at.head),
            state: self.state,
            time: self.time.to_rfc3339(),
            close: self.close,
            key: Bytes(*self.key),
            root: self.root,
            chain: self.chain.to_vec(),
        };
        line::write_clear(LineType::Checkpoint, &body, sign, out)
    }
}

impl Checkpoint {
    /// Reads one line (white space round it is ignored) and checks its form, not its signatures.
    ///
    /// # Errors
    /// [`AuditError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, AuditError> {
        let text = text.trim();
        let clear = line::read_clear::<Body>(LineType::Checkpoint, text.as_bytes())?;
        let body = clear.body;
        check_version(body.v)?;
        let (scope, time) = scope_and_time(&body.vault, body.epoch, &body.time)?;
        Ok(Checkpoint {
            line: text.to_owned(),
            body,
            scope,
            time,
            signed: clear.signed,
            signature: clear.signature,
        })
    }

    pub(crate) fn from_line(text: &[u8]) -> Result<Self, AuditError> {
        let text = std::str::from_utf8(text).map_err(|_| AuditError::Malformed("not text"))?;
        if text.trim() != text {
            return Err(AuditError::Malformed("white space round a line"));
        }
        Checkpoint::parse(text)
    }

    /// Checks signature and certificates up to the audit identity.
    ///
    /// # Errors
    /// [`AuditError::Signature`]; also for a checkpoint of a segment that nobody certified: it proves nothing.
    pub fn verify(&self, public: &AuditPublic) -> Result<(), AuditError> {
        if self.body.root != Root::Audit {
            return Err(AuditError::Signature("it was signed by a locked daemon that nobody has certified"));
        }
        self.check(&public.signing)
    }

    /// Signature and chain, whatever the chain's root.
    pub(crate) fn check(&self, audit: &[u8; 32]) -> Result<(), AuditError> {
        if !verify(&self.body.key.0, &self.signed, &self.signature) {
            return Err(AuditError::Signature("the checkpoint is not signed by its segment's key"));
        }
        let own_line = self.seq().saturating_add(1);
        self.scope.check(self.body.root, &self.body.chain, &self.body.key.0, own_line, audit)
    }

    /// Whether the signing key is `key` under exactly this chain: then the chain was checked with its header.
    pub(crate) fn same_signer(&self, key: &[u8; 32], root: Root, chain: &[Link]) -> bool {
        self.body.key.0 == *key && self.body.root == root && self.body.chain == chain
    }

    /// The signature alone, for a signer whose certificates were checked with the header.
    pub(crate) fn signature_holds(&self) -> bool {
        verify(&self.body.key.0, &self.signed, &self.signature)
    }

    /// The line as it stands in the log, without newline.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The vault.
    pub fn vault(&self) -> VaultId {
        self.scope.vault
    }

    /// The vault's epoch.
    pub fn epoch(&self) -> u32 {
        self.scope.epoch
    }

    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }

    /// The number of the last line that it covers.
    pub fn seq(&self) -> u64 {
        self.body.seq
    }

    /// The hash over all lines up to there.
    pub fn head(&self) -> Hash {
        self.body.head.0
    }

    pub(crate) fn at(&self) -> Chain {
        Chain { seq: self.body.seq, head: self.body.head.0 }
    }

    /// The highest state sequence that was then fsynced in the database.
    pub fn state(&self) -> u64 {
        self.body.state
    }

    /// When it was signed.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Whether it closes its segment.
    pub fn closes(&self) -> bool {
        self.body.close
    }

    /// Whether its chain claims to begin at the audit identity.
    pub(crate) fn claims_certified(&self) -> bool {
        self.body.root == Root::Audit
    }
}
