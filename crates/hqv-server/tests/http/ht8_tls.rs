//! TLS: what is too old, too weak or not for us gets no handshake.

use crate::client::{read_to_close, soon};
use crate::house::House;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// A ClientHello of this version that offers these suites.
fn hello(version: [u8; 2], suites: &[u8]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend((suites.len() as u16).to_be_bytes());
    body.extend(suites);
    body.extend([1, 0]);
    // supported_groups (x25519, secp256r1), ec_point_formats, signature_algorithms, extended_master_secret
    let extensions: &[u8] =
        &[0, 10, 0, 6, 0, 4, 0, 29, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 6, 0, 4, 4, 3, 8, 4, 0, 23, 0, 0];
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let mut handshake = vec![1, 0];
    handshake.extend((body.len() as u16).to_be_bytes());
    handshake.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend((handshake.len() as u16).to_be_bytes());
    record.extend(handshake);
    record
}

/// The first byte of the answer: 22 is a handshake, 21 an alert.
async fn answer(house: &House, bytes: &[u8]) -> Option<u8> {
    let mut stream = TcpStream::connect(house.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut first = [0; 1];
    let count = soon(tokio::io::AsyncReadExt::read(&mut stream, &mut first)).await.unwrap_or(0);
    (count > 0).then_some(first[0])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht8_old_versions_and_weak_suites_get_an_alert() {
    let house = House::new().await;
    // ECDHE-ECDSA-AES128-GCM-SHA256, with TLS 1.2: the same hello, answered.
    assert_eq!(answer(&house, &hello([3, 3], &[0xc0, 0x2b])).await, Some(22));
    for (version, suites) in [
        ([3, 2], [0xc0, 0x2b]), // TLS 1.1
        ([3, 1], [0xc0, 0x2b]), // TLS 1.0
        ([3, 0], [0xc0, 0x2b]), // SSL 3
        ([3, 3], [0x00, 0x05]), // RC4-SHA
        ([3, 3], [0x00, 0x0a]), // 3DES
        ([3, 3], [0x00, 0x2f]), // RSA key exchange, CBC
        ([3, 3], [0x00, 0x01]), // NULL
        ([3, 3], [0xc0, 0x09]), // ECDHE with CBC
    ] {
        let got = answer(&house, &hello(version, &suites)).await;
        assert!(got.is_none() || got == Some(21), "{version:?} {suites:?}: {got:?}");
    }
    let plain = answer(&house, b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(plain.is_none() || plain == Some(21), "plain HTTP is not answered: {plain:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht8_foreign_names_protocols_and_roots_are_refused() {
    let house = House::new().await;
    assert!(house.connect_as("localhost", &[b"h2", b"http/1.1"]).await.is_ok());
    assert!(house.connect_as("evil.example", &[b"http/1.1"]).await.is_err(), "wrong SNI");
    assert!(house.connect_as("localhost", &[b"smtp"]).await.is_err(), "no protocol in common");
    let other = House::new().await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(other.ca_der())).unwrap();
    assert!(house.connect_with("localhost", &[b"http/1.1"], roots).await.is_err(), "another vault's CA");
}

/// Node's `https` and Python's `http.client` with a context send no ALPN; they speak HTTP/1.1, the only thing besides
/// HTTP/2 that this port knows, so nothing can be confused with anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht8_without_alpn_there_is_http_1_1_and_nothing_else() {
    let house = House::new().await;
    let mut stream = house.connect(&[]).await;
    stream
        .write_all(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    assert!(soon(read_to_close(&mut stream)).await.starts_with("HTTP/1.1 200"));
    let mut stream = house.connect(&[]).await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let answer = soon(read_to_close(&mut stream)).await;
    assert!(!answer.starts_with('\0'), "HTTP/2 must be agreed on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht8_after_the_leaf_has_ended_there_is_no_handshake_and_the_socket_lives() {
    let house = House::new().await;
    assert!(house.handle().tls().ready());
    house.clock.pass(Duration::from_secs(91 * 86_400));
    assert!(!house.handle().tls().ready());
    assert!(house.connect_as("localhost", &[b"http/1.1"]).await.is_err());
    assert_eq!(house.unix().get("/v1/ca", "").await.status, 200);
}
