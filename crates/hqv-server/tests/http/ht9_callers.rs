//! Every endpoint, asked by everybody: exactly the refusal that the contract says.

use crate::house::House;
use hqv_api::routes::by_id;
use hqv_api::{Needs, ROUTES, Route};
use std::time::Duration;

/// A request that would succeed for the owner, or at least reach its handler.
fn target(route: &Route) -> String {
    let path = route.path.replace("{path}", "a/b").replace("{token}", "worker").replace("{session}", "self");
    let path = if route.id == "tokenExplain" { format!("{path}?path=a/b") } else { path };
    path.replace("{entry}", "ent_00000000000000000000000000")
        .replace("{ask}", "ask_00000000000000000000000000")
}

fn body(route: &Route) -> Option<&'static str> {
    Some(match route.id {
        "init" | "unlock" | "sessionCreate" => r#"{"passphrase":"wrong horse battery"}"#,
        "put" => r#"{"value":"v"}"#,
        "batch" => r#"{"paths":["a/b"]}"#,
        "import" => r#"{"secrets":[{"path":"a/new","value":"v"}]}"#,
        "move" | "copy" => r#"{"from":"a/b","to":"c/d"}"#,
        "tokenCreate" | "tokenPlan" => r#"{"name":"child"}"#,
        "entryCreate" => r#"{"path":"a/new"}"#,
        "entryAnswer" => r#"{"value":"v"}"#,
        "entryAbout" | "entryRefuse" => "{}",
        "askCreate" => r#"{"paths":["a/"],"reason":"r"}"#,
        "askCollect" => r#"{"claim":"c"}"#,
        "tokenRenew" => r#"{"ttl":"2h"}"#,
        "askApprove" => r#"{"fingerprint":"f"}"#,
        "settingsChange" => r#"{"idle-timeout":"60"}"#,
        _ => return None,
    })
}

async fn ask(house: &House, route: &Route, bearer: &str) -> (u16, String) {
    let reply = house.tls().send(route.method.as_str(), &target(route), bearer, body(route)).await;
    let code = if reply.status >= 400 { reply.code() } else { String::new() };
    (reply.status, code)
}

