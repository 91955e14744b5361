//! Bodies: none, wrong, endless, deep, doubled.

use crate::client::{read_to_close, soon};
use crate::house::House;
use tokio::io::AsyncWriteExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht3_what_is_not_the_json_asked_for_is_refused() {
    let house = House::new().await;
    let (way, owner) = (house.tls(), house.owner.as_str());
    for (body, part) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("null", "expected"),
        ("[]", "expected"),
        (r#"["a",null,null,null,null,null,null,null]"#, "expected an object"),
        ("\"value\"", "expected"),
        ("{}", "missing field `value`"),
        (r#"{"value":1}"#, "expected"),
        (r#"{"value":null}"#, "expected"),
        (r#"{"value":"a","value":"b"}"#, "duplicate field `value`"),
        (r#"{"value":"a","vlaue":"b"}"#, "unknown field `vlaue`"),
        (r#"{"value":"a"} {}"#, "not JSON"),
        (r#"{"value":"\ud800"}"#, "Unicode"),
        (r#"{"value":"!!","encoding":"base64"}"#, "base64"),
        (r#"{"value":"a","encoding":"rot13"}"#, "base64"),
        (r#"{"value":"a","type":"banana"}"#, "type"),
        (r#"{"value":"a","tags":{"k":"1","k":"2"}}"#, "twice"),
        (r#"{"value":"a","expires":"banana"}"#, ""),
        (r#"{"value":"a","route":"answer"}"#, "route"),
    ] {
        let reply = way.send("PUT", "/v1/secrets/a", owner, Some(body)).await;
        assert_eq!((reply.status, reply.code()), (400, "BAD_REQUEST".into()), "{body}: {}", reply.text);
        assert!(reply.json()["error"].as_str().unwrap().contains(part), "{body}: {}", reply.text);
    }
    let deep = format!(r#"{{"value":"a","tags":{}1{}}}"#, "{\"a\":".repeat(20_000), "}".repeat(20_000));
    assert_eq!(way.send("PUT", "/v1/secrets/a", owner, Some(&deep)).await.status, 400);
    assert_eq!(way.get("/v1/secrets/a", owner).await.code(), "NOT_FOUND", "nothing was stored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht3_a_value_never_comes_back_in_an_error() {
    let house = House::new().await;
    let (way, owner) = (house.tls(), house.owner.as_str());
    let canary = "sk_live_canary_4242";
    for body in [
        format!(r#"{{"value":"a","type":"{canary}"}}"#),
        format!(r#"{{"value":["{canary}"]}}"#),
        format!(r#"{{"value":"a","encoding":"{canary}"}}"#),
        format!(r#"{{"value":"{canary}","encoding":"base64"}}"#),
        format!(r#"{{"value":{{"{canary}":1}}}}"#),
        format!(r#""{canary}""#),
        format!(r#"{{"value":"{canary}"#),
        format!(r#"{{"value":"a","tags":"{canary}"}}"#),
    ] {
        let reply = way.send("PUT", "/v1/secrets/a", owner, Some(&body)).await;
        assert_eq!(reply.status, 400, "{body}");
        // A type is a word that the sender chose, shown escaped; a value is not.
        assert!(!reply.text.contains(canary) || body.contains("\"type\""), "{body}: {}", reply.text);
    }
    assert!(!house.log.lock().unwrap().join("\n").contains(canary));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht3_wrong_content_types_are_415() {
    let house = House::new().await;
    let owner = house.owner.as_str();
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""]
    {
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let request = format!(
            "PUT /v1/secrets/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\n{kind}Content-Length: 13\r\nConnection: close\r\n\r\n{{\"value\":\"a\"}}"
        );
        let answer = house.raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 415") && answer.contains("BAD_REQUEST"), "{kind}: {answer}");
    }
    let zipped =
        house.tls().with("PUT", "/v1/secrets/a", owner, &[("content-encoding", "gzip")], Some("{}")).await;
    assert_eq!(zipped.status, 415);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht3_announced_and_endless_bodies_are_cut_off() {
    let house = House::new().await;
    let owner = house.owner.as_str();
    let head = |length: &str| {
        format!(
            "PUT /v1/secrets/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
        )
    };
    // 2 GiB announced: answered before a byte of it is read.
    let mut stream = house.connect(&[b"http/1.1"]).await;
    stream.write_all(head("Content-Length: 2147483648").as_bytes()).await.unwrap();
    let answer = soon(read_to_close(&mut stream)).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("TOO_LARGE"), "{answer}");
    // Chunks for as long as the server takes them.
    let stream = house.connect(&[b"http/1.1"]).await;
    let (mut read, mut write) = tokio::io::split(stream);
    write.write_all(head("Transfer-Encoding: chunked").as_bytes()).await.unwrap();
    let pump = tokio::spawn(async move {
        let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
        let mut sent = 0u64;
        while write.write_all(chunk.as_bytes()).await.is_ok() {
            sent += 0x10000;
            assert!(sent < 256 << 20, "the server takes an endless body");
        }
    });
    let answer = soon(read_to_close(&mut read)).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    drop(read);
    soon(pump).await.unwrap();
    assert_eq!(house.tls().get("/v1/health", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht3_a_stranger_s_body_is_not_read() {
    let house = House::new().await;
    let other = House::new().await;
    let stranger = other.token(&other.owner, r#"{"name":"t"}"#).await;
    let mut stream = house.connect(&[b"http/1.1"]).await;
    let head = format!(
        "PUT /v1/secrets/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {stranger}\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
    );
    // Not a byte of the body is sent, and yet the answer comes.
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = soon(read_to_close(&mut stream)).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let mut stream = house.connect(&[b"http/1.1"]).await;
    stream
        .write_all(head.replace(&format!("Authorization: Bearer {stranger}\r\n"), "").as_bytes())
        .await
        .unwrap();
    let answer = soon(read_to_close(&mut stream)).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht3_no_body_where_none_belongs() {
    let house = House::new().await;
    let owner = house.owner.as_str();
    for call in ["GET /v1/status", "DELETE /v1/secrets/a", "POST /v1/lock"] {
        for framing in
            ["Content-Length: 2\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"]
        {
            let request =
                format!("{call} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\n{framing}");
            let answer = house.raw(request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{call}: {answer}");
            assert_eq!(answer.matches("HTTP/1.1").count(), 1);
        }
    }
    assert_eq!(house.unix().get("/v1/status", "").await.json()["locked"], false, "the lock was refused");
}
