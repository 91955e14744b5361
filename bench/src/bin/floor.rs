//! The floor: bare hyper 1 on tokio-rustls, giving one prepared answer to every request.
//!
//! `floor CHAIN.pem KEY.pem ANSWER THREADS`. ANSWER is a whole HTTP/1.1 answer as the vault gave it: its header fields and
//! its body are repeated byte for byte (hyper writes `date` and `content-length` itself, as it does for the vault). The
//! release profile, the allocator and the number of threads are the daemon's. No route, no credential, no record, no lock:
//! what the vault adds to this is what it costs.
#![forbid(unsafe_code)]

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::convert::Infallible;
use std::error::Error;
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

#[global_allocator]
static ALLOCATOR: hqv_sys::memory::WipingAllocator = hqv_sys::memory::WipingAllocator;

/// What every request gets.
struct Answer {
    fields: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn read(file: &str) -> Result<Answer, Box<dyn Error>> {
        let raw = std::fs::read(file)?;
        let end =
            raw.windows(4).position(|four| four == b"\r\n\r\n").ok_or("the answer has no end of its head")?;
        let (head, body) = raw.split_at(end + 4);
        let mut fields = HeaderMap::new();
        for line in std::str::from_utf8(head)?.lines().skip(1).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").ok_or("a header field without a colon")?;
            if !["date", "content-length"].contains(&name) {
                fields.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
            }
        }
        Ok(Answer { fields, body: Bytes::copy_from_slice(body) })
    }

    fn response(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body.clone()));
        *response.headers_mut() = self.fields.clone();
        response
    }
}

async fn serve(stream: TcpStream, tls: TlsAcceptor, answer: Arc<Answer>) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = tls.accept(stream).await else {
        return;
    };
    let service = service_fn(|_: Request<Incoming>| {
        let response = answer.response();
        async move { Ok::<_, Infallible>(response) }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

fn tls(chain: &str, key: &str) -> Result<TlsAcceptor, Box<dyn Error>> {
    let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<Vec<_>, _>>()?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn runtime(threads: usize) -> std::io::Result<Runtime> {
    match threads {
        0 | 1 => Builder::new_current_thread().enable_io().enable_time().build(),
        more => Builder::new_multi_thread().worker_threads(more).enable_io().enable_time().build(),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    hqv_sys::memory::tune();
    let words: Vec<String> = std::env::args().collect();
    let [_, chain, key, answer, threads] = words.as_slice() else {
        return Err("usage: floor CHAIN.pem KEY.pem ANSWER THREADS".into());
    };
    let (tls, answer) = (tls(chain, key)?, Arc::new(Answer::read(answer)?));
    runtime(threads.parse()?)?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?.port());
        std::io::stdout().flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(serve(stream, tls.clone(), Arc::clone(&answer)));
        }
    })
}
