//! The same result in the most simple way, for tests: the whole text turned back in every view, each pattern
//! compared at each place.

#![allow(clippy::disallowed_methods)] // how long to try

use proptest::prelude::*;

use hqv_model::SecretBytes;

use crate::masker::{Masker, Parts};
use crate::view::{Kind, Step};

const KINDS: [Kind; 10] = [
    Kind::Wrap,
    Kind::Percent,
    Kind::PercentTwice,
    Kind::Plus,
    Kind::Backslash,
    Kind::BackslashTwice,
    Kind::BackslashWrap,
    Kind::BackslashQuote,
    Kind::Quote,
    Kind::Html,
];

/// A text turned back: each byte with start and end of where it came from.
fn turned_back(kind: Kind, text: &[u8]) -> Vec<(u8, usize, usize)> {
    let mut all = Vec::new();
    let same =
        |all: &mut Vec<_>, from: usize, to: usize| all.extend((from..to).map(|at| (text[at], at, at + 1)));
    let mut at = 0;
    while let Some(Step::Token { start, len, bytes, count, .. }) = kind.step(text, at, true) {
        same(&mut all, at, start);
        all.extend(bytes.iter().take(count).map(|byte| (*byte, start, start + len)));
        at = start + len;
    }
    same(&mut all, at, text.len());
    all
}

fn found(parts: &Parts, text: &[(u8, usize, usize)], into: &mut Vec<(usize, usize)>) {
    let bytes: Vec<u8> = text.iter().map(|(byte, ..)| *byte).collect();
    for pattern in &parts.patterns {
        for at in 0..bytes.len() {
            if let Some(length) = pattern.stands_in(&bytes[at..]) {
                into.push((text[at].1, text[at + length - 1].2));
            }
        }
    }
}

fn masked(parts: &Parts, text: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let plain: Vec<_> = text.iter().enumerate().map(|(at, byte)| (*byte, at, at + 1)).collect();
    found(parts, &plain, &mut all);
    for kind in KINDS {
        found(parts, &turned_back(kind, text), &mut all);
    }
    all.sort_unstable();
    let (mut out, mut hidden) = (Vec::new(), 0);
    for (start, end) in all {
        if end <= hidden {
            continue;
        }
        if start >= hidden {
            out.extend_from_slice(&text[hidden..start]);
            out.extend_from_slice(&parts.replacement);
        }
        hidden = end;
    }
    out.extend_from_slice(&text[hidden..]);
    out
}

/// Values of few different bytes, so that they lie within each other and texts are full of near misses.
fn values() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop_oneof![6 => prop::sample::select(&b"ab"[..]), 2 => prop::sample::select(&b"\\n'%+ \"4&1u$e"[..])];
    prop::collection::vec(prop::collection::vec(byte, 6..10), 1..4)
}

fn pieces(values: &[Vec<u8>]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let mut words: Vec<Vec<u8>> = values.to_vec();
    for value in values {
        words.extend(value.windows(3).map(<[u8]>::to_vec));
        words.extend([1, 4, 6].map(|to| value[..to.min(value.len())].to_vec()));
        words.push(value.iter().flat_map(|byte| format!("%{byte:02x}").into_bytes()).collect());
        words.push(value.iter().flat_map(|byte| format!("\\\\u00{byte:02X}").into_bytes()).collect());
        words.push(value.iter().flat_map(|byte| format!("%25{byte:02x}").into_bytes()).collect());
    }
    for token in [
        "\\",
        "\\\\",
        "\\n",
        "\\\\n",
        "\\r\\n",
        "\n",
        "\r\n",
        "\n \t",
        "\r",
        "%",
        "%4",
        "%61",
        "%62",
        "%2561",
        "%252",
        "+",
        "&",
        "&#97;",
        "&#x62;",
        "&amp;",
        "'",
        "'\\''",
        "'\"'\"'",
        "'\\\\''",
        "'\\\"'\\\"'",
        "\\'",
        "\"",
        "$'\\n'",
        "$'",
        "\\u0061",
        "\\x62",
        "\\141",
        "\\u{61}",
        "\\ud83d",
        "\\ud83d\\ude00",
        "é",
        "\u{ff}",
        "a",
        "b",
        "ab",
        " ",
        "u0061",
        "0",
        "\n                                 ",
    ] {
        words.push(token.as_bytes().to_vec());
    }
    prop::collection::vec(prop::sample::select(words), 0..14).prop_map(|words| words.concat())
}

/// Shown as text.
struct Bytes(Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

fn case() -> impl Strategy<Value = (Vec<Bytes>, Bytes, Vec<usize>)> {
    let text = values().prop_flat_map(|values| (Just(values.clone()), pieces(&values)));
    text.prop_flat_map(|(values, text)| {
        let cuts = prop::collection::vec(0..=text.len(), 0..6);
        let values = move || values.iter().cloned().map(Bytes).collect::<Vec<_>>();
        cuts.prop_map(move |cuts| (values(), Bytes(text.clone()), cuts))
    })
}

fn masker(values: &[Bytes]) -> Masker {
    let values: Vec<SecretBytes> = values.iter().map(|value| SecretBytes::from_slice(&value.0)).collect();
    Masker::new(&values, b"#").0
}

fn in_parts(masker: &Masker, text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let (mut out, mut stream, mut at) = (Vec::new(), masker.stream(), 0);
    let mut cuts = cuts.to_vec();
    cuts.sort_unstable();
    for cut in cuts {
        stream.push(&text[at..cut], &mut out);
        at = cut;
    }
    stream.push(&text[at..], &mut out);
    stream.finish(&mut out);
    out
}

fn rounds() -> u32 {
    if std::env::var_os("HQV_LONG").is_some() { 100_000 } else { 600 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: rounds(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ou5_a_stream_gives_what_the_simple_way_gives((values, text, cuts) in case()) {
        let masker = masker(&values);
        let expected = masked(masker.parts(), &text.0);
        let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
        prop_assert_eq!(shown(&in_parts(&masker, &text.0, &cuts)), shown(&expected));
    }

    #[test]
    fn ou5_byte_by_byte_is_the_same((values, text, _) in case()) {
        let masker = masker(&values);
        let cuts: Vec<usize> = (0..=text.0.len()).collect();
        let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
        prop_assert_eq!(shown(&in_parts(&masker, &text.0, &cuts)), shown(&masked(masker.parts(), &text.0)));
    }
}
