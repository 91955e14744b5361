//! Start, lock and stop: nobody is cut off in the middle, nothing stays open that should close.

use crate::client::{read_answer, read_to_close, soon};
use crate::house::{House, PASSPHRASE, UID};
use hqv_server::Limits;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_is_made_over_the_socket_and_serves_tls_at_once() {
    let mut house = House::empty(Limits::default(), UID);
    let way = house.unix();
    assert_eq!((way.get("/v1/health", "").await.status, way.get("/v1/ca", "").await.status), (503, 404));
    assert_eq!(way.get("/v1/status", "").await.json()["initialized"], false);
    let short = way.send("POST", "/v1/init", "", Some(r#"{"passphrase":"short"}"#)).await;
    assert_eq!(short.code(), "BAD_REQUEST");
    let body = json!({ "passphrase": PASSPHRASE }).to_string();
    let made = way.send("POST", "/v1/init", "", Some(&body)).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert!(made.json()["recoveryKey"].as_str().unwrap().len() > 20);
    let session = made.json()["session"].as_str().unwrap().to_owned();
    assert_eq!(way.send("POST", "/v1/init", "", Some(&body)).await.code(), "ALREADY_EXISTS");
    house.owner = session;
    assert_eq!(house.tls().get("/v1/status", &house.owner).await.json()["secretCount"], 0);
    assert_eq!(house.tls().send("POST", "/v1/init", &house.owner, Some(&body)).await.code(), "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lc3_another_user_at_the_socket_gets_no_byte() {
    let house = House::with(Limits::default(), UID + 1).await;
    let mut stream = UnixStream::connect(&house.socket).await.unwrap();
    let _ = stream.write_all(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(soon(read_to_close(&mut stream)).await, "");
    assert_eq!(house.tls().get("/v1/health", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lock_answers_and_closes_every_connection() {
    let mut house = House::new().await;
    house.put("a", "v").await;
    let owner = house.owner.clone();
    let ask =
        format!("GET /v1/secrets/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\n\r\n");
    let mut idle = house.connect(&[b"http/1.1"]).await;
    idle.write_all(ask.as_bytes()).await.unwrap();
    assert!(read_answer(&mut idle).await.contains("\"value\":\"v\""));
    let locked = house.tls().send("POST", "/v1/lock", &owner, None).await;
    assert_eq!((locked.status, locked.json()["ok"].as_bool()), (200, Some(true)));
    assert_eq!(soon(read_to_close(&mut idle)).await, "", "its buffers held a value; it is closed");
    for way in [house.tls(), house.unix()] {
        assert_eq!(way.get("/v1/secrets/a", &owner).await.code(), "VAULT_LOCKED");
        assert_eq!(way.get("/v1/health", "").await.status, 503);
    }
    assert_eq!(house.tls().get("/v1/secrets/a", "").await.code(), "UNAUTHORIZED");
    assert_eq!(house.unix().get("/v1/secrets/a", "").await.code(), "VAULT_LOCKED");
    assert_eq!(house.unix().get("/v1/status", "").await.json()["locked"], true);
    house.unlock().await;
    assert_eq!(house.tls().get("/v1/secrets/a", &house.owner).await.json()["value"], "v");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lc2_a_stop_lets_what_is_in_flight_finish() {
    let house = House::new().await;
    let owner = house.owner.clone();
    let mut idle = house.connect(&[b"http/1.1"]).await;
    let mut busy = house.connect(&[b"http/1.1"]).await;
    let head = format!(
        "PUT /v1/secrets/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\nContent-Type: application/json\r\nContent-Length: 13\r\nExpect: 100-continue\r\n\r\n"
    );
    busy.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: the request is in its handler.
    let mut asked = [0; 25];
    soon(busy.read_exact(&mut asked)).await.unwrap();
    assert!(asked.starts_with(b"HTTP/1.1 100"));
    let handle = house.handle();
    let stopping = tokio::spawn(async move { handle.stop(Duration::from_secs(10)).await });
    assert_eq!(soon(read_to_close(&mut idle)).await, "", "an idle connection closes at once");
    assert!(!stopping.is_finished());
    busy.write_all(b"{\"value\":\"a\"}").await.unwrap();
    let answer = soon(read_to_close(&mut busy)).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    soon(stopping).await.unwrap();
    assert_eq!(house.handle().connections(), 0);
    assert!(house.connect_as("localhost", &[b"http/1.1"]).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lc2_a_stop_does_not_wait_for_ever() {
    let house = House::new().await;
    let owner = house.owner.clone();
    let mut busy = house.connect(&[b"http/1.1"]).await;
    let head = format!(
        "PUT /v1/secrets/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n"
    );
    busy.write_all(head.as_bytes()).await.unwrap();
    soon(house.handle().stop(Duration::from_millis(50))).await;
    assert_eq!(soon(read_to_close(&mut busy)).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_is_the_owner_s_and_while_locked_the_peer_s() {
    let house = House::new().await;
    let owner = house.owner.clone();
    let token = house.token(&owner, r#"{"name":"t"}"#).await;
    assert_eq!(house.unix().send("POST", "/v1/shutdown", "", None).await.code(), "UNAUTHORIZED");
    assert_eq!(house.unix().send("POST", "/v1/shutdown", &token, None).await.code(), "FORBIDDEN");
    assert_eq!(house.unix().send("POST", "/v1/lock", &owner, None).await.status, 200);
    assert_eq!(house.tls().send("POST", "/v1/shutdown", &owner, None).await.code(), "VAULT_LOCKED");
    assert_eq!(house.unix().send("POST", "/v1/shutdown", "", None).await.status, 200);
    soon(house.handle().stop_requested()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_leaves_no_half_done_work() {
    let house = House::new().await;
    house.put("a", "v").await;
    let token = house.token(&house.owner, r#"{"name":"t","max_uses":1000}"#).await;
    let ask =
        format!("GET /v1/secrets/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
    for _ in 0..50 {
        let mut stream = UnixStream::connect(&house.socket).await.unwrap();
        stream.write_all(ask.as_bytes()).await.unwrap();
        drop(stream);
    }
    let body = json!({"value": "w"}).to_string();
    for n in 0..20 {
        let mut stream = UnixStream::connect(&house.socket).await.unwrap();
        let put = format!(
            "PUT /v1/secrets/w{n} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            house.owner,
            body.len()
        );
        stream.write_all(put.as_bytes()).await.unwrap();
        drop(stream);
    }
    soon(house.handle().stop(Duration::from_secs(10))).await;
    // Whole or absent: every use that was counted has its record, and the other way round.
    let me = house
        .engine
        .run(caller(&house.owner), hqv_engine::ops::token_list::TokenList { all: true })
        .await
        .unwrap();
    let filter = hqv_engine::ops::audit_read::AuditFilter {
        operation: hqv_model::OpKind::parse("get"),
        ..Default::default()
    };
    let op = hqv_engine::ops::audit_read::AuditRead { filter };
    let records = house.engine.run(caller(&house.owner), op).await.unwrap().last(1_000, None).unwrap();
    assert_eq!(me[0].use_count, records.records.iter().filter(|r| r.outcome == "ok").count() as u64);
}

fn caller(bearer: &str) -> hqv_engine::Caller {
    hqv_engine::Caller { credential: Some(hqv_engine::wire::parse(bearer).unwrap()), ..crate::house::peer() }
}
