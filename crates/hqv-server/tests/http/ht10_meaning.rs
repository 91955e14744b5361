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
