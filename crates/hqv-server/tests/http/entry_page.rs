//! What comes in through an entry's page: rows EN3, EN5, EN6 and EN7 at the level of HTTP.

use crate::client::{read_to_close, soon};
use crate::house::House;
use crate::page::Page;
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const ENTRY: &str = r#"{"path":"stripe/secret-key","type":"api-key"}"#;

async fn value_at(house: &House, path: &str) -> String {
    let reply = house.tls().get(&format!("/v1/secrets/{path}"), &house.owner).await;
    reply.json()["value"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en5_a_reader_of_loopback_sees_ciphertext_only() {
    let house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    let value = "sk_live_51HqVaultCanary0123456789"; // made up
    let reply = page.store(value.as_bytes()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let stored = json!({"path": "stripe/secret-key", "bytes": 33, "type": "api-key", "version": 1, "route": "ingest-page"});
    assert_eq!(reply.json(), stored);
    assert_eq!(
        page.call("state", "").await.json(),
        json!({"id": page.id, "state": "stored", "stored": stored})
    );
    assert_eq!(value_at(&house, "stripe/secret-key").await, value);
    let seen = page.seen.lock().unwrap().clone();
    assert!(seen.len() > 1000);
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    for form in [value.to_owned(), hex, hqv_api::entry::base64url(value.as_bytes())] {
        assert!(!seen.windows(form.len()).any(|window| window == form.as_bytes()));
    }
    let log = house.log.lock().unwrap().join("\n");
    assert!(!log.contains(value) && !log.contains(&page.submit));
    let show = house.tls().get("/v1/metadata/stripe/secret-key", &house.owner).await;
    assert!(show.text.contains("ingest-page"), "{}", show.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en3_of_many_submits_exactly_one_is_stored_and_the_others_hear_of_it() {
    let house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    let (one, two) = (page.sealed(b"one").await, page.sealed(b"two").await);
    let racers = (0..12).map(|n| page.call("store", if n % 2 == 0 { &one } else { &two }));
    let answers = futures(racers.collect()).await;
    let value = value_at(&house, "stripe/secret-key").await;
    let winner = ["one", "two"].iter().position(|one| *one == value).unwrap();
    let stored = answers[winner].json();
    assert_eq!(stored["version"], 1);
    for (n, answer) in answers.iter().enumerate() {
        if n % 2 == winner {
            // The same message once more: whoever sent it hears that it was stored, and it was stored once.
            assert_eq!((answer.status, answer.json()), (200, stored.clone()), "{n}");
        } else {
            assert_eq!((answer.status, answer.code()), (409, "CONFLICT".into()), "{n}");
        }
    }
    let metadata = house.tls().get("/v1/metadata/stripe/secret-key", &house.owner).await.json();
    assert_eq!(metadata["versions"].as_array().unwrap().len(), 1, "{metadata}");
    assert_eq!(
        (page.state().await, page.call("refuse", "").await.code()),
        ("stored".into(), "CONFLICT".into())
    );
    assert_eq!(page.about().await["state"], "stored", "a reload learns it too");
}

/// All at once.
async fn futures<F: Future>(work: Vec<F>) -> Vec<F::Output> {
    let mut work: Vec<_> = work.into_iter().map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|cx| {
        for (future, done) in work.iter_mut().filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(output) = future.as_mut().poll(cx) {
                *done = Some(output);
            }
        }
        match work.iter().all(|(_, done)| done.is_some()) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    work.into_iter().filter_map(|(_, done)| done).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en6_what_cannot_be_stored_says_why_and_leaves_the_entry_usable() {
    let house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    let good = page.sealed(b"value").await;
    let enc = json!(serde_json::from_str::<serde_json::Value>(&good).unwrap()["enc"]).to_string();
    let too_long = page.sealed(&vec![b'x'; (1 << 20) + 1]).await;
    let (empty, far_too_long) = (page.sealed(b"").await, "x".repeat(2 << 20));
    for (body, status) in [
        (empty.as_str(), 400),
        ("{", 400),
        ("[]", 400),
        ("{}", 400),
        (r#"{"enc":"","ciphertext":""}"#, 400),
        (r#"{"enc":"%%","ciphertext":"AAAA"}"#, 400),
        (r#"{"enc":"AAAA","ciphertext":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#, 400),
        (&format!(r#"{{"enc":{enc},"ciphertext":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}"#), 400),
        (&format!(r#"{{"enc":{enc},"ciphertext":"AAAA","submit":"x"}}"#), 400),
        (r#"{"value":"in plain"}"#, 400),
        (&too_long, 413),
        (&far_too_long, 413),
    ] {
        let reply = page.call("store", body).await;
        assert_eq!(reply.status, status, "{:.60}: {}", body, reply.text);
        assert!(!reply.json()["error"].as_str().unwrap().is_empty());
        assert_eq!(page.state().await, "waiting", "{body:.60}");
    }
    assert_eq!(page.call("refuse", r#"{"why":"not"}"#).await.status, 400, "it takes no body");
    assert_eq!(page.call("store", &good).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en6_every_byte_up_to_one_mebibyte_arrives() {
    let house = House::new().await;
    let page = Page::open(&house, r#"{"path":"bin"}"#).await;
    let value: Vec<u8> = (0..1 << 20).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let reply = page.store(&value).await;
    assert_eq!((reply.status, &reply.json()["bytes"]), (200, &json!(1 << 20)), "{}", reply.text);
    let got = house.tls().get("/v1/secrets/bin", &house.owner).await.json();
    let (text, _) = hqv_api::WireSecret::carry(&value);
    assert!(got["encoding"] == "base64" && got["value"] == text.reveal());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en6_a_slow_and_an_endless_post_do_not_stop_the_person() {
    let house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    let head = format!(
        "POST /{}/store HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n",
        page.id, page.port
    );
    let mut slow = TcpStream::connect(("127.0.0.1", page.port)).await.unwrap();
    let announced = format!("{head}X-HQV-Submit: {}\r\nContent-Length: 1000\r\n\r\n{{", page.submit);
    slow.write_all(announced.as_bytes()).await.unwrap();
    let mut endless = TcpStream::connect(("127.0.0.1", page.port)).await.unwrap();
    let chunked = format!("{head}X-HQV-Submit: {}\r\nTransfer-Encoding: chunked\r\n\r\n", page.submit);
    endless.write_all(chunked.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let answer = soon(async {
        for _ in 0..64 {
            if endless.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
        }
        read_to_close(&mut endless).await
    })
    .await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    // Who does not know the secret is answered before a byte of the body is read.
    let mut stranger = TcpStream::connect(("127.0.0.1", page.port)).await.unwrap();
    stranger.write_all(format!("{head}Content-Length: 1000000\r\n\r\n").as_bytes()).await.unwrap();
    assert!(soon(read_to_close(&mut stranger)).await.starts_with("HTTP/1.1 404"));
    assert_eq!(page.store(b"value").await.status, 200);
    drop(slow);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en6_a_locked_vault_says_so_and_takes_the_value_after_the_unlock() {
    let mut house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    assert_eq!(page.about().await["locked"], false);
    assert_eq!(house.tls().send("POST", "/v1/lock", &house.owner, None).await.status, 200);
    let about = page.about().await;
    assert_eq!(
        (&about["locked"], &about["exists"], &about["state"]),
        (&json!(true), &json!(null), &json!("waiting"))
    );
    let reply = page.store(b"value").await;
    assert_eq!((reply.status, reply.code()), (403, "VAULT_LOCKED".into()));
    house.unlock().await;
    assert_eq!(page.store(b"value").await.status, 200);
    assert_eq!(value_at(&house, "stripe/secret-key").await, "value");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en7_who_may_not_write_there_gets_no_page_that_replaces() {
    let house = House::new().await;
    house.put("stripe/secret-key", "old").await;
    let way = house.unix();
    assert_eq!(way.send("POST", "/v1/entries", "", Some(ENTRY)).await.code(), "ALREADY_EXISTS");
    let replace = r#"{"path":"stripe/secret-key","overwrite":true}"#;
    let answer = way.send("POST", "/v1/entries", "", Some(replace)).await.json();
    assert!(answer["url"].is_null() && answer["submit"].is_null() && answer["code"].is_string(), "{answer}");
    let page = Page::of(&way.send("POST", "/v1/entries", &house.owner, Some(replace)).await);
    assert_eq!(page.about().await["exists"], true);
    assert_eq!(page.store(b"new").await.json()["version"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en7_what_came_to_stand_there_meanwhile_is_not_replaced() {
    let house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    house.put("stripe/secret-key", "first").await;
    let reply = page.store(b"second").await;
    assert_eq!((reply.status, reply.code()), (409, "ALREADY_EXISTS".into()));
    assert_eq!(
        (page.state().await.as_str(), value_at(&house, "stripe/secret-key").await.as_str()),
        ("waiting", "first")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en7_where_only_the_answer_will_do_there_is_no_page() {
    let house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    let set = r#"{"entry.require":"answer"}"#;
    assert_eq!(house.tls().send("PATCH", "/v1/settings", &house.owner, Some(set)).await.status, 200);
    let reply = page.store(b"value").await;
    assert_eq!((reply.status, reply.code()), (403, "FORBIDDEN".into()));
    let answer = house.unix().send("POST", "/v1/entries", "", Some(r#"{"path":"b"}"#)).await.json();
    assert!(answer["url"].is_null() && answer["submit"].is_null(), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_finds_the_page_that_is_open_and_a_stop_closes_it() {
    let house = House::new().await;
    let page = Page::open(&house, ENTRY).await;
    let again = house.unix().send("POST", "/v1/entries", "", Some(ENTRY)).await;
    assert_eq!((again.status, &again.json()["joined"]), (200, &json!(true)));
    let same = Page::of(&again);
    assert_eq!((same.port, same.id, same.submit), (page.port, page.id.clone(), page.submit.clone()));
    soon(house.handle().stop(Duration::from_secs(5))).await;
    assert!(!soon(page.is_open()).await);
}
