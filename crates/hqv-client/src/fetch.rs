//! The CA certificate of a pinned vault, fetched from the vault itself.
//!
//! This is the only connection that accepts any chain, and the reasons why it may are all in this file: it carries no
//! credential and nothing else of the caller's, it reads at most 16 KiB, and what it reads is thrown away unless its hash
//! is the one that was promised. An attacker in the middle can only make the call fail.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;

use crate::error::{ClientError, Result};
use crate::target::Target;
use crate::trust::{Trust, parse_pem};
use crate::{tls, wire};

/// The most that is read of a stranger's answer.
const LIMIT: usize = 16 * 1024;

/// Asks `/v1/ca` on a connection of its own and returns the certificate if, and only if, it is the promised one.
pub(crate) async fn pinned_ca(
    target: &Target,
    stream: TcpStream,
    trust: &Trust,
) -> Result<CertificateDer<'static>> {
    let stream = tls::handshake(any_chain()?, target, stream).await?;
    let mut sender = wire::open(stream, LIMIT).await?;
    let host = HeaderValue::try_from(target.host_header()).map_err(|_| other_vault(target))?;
    let request = Request::builder()
        .method(Method::GET)
        .uri("/v1/ca")
        .header(header::HOST, host)
        .header(header::CONNECTION, "close")
        .body(Full::<Bytes>::default())
        .map_err(|_| other_vault(target))?;
    let answer = sender.send_request(request).await.map_err(|_| other_vault(target))?;
    let answer = wire::read(answer, LIMIT).await.map_err(|_| other_vault(target))?;
    match parse_pem(&answer.body).as_deref() {
        Some([certificate]) if answer.status == 200 && trust.accepts(certificate) => Ok(certificate.clone()),
        _ => Err(other_vault(target)),
    }
}

fn other_vault(target: &Target) -> ClientError {
    ClientError::connection(format!("{target} is not the vault that this token or fingerprint belongs to"))
        .hint("the token was not sent; check HQ_VAULT_URL and where the token comes from")
}

fn any_chain() -> Result<Arc<ClientConfig>> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let mut config = tls::builder()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyChain(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

/// Accepts every chain, for the question that carries nothing. Private to this file on purpose.
#[derive(Debug)]
struct AnyChain(CryptoProvider);

impl ServerCertVerifier for AnyChain {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
