//! Entries and asks over the API: who waits, who answers, and what each of them is told.

use crate::client::{Reply, SOON, read_to_close, soon};
use crate::house::House;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

const ENTRY: &str = r#"{"path":"db/url","type":"connection-string","description":"main","program":"node (pid 7)","directory":"/src"}"#;
const ASK: &str = r#"{"paths":["deploy/"],"can":["read"],"ttl":"1h","max_uses":5,"reason":"preview"}"#;

async fn post(house: &House, target: &str, bearer: &str, body: &str) -> Reply {
    house.unix().send("POST", target, bearer, Some(body)).await
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_sees_the_entry_enters_the_value_once_and_the_waiting_command_hears_of_it() {
    let house = House::new().await;
    let opened = post(&house, "/v1/entries", "", ENTRY).await.json();
    let (id, submit) = (text(&opened["id"]).to_owned(), text(&opened["submit"]).to_owned());
    let proof = json!({"submit": submit}).to_string();
    let about = post(&house, &format!("/v1/entries/{id}:about"), "", &proof).await.json();
    assert_eq!(
        (&about["path"], &about["type"], &about["description"]),
        (&json!("db/url"), &json!("connection-string"), &json!("main"))
    );
    assert_eq!(
        (&about["exists"], &about["locked"], &about["code"]),
        (&json!(false), &json!(false), &opened["code"])
    );
    assert_eq!(
        about["asker"],
        json!({"program": "node (pid 7)", "directory": "/src", "pid": 7, "source": "socket"})
    );
    let (poll, value) = (
        format!("/v1/entries/{id}?wait=60"),
        json!({"value": "postgres://x", "submit": submit, "route": "ingest-tmux"}),
    );
    let (way, answer, value) = (house.unix(), format!("/v1/entries/{id}:answer"), value.to_string());
    let (waited, stored) =
        soon(async { tokio::join!(way.get(&poll, ""), post(&house, &answer, "", &value)) }).await;
    assert_eq!(
        stored.json(),
        json!({"path": "db/url", "bytes": 12, "type": "connection-string", "version": 1, "route": "ingest-tmux"})
    );
    assert_eq!(waited.json(), json!({"id": id, "state": "stored", "stored": stored.json()}));
    let again = post(&house, &answer, "", &value).await;
    assert_eq!((again.status, again.code()), (409, "CONFLICT".into()));
    let joined = post(&house, "/v1/entries", "", ENTRY).await;
    assert_eq!(
        (joined.status, &joined.json()["stored"]),
        (200, &stored.json()),
        "the same command run again"
    );
    assert!(joined.json()["url"].is_null() && joined.json()["submit"].is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_answers_by_the_code_and_nobody_else_does() {
    let house = House::new().await;
    let opened = post(&house, "/v1/entries", "", ENTRY).await.json();
    let code = text(&opened["code"]);
    let list = house.tls().get("/v1/entries", &house.owner).await.json();
    assert_eq!(
        (list["entries"].as_array().unwrap().len(), &list["entries"][0]["code"]),
        (1, &opened["code"])
    );
    assert!(!list.to_string().contains(text(&opened["submit"])));
    let spelled = code.to_lowercase().replace('-', "%20");
    let answer = format!("/v1/entries/{spelled}:answer");
    let token = house.token(&house.owner, r#"{"name":"t","allow":["read,list,write,ingest on /"]}"#).await;
    let body = r#"{"value":"v"}"#;
    assert_eq!(post(&house, &answer, "", body).await.status, 401);
    assert_eq!(post(&house, &answer, &token, body).await.status, 403);
    let claimed = r#"{"value":"v","route":"ingest-page"}"#;
    assert_eq!(post(&house, &answer, &house.owner, claimed).await.code(), "FORBIDDEN");
    let mistyped = post(&house, "/v1/entries/7F3K-9QXN:answer", &house.owner, body).await;
    assert_eq!((mistyped.status, mistyped.code()), (400, "BAD_REQUEST".into()), "{}", mistyped.text);
    let stored = post(&house, &answer, &house.owner, body).await;
    assert_eq!((stored.status, &stored.json()["route"]), (200, &json!("answer")), "{}", stored.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_ends_the_wait_and_so_does_the_time() {
    let house = House::new().await;
    let first = post(&house, "/v1/entries", "", ENTRY).await.json();
    let second = post(&house, "/v1/entries", "", r#"{"path":"b"}"#).await.json();
    let (way, owner) = (house.unix(), house.owner.clone());
    let one = format!("/v1/entries/{}?wait=60", text(&first["id"]));
    let two = format!("/v1/entries/{}?wait=60", text(&second["id"]));
    let refuse = format!("/v1/entries/{}:refuse", text(&first["code"]));
    let (refused, done) =
        soon(async { tokio::join!(way.get(&one, ""), post(&house, &refuse, &owner, "{}")) }).await;
    assert_eq!((&refused.json()["state"], done.status), (&json!("refused"), 200));
    let expired = soon(async {
        let time = async {
            house.clock.pass(Duration::from_secs(601));
            house.engine.tick();
        };
        tokio::join!(way.get(&two, ""), time).0
    });
    assert_eq!(expired.await.json()["state"], json!("expired"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn br8_a_grant_is_shown_decided_by_the_owner_and_handed_over_once() {
    let house = House::new().await;
    house.put("deploy/a", "v").await;
    let opened = post(&house, "/v1/asks", "", ASK).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let opened = opened.json();
    let (id, claim) = (text(&opened["id"]).to_owned(), json!({"claim": opened["claim"]}).to_string());
    let collect = format!("/v1/asks/{id}:collect");
    assert_eq!(post(&house, &collect, "", &claim).await.code(), "CONFLICT", "nothing is decided");
    let seen = house.tls().get("/v1/asks", &house.owner).await.json()["asks"][0].clone();
    assert_eq!(seen["rules"], json!([{"rule": "read on deploy/", "secrets": 1}]));
    assert_eq!(
        (&seen["ttl"], &seen["maxUses"], &seen["reason"]),
        (&json!("1h"), &json!(5), &json!("preview"))
    );
    let approve = format!("/v1/asks/{}:approve", text(&opened["code"]));
    let print = text(&seen["fingerprint"]);
    let wider = json!({"fingerprint": print, "ttl": "2h"}).to_string();
    let stale = json!({"fingerprint": "0".repeat(64)}).to_string();
    let narrower = json!({"fingerprint": print, "ttl": "30m", "maxUses": 1}).to_string();
    assert_eq!(house.tls().send("POST", &approve, &house.owner, Some(&wider)).await.code(), "FORBIDDEN");
    assert_eq!(house.tls().send("POST", &approve, &house.owner, Some(&stale)).await.code(), "CONFLICT");
    let (way, owner, poll) = (house.unix(), house.owner.clone(), format!("/v1/asks/{id}?wait=60"));
    let (waited, granted) =
        soon(async { tokio::join!(way.get(&poll, ""), way.send("POST", &approve, &owner, Some(&narrower))) })
            .await;
    assert_eq!(
        (waited.json()["state"].clone(), granted.status),
        (json!("approved"), 200),
        "{}",
        granted.text
    );
    let wrong = json!({"claim": "A".repeat(43)}).to_string();
    assert_eq!(post(&house, &collect, "", &wrong).await.code(), "FORBIDDEN");
    let handed = post(&house, &collect, "", &claim).await;
    assert_eq!(handed.status, 200, "{}", handed.text);
    let handed = handed.json();
    assert_eq!(
        (&handed["metadata"]["maxUses"], &handed["metadata"]["scope"]),
        (&json!(1), &json!(["read on deploy/"]))
    );
    assert_eq!(house.tls().get("/v1/secrets/deploy/a", text(&handed["token"])).await.status, 200);
    assert_eq!(post(&house, &collect, "", &claim).await.code(), "FORBIDDEN", "once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn br8_no_asker_approves_its_own_ask_and_a_denial_is_final() {
    let house = House::new().await;
    let opened = post(&house, "/v1/asks", "", ASK).await.json();
    let seen = house.tls().get("/v1/asks", &house.owner).await.json()["asks"][0].clone();
    let body = json!({"fingerprint": seen["fingerprint"]}).to_string();
    let token = house.token(&house.owner, r#"{"name":"t","allow":["read,list,delegate on /"]}"#).await;
    for verb in ["approve", "deny"] {
        let target = format!("/v1/asks/{}:{verb}", text(&opened["id"]));
        let body = (verb == "approve").then_some(body.as_str());
        for (bearer, status) in [("", 401), (token.as_str(), 403)] {
            let (socket, tcp) = (house.unix(), house.tls());
            assert_eq!(socket.send("POST", &target, bearer, body).await.status, status, "{verb}");
            assert_eq!(tcp.send("POST", &target, bearer, body).await.status, status, "{verb}");
        }
    }
    let deny = format!("/v1/asks/{}:deny", text(&opened["code"]));
    assert_eq!(house.tls().send("POST", &deny, &house.owner, None).await.status, 200);
    let state = house.unix().get(&format!("/v1/asks/{}", text(&opened["id"])), "").await;
    assert_eq!(state.json()["state"], "denied");
    let claim = json!({"claim": opened["claim"]}).to_string();
    assert_eq!(
        post(&house, &format!("/v1/asks/{}:collect", text(&opened["id"])), "", &claim).await.code(),
        "FORBIDDEN"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_works_on_the_socket_of_a_locked_vault_and_deciding_waits_for_the_unlock() {
    let house = House::new().await;
    assert_eq!(house.tls().send("POST", "/v1/lock", &house.owner, None).await.status, 200);
    let entry = post(&house, "/v1/entries", "", ENTRY).await;
    let ask = post(&house, "/v1/asks", &house.owner, ASK).await;
    assert_eq!((entry.status, ask.status), (201, 201), "{} {}", entry.text, ask.text);
    let submit = entry.json()["submit"].clone();
    let (id, way) = (text(&entry.json()["id"]).to_owned(), house.unix());
    assert_eq!(way.get(&format!("/v1/entries/{id}"), "").await.json()["state"], "waiting");
    let value = json!({"value": "v", "submit": submit}).to_string();
    assert_eq!(post(&house, &format!("/v1/entries/{id}:answer"), "", &value).await.code(), "VAULT_LOCKED");
    assert_eq!(way.get("/v1/entries", &house.owner).await.code(), "VAULT_LOCKED");
    for body in [Some(ENTRY), None] {
        let tcp =
            house.tls().send(if body.is_some() { "POST" } else { "GET" }, "/v1/entries", "", body).await;
        assert_eq!((tcp.status, tcp.code()), (401, "UNAUTHORIZED".into()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_is_bounded_and_goes_with_the_daemon() {
    let house = House::new().await;
    let opened = post(&house, "/v1/entries", "", ENTRY).await.json();
    let (id, way) = (text(&opened["id"]).to_owned(), house.unix());
    for query in ["?wait=61", "?wait=x", "?waits=1", "?wait=1&wait=2"] {
        assert_eq!(way.get(&format!("/v1/entries/{id}{query}"), "").await.code(), "BAD_REQUEST", "{query}");
    }
    assert_eq!(
        way.get(&format!("/v1/entries/{}?wait=1", text(&opened["code"])), "").await.code(),
        "BAD_REQUEST"
    );
    // It ends with the daemon, long before its time, and before the grace would end it: that is longer than `soon`.
    let mut stream = UnixStream::connect(&house.socket).await.unwrap();
    let handle = house.handle();
    let head = format!("GET /v1/entries/{id}?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (answer, ()) = soon(async { tokio::join!(read_to_close(&mut stream), handle.stop(2 * SOON)) }).await;
    assert!(answer.is_empty() || answer.contains("UNAVAILABLE"), "{answer}");
}

async fn polling(house: &House, entry: &Value, seconds: u32) -> UnixStream {
    let id = text(&entry["id"]);
    let poll = format!("GET /v1/entries/{id}?wait={seconds} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut stream = UnixStream::connect(&house.socket).await.unwrap();
    stream.write_all(poll.as_bytes()).await.unwrap();
    stream
}

/// The status line's beginning, where one comes within a moment.
async fn answered(stream: &mut UnixStream) -> Option<String> {
    let mut first = [0; 12];
    let read = tokio::io::AsyncReadExt::read(stream, &mut first);
    let read = tokio::time::timeout(Duration::from_millis(200), read).await.ok()?.unwrap();
    (read > 0).then(|| String::from_utf8_lossy(&first).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht5_a_crowd_at_one_ticket_keeps_nobody_from_waiting_for_another() {
    let house = House::new().await;
    let one = post(&house, "/v1/entries", "", ENTRY).await.json();
    let other =
        post(&house, "/v1/entries", "", &ENTRY.replace("\"path\":\"", "\"path\":\"another/")).await.json();
    let mut crowd = Vec::new();
    for number in 0..6 {
        let mut stream = polling(&house, &one, 3).await;
        let said = answered(&mut stream).await;
        assert_eq!(said.is_some_and(|line| line == "HTTP/1.1 429"), number >= 4, "poll {number}");
        crowd.push(stream);
    }
    assert_eq!(answered(&mut polling(&house, &other, 60).await).await, None, "it waits");
    // The crowd hangs up: its places are free again, at the latest when its time is over.
    drop(crowd);
    soon(async {
        while answered(&mut polling(&house, &one, 60).await).await.is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Polls stay for their time although their clients are gone; they must not fill the house.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht5_polls_that_wait_never_keep_the_owner_out() {
    let limits = hqv_server::Limits { unix_connections: 16, ..Default::default() };
    let house = House::with(limits, crate::house::UID).await;
    let opened = post(&house, "/v1/entries", "", ENTRY).await.json();
    let poll = format!("GET /v1/entries/{}?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n", text(&opened["id"]));
    let mut crowd = Vec::new();
    let mut refused = 0;
    while refused == 0 {
        let mut stream = UnixStream::connect(&house.socket).await.unwrap();
        stream.write_all(poll.as_bytes()).await.unwrap();
        // The first that are refused answer at once; those that wait do not.
        let mut first = [0; 12];
        let read = tokio::time::timeout(
            Duration::from_millis(200),
            tokio::io::AsyncReadExt::read(&mut stream, &mut first),
        );
        if read.await.is_ok_and(|got| got.unwrap() > 0) {
            assert!(first.starts_with(b"HTTP/1.1 429"), "{}", String::from_utf8_lossy(&first));
            refused += 1;
        }
        crowd.push(stream);
        assert!(crowd.len() < 16, "polls fill the house");
    }
    assert_eq!(crowd.len(), 5, "a quarter of the places, and the one that was refused");
    assert_eq!(soon(house.unix().get("/v1/status", "")).await.status, 200);
}
