//! Row TP1: whatever stands between, the token leaves only to the vault that it belongs to. The server here writes down
//! what it was sent in the clear, and that is what is looked at.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hqv_client::{Client, ClientError, Fingerprint, Trust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use support::{Ca, Log, Reply, nothing, options, reply, tls_server, vault};

fn pinned(ca: &Ca) -> Trust {
    Trust { pin: Some(ca.pin()), ..Trust::default() }
}

fn pem_file(ca: &Ca) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(ca.pem.as_bytes()).unwrap();
    file
}

async fn ask(host: &str, port: u16, trust: Trust) -> Result<(), ClientError> {
    Client::new(options(host, port, trust)).unwrap().status().await.map(drop)
}

/// Refused, with a sentence and without having sent the token.
fn refused(result: Result<(), ClientError>, log: &Log, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code, "CONNECTION_ERROR");
    assert!(error.message.contains(words), "{}", error.message);
    assert!(!error.sent);
    assert!(!log.saw_token());
    assert!(log.requests().iter().all(|request| !request.to_ascii_lowercase().contains("authorization")));
}

const OTHER_VAULT: &str = "is not the vault that this token";

#[tokio::test]
async fn tp1_the_right_vault_is_asked_for_its_ca_without_the_token_and_then_with_it() {
    let ca = Ca::new();
    let leaf = ca.leaf("localhost");
    let (port, log) = tls_server(move |_| Arc::clone(&leaf), vault(ca.pem.clone())).await;
    let mut client = Client::new(options("localhost", port, pinned(&ca))).unwrap();
    client.status().await.unwrap();
    client.status().await.unwrap();
    assert_eq!(
        log.first_lines(),
        ["GET /v1/ca HTTP/1.1", "GET /v1/status HTTP/1.1", "GET /v1/status HTTP/1.1"]
    );
    let requests = log.requests();
    assert!(!requests[0].contains(support::TOKEN) && requests[1].contains(support::TOKEN));
}

#[tokio::test]
async fn tp1_another_ca_behind_the_url() {
    let (ours, theirs) = (Ca::new(), Ca::new());
    let leaf = theirs.leaf("localhost");
    let (port, log) = tls_server(move |_| Arc::clone(&leaf), vault(theirs.pem.clone())).await;
    refused(ask("localhost", port, pinned(&ours)).await, &log, OTHER_VAULT);
    assert_eq!(log.first_lines(), ["GET /v1/ca HTTP/1.1"]);
}

#[tokio::test]
async fn tp1_another_ca_that_shows_the_right_certificate() {
    let (ours, theirs) = (Ca::new(), Ca::new());
    let leaf = theirs.leaf("localhost");
    let (port, log) = tls_server(move |_| Arc::clone(&leaf), vault(ours.pem.clone())).await;
    refused(ask("localhost", port, pinned(&ours)).await, &log, "comes from another CA");
}

#[tokio::test]
async fn tp1_another_vaults_ca_even_if_files_here_trust_it() {
    let (ours, theirs) = (Ca::new(), Ca::new());
    let file = pem_file(&theirs);
    let leaf = theirs.leaf("localhost");
    let (port, log) = tls_server(move |_| Arc::clone(&leaf), vault(theirs.pem.clone())).await;
    let path = Some(file.path().to_owned());
    let trust = Trust { ca_file: path.clone(), local_ca: path, ..pinned(&ours) };
    refused(ask("localhost", port, trust).await, &log, OTHER_VAULT);
}

#[tokio::test]
async fn tp1_the_right_ca_for_another_host_name() {
    let ca = Ca::new();
    let leaf = ca.leaf("other.internal");
    let (port, log) = tls_server(move |_| Arc::clone(&leaf), vault(ca.pem.clone())).await;
    refused(ask("localhost", port, pinned(&ca)).await, &log, "is for another host name");
    refused(ask("127.0.0.1", port, pinned(&ca)).await, &log, "is for another host name");
}

#[tokio::test]
async fn tp1_the_server_is_swapped_after_its_ca_was_fetched() {
    let (ours, theirs) = (Ca::new(), Ca::new());
    let (right, wrong) = (ours.leaf("localhost"), theirs.leaf("localhost"));
    let leaf = move |number| {
        if number == 0 { Arc::clone(&right) } else { Arc::clone(&wrong) }
    };
    let (port, log) = tls_server(leaf, vault(ours.pem.clone())).await;
    refused(ask("localhost", port, pinned(&ours)).await, &log, "comes from another CA");
    assert_eq!(log.first_lines(), ["GET /v1/ca HTTP/1.1"]);
}

#[tokio::test]
async fn tp1_v1_ca_is_swapped_between_two_requests() {
    let (ours, theirs) = (Ca::new(), Ca::new());
    let (right, wrong) = (ours.leaf("localhost"), theirs.leaf("localhost"));
    let swapped = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&swapped);
    let leaf = move |_| {
        if seen.load(Ordering::SeqCst) { Arc::clone(&wrong) } else { Arc::clone(&right) }
    };
    let (mine, evil, now) = (ours.pem.clone(), theirs.pem.clone(), Arc::clone(&swapped));
    let answer = move |request: &str| match request.starts_with("GET /v1/ca ") {
        true if now.load(Ordering::SeqCst) => reply(200, &evil),
        true => reply(200, &mine),
        false => reply(200, support::STATUS).then_close(),
    };
    let (port, log) = tls_server(leaf, answer).await;
    let mut client = Client::new(options("localhost", port, pinned(&ours))).unwrap();
    client.status().await.unwrap();
    let before = log.requests().len();
    swapped.store(true, Ordering::SeqCst);
    // The same client has its root already; a new one asks again. Neither hands the token over.
    let error = client.status().await.unwrap_err();
    assert!(error.message.contains("comes from another CA"), "{}", error.message);
    let error = ask("localhost", port, pinned(&ours)).await.unwrap_err();
    assert!(error.message.contains(OTHER_VAULT), "{}", error.message);
    let after = log.requests();
    assert!(after[before..].iter().all(|request| !request.contains(support::TOKEN)));
    assert_eq!(log.first_lines()[before..], ["GET /v1/ca HTTP/1.1"]);
}

