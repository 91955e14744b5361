//! Order, completeness and what is held back.

use hqv_mask::{Masker, TooShort};
use hqv_model::SecretBytes;
use proptest::prelude::*;

use crate::{in_pieces, masker, shown};

#[test]
fn ou5_short_values_are_reported_and_left() {
    let values: Vec<SecretBytes> = [&b"12345"[..], b"123456", b"", b"  abc  \n", b"longer-value"]
        .into_iter()
        .map(SecretBytes::from_slice)
        .collect();
    let (masker, short) = Masker::new(&values, b"#");
    assert_eq!(short, [0, 2, 3].map(|index| TooShort { index }));
    assert_eq!(masker.mask(b"12345 abc 123456 longer-value"), b"12345 abc # #");
    let (none, _) = Masker::new(&values[..1], b"#");
    assert!(none.is_empty());
    assert_eq!(none.mask(b"12345"), b"12345");
}

#[test]
fn ou5_values_within_values_and_across() {
    let masker = masker(&[b"abcdef", b"defghi", b"xxabcdefyy", b"abcdefghij"]);
    for (text, expected) in [
        ("1abcdef2", "1[hidden]2"),
        ("1abcdefghi2", "1[hidden]2"),
        ("1xxabcdefyy2", "1[hidden]2"),
        ("1xxabcdefghij2", "1xx[hidden]2"),
        ("1xxabcdefy2", "1xx[hidden]y2"),
        ("abcdefabcdef", "[hidden][hidden]"),
    ] {
        for cut in 0..=text.len() {
            assert_eq!(shown(&in_pieces(&masker, text.as_bytes(), &[cut])), expected, "{text} at {cut}");
        }
    }
}

#[test]
fn ou5_held_back_is_what_may_become_a_value_and_no_more() {
    let masker = masker(&[b"sk_live_abcdef"]);
    let mut stream = masker.stream();
    let mut out = Vec::new();
    for (text, held) in [
        ("plain text", 0),
        ("ends in s", 1),
        ("k_live", 7),
        ("X", 0),
        ("line\n", 0),
        ("sk_live_abcde", 13),
        ("f", 0),
        ("100%", 1),
        (" ", 0),
        ("\\u00", 4),
        ("!!", 0),
        ("\u{e9}\u{1f511}", 0),
    ] {
        stream.push(text.as_bytes(), &mut out);
        assert_eq!(stream.held(), held, "after {text:?}");
    }
    stream.finish(&mut out);
    assert_eq!(
        String::from_utf8_lossy(&out),
        "plain textends in sk_liveXline\n[hidden]100% \\u00!!\u{e9}\u{1f511}"
    );
}

#[test]
fn ou5_a_program_that_waits_shows_its_prompt() {
    let masker = masker(&[b"sk_live_abcdefghijkl"]);
    let mut stream = masker.stream();
    let mut out = Vec::new();
    stream.push(b"type s", &mut out);
    stream.idle(&mut out);
    assert_eq!(shown(&out), "type s");
    // No more than three bytes of a value, however often it waits.
    for byte in b"k_live_" {
        stream.push(&[*byte], &mut out);
        stream.idle(&mut out);
        stream.idle(&mut out);
    }
    assert_eq!(shown(&out), "type sk_");
    stream.push(b"abcdefghijkl and s", &mut out);
    stream.push(b"o on", &mut out);
    stream.finish(&mut out);
    assert_eq!(shown(&out), "type sk_[hidden] and so on");

    let mut stream = masker.stream();
    out.clear();
    stream.push(b"c2tf\n", &mut out);
    stream.idle(&mut out);
    stream.push(b"bGl2ZV9hYmNkZWZnaGlqa2w=\n", &mut out);
    stream.finish(&mut out);
    assert!(!shown(&out).contains("bGl2"), "{}", shown(&out));
}

/// What is let out is bounded by the shortest form of any value, and a form may be shorter than its value.
#[test]
fn ou5_idle_is_bounded_by_the_shortest_form() {
    // Nine bytes, and six in UTF-16.
    let masker = masker(&["\u{4e2d}\u{6587}\u{5b57}".as_bytes(), b"sk_live_abcdefghijkl"]);
    let mut stream = masker.stream();
    let mut out = Vec::new();
    stream.push(b"sk_li", &mut out);
    stream.idle(&mut out);
    assert_eq!(shown(&out), "s");
}

/// Two characters of three bytes each have four bytes in UTF-16: too short to be looked for, and no window of the filter.
#[test]
fn ou5_forms_of_less_than_six_bytes_are_left() {
    let masker = masker(&["\u{4e2d}\u{6587}".as_bytes()]);
    assert_eq!(masker.mask("<\u{4e2d}\u{6587}>".as_bytes()), b"<[hidden]>");
    assert_eq!(masker.mask(b"<\x2d\x4e\x87\x65>"), b"<\x2d\x4e\x87\x65>");
}

#[test]
fn a_stream_can_be_used_again() {
    let masker = masker(&[b"sk_live_abcdef"]);
    let mut stream = masker.stream();
    let mut out = Vec::new();
    stream.push(b"sk_live_", &mut out);
    stream.finish(&mut out);
    stream.push(b"abcdef", &mut out);
    stream.finish(&mut out);
    assert_eq!(shown(&out), "sk_live_abcdef");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// What holds no value passes byte for byte, whatever it is.
    #[test]
    fn ou5_other_bytes_pass_unchanged(
        text in prop::collection::vec(any::<u8>(), 0..2000),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let masker = masker(&[b"a value that is not there", b"another \xff\xfe one \\n %41"]);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len().max(1)).min(text.len())).collect();
        cuts.sort_unstable();
        prop_assert_eq!(in_pieces(&masker, &text, &cuts), text);
    }
}
