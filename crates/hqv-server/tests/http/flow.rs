//! What a client does all day, over every way in.

use crate::client::Way;
use crate::house::House;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_s_whole_life_over_each_way_in() {
    let house = House::new().await;
    let ways = [("tls", house.tls()), ("h2", house.tls_h2()), ("unix", house.unix())];
    for (name, way) in ways {
        stored_and_read(&way, name, &house.owner).await;
        copied_and_moved(&way, name, &house.owner).await;
        fetched_together_and_deleted(&way, name, &house.owner).await;
    }
}

async fn stored_and_read(way: &Way<'_>, name: &str, owner: &str) {
    let at = format!("/v1/secrets/{name}/key");
    let body = json!({"value": "s3cr\"et\n", "type": "api-key", "description": "d", "tags": {"k": "v"}});
    let put = way.send("PUT", &at, owner, Some(&body.to_string())).await;
    let answer = put.json();
    assert_eq!((put.status, &answer["version"], &answer["bytes"]), (201, &json!(1), &json!(8)));
    let got = way.get(&at, owner).await.json();
    assert_eq!((&got["value"], &got["metadata"]["type"]), (&json!("s3cr\"et\n"), &json!("api-key")));
    let encoded = way.get(&format!("/v1/secrets/{name}%2Fkey"), owner).await;
    assert_eq!(encoded.json(), got);
    let list = way.get(&format!("/v1/secrets?prefix={name}"), owner).await;
    assert_eq!(list.json()["entries"][0]["path"], format!("{name}/key"));
    assert!(!list.text.contains("s3cr"));
    let show = way.get(&format!("/v1/metadata/{name}/key"), owner).await;
    assert_eq!(show.json()["versions"].as_array().map(Vec::len), Some(1));
    assert!(!show.text.contains("s3cr"));
}

async fn copied_and_moved(way: &Way<'_>, name: &str, owner: &str) {
    let ends = |from: &str, to: &str| {
        json!({"from": format!("{name}/{from}"), "to": format!("{name}/{to}")}).to_string()
    };
    let copy = way.send("POST", "/v1/secrets:copy", owner, Some(&ends("key", "copy"))).await;
    assert_eq!(copy.status, 200, "{}", copy.text);
    let again = way.send("POST", "/v1/secrets:copy", owner, Some(&ends("key", "copy"))).await;
    assert_eq!((again.status, again.code()), (409, "ALREADY_EXISTS".into()));
    let moved = way.send("POST", "/v1/secrets:move", owner, Some(&ends("copy", "moved"))).await;
    assert_eq!(moved.json()["path"], format!("{name}/moved"));
}

