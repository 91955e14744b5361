//! The typed calls: what goes out, what comes back, and that every route has one.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use hqv_api::{
    AskApproveRequest, AskRequest, AuditQuery, BatchRequest, BurnQuery, EntryAnswerRequest, EntryRequest,
    ExplainQuery, ExposedQuery, ImportRequest, ListQuery, PutRequest, ROUTES, SettingsPatch,
    TokenRenewRequest, TokenRequest, sse,
};
use hqv_client::{Client, Condition, RawCall};
use hqv_model::SecretText;
use http::Method;
use support::{Reply, reply, unix_server};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
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
    assert_eq!((got.value.reveal(), got.version, got.metadata.kind.as_str()), (&[0xFF, 0][..], 3, "other"));
    let _ = client.put("a/b", &PutRequest::of(b"v"), Condition::Absent).await;
    let _ = client.put("a/b", &PutRequest::of(&[0xFF]), Condition::Version(7)).await;
    let requests = log.requests();
    assert!(requests[0].starts_with("GET /v1/secrets/a/%20%C3%BC%3F%23?version=3 HTTP/1.1\r\n"));
    assert!(requests[0].contains("x-hqv-reason: rotate %C3%BC %25%0D%0AX-Evil: 1\r\n"), "{}", requests[0]);
    let claim = requests[0].lines().find_map(|line| line.strip_prefix("x-hqv-claim: ")).unwrap();
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
        let next = if request.contains("cursor=p2") { "" } else { r#","next":"p2""# };
        reply(200, &format!("{{\"entries\":[{entry}]{next}}}"))
    };
    let (options, log, _) = unix_server(folder.path(), answer).await;
    let all = Client::new(options).unwrap().list_all(&ListQuery::default()).await.unwrap();
    assert_eq!((all.entries.len(), all.next), (2, None));
    let lines = log.first_lines();
    assert_eq!(
        lines,
        ["GET /v1/secrets?limit=1000 HTTP/1.1", "GET /v1/secrets?limit=1000&cursor=p2 HTTP/1.1"]
    );
}