/// Open to everybody, or off over TCP altogether: no credential decides there.
fn decided_by_credential(route: &&Route) -> bool {
    !matches!(route.needs, Needs::Nothing | Needs::SocketPeer | Needs::PeerOrRemoteAdmin)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht9_nobody_wrong_and_ended_ones_are_401_everywhere() {
    let house = House::new().await;
    house.put("a/b", "v").await;
    let other = House::new().await;
    let owner = house.owner.clone();
    let expired = house.token(&owner, r#"{"name":"expired","ttl":"1s"}"#).await;
    let revoked = house.token(&owner, r#"{"name":"revoked"}"#).await;
    house.clock.pass(Duration::from_secs(2));
    assert_eq!(house.tls().send("DELETE", "/v1/tokens/revoked", &owner, None).await.status, 200);
    let stranger = other.token(&other.owner, r#"{"name":"stranger"}"#).await;
    let frozen = house.token(&owner, r#"{"name":"frozen"}"#).await;
    assert_eq!(house.tls().send("POST", "/v1/tokens/frozen:freeze", &owner, None).await.status, 200);
    for route in ROUTES.iter().filter(decided_by_credential) {
        for (bearer, code) in [
            (&frozen[..], "TOKEN_REVOKED"),
            ("", "UNAUTHORIZED"),
            ("nonsense", "UNAUTHORIZED"),
            (&stranger[..], "UNAUTHORIZED"),
            (&other.owner[..], "UNAUTHORIZED"),
            (&expired[..], "TOKEN_EXPIRED"),
            (&revoked[..], "TOKEN_REVOKED"),
        ] {
            assert_eq!(
                ask(&house, route, bearer).await,
                (401, code.to_owned()),
                "{} as {bearer:.8}",
                route.id
            );
        }
    }
    assert_eq!(house.unix().get("/v1/status", "").await.json()["locked"], false, "none of it had an effect");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht9_a_token_without_the_right_is_403_and_learns_nothing() {
    let house = House::new().await;
    house.put("a/b", "v").await;
    let owner = house.owner.clone();
    let worker = house.token(&owner, r#"{"name":"worker","allow":["read,list on z/"]}"#).await;
    let _sibling = house.token(&owner, r#"{"name":"sibling"}"#).await;
    for route in ROUTES.iter().filter(decided_by_credential).filter(|r| !r.id.starts_with("tokenRevoke")) {
        let (status, code) = ask(&house, route, &worker).await;
        match route.id {
            "tokenSelf" | "status" | "tokenShow" | "tokenExplain" | "tokenTree" | "list" => {
                assert_eq!(status, 200, "{}", route.id)
            }
            // Asking is open to every token; a ticket that is not its own is not there.
            "askCreate" => assert_eq!(status, 201),
            "entryState" | "askState" | "askCollect" => {
                assert_eq!((status, code.as_str()), (404, "NOT_FOUND"), "{}", route.id);
            }
            _ => assert_eq!((status, code.as_str()), (403, "FORBIDDEN"), "{}", route.id),
        }
    }
    let (status, _) = ask(&house, by_id("tokenRevokeSelf").unwrap(), &worker).await;
    assert_eq!(status, 200, "every token may revoke itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht9_paths_cannot_be_probed() {
    let house = House::new().await;
    house.put("a/b", "v").await;
    let worker = house
        .token(&house.owner, r#"{"name":"worker","paths":["z/"],"can":["read","list","write","delete"]}"#)
        .await;
    let way = house.tls();
    for path in ["a/b", "a/none"] {
        assert_eq!(way.get(&format!("/v1/secrets/{path}"), &worker).await.code(), "FORBIDDEN", "{path}");
        assert_eq!(way.get(&format!("/v1/metadata/{path}"), &worker).await.code(), "FORBIDDEN", "{path}");
    }
    for (method, target) in
        [("GET", "/v1/secrets/z/none"), ("GET", "/v1/metadata/z/none"), ("DELETE", "/v1/secrets/z/none")]
    {
        assert_eq!(way.send(method, target, &worker, None).await.code(), "NOT_FOUND", "{method} {target}");
    }
    // Another family's token, by a name that exists and by one that does not.
    let _other = house.token(&house.owner, r#"{"name":"other"}"#).await;
    let boss = house.token(&house.owner, r#"{"name":"boss","allow":["read,delegate on z/"]}"#).await;
    for (method, verb) in [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", ":freeze"),
        ("POST", ":thaw"),
        ("POST", ":renew"),
        ("GET", "/tree"),
        ("GET", "/explain?path=z/a"),
    ] {
        for who in [&worker, &boss] {
            let body = (verb == ":renew").then_some("{}");
            let other = way.send(method, &format!("/v1/tokens/other{verb}"), who, body).await;
            let nobody = way.send(method, &format!("/v1/tokens/absent{verb}"), who, body).await;
            assert!([403, 404].contains(&other.status), "{method} {verb}: {}", other.text);
            assert_eq!((other.status, other.code()), (nobody.status, nobody.code()), "the two answer alike");
        }
    }
    for (verb, body) in [(":freeze", None), (":thaw", None), (":renew", Some("{}"))] {
        let own = way.send("POST", &format!("/v1/tokens/boss{verb}"), &boss, body).await;
        assert_eq!((own.status, own.code()), (403, "FORBIDDEN".into()), "{verb} of itself");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht9_an_exhausted_token_is_401_where_a_use_is_needed() {
    let house = House::new().await;
    house.put("a/b", "v").await;
    let token = house
        .token(&house.owner, r#"{"name":"worker","max_uses":1,"allow":["read,list,write,delete on /"]}"#)
        .await;
    assert_eq!(house.tls().get("/v1/secrets/a/b", &token).await.status, 200);
    for route in ROUTES.iter().filter(|r| ["get", "batch", "copy", "move"].contains(&r.id)) {
        assert_eq!(ask(&house, route, &token).await, (401, "TOKEN_EXHAUSTED".into()), "{}", route.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht9_on_the_socket_a_peer_has_what_the_contract_gives_and_no_more() {
    let house = House::new().await;
    for route in ROUTES {
        let way = house.unix();
        let reply = way.send(route.method.as_str(), &target(route), "", body(route)).await;
        match route.needs {
            Needs::Nothing => assert!(reply.status < 400, "{}: {}", route.id, reply.text),
            Needs::PeerOrCredential => match route.id {
                "entryCreate" | "askCreate" => assert_eq!(reply.status, 201, "{}", reply.text),
                // Reached: nothing like it is there. What the owner decides needs the owner.
                "entryState" | "askState" | "askCollect" => {
                    assert_eq!(reply.code(), "NOT_FOUND", "{}", route.id)
                }
                "entryAbout" | "entryAnswer" | "entryRefuse" => {
                    assert_eq!((reply.status, reply.code()), (401, "UNAUTHORIZED".into()), "{}", route.id);
                }
                _ => assert_eq!(reply.status, 200, "{}", route.id),
            },
            // Reached, and refused for what it brought: there is a vault; the passphrase is wrong.
            Needs::SocketPeer => assert_eq!(reply.code(), "ALREADY_EXISTS"),
            Needs::PeerOrRemoteAdmin => assert_eq!(reply.code(), "UNAUTHORIZED", "{}", route.id),
            Needs::Credential | Needs::PeerWhileLocked => {
                assert_eq!((reply.status, reply.code()), (401, "UNAUTHORIZED".into()), "{}", route.id)
            }
        }
    }
    for route in ROUTES.iter().filter(|r| r.needs == Needs::SocketPeer || r.needs == Needs::PeerOrRemoteAdmin)
    {
        let (status, code) = ask(&house, route, "").await;
        assert_eq!((status, code.as_str()), (403, "FORBIDDEN"), "{} over TCP", route.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ht9_nobody_learns_no_more_from_a_request_that_is_wrong_too() {
    let house = House::new().await;
    for (method, target, body) in [
        ("GET", "/v1/secrets/a//b", None),
        ("GET", "/v1/secrets?limit=0", None),
        ("GET", "/v1/audit?colour=red", None),
        ("DELETE", "/v1/tokens/%00", None),
        ("PUT", "/v1/secrets/a", Some("{")),
        ("POST", "/v1/secrets:batch", Some("[]")),
    ] {
        for way in [house.tls(), house.unix()] {
            let reply = way.send(method, target, "", body).await;
            assert_eq!((reply.status, reply.code()), (401, "UNAUTHORIZED".into()), "{method} {target}");
        }
    }
}
