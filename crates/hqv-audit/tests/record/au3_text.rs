//! Row AU3: newlines, quotes, escapes in every field. One JSON line each, parseable.

use hqv_audit::{Identity, Item, ItemKind, Reader, Record, RecordView};
use hqv_model::{Code, OpKind, Outcome, TokenId, is_bidi_control};
use proptest::prelude::*;

use crate::kit::{World, at};

fn all_fields(text: &str) -> Record<'_> {
    let who =
        Identity::Token { id: TokenId::from_bytes([1; 16]), ancestry: text.into(), ancestors: vec![].into() };
    let mut record = Record::new(at(1), OpKind::Get, Outcome::Denied, who);
    record.code = Some(Code::Forbidden);
    record.source = text.into();
    record.agent = Some(text.into());
    record.claim = Some(text.into());
    record.reason = Some(text.into());
    record.detail = Some(text.into());
    record.items = vec![Item {
        secret: None,
        version: None,
        path: text.into(),
        kind: ItemKind::Named,
        channel: text.to_owned().into(),
    }];
    record
}

fn check(view: &RecordView, text: &str) -> Result<(), TestCaseError> {
    let fields = [
        Some(&view.source),
        view.identity.name.as_ref(),
        view.agent.as_ref(),
        view.claim.as_ref(),
        view.reason.as_ref(),
        view.detail.as_ref(),
        Some(&view.items[0].path),
        Some(&view.items[0].channel),
    ];
    for field in fields {
        prop_assert_eq!(field.map(String::as_str), Some(text));
    }
    let line = view.to_json();
    let acts = |c: char| c.is_control() || is_bidi_control(c) || matches!(c, '\u{2028}' | '\u{2029}');
    prop_assert!(!line.chars().any(acts), "{}", line.escape_debug());
    let json: serde_json::Value =
        serde_json::from_str(&line).map_err(|e| TestCaseError::fail(e.to_string()))?;
    for pointer in ["/source", "/identity/name", "/agent", "/claim", "/reason", "/detail", "/items/0/path"] {
        prop_assert_eq!(json.pointer(pointer).and_then(|v| v.as_str()), Some(text), "{}", pointer);
    }
    Ok(())
}

fn roundtrip(texts: &[String]) -> Result<(), TestCaseError> {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    for text in texts {
        log.append(&all_fields(text), 1).unwrap();
    }
    log.close(at(2), 1).unwrap();
    prop_assert!(world.everything().is_ok());
    let views = Reader::open(world.dir.path(), &world.id).unwrap().from(1, 100).unwrap().records;
    prop_assert_eq!(views.len(), texts.len());
    views.iter().zip(texts).try_for_each(|(view, text)| check(view, text))
}

#[test]
fn au3_what_breaks_lines_quotes_or_terminals_comes_back_whole_on_one_line() {
    let mut texts: Vec<String> =
        ["", "\n", "\r\n", "\"", "\\", "\\\"", "\\u0000", "\",\"outcome\":\"ok", "{\"a\":1}\n{"]
            .map(String::from)
            .to_vec();
    texts.push("\u{1b}[2J\u{7f}\u{9b}31m\u{85}\u{2028}\u{2029}\u{202e}\u{2066}\u{61c}\u{feff}".into());
    texts.push((0..0x2100).filter_map(char::from_u32).collect());
    texts.push("😀é鍵".repeat(100));
    roundtrip(&texts).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn au3_any_text_comes_back_whole_on_one_line(texts in prop::collection::vec(any::<String>(), 1..20)) {
        roundtrip(&texts)?;
    }
}

#[test]
fn au3_no_path_name_or_reason_stands_in_clear() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.append(&all_fields("canary-locked"), 1).unwrap();
    log.adopt(&world.id, at(1), 0).unwrap();
    log.append(&all_fields("canary-unlocked"), 1).unwrap();
    log.close(at(2), 1).unwrap();
    let file = world.bytes();
    assert!(!file.windows(6).any(|part| part == b"canary"));
    assert!(!file.windows(3).any(|part| part == b"get"));
}

#[test]
fn every_identity_and_optional_field_has_its_documented_name() {
    let world = World::new();
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    let peer = Identity::Peer { uid: 1000, pid: Some(42), program: Some("claude".into()) };
    let session = Identity::Session { id: hqv_model::SessionId::from_bytes([5; 16]) };
    for who in [Identity::Nobody, Identity::Daemon, peer, session] {
        log.append(&Record::new(at(1), OpKind::Status, Outcome::Ok, who), 1).unwrap();
    }
    log.append(&crate::kit::get("a/1"), 1).unwrap();
    let mut lines: Vec<String> = world.records().iter().map(RecordView::to_json).collect();
    lines.reverse();
    let time = at(1).to_rfc3339();
    let head = |seq: u32| {
        format!(r#"{{"sequence":{seq},"time":"{time}","operation":"status","outcome":"ok","identity":"#)
    };
    let tail = r#","source":"","items":[],"state":1,"unproven":false}"#;
    let identities = [
        r#"{"kind":"nobody"}"#.to_owned(),
        r#"{"kind":"daemon"}"#.to_owned(),
        r#"{"kind":"peer","uid":1000,"pid":42,"program":"claude"}"#.to_owned(),
        r#"{"kind":"session","id":"ses_0m5c2g50mdnf1g50mdnf1g50md"}"#.to_owned(),
    ];
    for (at, identity) in identities.iter().enumerate() {
        let id = hqv_model::SessionId::from_bytes([5; 16]).to_string();
        let identity = identity.replace("ses_0m5c2g50mdnf1g50mdnf1g50md", &id);
        assert_eq!(lines[at], format!("{}{identity}{tail}", head(5 + at as u32)));
    }
    let ids = [1, 2, 3, 4].map(|n| TokenId::from_bytes([n; 16]).to_string()[4..].to_owned());
    assert_eq!(
        lines[4],
        format!(
            r#"{{"sequence":9,"time":"{time}","operation":"get","outcome":"ok","identity":{{"kind":"token","id":"tok_{}","name":"orchestrator/worker-3","ancestors":["tok_{}"]}},"source":"127.0.0.1:51234","request":"req_{}","items":[{{"secret":"sec_{}","version":2,"path":"a/1","kind":"exposed","channel":"get"}}],"state":1,"unproven":false}}"#,
            ids[0], ids[1], ids[2], ids[3]
        )
    );
}
