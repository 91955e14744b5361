//! Slow, idle, half-closed and broken clients, and the ones beside them.

use crate::client::{read_answer, read_to_close, soon};
use crate::house::{House, UID};
use hqv_server::Limits;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

fn short() -> Limits {
    let short = Duration::from_millis(250);
    Limits { head: short, idle: short, stalled: short, ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht5_a_handshake_or_head_that_never_ends_is_cut() {
    let house = House::with(short(), UID).await;
    let mut silent = TcpStream::connect(house.address()).await.unwrap();
    let mut partial = TcpStream::connect(house.address()).await.unwrap();
    partial.write_all(&[22, 3, 1, 2]).await.unwrap();
    let mut head = house.connect(&[b"http/1.1"]).await;
    head.write_all(b"GET /v1/health HTTP/1.1\r\nHost: loc").await.unwrap();
    let mut socket = UnixStream::connect(&house.socket).await.unwrap();
    socket.write_all(b"GET /v1/hea").await.unwrap();
    let idle = house.connect(&[b"h2"]).await;
    let mut idle = idle;
    assert_eq!(soon(read_to_close(&mut silent)).await, "");
    assert_eq!(soon(read_to_close(&mut partial)).await, "");
    assert_eq!(soon(read_to_close(&mut head)).await, "");
    assert_eq!(soon(read_to_close(&mut socket)).await, "");
    // SETTINGS is all that a client which says nothing hears.
    assert!(!soon(read_to_close(&mut idle)).await.contains("HTTP/1.1"));
    assert_eq!(house.tls().get("/v1/health", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht5_a_client_that_takes_no_answer_is_cut() {
    let house = House::with(short(), UID).await;
    house.put("big", &"x".repeat(1 << 20)).await;
    let owner = house.owner.clone();
    let ask =
        format!("GET /v1/secrets/big HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\n\r\n");
    // More answers than any buffer between us takes; not one is read.
    let mut stream = house.connect(&[b"http/1.1"]).await;
    stream.write_all(ask.repeat(64).as_bytes()).await.unwrap();
    let closed = soon(async {
        while house.handle().connections() > 0 {
            tokio::task::yield_now().await;
        }
    });
    closed.await;
    drop(stream);
}

/// A batch is large and costs its asker nothing: a thousand that nobody reads must not fill the memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht5_large_answers_that_nobody_reads_are_bounded_and_cut() {
    let limits = Limits { answers: 8 << 20, heavy: Duration::from_millis(250), ..Limits::default() };
    let house = House::with(limits, UID).await;
    house.put("big/a", &"x".repeat(1 << 20)).await;
    house.put("big/b", &"x".repeat(1 << 20)).await;
    let (owner, body) = (house.owner.clone(), r#"{"prefix":"big/"}"#);
    let ask = format!(
        "POST /v1/secrets:batch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stuck = Vec::new();
    for _ in 0..16 {
        let mut stream = UnixStream::connect(&house.socket).await.unwrap();
        stream.write_all(ask.as_bytes()).await.unwrap();
        stuck.push(stream);
    }
    // Eight mebibytes are reached by the fourth of two each; nobody reads more than the status.
    let mut refused = 0;
    for stream in &mut stuck {
        let mut status = [0; 12];
        soon(stream.read_exact(&mut status)).await.unwrap();
        refused += usize::from(&status == b"HTTP/1.1 503");
    }
    assert!(refused >= 8, "{refused}");
    assert_eq!(house.tls().get("/v1/health", "").await.status, 200);
    // Who reads gets a place again, since the others are cut.
    soon(async {
        while house.tls().send("POST", "/v1/secrets:batch", &owner, Some(body)).await.status != 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht5_a_full_house_still_lets_the_next_one_in() {
    let house =
        House::with(Limits { tcp_connections: 8, unix_connections: 4, ..Limits::default() }, UID).await;
    let mut idle = Vec::new();
    for _ in 0..40 {
        idle.push(TcpStream::connect(house.address()).await.unwrap());
    }
    for _ in 0..20 {
        idle.push(TcpStream::connect(house.address()).await.unwrap());
        assert_eq!(house.tls().get("/v1/health", "").await.status, 200);
        // The socket has places of its own.
        assert_eq!(house.unix().get("/v1/health", "").await.status, 200);
    }
    assert!(house.handle().connections() <= 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht5_half_closed_and_reset_clients_disturb_nobody() {
    let house = House::new().await;
    let mut half = UnixStream::connect(&house.socket).await.unwrap();
    half.write_all(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    half.shutdown().await.unwrap();
    assert!(
        soon(read_to_close(&mut half)).await.starts_with("HTTP/1.1 200"),
        "asked, then said that no more comes"
    );
    let owner = house.owner.clone();
    let head = format!(
        "PUT /v1/secrets/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"value\":"
    );
    for _ in 0..20 {
        let mut stream = house.connect(&[b"http/1.1"]).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        // Dropped without a TLS close: to the server it broke in the middle of the body.
        drop(stream);
    }
    assert_eq!(house.tls().get("/v1/secrets/a", &owner).await.code(), "NOT_FOUND");
}

/// `HQV_LONG=1` takes the 5,000 of the matrix and compares latencies; else some are enough to see that others are served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht5_idle_connections_leave_the_others_quick() {
    #[allow(clippy::disallowed_methods, reason = "the switch of the long run")]
    let long = std::env::var_os("HQV_LONG").is_some();
    let house = House::with(Limits { tcp_connections: 6_000, ..Limits::default() }, UID).await;
    house.put("a", "v").await;
    let quiet = median(&house).await;
    let mut idle = Vec::new();
    for _ in 0..if long { 5_000 } else { 200 } {
        idle.push(house.connect(&[b"http/1.1"]).await);
    }
    let busy = median(&house).await;
    assert!(!long || busy <= quiet * 3, "{busy:?} against {quiet:?}");
}

#[allow(clippy::disallowed_methods, reason = "a latency is measured")]
async fn median(house: &House) -> Duration {
    let owner = &house.owner;
    let ask =
        format!("GET /v1/secrets/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\n\r\n");
    let mut stream = house.connect(&[b"http/1.1"]).await;
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        stream.write_all(ask.as_bytes()).await.unwrap();
        assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 200"));
        times.push(start.elapsed());
    }
    times.sort();
    times[100]
}
