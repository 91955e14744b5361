//! Memory and time stay bounded.

use crate::{masker, shown};

/// The most that may be held back for a value of `len` bytes: every byte in the longest escape, every character of
/// its base64 on a line of its own.
fn most(len: usize) -> usize {
    len * 60
}

#[test]
fn ou5_what_is_held_back_does_not_grow_with_the_stream() {
    let value = b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaazzz";
    let masker = masker(&[value]);
    for piece in [
        &b"a"[..],
        b"aaaaaaaa\n",
        b"\n",
        b"\r",
        b" \n",
        b"%",
        b"%61",
        b"\\",
        b"\\u0061",
        b"&#97;",
        b"&#9",
        b"YWFh\n   ",
        b"61",
    ] {
        let mut stream = masker.stream();
        let (mut out, mut all) = (Vec::new(), Vec::new());
        for _ in 0..40_000 {
            stream.push(piece, &mut out);
            all.extend_from_slice(piece);
            assert!(
                stream.held() < most(value.len()),
                "{}: {} held back after {}",
                shown(piece),
                stream.held(),
                all.len()
            );
        }
        stream.finish(&mut out);
        assert!(out == all, "{} is not the same", shown(piece));
    }
}

#[test]
fn ou5_repetition_costs_no_more_than_other_text() {
    let value = [vec![b'a'; 199], vec![b'b']].concat();
    let text = vec![b'a'; 4 << 20];
    let masker = masker(&[&value]);
    assert!(masker.mask(&text) == text);
    let hidden = masker.mask(&[&text[..], b"b"].concat());
    assert_eq!(hidden.len(), text.len() - 199 + crate::MARK.len());
}
