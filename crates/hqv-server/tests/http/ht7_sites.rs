//! Other sites: pages in the owner's browser, and names that were rebound to us.

use crate::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht7_pages_and_foreign_names_are_refused_without_a_cors_header() {
    let house = House::new().await;
    let owner = house.owner.as_str();
    for (method, headers) in [
        ("GET", vec![("origin", "https://evil.example")]),
        ("GET", vec![("origin", "null")]),
        ("GET", vec![("origin", "https://localhost:13100")]),
        ("GET", vec![("sec-fetch-site", "cross-site")]),
        ("POST", vec![("origin", "https://evil.example")]),
        ("OPTIONS", vec![("origin", "https://evil.example"), ("access-control-request-method", "GET")]),
    ] {
        for way in [house.tls(), house.tls_h2(), house.unix()] {
            let reply = way.with(method, "/v1/status", owner, &headers, None).await;
            assert_eq!((reply.status, reply.code()), (403, "FORBIDDEN".into()), "{headers:?}");
            assert!(!reply.headers.keys().any(|name| name.as_str().starts_with("access-control")));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht7_a_rebound_name_is_refused_and_ours_are_not() {
    let house = House::new().await;
    for host in
        ["rebound.example", "rebound.example:13100", "localhost.evil.example", "127.0.0.1.nip.io", "0.0.0.0"]
    {
        let answer = house
            .raw(format!("GET /v1/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())
            .await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{host}: {answer}");
    }
    for host in [
        "localhost:1",
        "127.0.0.1",
        "[::1]:13100",
        "host.docker.internal:13100",
        "vault.internal",
        "LOCALHOST",
    ] {
        let answer = house
            .raw(format!("GET /v1/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())
            .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{host}: {answer}");
    }
    for head in [
        "GET /v1/health HTTP/1.1\r\n",
        "GET /v1/health HTTP/1.0\r\n",
        "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n",
    ] {
        let answer = house.raw(format!("{head}Connection: close\r\n\r\n").as_bytes()).await;
        assert!(answer.contains(" 400 "), "{head}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht7_node_s_fetch_is_no_page() {
    let house = House::new().await;
    let reply = house
        .tls()
        .with("GET", "/v1/health", "", &[("sec-fetch-mode", "cors"), ("accept-language", "*")], None)
        .await;
    assert_eq!(reply.status, 200);
    // On the socket no page can be at the other end, and no name is needed.
    assert_eq!(house.unix().with("GET", "/v1/health", "", &[], None).await.status, 200);
}
