//! Row bodies: what is written is read, and nothing else is.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use hqv_crypto::cbor::{CborError, Fields, FieldsWriter, MAX_BODY, MAX_DEPTH};
use proptest::prelude::*;

fn parse_error(bytes: &[u8]) -> Option<CborError> {
    Fields::parse(bytes, &[1, 2, 3]).err()
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        number: u64, signed: i64, flag: bool, bytes: Vec<u8>, text: String, list: Vec<(u64, String)>,
    ) {
        let mut body = FieldsWriter::new();
        body.text(5, &text).u64(1, number).i64(2, signed).bool(3, flag).bytes(4, &bytes).items(6, |items| {
            for (number, text) in &list {
                items.items(|pair| {
                    pair.u64(*number).text(text);
                });
            }
        });
        let body = body.finish();
        let fields = Fields::parse(&body, &[1, 2, 3, 4, 5, 6]).unwrap();
        prop_assert_eq!(fields.u64(1), Ok(number));
        prop_assert_eq!(fields.i64(2), Ok(signed));
        prop_assert_eq!(fields.bool(3), Ok(flag));
        prop_assert_eq!(fields.bytes(4), Ok(&bytes[..]));
        prop_assert_eq!(fields.text(5), Ok(&text[..]));
        let mut items = fields.items(6).unwrap();
        prop_assert_eq!(items.left(), list.len() as u64);
        for (number, text) in &list {
            let mut pair = items.items().unwrap();
            prop_assert_eq!((pair.u64(), pair.text()), (Ok(*number), Ok(&text[..])));
            prop_assert!(pair.end().is_ok());
        }
        prop_assert!(items.end().is_ok());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        if let Ok(fields) = Fields::parse(&bytes, &[0, 1, 2, 3]) {
            for key in 0..4 {
                let _ = (fields.u64(key), fields.i64(key), fields.text(key), fields.bytes(key));
            }
            let mut again = FieldsWriter::new();
            again.keep(&fields.kept());
            prop_assert!(Fields::parse(&again.finish(), &[]).is_ok());
        }
    }

    #[test]
    fn fields_from_128_up_are_written_back_to_the_byte(key in 128u64.., bytes: Vec<u8>, old: u64, new: u64) {
        let make = |number| {
            let mut body = FieldsWriter::new();
            body.u64(1, number).bytes(key, &bytes);
            body.finish().to_vec()
        };
        let before = make(old);
        let kept = Fields::parse(&before, &[1]).unwrap().kept();
        let mut rewritten = FieldsWriter::new();
        rewritten.keep(&kept).u64(1, new);
        prop_assert_eq!(rewritten.finish().to_vec(), make(new));
    }
}

#[test]
fn each_rule_has_its_refusal() {
    let says = |bytes: &[u8], what: &str| {
        let error = parse_error(bytes).map(|error| error.to_string());
        assert_eq!(error, Some(format!("malformed body: {what}")), "{bytes:02x?}");
    };
    assert_eq!(parse_error(&[0xa1, 1, 0]), None);
    says(&[], "not a map of definite length");
    says(&[0xbf, 1, 0, 0xff], "not a map of definite length");
    says(&[0x81, 0], "not a map of definite length");
    says(&[0xa2, 1, 0, 1, 0], "keys do not ascend");
    says(&[0xa2, 2, 0, 1, 0], "keys do not ascend");
    says(&[0xa1, 4, 0], "unknown field");
    says(&[0xa1, 0x18, 0x7f, 0], "unknown field");
    says(&[0xa1, 0x20, 0], "a key is not an unsigned integer");
    says(&[0xa1, 0x61, b'1', 0], "a key is not an unsigned integer");
    says(&[0xa1, 1, 0, 0], "bytes after the map");
    says(&[0xa1, 1], "cut short, or not well-formed");
    says(&[0xa1, 1, 0x42, 0], "cut short, or not well-formed");
    says(&[0xa1, 1, 0x61, 0xff], "cut short, or not well-formed");
    says(&[0xa1, 1, 0x9f, 0xff], "a kind of item that bodies do not hold");
    says(&[0xa1, 1, 0xbf, 0xff], "a kind of item that bodies do not hold");
    says(&[0xa1, 1, 0xfb, 0, 0, 0, 0, 0, 0, 0, 0], "a kind of item that bodies do not hold");
    says(&[0xa1, 1, 0xc0, 0], "a kind of item that bodies do not hold");
    says(&[0xba, 0, 1, 0, 0], "too many fields");
    says(&vec![0; MAX_BODY + 1], "too long");
}

#[test]
fn a_key_of_128_is_kept_and_one_of_127_is_not() {
    assert_eq!(parse_error(&[0xa1, 0x18, 0x80, 0]), None);
    assert!(parse_error(&[0xa1, 0x18, 0x7f, 0]).is_some());
}

#[test]
fn a_count_that_lies_costs_nothing() {
    let lie = [0xa1, 1, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert!(parse_error(&lie).is_some());
    let lie = [0xa1, 1, 0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert!(parse_error(&lie).is_some());
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        let mut bytes = vec![0xa1, 1];
        bytes.extend(std::iter::repeat_n(0x81, depth));
        bytes.push(0);
        parse_error(&bytes)
    };
    assert_eq!(nested(usize::from(MAX_DEPTH)), None);
    assert!(nested(usize::from(MAX_DEPTH) + 1).is_some());
    assert!(nested(1_000_000).is_some());
}

#[test]
fn a_field_of_another_type_is_refused_by_the_getter() {
    let mut body = FieldsWriter::new();
    body.u64(1, 1).text(2, "text").bytes(3, &[0; 4]);
    let body = body.finish();
    let fields = Fields::parse(&body, &[1, 2, 3]).unwrap();
    assert!(fields.text(1).is_err() && fields.u64(2).is_err() && fields.items(3).is_err());
    assert!(fields.array::<5>(3).is_err() && fields.array::<4>(3).is_ok());
    assert!(fields.u64(9).is_err() && fields.opt_u64(9) == Ok(None));
}

#[test]
fn an_array_is_read_to_its_end_and_no_further() {
    let mut body = FieldsWriter::new();
    body.items(1, |items| {
        items.u64(1).i64(-2);
    });
    let body = body.finish();
    let fields = Fields::parse(&body, &[1]).unwrap();
    let mut items = fields.items(1).unwrap();
    assert_eq!(items.u64(), Ok(1));
    assert_eq!(items.i64(), Ok(-2));
    assert!(items.u64().is_err());
    assert!(fields.items(1).unwrap().end().is_err());
}
