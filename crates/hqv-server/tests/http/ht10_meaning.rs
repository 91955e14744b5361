//! One meaning for each method and spelling.

use crate::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht10_methods_head_and_spellings_have_one_meaning() {
    let house = House::new().await;
    house.put("a/b", "v").await;
    let token = house.token(&house.owner, r#"{"name":"t","max_uses":3}"#).await;
    let way = house.tls();
    for (method, target, allow) in [
        ("POST", "/v1/secrets/a/b", "GET, PUT, DELETE"),
        ("PATCH", "/v1/secrets/a/b", "GET, PUT, DELETE"),
        ("GET", "/v1/unlock", "POST"),
        ("GET", "/v1/secrets:batch", "POST"),
        ("DELETE", "/v1/status", "GET"),
        ("OPTIONS", "/v1/status", "GET"),
        ("TRACE", "/v1/status", "GET"),
        ("BREW", "/v1/status", "GET"),
    ] {
        let reply = way.send(method, target, &token, None).await;
        assert_eq!(
            (reply.status, reply.headers["allow"].to_str().unwrap()),
            (405, allow),
            "{method} {target}"
        );
        assert_eq!(reply.code(), "BAD_REQUEST");
    }
    let head = way.send("HEAD", "/v1/secrets/a/b", &token, None).await;
    assert_eq!((head.status, head.text.as_str()), (405, ""));
    for same in ["/v1/secrets/a/b", "/v1/secrets/a%2Fb", "/v1/secrets/%61%2fb"] {
        assert_eq!(way.get(same, &token).await.json()["path"], "a/b", "{same}");
    }
    // Three reads were three uses: HEAD and the refused methods spent none.
    assert_eq!(way.get("/v1/secrets/a/b", &token).await.code(), "TOKEN_EXHAUSTED");
    let owner = house.owner.as_str();
    assert_eq!(way.get("/v1/secrets/a/b/", owner).await.code(), "BAD_REQUEST");
    assert_eq!(way.get("/v1/secrets/a%252Fb", owner).await.code(), "NOT_FOUND", "decoded once, never twice");
    for target in ["/v1/status/", "/v1/tokens/", "/v1//status", "/V1/status", "/v1/unknown", "/v1"] {
        assert_eq!(way.get(target, owner).await.status, 404, "{target}");
    }
}

/// What nothing can be is refused with code and sentence, changes nothing, and stands in the record under its name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tk4_a_token_that_makes_no_sense_is_refused_and_the_refusal_recorded() {
    let house = House::new().await;
    let boss =
        house.token(&house.owner, r#"{"name":"boss","allow":["read,delegate on a/"],"max_uses":5}"#).await;
    let way = house.tls();
    let recorded = async || {
        let reply = way.get("/v1/audit?operation=token-create&outcome=failed&limit=1000", &house.owner).await;
        reply.json()["records"].as_array().unwrap().clone()
    };
    for (number, (body, words)) in [
        (r#"{"name":"w","allow":["on a/"]}"#, "rule"),
        (r#"{"name":"w","allow":[" on a/"]}"#, "capabilit"),
        (r#"{"name":"w","allow":["* on a/"]}"#, "capabilit"),
        (r#"{"name":"w","paths":["a/"],"can":[]}"#, "can is empty"),
        (r#"{"name":"w","paths":["a/"],"can":["*"]}"#, "capabilit"),
        (r#"{"name":"w","can":["read"],"allow":["read on a/b"]}"#, "beside allow"),
        (r#"{"name":"w","max_uses":0}"#, "0"),
        (r#"{"name":"w","max_uses":1,"reserve":0}"#, "0"),
        (r#"{"name":"w","reserve":1}"#, "max_uses"),
        (r#"{"name":"w","max_uses":1,"reserve":2}"#, "more than max_uses"),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = way.send("POST", "/v1/tokens", &boss, Some(body)).await;
        assert_eq!((reply.status, reply.code()), (400, "BAD_REQUEST".into()), "{body}: {}", reply.text);
        let said = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(said.contains(words), "{body}: {said}");
        let lines = recorded().await;
        assert_eq!(lines.len(), number + 1, "{body}");
        let newest = lines.iter().max_by_key(|line| line["sequence"].as_u64()).unwrap();
        assert_eq!((&newest["identity"]["name"], &newest["code"]), (&"boss".into(), &"BAD_REQUEST".into()));
        assert_eq!(newest["detail"].as_str(), Some(said.as_str()));
    }
    let family = way.get("/v1/tokens", &boss).await.json();
    assert_eq!(family["tokens"].as_array().unwrap().len(), 0, "{family}");
    // Nobody's nonsense is counted and not told apart from anything else.
    let stranger = format!("hqv_{}", "A".repeat(71));
    let reply = way.send("POST", "/v1/tokens", &stranger, Some(r#"{"name":"w","max_uses":0}"#)).await;
    assert_eq!(reply.status, 401);
    assert_eq!(recorded().await.len(), 10);
}
