//! Tries to get a value through the masker: a value, a form of it, text around it and the splits are the fuzzer's choice.
//! What comes out is searched for the value and for the form, and what is not hidden must be what went in.
#![no_main]

use hqv_mask::Masker;
use hqv_model::SecretBytes;
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/hqv-mask/tests/it/encoders.rs"]
#[allow(dead_code)]
mod encoders;

fuzz_target!(|input: (Vec<u8>, u16, Vec<u8>, Vec<u8>, Vec<u8>)| {
    let (value, pick, before, after, cuts) = input;
    let value = value.trim_ascii();
    if value.len() < hqv_mask::SHORTEST || value.len() > 300 {
        return;
    }
    let forms = encoders::all(value);
    let form = &forms[usize::from(pick) % forms.len()].text;
    // A border on both sides, so that no escape before the value takes its first byte.
    let text = [&before[..], b"\x00", form, b"\x00", &after].concat();
    let masker = Masker::new([&SecretBytes::from_slice(value)], b"\x01").0;
    let (mut out, mut stream, mut rest) = (Vec::new(), masker.stream(), &text[..]);
    for cut in cuts {
        let (now, later) = rest.split_at(usize::from(cut).min(rest.len()));
        stream.push(now, &mut out);
        rest = later;
    }
    stream.push(rest, &mut out);
    stream.finish(&mut out);
    for needle in [value, form] {
        assert!(!out.windows(needle.len()).any(|window| window == needle), "a value came through");
    }
    assert!(out == masker.mask(&text), "the splits made a difference");
    // What is left stands in the text in the same order.
    let mut left = text.iter();
    for byte in out.iter().filter(|byte| **byte != 1) {
        assert!(left.any(|other| other == byte), "a byte was made up or moved");
    }
});
