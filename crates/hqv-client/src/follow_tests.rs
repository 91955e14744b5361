#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

fn events(chunks: &[&[u8]]) -> Vec<(String, String)> {
    let (mut lines, mut event, mut found) = (Lines::default(), Event::default(), Vec::new());
    for chunk in chunks {
        lines.push(chunk).unwrap();
        while let Some(line) = lines.take() {
            found.extend(event.feed(&line).map(|event| (event.name, event.data)));
        }
    }
    found
}

fn pair(name: &str, data: &str) -> (String, String) {
    (name.to_owned(), data.to_owned())
}

#[test]
fn events_and_what_is_passed_over() {
    let stream = format!(
        "{}{}event: later\ndata: x\n\ndata: nameless\n\nevent:record\r\ndata:a\r\ndata: b\r\n\r\nevent: record\n\n{}",
        sse::KEEP_ALIVE,
        sse::event(sse::RECORD, Some(7), "{}"),
        sse::event(sse::END, None, "{\"e\":1}"),
    );
    let expected = [pair("record", "{}"), pair("record", "a\nb"), pair("end", "{\"e\":1}")];
    assert_eq!(events(&[stream.as_bytes()]), expected);
}

#[test]
fn a_line_without_end_is_bounded() {
    let mut lines = Lines::default();
    lines.push(&vec![b'x'; LINE]).unwrap();
    assert!(lines.take().is_none());
    assert_eq!(lines.push(b"x").unwrap_err().code, "CONNECTION_ERROR");
}

#[test]
fn the_end_says_why() {
    let body = r#"{"error":"the vault was locked","code":"VAULT_LOCKED"}"#;
    let error = finish(&Event { name: "end".to_owned(), data: body.to_owned() }).unwrap_err();
    assert_eq!((error.code.as_str(), error.exit_code()), ("VAULT_LOCKED", 5));
    let broken = finish(&Event { name: "record".to_owned(), data: "{".to_owned() }).unwrap_err();
    assert_eq!(broken.code, "CONNECTION_ERROR");
}

proptest! {
    #[test]
    fn where_the_stream_is_cut_makes_no_difference(cut in 0usize..120) {
        let stream = format!("{}{}", sse::event("record", Some(1), "{\"a\":\"\u{e4}\"}"), sse::event("record", None, "b"));
        let (first, second) = stream.as_bytes().split_at(cut.min(stream.len()));
        prop_assert_eq!(events(&[first, second]), events(&[stream.as_bytes()]));
    }
}
