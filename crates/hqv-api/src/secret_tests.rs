#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

#[derive(Serialize, Deserialize)]
struct Carrier {
    value: WireSecret,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encoding: Option<Encoding>,
}

fn round_trip(bytes: &[u8]) -> Vec<u8> {
    let (value, encoding) = WireSecret::carry(bytes);
    let json = crate::JsonBody::of(&Carrier { value, encoding });
    let back: Carrier = serde_json::from_slice(json.as_ref()).unwrap();
    back.value.into_bytes(back.encoding).unwrap().reveal().to_vec()
}

fn read(json: &str) -> Option<String> {
    let secret: WireSecret = serde_json::from_str(json).ok()?;
    Some(secret.reveal().to_owned())
}

#[test]
fn text_travels_as_text_and_bytes_as_base64() {
    let json = |bytes: &[u8]| {
        let (value, encoding) = WireSecret::carry(bytes);
        String::from_utf8(crate::JsonBody::of(&Carrier { value, encoding }).as_ref().to_vec()).unwrap()
    };
    assert_eq!(json("p\u{e4}ss\n".as_bytes()), "{\"value\":\"p\u{e4}ss\\n\"}");
    assert_eq!(json(&[0xFF, 0x00]), r#"{"value":"/wA=","encoding":"base64"}"#);
    assert_eq!(json(b""), r#"{"value":""}"#);
}

#[test]
fn in3_every_byte_alone_and_all_together_come_back() {
    for byte in 0..=255u8 {
        assert_eq!(round_trip(&[byte]), [byte]);
    }
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(round_trip(&all), all);
}

#[test]
fn every_escape_of_json_is_read() {
    assert_eq!(read(r#""\"\\\/\b\f\n\r\t""#).unwrap(), "\"\\/\u{8}\u{c}\n\r\t");
    assert_eq!(read(r#""\u0041\u00e9\ud83d\ude00\u0000""#).unwrap(), "A\u{e9}\u{1F600}\0");
    assert_eq!(read(r#""plain""#).unwrap(), "plain");
}

#[test]
fn what_is_no_string_of_unicode_is_refused() {
    for json in [
        r#""\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\u0041""#,
        r#""\ude00""#,
        r#""\ud83d\ud83d""#,
        r#""\u12""#,
        r#""\u+123""#,
        r#""\x""#,
        "7",
        "null",
        "[\"a\"]",
        "{\"a\":1}",
        "true",
        "\"a\nb\"",
        "\"open",
    ] {
        assert!(read(json).is_none(), "{json}");
    }
}

#[test]
fn what_is_no_base64_is_refused() {
    for text in ["/wA", "/w=A", "!!!!", "/wA=\n", "_wA=", "/wB="] {
        let (value, _) = WireSecret::carry(text.as_bytes());
        assert!(value.into_bytes(Some(Encoding::Base64)).is_err(), "{text}");
    }
}

#[test]
fn nothing_of_it_is_ever_shown() {
    let (value, _) = WireSecret::carry(b"canary");
    assert_eq!(format!("{value:?}"), "[secret]");
    let error = serde_json::from_str::<Carrier>(r#"{"value":"canary\ud800"}"#).err().unwrap();
    assert!(!error.to_string().contains("canary"));
}

proptest! {
    #[test]
    fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(round_trip(&bytes), bytes);
    }

    #[test]
    fn we_read_every_string_as_serde_does(text in any::<String>(), json in "\"(\\\\[\"\\\\/bfnrtux]|[0-9a-fD]|.){0,30}\"") {
        let written = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(read(&written), Some(text));
        prop_assert_eq!(read(&json), serde_json::from_str::<String>(&json).ok());
    }
}