async fn fetched_together_and_deleted(way: &Way<'_>, name: &str, owner: &str) {
    let prefix = json!({ "prefix": name }).to_string();
    let batch = way.send("POST", "/v1/secrets:batch", owner, Some(&prefix)).await;
    assert_eq!(batch.json()["secrets"].as_array().map(Vec::len), Some(2), "{}", batch.text);
    let paths = json!({"paths": [format!("{name}/moved"), format!("{name}/none")]}).to_string();
    let batch = way.send("POST", "/v1/secrets:batch", owner, Some(&paths)).await;
    assert_eq!((batch.status, batch.code()), (404, "NOT_FOUND".into()));
    let at = format!("/v1/secrets/{name}/key");
    let gone = way.send("DELETE", &at, owner, None).await;
    assert_eq!((gone.status, &gone.json()["versionsKept"]), (200, &json!(1)));
    assert_eq!(way.get(&at, owner).await.code(), "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_decide_over_the_wire() {
    let house = House::new().await;
    let (way, owner) = (house.tls(), house.owner.as_str());
    let body = json!({"value": "1"}).to_string();
    let put = |headers: &'static [(&'static str, &'static str)]| {
        let (way, body) = (&way, body.as_str());
        async move { way.with("PUT", "/v1/secrets/a", owner, headers, Some(body)).await }
    };
    assert_eq!(put(&[("if-match", "\"1\"")]).await.code(), "CONFLICT");
    assert_eq!(put(&[("if-none-match", "*")]).await.status, 201);
    assert_eq!(put(&[("if-none-match", "*")]).await.code(), "ALREADY_EXISTS");
    assert_eq!(put(&[("if-match", "\"1\"")]).await.json()["version"], 2);
    assert_eq!(put(&[("if-match", "\"1\"")]).await.code(), "CONFLICT");
    assert_eq!(put(&[("if-match", "1")]).await.code(), "BAD_REQUEST");
    assert_eq!(way.get("/v1/secrets/a?version=1", owner).await.json()["version"], 1);
    assert_eq!(way.get("/v1/secrets/a?version=9", owner).await.code(), "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in3_every_byte_comes_back() {
    let house = House::new().await;
    let (way, owner) = (house.tls(), house.owner.as_str());
    // 0 to 255, base64 by hand of the test's own making.
    let every = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+AgYKDhIWGh4iJiouMjY6PkJGSk5SVlpeYmZqbnJ2en6ChoqOkpaanqKmqq6ytrq+wsbKztLW2t7i5uru8vb6/wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t/g4eLj5OXm5+jp6uvs7e7v8PHy8/T19vf4+fr7/P3+/w==";
    let body = json!({"value": every, "encoding": "base64"}).to_string();
    assert_eq!(way.send("PUT", "/v1/secrets/bytes", owner, Some(&body)).await.json()["bytes"], 256);
    let got = way.get("/v1/secrets/bytes", owner).await.json();
    assert_eq!((got["value"].as_str(), got["encoding"].as_str()), (Some(every), Some("base64")));
    let control = "\\u0001".repeat(1 << 20);
    let put = |value: String| {
        let way = &way;
        async move { way.send("PUT", "/v1/secrets/big", owner, Some(&format!("{{\"value\":\"{value}\"}}"))).await }
    };
    let full = put(control.clone()).await;
    assert_eq!((full.status, full.json()["bytes"].as_u64()), (201, Some(1 << 20)));
    let got = way.get("/v1/secrets/big", owner).await.json();
    assert!(
        got["value"].as_str().unwrap().bytes().all(|b| b == 1)
            && got["value"].as_str().unwrap().len() == 1 << 20
    );
    assert_eq!(put(format!("{control}x")).await.code(), "TOO_LARGE");
    assert_eq!(
        way.get("/v1/metadata/big", owner).await.json()["version"],
        1,
        "the refused one left no trace"
    );
    assert_eq!(put(String::new()).await.json()["bytes"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tk1_a_limited_token_is_exact_over_the_wire() {
    let house = House::new().await;
    house.put("a", "v").await;
    let token = house.token(&house.owner, r#"{"name":"t","max_uses":10}"#).await;
    let house = std::sync::Arc::new(house);
    let tasks: Vec<_> = (0..30)
        .map(|n| {
            let (house, token) = (house.clone(), token.clone());
            tokio::spawn(async move {
                let way = if n % 2 == 0 { house.tls() } else { house.unix() };
                way.get("/v1/secrets/a", &token).await
            })
        })
        .collect();
    let mut given = 0;
    for task in tasks {
        let reply = task.await.unwrap();
        match reply.status {
            200 => given += 1,
            _ => assert_eq!(reply.code(), "TOKEN_EXHAUSTED"),
        }
    }
    assert_eq!(given, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_and_sessions_are_managed_over_the_wire() {
    let house = House::new().await;
    let (way, owner) = (house.tls(), house.owner.as_str());
    let parent =
        house.token(owner, r#"{"name":"orchestrator","ttl":"2h","allow":["read,delegate on /"]}"#).await;
    let child = house
        .token(&parent, r#"{"name":"worker-1","ttl":"1h","maxUses":5,"paths":["a/"],"can":["read"]}"#)
        .await;
    let me = way.get("/v1/tokens/self", &child).await.json();
    assert_eq!(
        (me["kind"].as_str(), me["token"]["ancestry"].as_str()),
        (Some("token"), Some("orchestrator/worker-1"))
    );
    let listed = way.get("/v1/tokens", &parent).await;
    assert!(listed.text.contains("worker-1") && !listed.text.contains(&child[..20]));
    let shown = way.get("/v1/tokens/orchestrator%2Fworker-1", owner).await;
    assert_eq!(shown.json()["maxUses"], 5, "{}", shown.text);
    let ended = way.send("DELETE", "/v1/tokens/self", &child, None).await;
    assert_eq!(ended.status, 200, "{}", ended.text);
    assert_eq!(way.get("/v1/tokens/self", &child).await.code(), "TOKEN_REVOKED");
    let ended = way.send("DELETE", "/v1/tokens/orchestrator", owner, None).await.json();
    assert_eq!((ended["ok"].as_bool(), ended["ancestry"].as_str()), (Some(true), Some("orchestrator")));
    assert_eq!(way.get("/v1/tokens/self", owner).await.json()["kind"], "owner");
    let sessions = way.get("/v1/sessions", owner).await.json();
    assert_eq!(sessions["sessions"].as_array().map(Vec::len), Some(1));
    assert_eq!(way.send("DELETE", "/v1/sessions/self", owner, None).await.status, 200);
    assert_eq!(way.get("/v1/sessions", owner).await.code(), "UNAUTHORIZED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_changed_all_or_none() {
    let house = House::new().await;
    let (way, owner) = (house.tls(), house.owner.as_str());
    let patch = |body: &'static str| {
        let way = &way;
        async move { way.send("PATCH", "/v1/settings", owner, Some(body)).await }
    };
    assert_eq!(patch(r#"{"idle-timeout":"60","token.ttl":"91d"}"#).await.code(), "BAD_REQUEST");
    assert_eq!(patch(r#"{"colour":"red"}"#).await.code(), "BAD_REQUEST");
    assert_eq!(patch(r#"{"a":"1","a":"2"}"#).await.code(), "BAD_REQUEST");
    let find = |reply: &crate::client::Reply, key: &str| {
        reply.json()["settings"].as_array().unwrap().iter().find(|s| s["key"] == key).unwrap().clone()
    };
    assert_eq!(find(&way.get("/v1/settings", owner).await, "idle-timeout")["value"], "30");
    let changed = patch(r#"{"idle-timeout":"0","hostnames":"other.internal"}"#).await;
    assert_eq!(find(&changed, "idle-timeout")["weakens"], true, "{}", changed.text);
    let by_new_name = way.with("GET", "/v1/status", owner, &[("host", "other.internal")], None).await;
    assert_eq!(by_new_name.status, 400, "two Host headers");
    assert_eq!(find(&patch(r#"{"idle-timeout":null}"#).await, "idle-timeout")["source"], "default");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_open_calls_need_nothing_and_say_nothing() {
    let house = House::new().await;
    for way in [house.tls(), house.unix()] {
        assert_eq!(way.get("/v1/health", "").await.status, 200);
        assert_eq!(way.get("/v1/ca", "").await.text, "the CA");
        assert_eq!(way.get("/v1/openapi.json", "").await.json()["openapi"], "3.1.0");
        // A credential is not looked at there, whatever it is.
        assert_eq!(way.get("/v1/health", "nonsense").await.status, 200);
    }
    let status = house.unix().get("/v1/status", "").await.json();
    assert_eq!((status["locked"].as_bool(), status["version"].as_str()), (Some(false), Some("9.9.9")));
    assert!(
        status.get("secretCount").is_none() && status["port"].as_u64() == Some(house.address().port().into())
    );
    assert_eq!(house.unix().get("/v1/status", &house.owner).await.json()["secretCount"], 0);
    assert_eq!(house.tls().get("/v1/status", "").await.code(), "UNAUTHORIZED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_named_and_not_to_be_kept() {
    let house = House::new().await;
    let mut ids = std::collections::BTreeSet::new();
    for (method, target) in
        [("GET", "/v1/health"), ("GET", "/v1/secrets/a"), ("GET", "/nowhere"), ("HEAD", "/v1/ca")]
    {
        let reply = house.tls().send(method, target, "", None).await;
        assert_eq!(reply.headers["cache-control"], "no-store", "{target}");
        assert!(reply.headers.get("server").is_none());
        assert!(!reply.headers.keys().any(|name| name.as_str().starts_with("access-control")));
        let id = reply.headers["x-request-id"].to_str().unwrap().to_owned();
        if reply.status >= 400 && method != "HEAD" {
            assert_eq!(reply.json()["requestId"], id);
        }
        assert!(ids.insert(id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_is_read_verified_and_proven_over_the_wire() {
    let house = House::new().await;
    house.put("a", "v").await;
    let (way, owner) = (house.tls(), house.owner.as_str());
    let token = house.token(owner, r#"{"name":"reader"}"#).await;
    let _ = way
        .with("GET", "/v1/secrets/a", &token, &[("x-hqv-claim", "run"), ("x-hqv-reason", "a%20b")], None)
        .await;
    let page = way.get("/v1/audit?operation=get&limit=1", owner).await.json();
    let record = &page["records"][0];
    assert_eq!(
        (record["identity"]["name"].as_str(), record["claim"].as_str(), record["reason"].as_str()),
        (Some("reader"), Some("run"), Some("a b"))
    );
    assert_eq!(record["source"], "127.0.0.1");
    let first = way.get("/v1/audit?limit=2", owner).await.json();
    let before = first["next"].as_u64().unwrap();
    let second = way.get(&format!("/v1/audit?limit=2&before={before}"), owner).await.json();
    assert!(second["records"][0]["sequence"].as_u64().unwrap() < before);
    for bad in
        ["operation=fly", "outcome=maybe", "limit=0", "limit=1001", "follow=1", "since=banana", "colour=red"]
    {
        assert_eq!(way.get(&format!("/v1/audit?{bad}"), owner).await.code(), "BAD_REQUEST", "{bad}");
    }
    let report = way.send("POST", "/v1/audit:verify", owner, None).await.json();
    assert_eq!(
        (report["ok"].as_bool(), report["level"].as_str()),
        (Some(true), Some("everything")),
        "{report}"
    );
    let key = way.get("/v1/audit/public-key", owner).await.json();
    assert_eq!(key["publicKey"].as_str().map(str::len), Some(64));
    let point = way.send("POST", "/v1/audit:checkpoint", owner, None).await.json();
    assert!(point["sequence"].as_u64().unwrap() > 0 && !point["checkpoint"].as_str().unwrap().is_empty());
}
