//! What goes in and what comes out, seen from outside.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod bounds;
mod encoders;
mod ou5_forms;
mod ou5_streams;

use hqv_mask::Masker;
use hqv_model::SecretBytes;

const MARK: &[u8] = b"[hidden]";

fn masker(values: &[&[u8]]) -> Masker {
    let values: Vec<SecretBytes> = values.iter().map(|value| SecretBytes::from_slice(value)).collect();
    let (masker, short) = Masker::new(&values, MARK);
    assert!(short.is_empty());
    masker
}

/// Pushes the text in pieces that end at `cuts`.
fn in_pieces(masker: &Masker, text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let (mut out, mut stream, mut at) = (Vec::new(), masker.stream(), 0);
    for cut in cuts {
        stream.push(&text[at..*cut], &mut out);
        at = *cut;
    }
    stream.push(&text[at..], &mut out);
    stream.finish(&mut out);
    out
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
