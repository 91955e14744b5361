//! Over the Unix socket: the kept connection, what is sent again and what never is, and what is not believed.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::time::Duration;

use hqv_api::StatusAnswer;
use hqv_client::Client;
use hqv_model::SecretText;
use support::{Reply, STATUS, nothing, reply, unix_server};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let folder = folder();
    let (options, log, connections) = unix_server(folder.path(), |_| reply(200, STATUS)).await;
    let mut client = Client::new(options).unwrap();
    for _ in 0..5 {
        client.status().await.unwrap();
    }
    assert_eq!(*connections.lock().unwrap(), 1);
    let request = log.requests().pop().unwrap().to_ascii_lowercase();
    assert!(
        request.contains("\r\nhost: localhost\r\n") && request.contains("\r\nuser-agent: hq-vault/"),
        "{request}"
    );
}

#[tokio::test]
async fn a_connection_closed_in_between_is_opened_again() {
    let folder = folder();
    let (options, log, connections) = unix_server(folder.path(), |_| reply(200, STATUS).then_close()).await;
    let mut client = Client::new(options).unwrap();
    for _ in 0..4 {
        client.status().await.unwrap();
    }
    assert_eq!(*connections.lock().unwrap(), 4);
    assert_eq!(log.requests().len(), 4);
}

#[tokio::test]
async fn what_was_sent_is_never_sent_again() {
    let folder = folder();
    let answer = |request: &str| {
        if request.starts_with("GET /v1/status") { reply(200, STATUS) } else { nothing() }
    };
    let (options, log, _) = unix_server(folder.path(), answer).await;
    let mut client = Client::new(options).unwrap();
    let fresh = client.get("a/b", None).await.err().unwrap();
    client.status().await.unwrap();
    let kept = client.get("a/b", None).await.err().unwrap();
    for error in [fresh, kept] {
        assert_eq!((error.code.as_str(), error.sent, error.exit_code()), ("CONNECTION_ERROR", true, 6));
    }
    let lines = log.first_lines();
    assert_eq!(
        lines,
        ["GET /v1/secrets/a/b HTTP/1.1", "GET /v1/status HTTP/1.1", "GET /v1/secrets/a/b HTTP/1.1"]
    );
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_timeout() {
    let folder = folder();
    let silent = |_: &str| Reply { bytes: Vec::new(), close: false };
    let (mut options, _, _) = unix_server(folder.path(), silent).await;
    options.answer_within = Duration::from_millis(50);
    let error = Client::new(options).unwrap().status().await.unwrap_err();
    assert_eq!((error.code.as_str(), error.sent), ("TIMEOUT", true));
}

#[tokio::test]
async fn a_peer_of_another_uid_gets_nothing() {
    let folder = folder();
    let (mut options, log, _) = unix_server(folder.path(), |_| reply(200, STATUS)).await;
    options.peer_uid = |fd| support::own_peer(fd).map(|uid| uid + 1);
    let error = Client::new(options).unwrap().status().await.unwrap_err();
    assert!(error.message.contains("is not trusted: a process of uid"), "{}", error.message);
    assert!(!error.sent && log.requests().is_empty());
}

#[tokio::test]
async fn no_daemon_is_exit_6_and_says_how_to_start_one() {
    let folder = folder();
    let (mut options, _, _) = unix_server(folder.path(), |_| nothing()).await;
    options.target = hqv_client::Target::Unix(folder.path().join("none"));
    let error = Client::new(options).unwrap().status().await.unwrap_err();
    assert_eq!((error.exit_code(), error.hint.as_deref()), (6, Some("hq-vault serve --daemon")));
}

#[tokio::test]
async fn refusals_come_as_the_server_says_them() {
    let folder = folder();
    let body = r#"{"error":"slow down","code":"RATE_LIMITED","hint":"wait","requestId":"req_7"}"#;
    let head = format!("HTTP/1.1 429 X\r\nRetry-After: 9\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let answer = move |_: &str| Reply { bytes: head.clone().into_bytes(), close: false };
    let (options, _, _) = unix_server(folder.path(), answer).await;
    let error = Client::new(options).unwrap().status().await.unwrap_err();
    assert_eq!((error.code.as_str(), error.status, error.retry_after), ("RATE_LIMITED", Some(429), Some(9)));
    assert_eq!((error.message.as_str(), error.request_id.as_deref()), ("slow down", Some("req_7")));
    assert_eq!(error.hint.as_deref(), Some("wait"));
}

#[tokio::test]
async fn in6_a_server_cannot_move_the_cursor() {
    let folder = folder();
    let body = r#"{"error":"a\u001b[2Jb","code":"INTERNAL","hint":"c\u202ed"}"#;
    let (options, _, _) = unix_server(folder.path(), move |_| reply(500, body)).await;
    let error = Client::new(options).unwrap().status().await.unwrap_err();
    assert_eq!((error.message.as_str(), error.hint.as_deref()), ("a\\u{1b}[2Jb", Some("c\\u{202e}d")));
}

#[tokio::test]
async fn what_no_vault_sends_is_refused() {
    let folder = folder();
    let answer = |request: &str| match request.split(' ').nth(1) {
        Some("/v1/status") => Reply {
            bytes: b"HTTP/1.1 307 X\r\nLocation: unix:/elsewhere\r\nContent-Length: 0\r\n\r\n".to_vec(),
            close: false,
        },
        Some("/v1/settings") => reply(502, "<html>canary</html>"),
        Some("/v1/tokens/self") => reply(200, "{\"kind\":\"canary"),
        Some("/v1/audit/public-key") => reply(200, &"x".repeat(9 << 20)),
        _ => Reply {
            bytes: b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab".to_vec(),
            close: true,
        },
    };
    let (options, log, _) = unix_server(folder.path(), answer).await;
    let mut client = Client::new(options).unwrap();
    let mut errors = vec![client.status().await.unwrap_err()];
    assert!(errors[0].message.contains("a redirect, which is never followed"));
    errors.push(client.settings_read().await.unwrap_err());
    errors.push(client.token_self().await.unwrap_err());
    errors.push(client.audit_key().await.unwrap_err());
    assert!(errors[3].message.contains("longer than"), "{}", errors[3].message);
    errors.push(client.session_list().await.unwrap_err());
    for error in errors {
        assert_eq!(error.code, "CONNECTION_ERROR");
        assert!(error.sent && !error.message.contains("canary"), "{}", error.message);
    }
    assert_eq!(log.requests().len(), 5);
}

#[test]
fn what_cannot_stand_in_a_header_is_refused_before_anything_is_sent() {
    for (credential, agent) in [("hqv_\r\nX: 1", "a"), ("hqv_x", "a\nb")] {
        let target = hqv_client::Target::parse("https://localhost:1").unwrap();
        let mut options = hqv_client::Options::new(target, 0, support::own_peer);
        options.credential = Some(SecretText::new(credential.to_owned()));
        options.agent = agent.to_owned();
        let error = Client::new(options).err().unwrap();
        assert_eq!((error.code.as_str(), error.exit_code()), ("BAD_REQUEST", 2));
    }
    let _: StatusAnswer = serde_json::from_str(STATUS).unwrap();
}
