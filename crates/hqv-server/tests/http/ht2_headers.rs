//! Headers: many, large, doubled, odd.

use crate::house::House;

async fn status(house: &House, extra: &str) -> u16 {
    let request = format!("GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{extra}\r\n");
    let answer = house.raw(request.as_bytes()).await;
    answer.get(9..12).and_then(|s| s.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht2_many_large_and_doubled_headers_are_bounded() {
    let house = House::new().await;
    let owner = house.owner.clone();
    let bearer = format!("Authorization: Bearer {owner}\r\n");
    assert_eq!(status(&house, &bearer).await, 200);
    let many: String = (0..1000).map(|n| format!("x-{n}: 1\r\n")).collect();
    assert_eq!(status(&house, &format!("{bearer}{many}")).await, 431);
    let large = format!("{bearer}x-large: {}\r\n", "a".repeat(1 << 20));
    let got = status(&house, &large).await;
    assert!(got == 431 || got == 0, "answered, or cut off while it was still sending: {got}");
    assert_eq!(status(&house, &format!("{bearer}{bearer}")).await, 400);
    assert_eq!(status(&house, &format!("authorization: bearer {owner}\r\n")).await, 200);
    assert_eq!(status(&house, &format!("AUTHORIZATION: BEARER {owner}\r\n")).await, 200);
    for wrong in ["", "Bearer", "Bearer ", "Basic YTpi", "Token x", &owner, "Bearer \u{e4}"] {
        assert_eq!(status(&house, &format!("Authorization: {wrong}\r\n")).await, 401, "{wrong}");
    }
    for bad in ["no colon\r\n", "a b: c\r\n", ": empty\r\n", "x\u{0}: y\r\n"] {
        assert_eq!(status(&house, bad).await, 400, "{bad:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tk7_a_token_elsewhere_is_refused_and_said_why() {
    let house = House::new().await;
    let owner = house.owner.as_str();
    let way = house.tls();
    let cookie = format!("session={owner}");
    let reply = way.with("GET", "/v1/status", "", &[("cookie", &cookie)], None).await;
    assert_eq!((reply.status, reply.json()["error"].as_str().unwrap().contains("cookie")), (401, true));
    let reply = way.get(&format!("/v1/status?token={owner}"), "").await;
    assert_eq!((reply.status, reply.json()["error"].as_str().unwrap().contains("address")), (401, true));
    let reply = way.with("GET", "/v1/status", "", &[("authorization", "Basic YTpi")], None).await;
    assert_eq!((reply.status, reply.json()["error"].as_str().unwrap().contains("Basic")), (401, true));
    assert!(!reply.text.contains(owner));
    assert_eq!(reply.headers["www-authenticate"], "Bearer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tk8_a_near_miss_answers_as_any_unknown_one() {
    let house = House::new().await;
    let token = house.token(&house.owner, r#"{"name":"t"}"#).await;
    // Another vault's token is well-formed and unknown; a mistyped one is told apart by its checksum alone.
    let other = House::new().await;
    let stranger = other.token(&other.owner, r#"{"name":"t"}"#).await;
    let unknown = house.tls().get("/v1/secrets/a", &stranger).await;
    assert_eq!((unknown.status, unknown.code()), (401, "UNAUTHORIZED".into()));
    let mut mistyped = token.clone();
    let last = mistyped.pop().unwrap();
    mistyped.push(if last == 'A' { 'B' } else { 'A' });
    let reply = house.tls().get("/v1/secrets/a", &mistyped).await;
    assert_eq!((reply.status, reply.code()), (401, "UNAUTHORIZED".into()));
    assert!(reply.json()["error"].as_str().unwrap().contains("mistyped"), "{}", reply.text);
}
