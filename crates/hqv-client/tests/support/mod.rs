//! A server that answers by a script and writes down every byte it was sent, in the clear; and the certificates it needs.
#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::{Arc, Mutex};

use hqv_client::{Fingerprint, Options, Pin, Target, Trust};
use hqv_model::SecretText;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio_rustls::TlsAcceptor;

pub const TOKEN: &str = "hqv_canary-token-that-must-not-leave";

/// A vault's CA, and leaves by it.
pub struct Ca {
    pub der: CertificateDer<'static>,
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    /// All are named alike, as vaults' are: only keys and hashes tell them apart.
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "HQ Vault CA");
        let certificate = params.self_signed(&key).unwrap();
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Self { der, pem, issuer: Issuer::new(params, key) }
    }

    pub fn pin(&self) -> Pin {
        Pin(Fingerprint::of(&self.der).0[..16].try_into().unwrap())
    }

    pub fn leaf(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let leaf =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }
}

/// Everything that was sent, a string for each request.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn requests(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn first_lines(&self) -> Vec<String> {
        self.requests().iter().map(|request| request.lines().next().unwrap_or_default().to_owned()).collect()
    }

    /// Whether the token was in anything that was sent.
    pub fn saw_token(&self) -> bool {
        self.requests().iter().any(|request| request.contains(TOKEN))
    }

    pub fn push(&self, bytes: &[u8]) {
        self.0.lock().unwrap().push(String::from_utf8_lossy(bytes).into_owned());
    }
}

/// What is sent back, and whether the connection is closed after it.
pub struct Reply {
    pub bytes: Vec<u8>,
    pub close: bool,
}

pub fn reply(status: u16, body: &str) -> Reply {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", body.len());
    Reply { bytes: (head + body).into_bytes(), close: false }
}

pub fn nothing() -> Reply {
    Reply { bytes: Vec::new(), close: true }
}

impl Reply {
    pub fn then_close(mut self) -> Self {
        self.close = true;
        self
    }
}

/// Answers the requests of one connection.
pub async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    log: Log,
    answer: impl Fn(&str) -> Reply,
) {
    let mut held = Vec::new();
    loop {
        let mut chunk = [0u8; 4096];
        let read = stream.read(&mut chunk).await.unwrap_or(0);
        held.extend_from_slice(&chunk[..read]);
        while let Some(length) = whole(&held) {
            let request: Vec<u8> = held.drain(..length).collect();
            log.push(&request);
            let reply = answer(&String::from_utf8_lossy(&request));
            if stream.write_all(&reply.bytes).await.is_err() || stream.flush().await.is_err() || reply.close {
                let _ = stream.shutdown().await;
                return;
            }
        }
        if read == 0 {
            if !held.is_empty() {
                log.push(&held);
            }
            return;
        }
    }
}

fn whole(held: &[u8]) -> Option<usize> {
    let head = held.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&held[..head]).to_ascii_lowercase();
    let length =
        text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    (held.len() >= head + length).then_some(head + length)
}

/// TLS on a free loopback port. `config` is asked for each connection by its number.
pub async fn tls_server<A>(
    config: impl Fn(usize) -> Arc<ServerConfig> + Send + 'static,
    answer: A,
) -> (u16, Log)
where
    A: Fn(&str) -> Reply + Clone + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (port, log) = (listener.local_addr().unwrap().port(), Log::default());
    let kept = log.clone();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, log, answer) = (TlsAcceptor::from(config(number)), log.clone(), answer.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    converse(stream, log, answer).await;
                }
            });
        }
    });
    (port, kept)
}

/// A Unix socket in a private directory, and how many connections it took.
pub async fn unix_server<A>(folder: &Path, answer: A) -> (Options, Log, Arc<Mutex<usize>>)
where
    A: Fn(&str) -> Reply + Clone + Send + 'static,
{
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let path = folder.join("vault.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let (log, count) = (Log::default(), Arc::new(Mutex::new(0)));
    let (kept, counted) = (log.clone(), Arc::clone(&count));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            *counted.lock().unwrap() += 1;
            tokio::spawn(converse(stream, log.clone(), answer.clone()));
        }
    });
    let mut options =
        Options::new(Target::Unix(path.clone()), std::fs::metadata(&path).unwrap().uid(), own_peer);
    options.credential = Some(SecretText::new(TOKEN.to_owned()));
    (options, kept, count)
}

/// The boot clock, as the command line passes it in.
pub fn boot() -> std::time::Duration {
    hqv_sys::clock::boot()
}

/// These tests talk to themselves, so the peer is whoever owns the test's files.
pub fn own_peer(_: BorrowedFd<'_>) -> io::Result<u32> {
    use std::os::unix::fs::MetadataExt;
    Ok(tempfile::tempfile()?.metadata()?.uid())
}

/// A client for a TLS server on this port, with the token as credential.
pub fn options(host: &str, port: u16, trust: Trust) -> Options {
    let target = Target::parse(&format!("https://{host}:{port}")).unwrap();
    let mut options = Options::new(target, 0, own_peer);
    options.credential = Some(SecretText::new(TOKEN.to_owned()));
    options.trust = trust;
    options
}

/// `/v1/ca` gives this PEM, everything else a status.
pub fn vault(pem: String) -> impl Fn(&str) -> Reply + Clone + Send + 'static {
    move |request: &str| {
        if request.starts_with("GET /v1/ca ") { reply(200, &pem) } else { reply(200, STATUS) }
    }
}

pub const STATUS: &str = r#"{"initialized":true,"locked":false,"vaultPath":"/v","serverRunning":true,"port":1,"idleTimeoutMs":0,"lastActivity":null,"version":"0"}"#;
