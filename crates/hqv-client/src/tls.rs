//! TLS connections: dial, shake hands against exactly the roots that were decided, nothing else.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::{ClientError, Result};
use crate::target::Target;

/// A configuration that trusts these roots alone. TLS 1.3 and 1.2, host names checked, HTTP/1.1.
pub(crate) fn config(roots: RootCertStore) -> Result<Arc<ClientConfig>> {
    let mut config = builder()?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The start of every configuration here.
pub(crate) fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| ClientError::connection("TLS cannot be set up here"))
}

/// A store of these certificates.
///
/// # Errors
/// `CONNECTION_ERROR` where one is not a certificate.
pub(crate) fn roots(certificates: &[CertificateDer<'static>]) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        store
            .add(certificate.clone())
            .map_err(|_| ClientError::connection("the CA certificate is not one that can be read"))?;
    }
    Ok(store)
}

/// The system's roots. Loading them takes milliseconds, so only a server that nothing else vouches for gets here.
pub(crate) fn system_roots() -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    let _ = store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if store.is_empty() {
        return Err(ClientError::connection("this system has no trusted certificates")
            .hint("set HQ_VAULT_CACERT or HQ_VAULT_FINGERPRINT"));
    }
    Ok(store)
}

/// Shakes hands on a connected stream.
pub(crate) async fn handshake(
    config: Arc<ClientConfig>,
    target: &Target,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>> {
    let Target::Https { host, .. } = target else {
        return Err(ClientError::usage("a socket needs no TLS"));
    };
    let name = ServerName::try_from(host.clone())
        .map_err(|_| ClientError::usage("the server's URL has a host that no certificate can name"))?;
    TlsConnector::from(config).connect(name, stream).await.map_err(|error| refused(target, &error))
}

/// Connects to the first address that answers.
pub(crate) async fn dial(host: &str, port: u16, limit: Duration) -> Result<TcpStream> {
    let addresses = resolve(host, port).await?;
    let share = limit / u32::try_from(addresses.len().clamp(1, 4)).unwrap_or(1);
    let mut last = "it has no address".to_owned();
    for address in addresses.iter().take(4) {
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = error.kind().to_string(),
            Err(_) => last = "no answer in time".to_owned(),
        }
    }
    Err(ClientError::connection(format!("cannot reach {host} port {port}: {last}")))
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>> {
    if let Some(loopback) = Target::loopback_addresses(host) {
        return Ok(loopback.iter().map(|ip| SocketAddr::new(*ip, port)).collect());
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    match tokio::net::lookup_host((host, port)).await {
        Ok(addresses) => Ok(addresses.collect()),
        Err(_) => Err(ClientError::connection(format!("the name {host} is not known"))),
    }
}

fn refused(target: &Target, error: &std::io::Error) -> ClientError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => {
            ClientError::connection(format!("{target} is not trusted: {}", certificate_fault(why)))
                .hint("nothing was sent; check the address, the token and HQ_VAULT_CACERT")
        }
        Some(other) => ClientError::connection(format!("{target} does not speak TLS as expected: {other}")),
        None => ClientError::connection(format!("{target} closed the connection before TLS stood")),
    }
}

fn certificate_fault(why: &rustls::CertificateError) -> &'static str {
    use rustls::CertificateError as Fault;
    match why {
        // Vaults' CAs bear like names, so another vault's shows as a signature that does not fit.
        Fault::UnknownIssuer | Fault::BadSignature => "its certificate comes from another CA",
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => {
            "its certificate is for another host name"
        }
        Fault::Expired | Fault::ExpiredContext { .. } => "its certificate has expired",
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => "its certificate is not valid yet",
        _ => "its certificate cannot be verified",
    }
}
