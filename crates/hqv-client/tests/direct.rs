//! The read without a runtime answers as the ordinary one does, whatever the server sends.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::time::Duration;

use hqv_client::{Client, ClientError, Options, Secret};
use support::{Reply, reply, unix_server};

const SECRET: &str = r#"{"path":"a/b","value":"/wA=","encoding":"base64","metadata":{"id":"sec_1","type":"other","description":"","tags":{}},"version":3,"createdAt":"c","updatedAt":"u"}"#;

type Outcome = Result<(Vec<u8>, u64), ClientError>;

fn seen(answer: Result<Secret, ClientError>) -> Outcome {
    answer.map(|secret| (secret.value.reveal().to_vec(), secret.version))
}

/// The same call both ways; what was sent, sorted, must be the same too.
async fn both(
    answer: impl Fn(&str) -> Reply + Clone + Send + 'static,
    set: fn(&mut Options),
) -> [Outcome; 2] {
    let folder = tempfile::tempdir().unwrap();
    let (mut options, log, _) = unix_server(folder.path(), answer).await;
    set(&mut options);
    let mut client = Client::new(options).unwrap();
    let ordinary = seen(client.get("a/b c", None).await);
    let direct =
        tokio::task::spawn_blocking(move || seen(client.get_directly("a/b c").unwrap())).await.unwrap();
    let sent = log.requests().into_iter().map(|request| {
        let mut lines: Vec<String> = request.to_ascii_lowercase().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    });
    let sent: Vec<Vec<String>> = sent.collect();
    assert!(sent.windows(2).all(|pair| pair[0] == pair[1]), "{sent:?}");
    [ordinary, direct]
}

fn raw(text: String) -> impl Fn(&str) -> Reply + Clone + Send + 'static {
    move |_| Reply { bytes: text.clone().into_bytes(), close: false }
}

#[tokio::test]
async fn a_value_comes_byte_for_byte() {
    for outcome in both(|_| reply(200, SECRET), |_| {}).await {
        assert_eq!(outcome.unwrap(), (vec![0xff, 0], 3));
    }
    // More than one read, and a claim in a header of its own.
    let long = SECRET.replace("/wA=", &"A".repeat(400_000));
    for outcome in both(move |_| reply(200, &long), |o| o.claim = Some("env-file".into())).await {
        assert_eq!(outcome.unwrap().0.len(), 300_000);
    }
}

#[tokio::test]
async fn refusals_and_what_no_vault_sends_come_alike() {
    let refused = r#"{"error":"slow\u001b down","code":"RATE_LIMITED","hint":"wait","requestId":"req_7"}"#;
    let limited =
        format!("HTTP/1.1 429 X\r\nRetry-After: 9\r\nContent-Length: {}\r\n\r\n{refused}", refused.len());
    let moved = "HTTP/1.1 307 X\r\nLocation: unix:/elsewhere\r\nContent-Length: 0\r\n\r\n".to_owned();
    let long = format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n", 9 << 20);
    for text in [limited, moved, long] {
        let [ordinary, direct] = both(raw(text), |_| {}).await;
        assert_eq!(ordinary.unwrap_err(), direct.unwrap_err());
    }
    for body in ["<html>canary</html>", "{\"path\":\"canary"] {
        for status in [200, 502] {
            let [ordinary, direct] = both(move |_| reply(status, body), |_| {}).await;
            let error = direct.unwrap_err();
            assert!(error.sent && !error.message.contains("canary"), "{}", error.message);
            assert_eq!(ordinary.unwrap_err(), error);
        }
    }
}

#[tokio::test]
async fn a_connection_that_ends_too_early_or_stays_silent_is_said() {
    let cut = |text: &'static str| move |_: &str| Reply { bytes: text.as_bytes().to_vec(), close: true };
    for text in ["", "HTTP/1.1 200 X\r\nConte", "HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nab"] {
        for outcome in both(cut(text), |_| {}).await {
            let error = outcome.unwrap_err();
            assert_eq!((error.code.as_str(), error.sent), ("CONNECTION_ERROR", true), "{text}");
        }
    }
    let [ordinary, direct] = both(raw(String::new()), |o| o.answer_within = Duration::from_millis(50)).await;
    assert_eq!(ordinary.unwrap_err(), direct.unwrap_err());
}

#[tokio::test]
async fn a_peer_of_another_uid_and_a_missing_socket_get_nothing() {
    let foreign: fn(&mut Options) = |o| o.peer_uid = |fd| support::own_peer(fd).map(|uid| uid + 1);
    let missing: fn(&mut Options) = |o| o.target = hqv_client::Target::Unix("/nonexistent/none".into());
    for set in [foreign, missing] {
        let [ordinary, direct] = both(|_| reply(200, SECRET), set).await;
        let error = direct.unwrap_err();
        assert!(!error.sent);
        assert_eq!(ordinary.unwrap_err(), error);
    }
}

#[test]
fn only_the_socket_is_asked_directly() {
    let target = hqv_client::Target::parse("https://localhost:1").unwrap();
    let client = Client::new(Options::new(target, 0, support::own_peer)).unwrap();
    assert!(client.get_directly("a").is_none());
}
