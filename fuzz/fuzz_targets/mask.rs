//! Tries to get a value through the masker: a value of 6 to 300 bytes without blanks at its ends, one of its forms, the text
//! around it and the splits are the fuzzer's choice. What comes out holds neither the value nor that form, is the same
//! without the splits, and is otherwise what went in: no byte is made up or moved.
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
    // What stands for the value is a byte that nothing else here has, so that it is never taken for a part of it.
    let Some(mark) = (0..=u8::MAX).find(|byte| !text.contains(byte)) else { return };
    let masker = Masker::new([&SecretBytes::from_slice(value)], &[mark]).0;
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
    for byte in out.iter().filter(|byte| **byte != mark) {
        assert!(left.any(|other| other == byte), "a byte was made up or moved");
    }
});
