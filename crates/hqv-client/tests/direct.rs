//! The read without a runtime answers as the ordinary one does, whatever the server sends.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::time::Duration;

use hqv_api::BatchRequest;
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
        tokio::task::spawn_blocking(move || seen(client.get_directly("a/b c", support::boot).unwrap()))
            .await
            .unwrap();
    let sent = log.requests().into_iter().map(|request| {
        let mut lines: Vec<String> = request.to_ascii_lowercase().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    });
    let sent: Vec<Vec<String>> = sent.collect();
    assert!(sent.windows(2).all(|pair| pair[0] == pair[1]), "{sent:?}");
    [ordinary, direct]
}

/// The same of a batch: both ways give this, and sent the same.
async fn both_batches(text: String, set: fn(&mut Options)) -> [Result<Vec<Vec<u8>>, ClientError>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let (mut options, log, _) = unix_server(folder.path(), raw(text)).await;
    set(&mut options);
    let mut client = Client::new(options).unwrap();
    let request =
        BatchRequest { paths: Some(vec!["a/b c".into()]), prefix: Some("d/".into()), depth: Some(2) };
    let values = |answer: Result<Vec<Secret>, ClientError>| {
        answer.map(|all| all.iter().map(|secret| secret.value.reveal().to_vec()).collect())
    };
    let ordinary = values(client.batch(&request).await);
    let direct = move || values(client.batch_directly(&request, support::boot).unwrap());
    let direct = tokio::task::spawn_blocking(direct).await.unwrap();
    let sent = log.requests().into_iter().map(|request| {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let mut lines: Vec<String> = head.to_ascii_lowercase().lines().map(str::to_owned).collect();
        lines.sort();
        (lines, body.to_owned())
    });
    let sent: Vec<_> = sent.collect();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
    assert_eq!(sent[0].1, r#"{"paths":["a/b c"],"prefix":"d/","depth":2}"#);
    [ordinary, direct]
}

#[tokio::test]
async fn many_come_byte_for_byte_and_refusals_alike() {
    let answer = |status: u16, body: &str| {
        format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    // Longer than one value may be.
    let long = SECRET.replace("/wA=", &"A".repeat(1_000_000));
    let many = format!(r#"{{"secrets":[{SECRET}{}]}}"#, format!(",{long}").repeat(10));
    for outcome in both_batches(answer(200, &many), |o| o.claim = Some("env-file".into())).await {
        let values = outcome.unwrap();
        assert_eq!((values.len(), values[0].clone()), (11, vec![0xff, 0]));
        assert!(values[1..].iter().all(|value| value.len() == 750_000));
    }
    let refused = r#"{"error":"out of scope","code":"FORBIDDEN","requestId":"req_7"}"#;
    for text in
        [answer(403, refused), answer(200, "{\"secrets\":[canary"), answer(502, "<html>canary</html>")]
    {
        let [ordinary, direct] = both_batches(text, |_| {}).await;
        let error = direct.unwrap_err();
        assert!(error.sent && !error.message.contains("canary"), "{}", error.message);
        assert_eq!(ordinary.unwrap_err(), error);
    }
    let over = format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n", (128 << 20) + 1);
    let [ordinary, direct] = both_batches(over, |_| {}).await;
    assert_eq!(ordinary.unwrap_err(), direct.unwrap_err());
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
    assert!(client.get_directly("a", support::boot).is_none());
    assert!(
        client
            .batch_directly(
                &BatchRequest { paths: None, prefix: Some("a/".into()), depth: None },
                support::boot
            )
            .is_none()
    );
}

/// One byte at a time, each well within the deadline: together they are not.
#[tokio::test]
async fn a_server_that_trickles_does_not_move_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let server = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = listener.accept().unwrap();
        let (_end, waits) = std::sync::mpsc::channel::<()>();
        let mut sent = 0;
        // Until the client has hung up.
        while stream.write_all(if sent == 0 { b"HTTP/1.1 200 X\r\nX: " } else { b"y" }).is_ok() {
            sent += 1;
            let _ = waits.recv_timeout(Duration::from_millis(20));
        }
        sent
    });
    let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&path).unwrap());
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let mut options = Options::new(hqv_client::Target::Unix(path), uid, support::own_peer);
    options.answer_within = Duration::from_millis(200);
    let client = Client::new(options).unwrap();
    let asked =
        tokio::task::spawn_blocking(move || client.get_directly("a", support::boot).unwrap().map(drop));
    let error = tokio::time::timeout(Duration::from_secs(20), asked).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.code, "TIMEOUT");
    assert!(server.join().unwrap() > 1);
}
