//! Who may speak to an entry's page: rows EN1, EN2, EN4 and HT7 at the level of HTTP.

use crate::client::soon;
use crate::house::{House, UID};
use crate::page::Page;
use hqv_server::Limits;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ENTRY: &str = r#"{"path":"stripe/secret-key","type":"api-key","description":"Stripe live secret key"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en1_one_answer_to_whoever_does_not_know_the_id_and_the_secret() {
    let house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    let other = Page::open(&house, r#"{"path":"another"}"#).await;
    let host = format!("127.0.0.1:{}", page.port);
    let about = format!("/{}/about", page.id);
    let zeros = "/ent_00000000000000000000000000";
    let wrong_secret = "A".repeat(43);
    let cut = &page.submit[..42];
    let mut answers = BTreeSet::new();
    for (method, path, submit) in [
        ("POST", about.as_str(), ""),
        ("POST", &about, &wrong_secret),
        ("POST", &about, &other.submit),
        ("POST", &about, cut),
        ("POST", &about.to_uppercase(), &page.submit),
        ("POST", &format!("/{}/about", other.id), &other.submit),
        ("POST", &format!("/{}/state", page.id), &other.submit),
        ("POST", &format!("/{}/store", page.id), &wrong_secret),
        ("POST", &format!("/{}/refuse", page.id), &other.submit),
        ("POST", &format!("{about}?submit={}", page.submit), &page.submit),
        ("POST", &format!("/{}/answer", page.id), &page.submit),
        ("POST", &format!("/{}", page.id), &page.submit),
        ("GET", &about, &page.submit),
        ("HEAD", zeros, &page.submit),
        ("GET", zeros, &page.submit),
        ("GET", &format!("/{}/", page.id), ""),
        ("GET", &format!("//{}", page.id), ""),
        ("GET", "/", ""),
        ("GET", "/favicon.ico", ""),
        ("GET", "/v1/status", &house.owner),
        ("PUT", &about, &page.submit),
        ("OPTIONS", &about, &page.submit),
    ] {
        let reply = page.send(method, path, &[("Host", &host), ("X-HQV-Submit", submit)], "").await;
        assert_eq!(reply.status, 404, "{method} {path}: {}", reply.text);
        if method != "HEAD" {
            let mut body = reply.json();
            body.as_object_mut().unwrap().remove("requestId");
            answers.insert(body.to_string());
        }
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(page.state().await, "waiting", "none of it had an effect");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en1_used_and_expired_ones_are_refused_and_the_page_goes_with_its_entry() {
    let house = House::with(Limits { linger: Duration::ZERO, ..Limits::default() }, UID).await;
    let (used, expired, refused) = (
        Page::open(&house, ENTRY).await,
        Page::open(&house, r#"{"path":"b"}"#).await,
        Page::open(&house, r#"{"path":"c"}"#).await,
    );
    assert_eq!(used.store(b"first").await.status, 200);
    assert_eq!(refused.call("refuse", "").await.status, 200);
    // Whatever was posted to it, its time comes.
    assert_eq!(expired.call("store", "{").await.status, 400);
    house.clock.pass(Duration::from_secs(601));
    house.engine.tick();
    for page in [used, expired, refused] {
        soon(async {
            while page.is_open().await {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    let log = house.log.lock().unwrap().join("\n");
    assert!(!log.contains("ent_") && !log.contains("stripe"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en1_the_page_is_kept_nowhere_and_tells_nobody() {
    let house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    let host = format!("localhost:{}", page.port);
    let home = page.send("GET", &format!("/{}", page.id), &[("Host", &host)], "").await;
    let about = page.call("about", "").await;
    let missing = page.send("GET", "/x", &[("Host", &host)], "").await;
    let foreign = page.send("GET", "/x", &[("Host", "evil.example")], "").await;
    assert_eq!((home.status, about.status, missing.status, foreign.status), (200, 200, 404, 403));
    for reply in [&home, &about, &missing, &foreign] {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(reply.headers[name], value, "{name}");
        }
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"));
        assert!(!reply.headers.contains_key("set-cookie") && !reply.headers.contains_key("location"));
    }
    assert_eq!(home.headers["content-type"], "text/html; charset=utf-8");
    for word in ["stripe", "Stripe", page.submit.as_str(), page.id.as_str()] {
        assert!(!home.text.contains(word), "the page is the same for every entry: {word}");
    }
    assert!(!about.text.contains(&page.submit));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en2_ht7_other_sites_and_foreign_names_are_refused_though_they_know_the_secret() {
    let house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    let sealed = page.sealed(b"evil").await;
    let (host, store) = (format!("127.0.0.1:{}", page.port), format!("/{}/store", page.id));
    let json = ("Content-Type", "application/json");
    let neighbour = format!("http://127.0.0.1:{}", page.port ^ 1);
    for headers in [
        vec![("Host", host.as_str()), ("Origin", "https://evil.example")],
        vec![("Host", &host), ("Origin", "null")],
        vec![("Host", &host), ("Origin", &neighbour)],
        vec![("Host", &host), ("Sec-Fetch-Site", "cross-site")],
        vec![("Host", &host), ("Sec-Fetch-Site", "same-site")],
        vec![("Host", &host), ("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.example")],
        vec![("Host", "rebound.example")],
        vec![("Host", "host.docker.internal")],
        vec![("Host", "127.0.0.1.nip.io")],
        vec![("Host", "vault.internal")],
    ] {
        for (method, path) in
            [("POST", store.clone()), ("GET", format!("/{}", page.id)), ("OPTIONS", store.clone())]
        {
            let mut all = headers.clone();
            all.extend([("X-HQV-Submit", page.submit.as_str()), json]);
            let reply = page.send(method, &path, &all, if method == "POST" { &sealed } else { "" }).await;
            assert_eq!(reply.status, 403, "{method} {headers:?}: {}", reply.text);
            assert!(!reply.headers.keys().any(|name| name.as_str().starts_with("access-control")));
        }
    }
    for reply in [
        page.send("POST", &store, &[("X-HQV-Submit", &page.submit), json], &sealed).await,
        page.send(
            "POST",
            &store,
            &[("Host", &host), ("Host", &host), ("X-HQV-Submit", &page.submit), json],
            &sealed,
        )
        .await,
    ] {
        assert_eq!(reply.status, 400, "{}", reply.text);
    }
    assert_eq!(page.state().await, "waiting");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en2_no_form_preflight_or_websocket_gets_anywhere() {
    let house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    let sealed = page.sealed(b"evil").await;
    let (host, store) = (format!("127.0.0.1:{}", page.port), format!("/{}/store", page.id));
    // What a form can send: it cannot bear our header, nor say that it is JSON.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let reply = page.send("POST", &store, &[("Host", &host), ("Content-Type", kind)], &sealed).await;
        assert_eq!(reply.status, 404, "{kind}");
        let bearing = [("Host", host.as_str()), ("Content-Type", kind), ("X-HQV-Submit", &page.submit)];
        assert_eq!(page.send("POST", &store, &bearing, &sealed).await.status, 415, "{kind}");
    }
    let upgrade = [
        ("Host", host.as_str()),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ];
    assert_eq!(page.send("GET", &store, &upgrade, "").await.status, 404);
    assert_eq!(
        page.send("GET", &format!("/{}", page.id), &upgrade, "").await.status,
        200,
        "the page, no upgrade"
    );
    let preflight = [("Host", host.as_str()), ("Access-Control-Request-Method", "POST")];
    let reply = page.send("OPTIONS", &store, &preflight, "").await;
    assert!(reply.status == 404 && !reply.headers.contains_key("access-control-allow-origin"));
    assert_eq!(page.send("GET", "http://127.0.0.1/x", &[("Host", &host)], "").await.status, 404);
    assert_eq!(page.state().await, "waiting");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en2_the_page_answers_through_a_tunnel_and_to_each_name_of_loopback() {
    let house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    for host in ["localhost:8080", "127.0.0.1:1", "[::1]:9", "localhost"] {
        let origin = format!("http://{host}");
        let headers = [("Host", host), ("Origin", &origin), ("X-HQV-Submit", &page.submit)];
        let reply = page.send("POST", &format!("/{}/about", page.id), &headers, "").await;
        assert_eq!(reply.status, 200, "{host}: {}", reply.text);
    }
    // A tunnel ends at 127.0.0.1, which is where the page listens, and nowhere else.
    for elsewhere in ["::1", "127.0.0.2"] {
        let refused = TcpStream::connect((elsewhere, page.port)).await.expect_err(elsewhere);
        let kind = refused.kind();
        // A machine without IPv6 has no such address.
        assert!(
            kind == ErrorKind::ConnectionRefused || elsewhere == "::1" && kind == ErrorKind::AddrNotAvailable
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en4_what_others_wrote_is_data_and_harmless_to_look_at() {
    let house = House::new().await;
    let evil = "</script><script>alert(1)</script>\u{1b}]0;x\u{7}\u{202e}<img src=x onerror=alert(1)>";
    let body = serde_json::json!({
        "path": "a/<img src=x onerror=alert(1)>", "description": evil, "program": evil, "directory": evil,
    });
    let page = Page::open(&house, &body.to_string()).await;
    house.handle().name_vault(Some("/tmp/\u{1b}[2Jvault".into()));
    let reply = page.call("about", "").await;
    assert_eq!(reply.headers["content-type"], "application/json");
    assert_eq!(reply.headers["x-content-type-options"], "nosniff");
    let about = reply.json();
    assert_eq!(about["path"], "a/<img src=x onerror=alert(1)>", "the very path: the value is sealed for it");
    for text in
        [&about["description"], &about["asker"]["program"], &about["asker"]["directory"], &about["vaultDir"]]
    {
        let text = text.as_str().unwrap();
        assert!(text.contains("\\u{1b}") && !text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }
    let host = format!("127.0.0.1:{}", page.port);
    let home = page.send("GET", &format!("/{}", page.id), &[("Host", &host)], "").await;
    assert!(!home.text.contains("alert(1)"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht5_one_page_s_flood_leaves_the_others_alone() {
    let house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    let other = Page::open(&house, r#"{"path":"b"}"#).await;
    let mut crowd = Vec::new();
    for _ in 0..64 {
        crowd.push(TcpStream::connect(("127.0.0.1", page.port)).await.unwrap());
    }
    assert_eq!(other.state().await, "waiting");
    // The flooded page makes room by cutting who has said nothing.
    assert_eq!(page.state().await, "waiting");
    let mut first = crowd.remove(0);
    let _ = first.write_all(b"GET /").await;
    let mut rest = Vec::new();
    let _ = soon(first.read_to_end(&mut rest)).await;
    assert!(rest.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht5_pages_that_are_over_take_no_page_from_the_next() {
    let house = House::new().await;
    let first = Page::open(&house, ENTRY).await;
    assert_eq!(first.call("refuse", "").await.status, 200);
    let waits = Page::open(&house, r#"{"path":"waits"}"#).await;
    // More than there are pages in all, within the time for which one stays after its entry's end. One caller alone may not.
    let allow = r#""allow":["ingest on flood/"]"#;
    let tokens = [
        house.token(&house.owner, &format!(r#"{{"name":"one",{allow}}}"#)).await,
        house.token(&house.owner, &format!(r#"{{"name":"two",{allow}}}"#)).await,
    ];
    for number in 0..300 {
        let body = format!(r#"{{"path":"flood/{number}"}}"#);
        let page = Page::open_as(&house, &tokens[number % 2], &body).await;
        assert_eq!(page.call("refuse", "").await.status, 200, "page {number}");
        assert_eq!(page.call("state", "").await.json()["state"], "refused", "it stays a while");
    }
    soon(async {
        while first.is_open().await {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(waits.state().await, "waiting", "whose entry waits keeps its page");
}
