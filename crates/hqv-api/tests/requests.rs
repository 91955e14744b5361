//! What requests accept and refuse, and the names that answers bear.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;

use hqv_api::{
    AskApproveRequest, AskCollectRequest, AskRequest, AuditQuery, BatchRequest, DeleteQuery, EntryAnswer,
    EntryAnswerRequest, EntryProof, EntryRequest, EntrySealed, ErrorBody, GetQuery, InitRequest, JsonBody,
    ListQuery, PutRequest, SessionRequest, SettingsPatch, StatusAnswer, TokenListQuery, TokenMetadata,
    TokenRenewRequest, TokenRequest, TransferRequest, UnlockRequest, WaitQuery,
};
use hqv_model::{Error, SecretText};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn refused<T: DeserializeOwned>(text: &str) -> String {
    match serde_json::from_str::<T>(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn ht3_unknown_fields_are_refused_by_every_request() {
    refused::<PutRequest>(r#"{"value":"v","x":1}"#);
    refused::<BatchRequest>(r#"{"paths":[],"x":1}"#);
    refused::<TransferRequest>(r#"{"from":"a","to":"b","x":1}"#);
    refused::<TokenRequest>(r#"{"name":"n","uses":1}"#);
    refused::<TokenRenewRequest>(r#"{"until":"1h"}"#);
    refused::<SessionRequest>(r#"{"passphrase":"p","x":1}"#);
    refused::<InitRequest>(r#"{"passphrase":"p","x":1}"#);
    refused::<UnlockRequest>(r#"{"passphrase":"p","x":1}"#);
    refused::<EntryRequest>(r#"{"path":"a","value":"v"}"#);
    refused::<EntryAnswerRequest>(r#"{"value":"v","code":"7F3K-9QXM"}"#);
    refused::<EntryProof>(r#"{"token":"x"}"#);
    refused::<EntrySealed>(r#"{"enc":"e","ciphertext":"c","value":"v"}"#);
    refused::<AskRequest>(r#"{"reason":"r","approve":true}"#);
    refused::<AskCollectRequest>(r#"{"claim":"c","x":1}"#);
    refused::<AskApproveRequest>(r#"{"fingerprint":"f","can":["write"]}"#);
}

#[test]
fn ht3_duplicate_keys_are_refused_in_fields_and_in_open_objects() {
    refused::<PutRequest>(r#"{"value":"a","value":"b"}"#);
    refused::<PutRequest>(r#"{"value":"a","tags":{"k":"1","k":"2"}}"#);
    refused::<TokenRequest>(r#"{"name":"n","max_uses":1,"maxUses":2}"#);
    refused::<SettingsPatch>(r#"{"idle-timeout":"5","idle-timeout":"0"}"#);
    refused::<BatchRequest>(r#"{"prefix":"a","prefix":"b"}"#);
    refused::<EntrySealed>(r#"{"enc":"e","enc":"e","ciphertext":"c"}"#);
    refused::<AskRequest>(r#"{"max_uses":1,"maxUses":2}"#);
    refused::<AskApproveRequest>(r#"{"fingerprint":"a","fingerprint":"b"}"#);
}

#[test]
fn ht3_wrong_shapes_are_refused() {
    for text in
        ["", "[]", "null", "7", "\"x\"", "{", r#"{"value":"v"} x"#, r#"{"value":7}"#, r#"{"type":"other"}"#]
    {
        refused::<PutRequest>(text);
    }
    refused::<PutRequest>(r#"{"value":"v","encoding":"hex"}"#);
    refused::<PutRequest>(r#"{"value":"v","tags":null}"#);
    refused::<PutRequest>(r#"{"value":"v","tags":{"k":1}}"#);
    refused::<BatchRequest>(r#"{"paths":"a"}"#);
    let deep = format!(r#"{{"value":{}"#, "[".repeat(100_000));
    refused::<PutRequest>(&deep);
}

#[test]
fn ht3_invalid_utf8_is_refused() {
    assert!(serde_json::from_slice::<PutRequest>(b"{\"value\":\"\xFF\"}").is_err());
    assert!(serde_json::from_slice::<PutRequest>(b"{\"value\":\"v\",\"description\":\"\xFF\"}").is_err());
}

#[test]
fn in2_numbers_and_durations_of_a_token() {
    for bad in ["-1", "1.5", "1e30", "\"5\"", "18446744073709551616"] {
        refused::<TokenRequest>(&format!(r#"{{"name":"n","max_uses":{bad}}}"#));
    }
    let sentence = refused::<TokenRequest>(r#"{"name":"n","ttl":3600}"#);
    assert!(sentence.contains("such as \"1h\""), "{sentence}");
    refused::<TokenRequest>(r#"{"name":"n","ttl":["1h"]}"#);
}

#[test]
fn both_spellings_of_max_uses_are_read_and_one_is_written() {
    for text in [r#"{"name":"n","ttl":"1h","max_uses":20}"#, r#"{"name":"n","ttl":"1h","maxUses":20}"#] {
        let request: TokenRequest = serde_json::from_str(text).unwrap();
        assert_eq!((request.max_uses, request.ttl.as_deref()), (Some(20), Some("1h")));
        let written: Value = serde_json::from_slice(JsonBody::of(&request).as_ref()).unwrap();
        assert_eq!(written, json!({"name": "n", "ttl": "1h", "max_uses": 20}));
    }
    let max: TokenRequest = serde_json::from_str(r#"{"name":"n","maxTtl":"2w","ttl":null}"#).unwrap();
    assert_eq!((max.max_ttl.as_deref(), max.ttl), (Some("2w"), None));
}

#[test]
fn null_takes_away_and_absence_keeps() {
    let kept: PutRequest = serde_json::from_str(r#"{"value":"v"}"#).unwrap();
    assert_eq!((kept.expires, kept.env, kept.tags), (None, None, None));
    let taken: PutRequest = serde_json::from_str(r#"{"value":"v","expires":null,"env":null}"#).unwrap();
    assert_eq!((&taken.expires, &taken.env), (&Some(None), &Some(None)));
    let written: Value = serde_json::from_slice(JsonBody::of(&taken).as_ref()).unwrap();
    assert_eq!(written, json!({"value": "v", "expires": null, "env": null}));
    let set: PutRequest = serde_json::from_str(r#"{"value":"v","expires":"90d","tags":{"k":"v"}}"#).unwrap();
    assert_eq!(set.expires, Some(Some("90d".to_owned())));
    assert_eq!(set.tags, Some(BTreeMap::from([("k".to_owned(), "v".to_owned())])));
}

#[test]
fn settings_take_text_or_null() {
    let patch: SettingsPatch = serde_json::from_str(r#"{"idle-timeout":"60","remote-admin":null}"#).unwrap();
    assert_eq!(patch.0.get("idle-timeout"), Some(&Some("60".to_owned())));
    assert_eq!(patch.0.get("remote-admin"), Some(&None));
    assert_eq!(JsonBody::of(&patch).as_ref(), br#"{"idle-timeout":"60","remote-admin":null}"#);
    refused::<SettingsPatch>("[]");
    refused::<SettingsPatch>(r#"{"idle-timeout":60}"#);
}

#[test]
fn answers_bear_the_names_of_the_contract() {
    let status =
        serde_json::to_value(StatusAnswer { secret_count: Some(1), ..StatusAnswer::default() }).unwrap();
    for name in [
        "initialized",
        "locked",
        "secretCount",
        "vaultPath",
        "serverRunning",
        "port",
        "idleTimeoutMs",
        "lastActivity",
        "version",
    ] {
        assert!(keys(&status).contains(&name), "{name}");
    }
    let token = TokenMetadata {
        id: String::new(),
        name: String::new(),
        ancestry: String::new(),
        parent: None,
        created_at: String::new(),
        expires_at: String::new(),
        last_used_at: None,
        use_count: 0,
        max_uses: None,
        reserve: None,
        reserve_used: 0,
        set_aside: 0,
        left: None,
        scope: Vec::new(),
        state: String::new(),
    };
    let mut names = [
        "id",
        "name",
        "ancestry",
        "parent",
        "createdAt",
        "expiresAt",
        "lastUsedAt",
        "useCount",
        "maxUses",
        "left",
    ]
    .to_vec();
    names.extend(["reserve", "reserveUsed", "setAside", "scope", "state"]);
    names.sort_unstable();
    assert_eq!(keys(&serde_json::to_value(token).unwrap()), names);
}

#[test]
fn an_error_body_says_what_the_model_says_and_not_the_cause() {
    let error = Error::not_found("no secret at a/b").hint("hq-vault list a").cause("row 7 is gone");
    let body = serde_json::to_value(ErrorBody::new(&error, Some("req_1".to_owned()))).unwrap();
    let expected = json!({"error": "no secret at a/b", "code": "NOT_FOUND", "hint": "hq-vault list a", "requestId": "req_1"});
    assert_eq!(body, expected);
    let bare = serde_json::to_value(ErrorBody::new(&Error::locked(), None)).unwrap();
    assert_eq!(bare.get("code"), Some(&json!("VAULT_LOCKED")));
    assert_eq!(bare.get("requestId"), None);
}

#[test]
fn a_newer_servers_fields_are_passed_over() {
    let body: ErrorBody = serde_json::from_str(r#"{"error":"e","code":"NEW_CODE","more":[1]}"#).unwrap();
    assert_eq!(body.known_code(), None);
    assert_eq!(body.code, "NEW_CODE");
}

#[test]
fn queries_come_back_as_they_went() {
    let list = ListQuery {
        prefix: Some("a/b c&d=e".to_owned()),
        kind: Some("api-key".to_owned()),
        tag: Some("k=v+w".to_owned()),
        limit: Some(7),
        cursor: Some("a/%/\u{e4}".to_owned()),
    };
    assert_eq!(ListQuery::parse(list.to_query().strip_prefix('?')).unwrap(), list);
    assert_eq!(ListQuery::default().to_query(), "");
    let audit =
        AuditQuery { since: Some("7d".to_owned()), before: Some(9), follow: true, ..AuditQuery::default() };
    assert_eq!(audit.to_query(), "?since=7d&before=9&follow=true");
    assert_eq!(AuditQuery::parse(audit.to_query().strip_prefix('?')).unwrap(), audit);
    assert_eq!(GetQuery::parse(Some("version=3")).unwrap().version, Some(3));
    assert!(GetQuery::parse(Some("version=0")).is_err());
    assert!(DeleteQuery::parse(Some("purge=true")).unwrap().purge);
    assert!(!TokenListQuery::parse(Some("all=false")).unwrap().all);
    assert_eq!(ListQuery::parse(Some("prefix=a+b%2B")).unwrap().prefix.as_deref(), Some("a b+"));
    assert_eq!(ListQuery::parse(Some("&&prefix=a&")).unwrap().prefix.as_deref(), Some("a"));
}

#[test]
fn in2_queries_refuse_what_is_unknown_doubled_or_no_number() {
    for query in [
        "limit=",
        "limit=-1",
        "limit=+1",
        "limit=1.0",
        "limit=0x1",
        "limit=99999999999999999999",
        "limit=1&limit=1",
        "x=1",
        "prefix=%zz",
        "prefix=%ff",
        "Prefix=a",
        "=",
    ] {
        let error = ListQuery::parse(Some(query)).unwrap_err();
        assert_eq!(error.code().as_str(), "BAD_REQUEST", "{query}");
    }
    for flag in ["follow", "follow=1", "follow=TRUE", "follow="] {
        assert!(AuditQuery::parse(Some(flag)).is_err(), "{flag}");
    }
    let shown = ListQuery::parse(Some("%1b[2J=1")).unwrap_err();
    assert!(!shown.message().contains('\u{1b}'));
}

#[test]
fn a_passphrase_is_read_and_written_but_not_shown() {
    let text = SecretText::new("correct horse".to_owned());
    let request = InitRequest { passphrase: hqv_api::WireSecret::from_text(&text), weak: false };
    let body = JsonBody::of(&request);
    assert_eq!(body.as_ref(), br#"{"passphrase":"correct horse","weak":false}"#);
    let back: InitRequest = serde_json::from_slice(body.as_ref()).unwrap();
    assert_eq!(back.passphrase.into_text().reveal(), "correct horse");
    let error = refused::<InitRequest>(r#"{"passphrase":["canary"]}"#);
    assert!(!error.contains("canary"), "{error}");
}

#[test]
fn a_poll_waits_for_a_bounded_time() {
    assert_eq!(WaitQuery::parse(None).unwrap().wait, None);
    assert_eq!(WaitQuery::parse(Some("wait=60")).unwrap().wait, Some(60));
    assert_eq!(WaitQuery { wait: Some(30) }.to_query(), "?wait=30");
    assert_eq!(WaitQuery::default().to_query(), "");
    for bad in
        ["wait=61", "wait=", "wait=-1", "wait=1.5", "wait=1&wait=2", "timeout=1", "wait=99999999999999999999"]
    {
        assert!(WaitQuery::parse(Some(bad)).is_err(), "{bad}");
    }
}

#[test]
fn en5_what_opens_an_entry_is_never_printed() {
    let answer: EntryAnswer = serde_json::from_str(
        r##"{"id":"ent_1","code":"7F3K-9QXM","expiresAt":"t","state":"waiting","joined":false,
            "url":"http://127.0.0.1:1/ent_1#s3cr3t.h","submit":"s3cr3t","later":true}"##,
    )
    .unwrap();
    assert!(!format!("{:?} {:?}", answer.url, answer.submit).contains("s3cr3t"));
    assert_eq!(answer.submit.unwrap().reveal(), "s3cr3t");
    let request = EntryAnswerRequest::of(&[0xff]);
    assert_eq!(JsonBody::of(&request).as_ref(), br#"{"value":"/w==","encoding":"base64"}"#);
}
