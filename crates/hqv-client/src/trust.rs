//! Whom to trust, before anything is sent.

use std::fmt;
use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

use crate::error::{ClientError, Result};

/// The first 16 bytes of SHA-256 over the DER of the vault's CA certificate, as a token carries them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin(pub [u8; 16]);

/// The whole hash, as `HQ_VAULT_FINGERPRINT` carries it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Reads `sha256:` and 64 hexadecimal digits; colons between bytes (as openssl writes them) and a missing
    /// `sha256:` are accepted.
    ///
    /// # Errors
    /// `BAD_REQUEST` for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let refused = || {
            ClientError::usage("a fingerprint is sha256: and 64 hexadecimal digits").hint("hq-vault status")
        };
        let hex: String =
            text.strip_prefix("sha256:").unwrap_or(text).chars().filter(|c| *c != ':').collect();
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(refused());
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            let digits = hex.get(at..at + 2).ok_or_else(refused)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| refused())?;
        }
        Ok(Self(bytes))
    }

    /// The fingerprint of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate.as_ref()).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What the caller knows of the server. With a pin or fingerprint nothing else counts.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// From the token or session that is about to be sent.
    pub pin: Option<Pin>,
    /// From `HQ_VAULT_FINGERPRINT`.
    pub fingerprint: Option<Fingerprint>,
    /// From `HQ_VAULT_CACERT`: PEM, one or more certificates.
    pub ca_file: Option<PathBuf>,
    /// The `ca.pem` of the vault directory. Used for a loopback address only.
    pub local_ca: Option<PathBuf>,
}

/// Where the roots come from, for one target.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// One certificate with the hash that was promised; to be fetched where no file here has it.
    Pinned(Option<CertificateDer<'static>>),
    /// These, from a file.
    Roots(Vec<CertificateDer<'static>>),
    /// The system's.
    System,
}

impl Trust {
    /// Decides, in this order: pin, fingerprint, CA file, local CA for loopback, the system.
    ///
    /// # Errors
    /// `BAD_REQUEST` where a file that was named cannot be read or holds no certificate.
    pub(crate) fn anchor(&self, loopback: bool) -> Result<Anchor> {
        let local = self.local_ca.as_deref().filter(|path| loopback && path.exists());
        if self.pinned() {
            // A file that happens to hold the promised certificate saves a round trip. Whether it can be read, or
            // holds another, decides nothing.
            let files = [local, self.ca_file.as_deref()];
            let found = files.into_iter().flatten().filter_map(|path| read_pem(path).ok()).flatten();
            return Ok(Anchor::Pinned(found.into_iter().find(|certificate| self.accepts(certificate))));
        }
        match self.ca_file.as_deref().or(local) {
            Some(path) => read_pem(path).map(Anchor::Roots),
            None => Ok(Anchor::System),
        }
    }

    /// Whether there is a hash to hold the server to.
    pub(crate) fn pinned(&self) -> bool {
        self.pin.is_some() || self.fingerprint.is_some()
    }

    /// Whether a certificate has every hash that was promised.
    pub(crate) fn accepts(&self, certificate: &CertificateDer<'_>) -> bool {
        let actual = Fingerprint::of(certificate);
        let pin = self.pin.is_none_or(|pin| actual.0.starts_with(&pin.0));
        let whole = self.fingerprint.is_none_or(|promised| promised == actual);
        self.pinned() && pin && whole
    }
}

/// The certificates of a PEM file of at most 1 MiB.
fn read_pem(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let shown = path.display();
    let unreadable =
        |why: &dyn fmt::Display| ClientError::usage(format!("cannot read the CA file {shown}: {why}"));
    let size = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !size.is_file() || size.len() > 1 << 20 {
        return Err(unreadable(&"not a file of at most 1 MiB"));
    }
    let text = std::fs::read(path).map_err(|error| unreadable(&error))?;
    match parse_pem(&text) {
        Some(certificates) => Ok(certificates),
        None => Err(ClientError::usage(format!("no certificate stands in the CA file {shown}"))),
    }
}

/// All certificates of a PEM text; `None` where there is none or one is broken.
pub(crate) fn parse_pem(text: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().ok()?;
    (!certificates.is_empty()).then_some(certificates)
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
