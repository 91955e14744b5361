//! Every form of a value, at every split, leaves nothing of the value and all of the rest.

use proptest::prelude::*;

use crate::encoders::{all, base64_within};
use crate::{MARK, in_pieces, masker, shown};

const VALUES: &[&str] = &[
    "s3cr3t",
    "hunter2hunter2",
    "p@ss word+with/all=of&them?\"<'>\\ %41 $x `y`!",
    "line one\nline two\ttabbed\n'three'",
    "C:\\temp\\new\\u0041 \\n",
    "gr\u{fc}\u{df}e aus K\u{f6}ln",
    "\u{1f511} key \u{4e2d}\u{6587} v\u{e1}lue",
    "postgres://app:p%40ss@db.internal:5432/app?sslmode=require",
    "&amp;&lt;tag&gt; it's",
    "a\\'b'\\''c\"d",
];

fn check(value: &[u8], before: &[u8], after: &[u8]) {
    let masker = masker(&[value]);
    for form in all(value) {
        let text = [before, &form.text, after].concat();
        let expected = [before, MARK, after].concat();
        for cut in 0..=text.len() {
            let out = in_pieces(&masker, &text, &[cut]);
            assert_eq!(shown(&out), shown(&expected), "{} cut at {cut}: {}", form.name, shown(&text));
        }
        let every: Vec<usize> = (0..=text.len()).collect();
        assert_eq!(shown(&in_pieces(&masker, &text, &every)), shown(&expected), "{} byte by byte", form.name);
    }
}

#[test]
fn ou5_every_form_at_every_split() {
    for value in VALUES {
        check(value.as_bytes(), b"<", b">");
        check(value.as_bytes(), b"export KEY=", b"; done\n");
    }
}

#[test]
fn ou5_bytes_that_are_no_text() {
    check(b"\xff\xfe\x00\x01binary\x80\x81value", b"<", b">");
}

#[test]
fn ou5_base64_at_every_offset() {
    for value in VALUES {
        let masker = masker(&[value.as_bytes()]);
        for before in 0..7 {
            for after in 0..4 {
                for url in [false, true] {
                    let (text, start, end) =
                        base64_within(&b"~user:~"[..before], value.as_bytes(), &b"?!#"[..after], url);
                    // Where nothing follows, the last character and the padding hold nothing but the value.
                    let end = if after == 0 { text.len() } else { end };
                    let expected = [&text[..start], MARK, &text[end..]].concat();
                    for cut in 0..=text.len() {
                        let out = in_pieces(&masker, &text, &[cut]);
                        // The character shared with what follows may be the one that ends the text, and then goes too.
                        let more = [&text[..start], MARK, text.get(end + 1..).unwrap_or_default()].concat();
                        assert!(out == expected || out == more, "{} became {}", shown(&text), shown(&out));
                    }
                }
            }
        }
    }
}

#[test]
fn ou5_a_key_in_pem_however_its_lines_end() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\nAgEAAoIBAQC7VJTUt9Us8cKjMzEfYyjiWA4R4\nQ==\n";
    let key = format!("-----BEGIN MADE UP KEY-----\n{body}-----END MADE UP KEY-----\n");
    let masker = masker(&[key.as_bytes()]);
    for (name, text, expected) in [
        ("CRLF", key.replace('\n', "\r\n"), "[hidden]\r\n".to_owned()),
        ("indented", key.trim_end().replace('\n', "\n      "), "[hidden]".to_owned()),
        ("on one line", key.replace('\n', ""), "[hidden]".to_owned()),
        ("in JSON", key.replace('\n', "\\n"), "[hidden]\\n".to_owned()),
        ("in JSON, CRLF", key.replace('\n', "\\r\\n"), "[hidden]\\r\\n".to_owned()),
        ("in JSON in JSON", key.replace('\n', "\\\\n"), "[hidden]\\\\n".to_owned()),
        (
            "behind the prefix of a log",
            key.replace('\n', "\nweb | "),
            "-----BEGIN MADE UP KEY-----\nweb | [hidden]\nweb | [hidden]\nweb | Q==\nweb | -----END MADE UP KEY-----\nweb | "
                .to_owned(),
        ),
    ] {
        for cut in 0..=text.len() {
            assert_eq!(shown(&in_pieces(&masker, text.as_bytes(), &[cut])), shown(expected.as_bytes()), "{name}");
        }
    }
    // The frame says nothing.
    let frame = b"-----BEGIN MADE UP KEY-----\nother\n";
    assert_eq!(masker.mask(frame), frame);
}

#[test]
fn ou5_long_values_go_in_whole_and_in_part() {
    let value: Vec<u8> = (0..5000_u32).map(|n| b'!' + (n * n % 89 + n / 64 % 3) as u8).collect();
    let masker = masker(&[&value]);
    for form in all(&value) {
        let text = [b"<", &form.text[..], b">"].concat();
        assert_eq!(shown(&masker.mask(&text)), "<[hidden]>", "{}", form.name);
    }
    let part = masker.mask(&value[1500..4000]);
    assert!(part.len() < 1100, "two pieces of a part are hidden: {} bytes are left", part.len());
}

/// A plus before a value, and not of it, does not take the value's start away from the plus within it.
#[test]
fn ou5_a_plus_shortly_before_a_form_with_one() {
    let masker = masker(&[b"\x80 \0\0\0\0"]);
    for before in ["+", "+0<", "+a<", " +\n<", "+\u{e9}+", "%2B+."] {
        let text = format!("{before}%80+%00%00%00%00>");
        assert_eq!(shown(&masker.mask(text.as_bytes())), shown(format!("{before}[hidden]>").as_bytes()));
    }
}

/// `\0` before octal digits says more to its readers than Rust meant; found by the fuzz target.
#[test]
fn ou5_a_nul_before_digits_as_rust_prints_it() {
    for value in [&b"\x16_\x002!abc"[..], b"a\x007777777", b"\x00\x001\x0018key-of-ours", b"key-of-ours\x007"]
    {
        let text = String::from_utf8(value.to_vec()).unwrap();
        let printed = format!("<{text:?}>");
        let out = in_pieces(&masker(&[value]), printed.as_bytes(), &[]);
        assert_eq!(shown(&out), shown(b"<\"[hidden]\">"), "{printed}");
    }
}

#[test]
fn ou5_blanks_around_a_value_are_not_part_of_it() {
    let masker = masker(&[b"  trimmed-value\n"]);
    assert_eq!(masker.mask(b"a=trimmed-value;"), b"a=[hidden];");
    assert_eq!(masker.mask(b"  trimmed-value\n"), b"  [hidden]\n");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: rounds(), failure_persistence: None, ..ProptestConfig::default() })]

    /// Values of any bytes, in any form, anywhere in a text of any bytes: wherever it is cut.
    #[test]
    fn ou5_any_value_in_any_form(
        value in prop::collection::vec(any::<u8>(), 6..40),
        noise in "[ -~\n]{0,30}",
        pick in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let value = value.trim_ascii();
        prop_assume!(value.len() >= 6);
        let forms = all(value);
        let form = &forms[pick.index(forms.len())];
        let text = [noise.as_bytes(), b"<", &form.text, b">", noise.as_bytes()].concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).collect();
        cuts.sort_unstable();
        let out = in_pieces(&masker(&[value]), &text, &cuts);
        let expected = [noise.as_bytes(), b"<", MARK, b">", noise.as_bytes()].concat();
        prop_assert_eq!(shown(&out), shown(&expected), "{}", form.name);
    }
}

fn rounds() -> u32 {
    if std::env::var_os("HQV_LONG").is_some() { 50_000 } else { 500 }
}
