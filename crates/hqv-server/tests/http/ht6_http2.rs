//! HTTP/2 frames that a friendly client never sends. Each flood ends, or is bounded, and others are served.

use crate::client::soon;
use crate::house::House;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

/// `GET https://localhost/`, by the static table of HPACK.
fn request() -> Vec<u8> {
    let mut block = vec![0x82, 0x87, 0x84, 0x41, 9];
    block.extend(b"localhost");
    block
}

async fn open(house: &House) -> TlsStream<TcpStream> {
    let mut stream = house.connect(&[b"h2"]).await;
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    stream
}

/// Sends `part(n)` until the server closes, refuses to take more, or has taken `most` of them. True where it closed.
async fn flood(stream: TlsStream<TcpStream>, most: u32, part: impl Fn(u32) -> Vec<u8>) -> bool {
    let (mut read, mut write) = tokio::io::split(stream);
    let reader = tokio::spawn(async move {
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = read.read(&mut buffer).await {
            all.extend_from_slice(&buffer[..count]);
            assert!(all.len() < 64 << 20, "the server answers without bound");
        }
        all
    });
    let mut closed = false;
    for n in 0..most {
        if write.write_all(&part(n)).await.is_err() {
            closed = true;
            break;
        }
    }
    let _ = write.shutdown().await;
    let heard = soon(reader).await.unwrap();
    closed || goes_away(&heard)
}

fn goes_away(mut heard: &[u8]) -> bool {
    while heard.len() >= 9 {
        let length = u32::from_be_bytes([0, heard[0], heard[1], heard[2]]) as usize;
        if heard[3] == GOAWAY {
            return true;
        }
        heard = heard.get(9 + length..).unwrap_or_default();
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht6_rapid_resets_end_the_connection() {
    let house = House::new().await;
    let stream = open(&house).await;
    let closed = flood(stream, 20_000, |n| {
        let id = 2 * n + 1;
        [frame(HEADERS, 5, id, &request()), frame(RST_STREAM, 0, id, &8u32.to_be_bytes())].concat()
    });
    assert!(soon(closed).await);
    assert_eq!(house.tls_h2().get("/v1/health", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht6_a_head_that_never_ends_ends_the_connection() {
    let house = House::new().await;
    let mut stream = open(&house).await;
    stream.write_all(&frame(HEADERS, 1, 1, &request())).await.unwrap();
    // Literal headers of 10 bytes each, without END_HEADERS, for ever.
    let more = [0x00, 0x03, b'x', b'-', b'a', 0x03, b'a', b'b', b'c'].repeat(100);
    assert!(soon(flood(stream, 50_000, |_| frame(CONTINUATION, 0, 1, &more))).await);
    assert_eq!(house.tls_h2().get("/v1/health", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht6_settings_pings_and_empty_frames_are_bounded() {
    let house = House::new().await;
    for (kind, flags, id, payload) in [(SETTINGS, 0, 0, vec![]), (6, 0, 0, vec![0; 8]), (0, 0, 1, vec![])] {
        let stream = open(&house).await;
        let _ = soon(flood(stream, 20_000, |_| frame(kind, flags, id, &payload))).await;
        assert_eq!(house.tls_h2().get("/v1/health", "").await.status, 200, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht6_huge_tables_and_lists_are_refused_or_ignored() {
    let house = House::new().await;
    let long = "v".repeat(64 * 1024);
    let way = house.tls_h2();
    let reply = way.with("GET", "/v1/health", "", &[("x-large", &long[..20_000])], None).await;
    assert_eq!(reply.status, 200, "within the list's bound");
    // Over it: hyper answers 431 of its own.
    let mut stream = open(&house).await;
    let mut table = 1u16.to_be_bytes().to_vec();
    table.extend(u32::MAX.to_be_bytes());
    stream.write_all(&frame(SETTINGS, 0, 0, &table)).await.unwrap();
    let mut block = request();
    for _ in 0..6 {
        block.extend([0x00, 0x03, b'x', b'-', b'a', 0x7f]);
        // 10,000 as an integer with a 7-bit prefix.
        block.extend([0x91, 0x4d]);
        block.extend(vec![b'v'; 10_000]);
    }
    let mut frames = frame(HEADERS, 1, 1, &block[..16_384]);
    let rest: Vec<&[u8]> = block[16_384..].chunks(16_384).collect();
    for (n, part) in rest.iter().enumerate() {
        frames.extend(frame(CONTINUATION, if n + 1 == rest.len() { 4 } else { 0 }, 1, part));
    }
    stream.write_all(&frames).await.unwrap();
    let mut heard = vec![0; 64];
    let count = soon(stream.read(&mut heard)).await.unwrap_or(0);
    assert!(count > 0 || house.tls_h2().get("/v1/health", "").await.status == 200);
    assert_eq!(house.tls_h2().get("/v1/health", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht6_many_streams_share_one_connection_within_the_bound() {
    let house = House::new().await;
    house.put("a", "v").await;
    let io = hyper_util::rt::TokioIo::new(house.connect(&[b"h2"]).await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (send, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let asks = (0..500).map(|_| {
        let (mut send, owner) = (send.clone(), house.owner.clone());
        tokio::spawn(async move {
            let request = http::Request::get("https://localhost/v1/secrets/a")
                .header("authorization", format!("Bearer {owner}"))
                .body(http_body_util::Empty::<bytes::Bytes>::new())
                .unwrap();
            send.send_request(request).await.unwrap().status().as_u16()
        })
    });
    for ask in asks.collect::<Vec<_>>() {
        assert_eq!(soon(ask).await.unwrap(), 200);
    }
}