#[tokio::test]
async fn tp1_the_fingerprint_counts_even_where_the_pin_fits() {
    let (ca, other) = (Ca::new(), Ca::new());
    let leaf = ca.leaf("localhost");
    let (port, log) = tls_server(move |_| Arc::clone(&leaf), vault(ca.pem.clone())).await;
    let trust = |fingerprint| Trust { fingerprint: Some(fingerprint), ..pinned(&ca) };
    refused(ask("localhost", port, trust(Fingerprint::of(&other.der))).await, &log, OTHER_VAULT);
    ask("localhost", port, trust(Fingerprint::of(&ca.der))).await.unwrap();
}

#[tokio::test]
async fn tp1_strange_answers_to_the_question_for_the_ca() {
    let ca = Ca::new();
    let endless =
        Reply { bytes: [&b"HTTP/1.1 200 X\r\n\r\n"[..], &vec![b'x'; 64 * 1024]].concat(), close: true };
    let announced =
        Reply { bytes: b"HTTP/1.1 200 X\r\nContent-Length: 9000000\r\n\r\n".to_vec(), close: false };
    let elsewhere =
        b"HTTP/1.1 302 X\r\nLocation: https://localhost/v1/ca\r\nContent-Length: 0\r\n\r\n".to_vec();
    let two = reply(200, &(ca.pem.clone() + &Ca::new().pem));
    let replies = [
        ("endless", endless),
        ("announced", announced),
        ("redirect", Reply { bytes: elsewhere, close: false }),
        ("two certificates", two),
        ("an error with the right body", reply(503, &ca.pem)),
        ("no PEM", reply(200, "hello")),
        ("nothing", nothing()),
        ("no HTTP", Reply { bytes: b"220 smtp\r\n".to_vec(), close: true }),
    ];
    for (name, answer) in replies {
        let leaf = ca.leaf("localhost");
        let answer = move |_: &str| Reply { bytes: answer.bytes.clone(), close: answer.close };
        let (port, log) = tls_server(move |_| Arc::clone(&leaf), answer.clone_into_arc()).await;
        let error = ask("localhost", port, pinned(&ca)).await.unwrap_err();
        assert!(error.message.contains(OTHER_VAULT), "{name}: {}", error.message);
        assert_eq!(log.first_lines(), ["GET /v1/ca HTTP/1.1"], "{name}");
    }
}

/// Scripts that own their answer are shared, not copied.
trait IntoArc: Fn(&str) -> Reply + Send + Sync + Sized + 'static {
    fn clone_into_arc(self) -> impl Fn(&str) -> Reply + Clone + Send + 'static {
        let shared = Arc::new(self);
        move |request: &str| shared(request)
    }
}

impl<F: Fn(&str) -> Reply + Send + Sync + 'static> IntoArc for F {}

#[tokio::test]
async fn a_file_with_the_promised_certificate_saves_the_question() {
    let ca = Ca::new();
    let file = pem_file(&ca);
    let leaf = ca.leaf("localhost");
    let (port, log) = tls_server(move |_| Arc::clone(&leaf), vault(ca.pem.clone())).await;
    let trust = Trust { local_ca: Some(file.path().to_owned()), ..pinned(&ca) };
    ask("localhost", port, trust).await.unwrap();
    assert_eq!(log.first_lines(), ["GET /v1/status HTTP/1.1"]);
}

#[tokio::test]
async fn ht8_without_a_pin_a_foreign_ca_is_refused_and_the_named_one_is_not() {
    let (ca, other) = (Ca::new(), Ca::new());
    let (right, wrong) = (pem_file(&ca), pem_file(&other));
    let leaf = ca.leaf("localhost");
    let (port, log) = tls_server(move |_| Arc::clone(&leaf), vault(ca.pem.clone())).await;
    let named =
        |file: &tempfile::NamedTempFile| Trust { ca_file: Some(file.path().to_owned()), ..Trust::default() };
    refused(ask("localhost", port, named(&wrong)).await, &log, "comes from another CA");
    ask("localhost", port, named(&right)).await.unwrap();
    let local = Trust { local_ca: Some(right.path().to_owned()), ..Trust::default() };
    ask("localhost", port, local).await.unwrap();
}

#[tokio::test]
async fn a_listener_without_tls_gets_nothing_readable() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let log = Log::default();
    let seen = log.clone();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).await.unwrap();
        seen.push(&bytes[..read]);
        stream.write_all(&reply(200, "{}").bytes).await.unwrap();
    });
    refused(ask("localhost", port, pinned(&Ca::new())).await, &log, "does not speak TLS as expected");
    assert_eq!(log.requests().len(), 1);
}
