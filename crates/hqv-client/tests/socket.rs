//! Over the Unix socket: the kept connection, what is sent again and what never is, limits, and every call's route.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use hqv_api::{
    AuditQuery, BatchRequest, ListQuery, PutRequest, ROUTES, SettingsPatch, StatusAnswer, TokenRequest, sse,
};
use hqv_client::{Client, Condition, RawCall};
use hqv_model::SecretText;
use http::Method;
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
        if request.starts_with("GET /v1/status") {
            reply(200, STATUS)
        } else {
            nothing()
        }
    };
    let (options, log, _) = unix_server(folder.path(), answer).await;
    let mut client = Client::new(options).unwrap();
    let fresh = client.get("a/b", None).await.err().unwrap();
    client.status().await.unwrap();
    let kept = client.get("a/b", None).await.err().unwrap();
    for error in [fresh, kept] {
        assert_eq!(
            (error.code.as_str(), error.sent, error.exit_code()),
            ("CONNECTION_ERROR", true, 6)
        );
    }
    let lines = log.first_lines();
    assert_eq!(
        lines,
        [
            "GET /v1/secrets/a/b HTTP/1.1",
            "GET /v1/status HTTP/1.1",
            "GET /v1/secrets/a/b HTTP/1.1"
        ]
    );
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_timeout() {
    let folder = folder();
    let silent = |_: &str| Reply {
        bytes: Vec::new(),
        close: false,
    };
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
    assert!(
        error.message.contains("is not trusted: a process of uid"),
        "{}",
        error.message
    );
    assert!(!error.sent && log.requests().is_empty());
}

#[tokio::test]
async fn no_daemon_is_exit_6_and_says_how_to_start_one() {
    let folder = folder();
    let (mut options, _, _) = unix_server(folder.path(), |_| nothing()).await;
    options.target = hqv_client::Target::Unix(folder.path().join("none"));
    let error = Client::new(options).unwrap().status().await.unwrap_err();
    assert_eq!(
        (error.exit_code(), error.hint.as_deref()),
        (6, Some("hq-vault serve --daemon"))
    );
}

#[tokio::test]
async fn refusals_come_as_the_server_says_them() {
    let folder = folder();
    let body = r#"{"error":"slow down","code":"RATE_LIMITED","hint":"wait","requestId":"req_7"}"#;
    let head = format!(
        "HTTP/1.1 429 X\r\nRetry-After: 9\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = move |_: &str| Reply {
        bytes: head.clone().into_bytes(),
        close: false,
    };
    let (options, _, _) = unix_server(folder.path(), answer).await;
    let error = Client::new(options).unwrap().status().await.unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.status, error.retry_after),
        ("RATE_LIMITED", Some(429), Some(9))
    );
    assert_eq!(
        (error.message.as_str(), error.request_id.as_deref()),
        ("slow down", Some("req_7"))
    );
    assert_eq!(error.hint.as_deref(), Some("wait"));
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
        assert!(
            error.sent && !error.message.contains("canary"),
            "{}",
            error.message
        );
    }
    assert_eq!(log.requests().len(), 5);
}

#[tokio::test]
async fn a_value_comes_as_its_bytes_and_conditions_as_headers() {
    let folder = folder();
    let secret = r#"{"path":"a/b","value":"/wA=","encoding":"base64","metadata":{"id":"sec_1","type":"other","description":"","tags":{}},"version":3,"createdAt":"c","updatedAt":"u"}"#;
    let (mut options, log, _) = unix_server(folder.path(), move |_| reply(200, secret)).await;
    options.reason = Some("rotate \u{fc} %\r\nX-Evil: 1".to_owned());
    options.claim = Some("x".repeat(5000));
    let mut client = Client::new(options).unwrap();
    let got = client.get("a/ \u{fc}?#", Some(3)).await.unwrap();
    assert_eq!(
        (got.value.reveal(), got.version, got.metadata.kind.as_str()),
        (&[0xFF, 0][..], 3, "other")
    );
    let _ = client.put("a/b", &PutRequest::of(b"v"), Condition::Absent).await;
    let _ = client
        .put("a/b", &PutRequest::of(&[0xFF]), Condition::Version(7))
        .await;
    let requests = log.requests();
    assert!(requests[0].starts_with("GET /v1/secrets/a/%20%C3%BC%3F%23?version=3 HTTP/1.1\r\n"));
    assert!(
        requests[0].contains("x-hqv-reason: rotate %C3%BC %25%0D%0AX-Evil: 1\r\n"),
        "{}",
        requests[0]
    );
    let claim = requests[0]
        .lines()
        .find_map(|line| line.strip_prefix("x-hqv-claim: "))
        .unwrap();
    assert_eq!(claim.len(), 1024);
    assert!(
        requests[1].contains("if-none-match: *\r\n") && requests[1].ends_with("\r\n\r\n{\"value\":\"v\"}")
    );
    assert!(requests[1].contains("content-type: application/json\r\n"));
    assert!(requests[2].contains("if-match: \"7\"\r\n"));
    assert!(requests[2].ends_with("{\"value\":\"/w==\",\"encoding\":\"base64\"}"));
}

