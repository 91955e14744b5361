//! Two clients: one that speaks HTTP properly through hyper, one that sends whatever bytes a test wants.

use crate::house::House;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Everything here answers at once; what does not has failed.
pub const SOON: Duration = Duration::from_secs(20);

pub async fn soon<F: Future>(work: F) -> F::Output {
    tokio::time::timeout(SOON, work).await.expect("it took too long")
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// One way in; each request on a connection of its own.
pub struct Way<'a> {
    house: &'a House,
    socket: bool,
    h2: bool,
}

impl House {
    pub fn tls(&self) -> Way<'_> {
        Way { house: self, socket: false, h2: false }
    }

    pub fn tls_h2(&self) -> Way<'_> {
        Way { house: self, socket: false, h2: true }
    }

    pub fn unix(&self) -> Way<'_> {
        Way { house: self, socket: true, h2: false }
    }

    /// TLS with these protocols offered.
    pub async fn connect(&self, alpn: &[&[u8]]) -> TlsStream<TcpStream> {
        self.connect_as("localhost", alpn).await.unwrap()
    }

    pub async fn connect_as(
        &self,
        name: &'static str,
        alpn: &[&[u8]],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.ca_der())).unwrap();
        self.connect_with(name, alpn, roots).await
    }

    pub async fn connect_with(
        &self,
        name: &'static str,
        alpn: &[&[u8]],
        roots: RootCertStore,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
        // The vault's clock stands still in these tests, far from ours.
        config.time_provider = Arc::new(VaultTime);
        config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
        let stream = TcpStream::connect(self.address()).await?;
        stream.set_nodelay(true)?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name).unwrap(), stream).await
    }

    /// Sends these bytes over TLS and reads until the server closes.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect(&[b"http/1.1"]).await;
        soon(async {
            // The server may have answered and closed before it had all of it.
            let _ = stream.write_all(bytes).await;
            read_to_close(&mut stream).await
        })
        .await
    }
}

#[derive(Debug)]
struct VaultTime;

impl rustls::time_provider::TimeProvider for VaultTime {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        Some(rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000)))
    }
}

/// A reset is a close too: what came before it counts.
pub async fn read_to_close(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        all.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads one answer with a `Content-Length` off a connection that stays open.
pub async fn read_answer(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase().lines().find_map(|line| {
                line.strip_prefix("content-length: ").and_then(|v| v.trim().parse::<usize>().ok())
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        let count = soon(stream.read(&mut buffer)).await.unwrap();
        assert!(count > 0, "closed after: {text}");
        all.extend_from_slice(&buffer[..count]);
    }
}

impl Way<'_> {
    pub async fn get(&self, target: &str, bearer: &str) -> Reply {
        self.send("GET", target, bearer, None).await
    }

    pub async fn send(&self, method: &str, target: &str, bearer: &str, body: Option<&str>) -> Reply {
        self.with(method, target, bearer, &[], body).await
    }

    pub async fn with(
        &self,
        method: &str,
        target: &str,
        bearer: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Reply {
        let uri = if self.h2 { format!("https://localhost{target}") } else { target.to_owned() };
        let mut request = Request::builder().method(method).uri(uri);
        if !self.h2 {
            request = request.header("host", "localhost");
        }
        if !bearer.is_empty() {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default().to_owned()))).unwrap();
        if self.socket {
            return soon(exchange(UnixStream::connect(&self.house.socket).await.unwrap(), request, false))
                .await;
        }
        let alpn: &[&[u8]] = if self.h2 { &[b"h2"] } else { &[b"http/1.1"] };
        soon(exchange(self.house.connect(alpn).await, request, self.h2)).await
    }
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>, h2: bool) -> Reply
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream);
    let response = if h2 {
        let (mut send, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        send.send_request(request).await.unwrap()
    } else {
        let (mut send, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        send.send_request(request).await.unwrap()
    };
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}
