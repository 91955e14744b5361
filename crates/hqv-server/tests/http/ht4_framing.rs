//! Framing that two readers could read in two ways: never a second request out of one.

use crate::house::House;

/// A request that would lock the vault, hidden where a body could end in two places.
fn smuggled(owner: &str) -> String {
    format!("POST /v1/lock HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\n\r\n")
}

async fn still_open(house: &House) -> bool {
    house.unix().get("/v1/status", "").await.json()["locked"] == false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht4_two_lengths_never_make_two_requests() {
    let house = House::new().await;
    let owner = house.owner.clone();
    let head = format!(
        "PUT /v1/secrets/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\nContent-Type: application/json\r\n"
    );
    let second = smuggled(&owner);
    let cases = [
        format!("{head}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{second}"),
        format!("{head}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n{second}"),
        format!("{head}Content-Length: 2\r\nContent-Length: 200\r\n\r\n{{}}{second}"),
        format!("{head}Content-Length: 2, 2\r\n\r\n{{}}{second}"),
        format!("{head}Content-Length: +2\r\n\r\n{{}}{second}"),
        format!("{head}Content-Length: -1\r\n\r\n{second}"),
        format!("{head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{second}"),
        format!("{head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{second}"),
        format!("{head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{second}"),
    ];
    for case in cases {
        let answer = house.raw(case.as_bytes()).await;
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{case}\n{answer}");
        assert!(still_open(&house).await, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht4_folds_and_bad_chunks_are_400_and_closed() {
    let house = House::new().await;
    let owner = house.owner.clone();
    let second = smuggled(&owner);
    let fold = format!("GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\n folded\r\n\r\n{second}");
    let answer = house.raw(fold.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.matches("HTTP/1.1 ").count() == 1, "{answer}");
    let head = format!(
        "PUT /v1/secrets/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    for size in ["zz", "-1", "0x2", "ffffffffffffffffff", "2 2", ""] {
        let answer = house.raw(format!("{head}{size}\r\n{{}}\r\n0\r\n\r\n{second}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{size}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{size}: {answer}");
    }
    assert!(still_open(&house).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht4_bare_line_feeds_are_one_request_or_none() {
    let house = House::new().await;
    let owner = house.owner.clone();
    for request in [
        "GET /v1/health HTTP/1.1\nHost: localhost\nConnection: close\n\n".to_owned(),
        "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\nConnection: close\r\n\r\n".to_owned(),
        format!(
            "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: a\n\nPOST /v1/lock HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\n\r\n"
        ),
    ] {
        let answer = house.raw(request.as_bytes()).await;
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{answer}");
    }
    assert!(still_open(&house).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht4_pipelined_requests_are_answered_in_order() {
    let house = House::new().await;
    let one = "GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let two = "GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = house.raw(format!("{one}{two}").as_bytes()).await;
    let (first, second) = (answer.find("200 OK").unwrap(), answer.find("404 Not Found").unwrap());
    assert!(first < second);
}
