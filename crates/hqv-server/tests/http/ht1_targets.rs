//! Targets that mean nothing: refused, and the server stays up.

use crate::client::soon;
use crate::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht1_odd_targets_are_refused_and_the_server_stays_up() {
    let house = House::new().await;
    let owner = house.owner.as_str();
    let long = format!("/v1/secrets/{}", "a".repeat(64 * 1024));
    let cases: Vec<(String, &[u16])> = vec![
        ("//".into(), &[404]),
        ("//v1/status".into(), &[404]),
        ("/".into(), &[404]),
        ("/%".into(), &[400, 404]),
        ("/%zz".into(), &[400, 404]),
        ("/v1/secrets/%zz".into(), &[400]),
        ("/v1/secrets/%".into(), &[400]),
        ("/v1/secrets/%00".into(), &[400]),
        ("/v1/secrets/a%00b".into(), &[400]),
        ("/v1/secrets/..%2f..%2fetc".into(), &[400]),
        ("/v1/secrets/../status".into(), &[400]),
        ("/v1/secrets/%2e%2e/status".into(), &[400]),
        ("/v1/secrets/a//b".into(), &[400]),
        ("/v1/secrets/".into(), &[400]),
        ("/v1/secrets/%ed%a0%80".into(), &[400]),
        ("/v1/secrets/%e2%80%ae".into(), &[400]),
        (format!("/v1/secrets/{}", "a".repeat(513)), &[400]),
        ("/v1/tokens/%2f".into(), &[400]),
        // RFC 9110 has a status for it, which hyper answers before we see the request.
        (long, &[400, 404, 414, 431]),
        ("https://localhost/v1/health".into(), &[400]),
        ("http://evil.example/v1/health".into(), &[400]),
        ("*".into(), &[400]),
        ("v1/health".into(), &[400]),
        ("localhost:443".into(), &[400]),
        ("/v1/health?x=1".into(), &[400]),
        ("/v1/health?x=hqv_1".into(), &[400]),
    ];
    for (target, expected) in cases {
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {owner}\r\nConnection: close\r\n\r\n"
        );
        let answer = house.raw(request.as_bytes()).await;
        let status: u16 = answer.get(9..12).unwrap_or("0").parse().unwrap_or(0);
        let shown: String = target.chars().take(60).collect();
        assert!(expected.contains(&status), "{shown}: {}", answer.lines().next().unwrap_or_default());
    }
    assert_eq!(soon(house.tls().get("/v1/health", "")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht1_connect_and_asterisk_forms_are_refused() {
    let house = House::new().await;
    for head in
        ["CONNECT localhost:443 HTTP/1.1", "OPTIONS * HTTP/1.1", "GET  /v1/health HTTP/1.1", "GET /v1/health"]
    {
        let answer =
            house.raw(format!("{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{head}: {answer}");
    }
}