#[tokio::test]
async fn a_tail_gives_records_and_ends_with_the_reason() {
    let folder = folder();
    let record = r#"{"sequence":7,"time":"t","operation":"get","outcome":"ok","identity":{"kind":"nobody"},"source":"socket"}"#;
    let end = r#"{"error":"the vault was locked","code":"VAULT_LOCKED"}"#;
    let stream =
        [sse::KEEP_ALIVE.to_owned(), sse::event("record", Some(7), record), sse::event("end", None, end)]
            .concat();
    let answer = move |request: &str| match request.contains("follow=true") {
        true => Reply { bytes: format!("HTTP/1.1 200 X\r\n\r\n{stream}").into_bytes(), close: true },
        false => reply(403, r#"{"error":"no","code":"FORBIDDEN"}"#),
    };
    let (options, log, _) = unix_server(folder.path(), answer).await;
    let mut client = Client::new(options).unwrap();
    let query = AuditQuery { token: Some("worker".to_owned()), ..AuditQuery::default() };
    let mut follow = client.audit_follow(&query).await.unwrap();
    assert_eq!(follow.next().await.unwrap().unwrap().sequence, 7);
    let error = follow.next().await.unwrap_err();
    assert_eq!((error.code.as_str(), error.exit_code()), ("VAULT_LOCKED", 5));
    assert_eq!(client.audit_read(&query).await.unwrap_err().code, "FORBIDDEN");
    assert_eq!(log.first_lines()[0], "GET /v1/audit?token=worker&follow=true HTTP/1.1");
}

async fn ask_for_secrets(c: &mut Client) {
    let _ = (c.list(&ListQuery::default()).await, c.get("p", None).await, c.delete("p", false).await);
    let _ = (c.put("p", &PutRequest::of(b""), Condition::Any).await, c.show("p").await);
    let _ = (c.move_secret("a", "b").await, c.copy_secret("a", "b").await);
    let _ = (c.batch(&BatchRequest::default()).await, c.import(&ImportRequest::default()).await);
}

async fn ask_for_tokens_and_sessions(c: &mut Client, text: &SecretText) {
    let _ = (c.token_create(&TokenRequest::default()).await, c.token_list(false).await, c.token_self().await);
    let _ = (c.token_show("t").await, c.token_revoke("t").await, c.token_tree("t", false).await);
    let _ = (c.token_plan(&TokenRequest::default()).await, c.token_sweep().await);
    let _ = (c.token_freeze("t").await, c.token_thaw("t").await);
    let _ = c.token_burn("t", &BurnQuery::default()).await;
    let _ = c.exposed_all(&ExposedQuery::default()).await;
    let _ = c.token_renew("t", &TokenRenewRequest::default()).await;
    let _ = c.token_explain("t", &ExplainQuery { path: String::new(), can: None }).await;
    let _ = (
        c.session_create(text).await,
        c.session_list().await,
        c.session_end("s").await,
        c.session_end_all().await,
        c.token_revoke_self().await,
    );
}

async fn ask_for_entries_and_asks(c: &mut Client, text: &SecretText) {
    let _ = (c.entry_create(&EntryRequest::default()).await, c.entry_list().await);
    let _ = (c.entry_state("e", Duration::ZERO).await, c.entry_about("e", Some(text)).await);
    let _ = (c.entry_answer("e", &EntryAnswerRequest::of(b"v")).await, c.entry_refuse("e", None).await);
    let _ = (c.ask_create(&AskRequest::default()).await, c.ask_list().await);
    let _ = (c.ask_state("k", Duration::ZERO).await, c.ask_collect("k", text).await);
    let _ = (c.ask_approve("k", &AskApproveRequest::default()).await, c.ask_deny("k").await);
}

#[tokio::test]
async fn en1_secrets_of_entries_and_asks_travel_in_bodies_only() {
    let folder = folder();
    let state = r#"{"id":"ent_1","state":"stored","stored":{"path":"a","bytes":32,"type":"api-key","version":1,"route":"answer"}}"#;
    let (options, log, _) = unix_server(folder.path(), move |_| reply(200, state)).await;
    let mut client = Client::new(options).unwrap();
    let text = SecretText::new("s3cr3t".to_owned());
    let stored = client.entry_state("ent_1", Duration::from_secs(30)).await.unwrap().stored.unwrap();
    assert_eq!((stored.bytes, stored.kind.as_str(), stored.route.as_str()), (32, "api-key", "answer"));
    let _ = client.entry_about("7F3K 9QXM/x", Some(&text)).await;
    let _ = client.ask_collect("ask_1", &text).await;
    let requests = log.requests();
    assert!(requests[0].starts_with("GET /v1/entries/ent_1?wait=30 HTTP/1.1\r\n"), "{}", requests[0]);
    assert!(
        requests[1].starts_with("POST /v1/entries/7F3K%209QXM%2Fx:about HTTP/1.1\r\n"),
        "{}",
        requests[1]
    );
    assert!(requests[1].ends_with("\r\n\r\n{\"submit\":\"s3cr3t\"}"), "{}", requests[1]);
    assert!(requests[2].ends_with("\r\n\r\n{\"claim\":\"s3cr3t\"}"), "{}", requests[2]);
}

async fn ask_for_the_rest(c: &mut Client, text: &SecretText) {
    let _ = (c.health().await, c.status().await, c.init(text, true).await, c.unlock(text).await);
    let _ = (c.lock().await, c.shutdown().await, c.clock_reset().await, c.vault_check().await);
    let _ = (c.settings_read().await, c.settings_change(&SettingsPatch::default()).await);
    let _ = (c.audit_read(&AuditQuery::default()).await, c.audit_verify().await);
    let _ = (c.audit_checkpoint().await, c.audit_key().await, c.metrics().await);
    for open in ["/v1/ca", "/v1/openapi.json"] {
        let _ = c.send_raw(RawCall::new(Method::GET, open)).await;
    }
}

#[tokio::test]
async fn every_route_has_its_call() {
    let folder = folder();
    let refused = |_: &str| reply(503, r#"{"error":"e","code":"UNAVAILABLE"}"#);
    let (options, log, _) = unix_server(folder.path(), refused).await;
    let mut client = Client::new(options).unwrap();
    let text = SecretText::new("p".to_owned());
    ask_for_secrets(&mut client).await;
    ask_for_tokens_and_sessions(&mut client, &text).await;
    ask_for_entries_and_asks(&mut client, &text).await;
    ask_for_the_rest(&mut client, &text).await;
    assert!(!client.health().await.unwrap());
    let called: BTreeSet<String> =
        log.first_lines().iter().map(|line| line.replace(" HTTP/1.1", "").replace("?path=", "")).collect();
    let fill = |path: &str| {
        let path = path.replace("{path}", "p").replace("{token}", "t").replace("{session}", "s");
        path.replace("{entry}", "e").replace("{ask}", "k")
    };
    let known: BTreeSet<String> =
        ROUTES.iter().map(|r| format!("{} {}", r.method.as_str(), fill(r.path))).collect();
    assert_eq!(called, known);
}
