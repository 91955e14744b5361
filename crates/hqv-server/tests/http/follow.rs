//! The record as a stream: what comes, in order, once each, until the vault is locked or the credential ends.

use crate::client::soon;
use crate::house::House;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

struct Tail {
    stream: TlsStream<TcpStream>,
    text: String,
}

fn number(line: &str) -> u64 {
    line.strip_prefix("id: ").unwrap().parse().unwrap()
}

impl Tail {
    async fn open(house: &House, bearer: &str, query: &str) -> Tail {
        let mut stream = house.connect(&[b"http/1.1"]).await;
        let request = format!(
            "GET /v1/audit?follow=true{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {bearer}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut tail = Tail { stream, text: String::new() };
        tail.until("\r\n\r\n").await;
        assert!(
            tail.text.starts_with("HTTP/1.1 200") && tail.text.contains("text/event-stream"),
            "{}",
            tail.text
        );
        tail
    }

    async fn until(&mut self, part: &str) {
        let mut buffer = [0; 8192];
        while !self.text.contains(part) {
            let count = soon(self.stream.read(&mut buffer)).await.unwrap_or(0);
            assert!(count > 0, "ended before {part}: {}", self.text);
            self.text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    fn sequences(&self) -> Vec<u64> {
        let events = self.text.split("\n\n").filter(|event| event.contains("event: record"));
        events.map(|event| number(event.lines().find(|line| line.starts_with("id: ")).unwrap())).collect()
    }

    /// What an `EventSource` would send as `Last-Event-ID`.
    fn position(&self) -> u64 {
        number(self.text.lines().rfind(|line| line.starts_with("id: ")).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_has_every_access_once_in_order_and_ends_at_lock() {
    let house = Arc::new(House::new().await);
    house.put("a", "v").await;
    let token = house.token(&house.owner, r#"{"name":"worker"}"#).await;
    let mut tail = Tail::open(&house, &house.owner, "&operation=get").await;
    for round in 0..5 {
        let readers: Vec<_> = (0..10)
            .map(|n| {
                let (house, token) = (house.clone(), token.clone());
                tokio::spawn(async move {
                    let claim = format!("r{round}-{n}.");
                    house
                        .unix()
                        .with("GET", "/v1/secrets/a", &token, &[("x-hqv-claim", &claim)], None)
                        .await
                        .status
                })
            })
            .collect();
        for reader in readers {
            assert_eq!(reader.await.unwrap(), 200);
        }
    }
    for round in 0..5 {
        for n in 0..10 {
            tail.until(&format!("\"r{round}-{n}.\"")).await;
        }
    }
    let seen = tail.sequences();
    assert_eq!(seen.len(), 50);
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(tail.text.contains("\"name\":\"worker\"") && !tail.text.contains("\"operation\":\"put\""));
    let owner = house.owner.clone();
    assert_eq!(house.unix().send("POST", "/v1/lock", &owner, None).await.status, 200);
    tail.until("event: end").await;
    tail.until("VAULT_LOCKED").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_may_begin_with_the_newest() {
    let house = House::new().await;
    for n in 0..5 {
        house.put(&format!("p{n}"), "v").await;
    }
    let mut tail = Tail::open(&house, &house.owner, "&operation=put&limit=2").await;
    tail.until("\"path\":\"p4\"").await;
    assert_eq!(tail.sequences().len(), 2);
    assert!(tail.text.contains("\"path\":\"p3\"") && !tail.text.contains("\"path\":\"p2\""));
    house.put("p5", "v").await;
    tail.until("\"path\":\"p5\"").await;
    assert_eq!(tail.sequences().len(), 3);
}

/// Cut off at any moment, a tail goes on where it was: no access is missing and none comes twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_that_was_cut_goes_on_behind_its_position() {
    let house = House::new().await;
    house.put("a", "v").await;
    let (mut after, mut seen, mut made) = (None, Vec::new(), 0);
    for round in 0..10 {
        let query = after.map_or(String::new(), |line| format!("&after={line}"));
        let mut tail = Tail::open(&house, &house.owner, &format!("&operation=get{query}")).await;
        tail.until("\nid: ").await;
        for _ in 0..3 {
            let claim = format!("n{made}.");
            made += 1;
            house.unix().with("GET", "/v1/secrets/a", &house.owner, &[("x-hqv-claim", &claim)], None).await;
        }
        // Some rounds see all of theirs, some are cut before.
        if round % 2 == 0 {
            tail.until(&format!("\"n{}.\"", made - 1)).await;
            tail.until("\n\n").await;
        }
        let whole = tail.text.rfind("\n\n").map_or(0, |end| end + 2);
        tail.text.truncate(whole);
        seen.extend(tail.sequences());
        after = Some(tail.position());
    }
    let mut tail =
        Tail::open(&house, &house.owner, &format!("&operation=get&after={}", after.unwrap())).await;
    house.unix().with("GET", "/v1/secrets/a", &house.owner, &[("x-hqv-claim", "end.")], None).await;
    tail.until("\"end.\"").await;
    tail.until("\n\n").await;
    seen.extend(tail.sequences());
    let page = house.tls().get("/v1/audit?operation=get&limit=1000", &house.owner).await.json();
    let mut all: Vec<u64> =
        page["records"].as_array().unwrap().iter().map(|r| r["sequence"].as_u64().unwrap()).collect();
    all.reverse();
    assert_eq!((seen.len(), all.len()), (made + 1, made + 1));
    assert_eq!(seen, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tk3_a_tail_ends_with_its_token() {
    let house = House::new().await;
    let token = house.token(&house.owner, r#"{"name":"watcher","allow":["audit,read on /"]}"#).await;
    house.put("a", "v").await;
    let mut tail = Tail::open(&house, &token, "").await;
    let _ = house.tls().get("/v1/secrets/a", &token).await;
    tail.until("\"operation\":\"get\"").await;
    let owner = house.owner.clone();
    assert_eq!(house.tls().send("DELETE", "/v1/tokens/watcher", &owner, None).await.status, 200);
    house.put("a", "w").await;
    tail.until("event: end").await;
    tail.until("TOKEN_REVOKED").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_needs_the_right_to_it() {
    let house = House::new().await;
    let token = house.token(&house.owner, r#"{"name":"worker"}"#).await;
    let way = house.tls();
    assert_eq!(way.get("/v1/audit?follow=true", &token).await.code(), "FORBIDDEN");
    assert_eq!(way.get("/v1/audit?follow=true", "").await.code(), "UNAUTHORIZED");
    for bad in ["after=3", "follow=true&after=3&limit=2", "follow=true&after=x"] {
        assert_eq!(way.get(&format!("/v1/audit?{bad}"), &house.owner).await.code(), "BAD_REQUEST", "{bad}");
    }
    assert_eq!(way.get("/v1/audit?follow=true&before=3", &house.owner).await.code(), "BAD_REQUEST");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lc2_a_stop_ends_the_tail_and_does_not_wait_for_it() {
    let house = House::new().await;
    let mut tail = Tail::open(&house, &house.owner, "").await;
    soon(house.handle().stop(std::time::Duration::from_secs(60))).await;
    tail.until("UNAVAILABLE").await;
}
