//! The vault's own certificate authority, and the leaf certificates that it issues.
//!
//! One CA for the life of the vault, EC P-256, valid from 2020-01-01 for thirty years whatever the clock
//! says, and named so that nobody takes it for one to trust beyond this vault. Tokens pin it.
//!
//! An exception to "randomness is passed in": P-256 keys and ECDSA signatures are made with aws-lc's own
//! generator, since it takes no other. Serial numbers are drawn from the passed one.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hqv_model::{Entropy, Timestamp, VaultId, array};
use hqv_sys::memory::LockedBuf;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use zeroize::Zeroizing;

/// How long a leaf is valid from its issue: 90 days.
pub const LEAF_LIFE: Duration = Duration::from_secs(90 * DAY);
/// How far a leaf is backdated, for clients whose clock is behind: a day.
pub const LEAF_BACKDATED: Duration = Duration::from_secs(DAY);

const DAY: u64 = 86_400;
/// 2020-01-01T00:00:00Z, in seconds since 1970.
const CA_FROM: u64 = 1_577_836_800;
/// 2050-01-01T00:00:00Z.
const CA_UNTIL: u64 = 2_524_608_000;

/// A certificate could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaError {
    /// A name that a certificate cannot carry.
    BadName(String),
    /// aws-lc or the encoder refused; the key may be damaged.
    Failed(String),
}

impl std::fmt::Display for CaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BadName(name) => write!(f, "{name:?} is neither a host name nor an IP address"),
            Self::Failed(why) => write!(f, "the certificate could not be made: {why}"),
        }
    }
}

impl std::error::Error for CaError {}

impl From<CaError> for hqv_model::Error {
    fn from(error: CaError) -> Self {
        match error {
            CaError::BadName(_) => hqv_model::Error::bad_request(error.to_string()),
            CaError::Failed(_) => {
                hqv_model::Error::internal("the certificate could not be made").cause(error)
            }
        }
    }
}

impl From<rcgen::Error> for CaError {
    fn from(error: rcgen::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The CA: its key in locked memory, its certificate, and the vault whose name it bears.
pub struct Ca {
    vault: VaultId,
    key: LockedBuf,
    cert: Vec<u8>,
}

/// A server certificate with its key.
pub struct Leaf {
    /// The certificate, DER.
    pub cert_der: Vec<u8>,
    /// The private key, PKCS#8 DER; wiped on drop.
    pub key_der: Zeroizing<Vec<u8>>,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
}

impl Ca {
    /// Makes the CA of a new vault.
    ///
    /// # Errors
    /// [`CaError::Failed`] when aws-lc cannot make the key.
    pub fn create(vault: VaultId, rng: &mut dyn Entropy) -> Result<Self, CaError> {
        let key = Zeroizing::new(KeyPair::generate()?);
        let mut params = ca_params(vault);
        params.serial_number = Some(serial(rng));
        let cert = params.self_signed(&*key)?.der().to_vec();
        Ok(Self { vault, key: LockedBuf::from_vec_wiping(key.serialize_der()), cert })
    }

    pub(crate) fn from_parts(vault: VaultId, key: LockedBuf, cert: Vec<u8>) -> Self {
        Self { vault, key, cert }
    }

    /// The certificate, DER.
    pub fn cert_der(&self) -> &[u8] {
        &self.cert
    }

    /// The certificate as `ca.pem` holds it, with a comment that says what it is for.
    pub fn cert_pem(&self) -> String {
        let mut text = format!(
            "# The CA of one HQ Vault, {}. For clients of this vault alone.\n\
             # Do not add it to a system's or browser's trust store.\n\
             -----BEGIN CERTIFICATE-----\n",
            self.vault
        );
        for line in self.cert.chunks(48) {
            text.push_str(&STANDARD.encode(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
        text
    }

    pub(crate) fn key_pkcs8(&self) -> &[u8] {
        self.key.expose()
    }

    /// Issues a server certificate for `names` (host names and IP addresses), valid for
    /// [`LEAF_LIFE`] from `now` and never beyond the CA's own validity.
    ///
    /// # Errors
    /// [`CaError::BadName`] for a name that is neither; [`CaError::Failed`] when signing fails.
    pub fn issue_leaf(
        &self,
        names: &[String],
        now: Timestamp,
        rng: &mut dyn Entropy,
    ) -> Result<Leaf, CaError> {
        let (from, until) = (clamp(now.minus(LEAF_BACKDATED)), clamp(now.plus(LEAF_LIFE)));
        let params = leaf_params(names, from, until, rng)?;
        let ca_key = Zeroizing::new(KeyPair::try_from(&PrivatePkcs8KeyDer::from(self.key.expose()))?);
        let key = Zeroizing::new(KeyPair::generate()?);
        let issuer = ca_params(self.vault);
        let cert = params.signed_by(&*key, &Issuer::from_params(&issuer, &*ca_key))?;
        Ok(Leaf {
            cert_der: cert.der().to_vec(),
            key_der: Zeroizing::new(key.serialize_der()),
            not_before: seconds(from),
            not_after: seconds(until),
        })
    }
}

fn ca_params(vault: VaultId) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_secs(CA_FROM);
    params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(CA_UNTIL);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "HQ Vault");
    name.push(DnType::OrganizationalUnitName, "For this vault only, not for a system trust store");
    name.push(DnType::CommonName, format!("HQ Vault CA {vault}"));
    params.distinguished_name = name;
    params
}

fn leaf_params(
    names: &[String],
    from: u64,
    until: u64,
    rng: &mut dyn Entropy,
) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_secs(from);
    params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(until);
    params.serial_number = Some(serial(rng));
    params.subject_alt_names = names.iter().map(|name| san(name)).collect::<Result<_, _>>()?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "HQ Vault");
    params.distinguished_name = name;
    Ok(params)
}

/// A serial of 16 bytes: its top bit is clear and its first byte not zero, so that it is positive and its
/// shortest DER form is these very bytes (RFC 5280 section 4.1.2.2).
fn serial(rng: &mut dyn Entropy) -> SerialNumber {
    let mut bytes: [u8; 16] = array(rng);
    bytes[0] &= 0x7f;
    if bytes[0] == 0 {
        bytes[0] = 1;
    }
    SerialNumber::from_slice(&bytes)
}

fn san(name: &str) -> Result<SanType, CaError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let bad = || CaError::BadName(name.chars().take(80).collect());
    if !is_host_name(name) {
        return Err(bad());
    }
    Ok(SanType::DnsName(name.to_ascii_lowercase().try_into().map_err(|_| bad())?))
}

/// Labels of letters, digits, hyphens and (as container networks use them) underscores; no wildcard.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Whole seconds since 1970, within the validity of the CA.
fn clamp(moment: Timestamp) -> u64 {
    u64::try_from(moment.millis() / 1000).unwrap_or_default().clamp(CA_FROM, CA_UNTIL)
}

fn seconds(since_1970: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(since_1970 * 1000).unwrap_or(i64::MAX))
}