#[tokio::test]
async fn a_listing_is_read_to_its_end_and_not_for_ever() {
    let folder = folder();
    let entry = r#"{"path":"a","metadata":{"id":"","type":"other","description":"","tags":{}},"version":1,"createdAt":"","updatedAt":""}"#;
    let answer = move |request: &str| {
        let next = if request.contains("cursor=p2") {
            ""
        } else {
            r#","next":"p2""#
        };
        reply(200, &format!("{{\"entries\":[{entry}]{next}}}"))
    };
    let (options, log, _) = unix_server(folder.path(), answer).await;
    let all = Client::new(options)
        .unwrap()
        .list_all(&ListQuery::default())
        .await
        .unwrap();
    assert_eq!((all.entries.len(), all.next), (2, None));
    let lines = log.first_lines();
    assert_eq!(
        lines,
        [
            "GET /v1/secrets?limit=1000 HTTP/1.1",
            "GET /v1/secrets?limit=1000&cursor=p2 HTTP/1.1"
        ]
    );
}

#[tokio::test]
async fn a_tail_gives_records_and_ends_with_the_reason() {
    let folder = folder();
    let record = r#"{"sequence":7,"time":"t","operation":"get","outcome":"ok","identity":{"kind":"nobody"},"source":"socket"}"#;
    let end = r#"{"error":"the vault was locked","code":"VAULT_LOCKED"}"#;
    let stream = [
        sse::KEEP_ALIVE.to_owned(),
        sse::event("record", Some(7), record),
        sse::event("end", None, end),
    ]
    .concat();
    let answer = move |request: &str| match request.contains("follow=true") {
        true => Reply {
            bytes: format!("HTTP/1.1 200 X\r\n\r\n{stream}").into_bytes(),
            close: true,
        },
        false => reply(403, r#"{"error":"no","code":"FORBIDDEN"}"#),
    };
    let (options, log, _) = unix_server(folder.path(), answer).await;
    let mut client = Client::new(options).unwrap();
    let query = AuditQuery {
        token: Some("worker".to_owned()),
        ..AuditQuery::default()
    };
    let mut follow = client.audit_follow(&query).await.unwrap();
    assert_eq!(follow.next().await.unwrap().unwrap().sequence, 7);
    let error = follow.next().await.unwrap_err();
    assert_eq!((error.code.as_str(), error.exit_code()), ("VAULT_LOCKED", 5));
    assert_eq!(client.audit_read(&query).await.unwrap_err().code, "FORBIDDEN");
    assert_eq!(
        log.first_lines()[0],
        "GET /v1/audit?token=worker&follow=true HTTP/1.1"
    );
}

#[tokio::test]
async fn every_route_has_its_call() {
    let folder = folder();
    let refused = |_: &str| reply(503, r#"{"error":"e","code":"UNAVAILABLE"}"#);
    let (options, log, _) = unix_server(folder.path(), refused).await;
    let mut c = Client::new(options).unwrap();
    let text = SecretText::new("p".to_owned());
    assert!(!c.health().await.unwrap());
    let _ = (
        c.status().await,
        c.init(&text, true).await,
        c.unlock(&text).await,
        c.lock().await,
        c.shutdown().await,
    );
    let _ = (
        c.list(&ListQuery::default()).await,
        c.get("p", None).await,
        c.delete("p", false).await,
        c.show("p").await,
    );
    let _ = c.put("p", &PutRequest::of(b""), Condition::Any).await;
    let _ = (
        c.batch(&BatchRequest::default()).await,
        c.move_secret("a", "b").await,
        c.copy_secret("a", "b").await,
    );
    let _ = (
        c.token_create(&TokenRequest::default()).await,
        c.token_list(false).await,
        c.token_self().await,
    );
    let _ = (c.token_show("t").await, c.token_revoke("t").await);
    let _ = (
        c.session_create(&text).await,
        c.session_list().await,
        c.session_end("s").await,
    );
    let _ = (
        c.settings_read().await,
        c.settings_change(&SettingsPatch::default()).await,
    );
    let _ = (
        c.audit_read(&AuditQuery::default()).await,
        c.audit_verify().await,
        c.audit_checkpoint().await,
    );
    let _ = c.audit_key().await;
    for open in ["/v1/ca", "/v1/openapi.json"] {
        assert_eq!(
            c.send_raw(RawCall::new(Method::GET, open)).await.unwrap().status,
            503
        );
    }
    let called: BTreeSet<String> = log
        .first_lines()
        .iter()
        .map(|line| line.replace(" HTTP/1.1", ""))
        .collect();
    let fill = |path: &str| {
        path.replace("{path}", "p")
            .replace("{token}", "t")
            .replace("{session}", "s")
    };
    let known: BTreeSet<String> = ROUTES
        .iter()
        .map(|r| format!("{} {}", r.method.as_str(), fill(r.path)))
        .collect();
    assert_eq!(called, known);
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
