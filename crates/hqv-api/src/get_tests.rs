#![allow(clippy::unwrap_used)]
use super::*;
use crate::time::rfc3339;
use proptest::prelude::*;

fn view<'a>(value: &'a [u8], text: &'a str, tags: &'a BTreeMap<String, String>, rich: bool) -> GetView<'a> {
    GetView {
        path: text,
        value,
        id: "sec_0123456789abcdefghjkmnpqrs",
        kind: "api-key",
        description: text,
        tags,
        expires: rich.then_some(1_800_000_000_000),
        env: rich.then_some("AWS_KEY"),
        route: rich.then_some("ingest-tty"),
        written_by: rich.then_some(text),
        version: if rich { u64::MAX } else { 0 },
        created_at: 1_700_000_000_123,
        updated_at: i64::MAX,
    }
}

/// The same answer by way of serde.
fn by_serde(view: &GetView<'_>) -> JsonBody {
    let (value, encoding) = WireSecret::carry(view.value);
    let metadata = Metadata {
        id: view.id.to_owned(),
        kind: view.kind.to_owned(),
        description: view.description.to_owned(),
        tags: view.tags.clone(),
        expires: view.expires.map(rfc3339),
        env: view.env.map(str::to_owned),
        route: view.route.map(str::to_owned),
        written_by: view.written_by.map(str::to_owned),
        exposed_since: None,
    };
    JsonBody::of(&GetAnswer {
        path: view.path.to_owned(),
        value,
        encoding,
        metadata,
        version: view.version,
        created_at: rfc3339(view.created_at),
        updated_at: rfc3339(view.updated_at),
    })
}

fn check(view: &GetView<'_>) {
    let body = view.to_body();
    let (before, after) = view.frame();
    assert_eq!(framed(&before, view.value, &after).as_ref(), body.as_ref(), "kept in halves, it is the same");
    assert_eq!(String::from_utf8_lossy(body.as_ref()), String::from_utf8_lossy(by_serde(view).as_ref()));
    assert!(body.len() <= view.capacity(), "{} bytes in room for {}", body.len(), view.capacity());
}

#[test]
fn in3_all_byte_values_are_written_as_serde_writes_them() {
    let all: Vec<u8> = (0..=255).collect();
    let ascii: Vec<u8> = (0..=127).collect();
    let text = String::from_utf8(ascii.clone()).unwrap();
    let tags =
        BTreeMap::from([(text.clone(), text.clone()), (String::new(), "\u{1F600}\u{2028}".to_owned())]);
    for value in [&all[..], &ascii[..], b"", b"\"", "p\u{e4}ss".as_bytes()] {
        check(&view(value, &text, &tags, true));
        check(&view(value, "a", &BTreeMap::new(), false));
    }
}

#[test]
fn the_longest_answer_fits_its_fixed_part() {
    let fixed = view(b"", "", &BTreeMap::new(), true).to_body().len();
    assert!(fixed <= FIXED, "{fixed}");
}

#[test]
fn the_buffer_never_moves() {
    let value = vec![1u8; 100_000];
    let tags = BTreeMap::new();
    let view = view(&value, "a/b", &tags, true);
    let mut out = Vec::with_capacity(view.capacity());
    let before = out.as_ptr();
    view.write(&mut out);
    assert_eq!(out.as_ptr(), before);
}

proptest! {
    #[test]
    fn any_secret_is_written_as_serde_writes_it(
        value in proptest::collection::vec(any::<u8>(), 0..64),
        text in any::<String>(),
        tags in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..4),
        rich: bool,
    ) {
        check(&view(&value, &text, &tags, rich));
    }
}
