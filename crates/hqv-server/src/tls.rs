//! TLS 1.3 and 1.2 with a leaf that can be changed while we serve.
//!
//! The leaf is renewed at unlock, so it cannot be part of rustls's configuration, which is built once: a resolver looks it
//! up at each handshake. Without a valid leaf there is no handshake. No session is resumed: tickets would be one more
//! secret in memory, and a handshake costs a worker's lifetime little.
//!
//! A client that offers protocols by ALPN (RFC 7301) of which we speak none is refused. One that offers nothing gets
//! HTTP/1.1: Node's `https` and Python's `http.client` with a context of its own send no ALPN.

use hqv_model::{Clock, Error, Result, Timestamp};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use crate::guard::host::Hosts;

/// A certificate chain and its key.
pub struct Leaf {
    /// The leaf and what follows it up to, without, the root; DER.
    pub chain: Vec<Vec<u8>>,
    /// PKCS#8, DER.
    pub key: Zeroizing<Vec<u8>>,
    /// End of the leaf's validity.
    pub not_after: Timestamp,
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaf").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

struct Installed {
    key: Arc<CertifiedKey>,
    not_after: Timestamp,
}

/// The leaf in use, shared by all listeners.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    installed: RwLock<Option<Installed>>,
    hosts: Hosts,
    clock: Arc<dyn Clock>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("ready", &self.ready()).finish()
    }
}

impl Tls {
    /// No leaf yet. Only the names of `hosts` may stand in SNI.
    pub fn new(hosts: Hosts, clock: Arc<dyn Clock>) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        Self(Arc::new(Inner { installed: RwLock::new(None), hosts, clock, provider }))
    }

    /// Takes a leaf into use. The key must belong to the certificate; connections that stand keep the old one.
    ///
    /// # Errors
    /// `BAD_REQUEST` where the key does not parse or is not the certificate's, or the certificate has ended.
    pub fn install(&self, leaf: Leaf) -> Result<()> {
        if leaf.not_after <= self.0.clock.wall() {
            return Err(Error::bad_request("the server's certificate has ended"));
        }
        let chain = leaf.chain.into_iter().map(CertificateDer::from).collect();
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.key.as_slice()));
        let key = CertifiedKey::from_der(chain, der.clone_key(), &self.0.provider)
            .map_err(|e| Error::bad_request("the server's certificate and key do not fit").cause(e))?;
        let installed = Installed { key: Arc::new(key), not_after: leaf.not_after };
        *self.0.installed.write().unwrap_or_else(PoisonError::into_inner) = Some(installed);
        Ok(())
    }

    /// Whether there is a leaf that is valid now.
    pub fn ready(&self) -> bool {
        self.0.valid().is_some()
    }

    /// End of the leaf's validity, where there is one.
    pub fn not_after(&self) -> Option<Timestamp> {
        self.0.installed.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|i| i.not_after)
    }

    /// What accepts handshakes.
    ///
    /// # Errors
    /// `INTERNAL`, where the provider lacks a protocol version.
    pub fn acceptor(&self) -> Result<TlsAcceptor> {
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.0.provider))
            .with_protocol_versions(&versions)
            .map_err(|e| Error::internal("TLS could not be set up").cause(e))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&self.0) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.require_ems = true;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl Inner {
    fn valid(&self) -> Option<Arc<CertifiedKey>> {
        let installed = self.installed.read().unwrap_or_else(PoisonError::into_inner);
        installed.as_ref().filter(|i| i.not_after > self.clock.wall()).map(|i| Arc::clone(&i.key))
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[leaf]")
    }
}

impl ResolvesServerCert for Inner {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.server_name().is_some_and(|name| !self.hosts.allow_sni(name)) {
            return None;
        }
        self.valid()
    }
}
