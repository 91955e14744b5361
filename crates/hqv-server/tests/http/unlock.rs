//! Passphrases over the wire: right ones open, wrong ones are counted, and nobody locks anybody else out.

use crate::house::{House, PASSPHRASE};
use serde_json::json;
use std::sync::Arc;

fn body(passphrase: &str) -> String {
    json!({ "passphrase": passphrase }).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cr6_wrong_passphrases_are_limited_and_others_are_served() {
    let house = Arc::new(House::new().await);
    house.put("a", "v").await;
    let wrong = body("wrong horse battery");
    let tries: Vec<_> = (0..100)
        .map(|_| {
            let (house, wrong) = (house.clone(), wrong.clone());
            tokio::spawn(async move { house.unix().send("POST", "/v1/unlock", "", Some(&wrong)).await })
        })
        .collect();
    assert_eq!(
        house.tls().get("/v1/secrets/a", &house.owner).await.status,
        200,
        "a reader is not kept waiting"
    );
    let (mut denied, mut limited) = (0, 0);
    for one in tries {
        let reply = one.await.unwrap();
        match reply.status {
            401 => denied += 1,
            429 => {
                limited += 1;
                assert!(reply.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
            }
            other => panic!("{other}: {}", reply.text),
        }
    }
    assert!(denied <= 10 && denied + limited == 100, "{denied} were tried");
    // Each that was tried stands in the record.
    let page = house.tls().get("/v1/audit?operation=unlock&outcome=denied&limit=1000", &house.owner).await;
    assert_eq!(page.json()["records"].as_array().map(Vec::len), Some(denied));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cr6_the_right_one_opens_after_the_wait_and_costs_no_try() {
    let house = House::new().await;
    let way = house.unix();
    for _ in 0..15 {
        let opened = way.send("POST", "/v1/sessions", "", Some(&body(PASSPHRASE))).await;
        assert_eq!(opened.status, 201, "{}", opened.text);
        let session = opened.json()["session"].as_str().unwrap().to_owned();
        assert_eq!(way.get("/v1/tokens/self", &session).await.json()["kind"], "owner");
    }
    for _ in 0..10 {
        assert_eq!(way.send("POST", "/v1/unlock", "", Some(&body("wrong"))).await.code(), "UNAUTHORIZED");
    }
    assert_eq!(way.send("POST", "/v1/unlock", "", Some(&body(PASSPHRASE))).await.code(), "RATE_LIMITED");
    house.clock.pass(std::time::Duration::from_secs(5));
    assert_eq!(way.send("POST", "/v1/unlock", "", Some(&body(PASSPHRASE))).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unlock_and_sessions_are_off_over_tcp_until_the_owner_says_so() {
    let house = House::new().await;
    let owner = house.owner.as_str();
    for target in ["/v1/unlock", "/v1/sessions"] {
        assert_eq!(
            house.tls().send("POST", target, "", Some(&body(PASSPHRASE))).await.code(),
            "FORBIDDEN",
            "{target}"
        );
    }
    assert_eq!(
        house.unix().send("PATCH", "/v1/settings", owner, Some(r#"{"remote-admin":"true"}"#)).await.status,
        200
    );
    assert_eq!(house.tls().send("POST", "/v1/unlock", "", Some(&body(PASSPHRASE))).await.status, 200);
    // Guesses over TCP use up TCP's own tries, never the socket's.
    for _ in 0..10 {
        assert_eq!(
            house.tls().send("POST", "/v1/unlock", "", Some(&body("wrong"))).await.code(),
            "UNAUTHORIZED"
        );
    }
    assert_eq!(house.tls().send("POST", "/v1/unlock", "", Some(&body("wrong"))).await.code(), "RATE_LIMITED");
    assert_eq!(house.unix().send("POST", "/v1/unlock", "", Some(&body(PASSPHRASE))).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_tokens_however_many_keep_no_right_one_out() {
    let house = House::new().await;
    let other = House::new().await;
    let stranger = other.token(&other.owner, r#"{"name":"t"}"#).await;
    for _ in 0..50 {
        assert_eq!(house.tls().get("/v1/status", &stranger).await.status, 401);
    }
    assert_eq!(house.tls().get("/v1/status", &house.owner).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unlock_takes_exactly_one_secret() {
    let house = House::new().await;
    let way = house.unix();
    for wrong in [
        r#"{}"#,
        r#"{"passphrase":"a","recoveryKey":"b"}"#,
        r#"{"recoveryKey":"HQVR-nonsense"}"#,
        r#"{"passphrase":7}"#,
        r#"{"password":"a"}"#,
    ] {
        let reply = way.send("POST", "/v1/unlock", "", Some(wrong)).await;
        assert_eq!((reply.status, reply.code()), (400, "BAD_REQUEST".into()), "{wrong}: {}", reply.text);
    }
    let empty = way.send("POST", "/v1/sessions", "", Some(&body(""))).await;
    assert!(empty.status == 400 || empty.status == 401, "{}", empty.text);
}
