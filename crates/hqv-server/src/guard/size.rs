//! Bodies: how long, how slow, how many at once, and that they are JSON.
//!
//! A body is read only after its credential was found to be one of ours (or where none is needed, then a small one),
//! into one wiped buffer. Large ones share a budget, so that a thousand clients cannot each hold six megabytes.

use hqv_model::{Code, Error};
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::errors::Refusal;

/// Most bytes of an ordinary body.
pub const SMALL: usize = 64 * 1024;
/// A passphrase or recovery key: what anybody may send, so no more than it takes (1 KiB, each byte perhaps as `\u00xx`).
pub const PASSPHRASE: usize = 8 * 1024;
/// A batch: 1,000 paths of 512 bytes, each byte perhaps as `\u00xx`.
pub const BATCH: usize = 1_000 * (512 * 6 + 8) + SMALL;
/// A stored value: 1 MiB whose every byte is written as `\u00xx`, and its metadata.
pub const VALUE: usize = 6 * 1024 * 1024 + 4 * SMALL;
/// An import: 16 MiB of values as base64, or as text with what JSON must escape, and 10,000 paths.
pub const IMPORT: usize = 32 * 1024 * 1024;
/// A body has this long to arrive.
const DEADLINE: Duration = Duration::from_secs(30);
/// All bodies above [`SMALL`] together, in KiB.
const BUDGET: usize = 64 * 1024;

/// Reads bodies, within the budget.
pub struct Reader {
    budget: Semaphore,
    deadline: Duration,
}

impl Default for Reader {
    fn default() -> Self {
        Self { budget: Semaphore::new(BUDGET), deadline: DEADLINE }
    }
}

impl Reader {
    /// The whole body, at most `limit` bytes.
    ///
    /// # Errors
    /// `TOO_LARGE`, as soon as the announced or the received length is over it; `BAD_REQUEST` for a body that breaks
    /// off or comes too slowly. The connection closes with either.
    pub async fn read(&self, body: Incoming, limit: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let announced = body.size_hint().upper().map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        if announced.is_some_and(|n| n > limit) {
            return Err(too_large(limit));
        }
        let room = announced.unwrap_or(limit);
        let work = async {
            let _share = match room > SMALL {
                true => Some(self.budget.acquire_many(u32::try_from(room / 1024).unwrap_or(1)).await),
                false => None,
            };
            collect(body, limit, announced.unwrap_or(SMALL).min(limit)).await
        };
        match tokio::time::timeout(self.deadline, work).await {
            Ok(read) => read,
            Err(_) => Err(Refusal::with_status(
                Error::bad_request("the request's body did not arrive in time"),
                StatusCode::REQUEST_TIMEOUT,
            )
            .closing()),
        }
    }
}

async fn collect(mut body: Incoming, limit: usize, expected: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let mut whole = Zeroizing::new(Vec::with_capacity(expected));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| broken(&e))?;
        let Some(data) = frame.data_ref() else { continue };
        if whole.len().saturating_add(data.len()) > limit {
            return Err(too_large(limit));
        }
        hqv_api::body::append_wiping(&mut whole, data);
    }
    Ok(whole)
}

fn broken(error: &hyper::Error) -> Refusal {
    Refusal::from(Error::bad_request("the request's body broke off").cause(error)).closing()
}

fn too_large(limit: usize) -> Refusal {
    let error = Error::new(Code::TooLarge, format!("the request's body is longer than {limit} bytes"));
    Refusal::from(error).closing()
}

/// A route without a body takes none: what a client sends and nobody reads could be taken for a second request.
///
/// # Errors
/// `BAD_REQUEST`.
pub fn refuse_body(body: &Incoming) -> Result<(), Refusal> {
    if body.is_end_stream() {
        return Ok(());
    }
    Err(Refusal::from(Error::bad_request("this request takes no body")).closing())
}

/// A body must say that it is JSON, in the clear. That also keeps forms of foreign pages out.
///
/// # Errors
/// 415 with `BAD_REQUEST`.
pub fn require_json(kind: Option<&HeaderValue>, encoding: Option<&HeaderValue>) -> Result<(), Refusal> {
    if encoding.is_some_and(|e| !e.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(unsupported("a compressed body is not taken"));
    }
    let essence = kind.and_then(|k| k.to_str().ok()).and_then(|k| k.split(';').next()).map(str::trim);
    match essence {
        Some(e) if e.eq_ignore_ascii_case("application/json") => Ok(()),
        _ => Err(unsupported("the body must be \"Content-Type: application/json\"")),
    }
}

fn unsupported(message: &str) -> Refusal {
    Refusal::with_status(Error::bad_request(message), StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

/// Parses a body. Depth is bounded by serde_json (128) and by the types, which are flat.
///
/// # Errors
/// `BAD_REQUEST` with the place and, where the fault is in a field's name, that name. What stands in the fields is never
/// repeated: it may be a secret.
pub fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Refusal> {
    // serde takes an array too, its items for the fields in their order; a body has one form.
    let object = bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    let message = match serde_json::from_slice(bytes) {
        Ok(parsed) if object => return Ok(parsed),
        Err(e) if object || !e.is_data() => sentence(&e),
        Ok(_) | Err(_) => "the body does not fit: expected an object".to_owned(),
    };
    Err(Error::bad_request(message).into())
}

fn sentence(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    if !error.is_data() {
        return format!("the body is not JSON ({place})");
    }
    let text = error.to_string();
    let about_a_name =
        ["unknown field", "missing field", "duplicate field", "a key stands twice", "expected "];
    if about_a_name.iter().any(|start| text.starts_with(start)) {
        let text: String = text.chars().take(300).collect();
        return format!("the body does not fit: {}", hqv_model::escape_controls(&text));
    }
    // serde's other sentences repeat the value that they found.
    match text.rsplit_once("expected ") {
        Some((_, expected)) => format!("the body does not fit: expected {expected}"),
        None => format!("the body does not fit ({place})"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Sample {
        name: String,
        #[serde(default)]
        count: Option<u64>,
    }

    fn message(json: &str) -> String {
        parse::<Sample>(json.as_bytes()).unwrap_err().error().message().to_owned()
    }

    #[test]
    fn ht3_errors_name_the_field_and_never_the_value() {
        assert!(message("{").contains("not JSON (line 1"), "{}", message("{"));
        assert!(message(r#"{"name":"a","nmae":"b"}"#).contains("unknown field `nmae`"));
        assert!(message(r#"{"name":"a","name":"b"}"#).contains("duplicate field `name`"));
        assert!(message("{}").contains("missing field `name`"));
        for wrong in [
            r#"{"name":"a","count":"sk_live_4242"}"#,
            r#"{"name":["sk_live_4242"]}"#,
            r#""sk_live_4242""#,
            r#"{"name":"a","count":"sk_live_4242 expected sk_live_4242"}"#,
        ] {
            let said = message(wrong);
            assert!(said.contains("expected") && !said.contains("4242"), "{said}");
        }
    }

    #[test]
    fn ht3_fields_in_an_array_are_no_body() {
        assert!(parse::<Sample>(br#" {"name":"a"}"#).is_ok());
        for wrong in [r#"["a",1]"#, r#"["a"]"#, "[]", "null", "1", "true"] {
            assert_eq!(message(wrong), "the body does not fit: expected an object", "{wrong}");
        }
    }

    #[test]
    fn ht3_depth_and_bad_text_are_refused() {
        assert!(message(&"[".repeat(100_000)).contains("the body"));
        let deep = format!(r#"{{"name":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert!(message(&deep).contains("the body"));
        assert!(parse::<Sample>(b"{\"name\":\"\xff\"}").is_err());
        assert!(parse::<Sample>(b"").is_err());
        assert!(parse::<Sample>(br#"{"name":"a"} {}"#).is_err());
    }

    #[test]
    fn ht3_only_json_in_the_clear() {
        let kind = |text: &'static str| require_json(Some(&HeaderValue::from_static(text)), None).is_ok();
        assert!(
            kind("application/json") && kind("application/json; charset=utf-8") && kind("Application/JSON")
        );
        assert!(
            !kind("text/plain") && !kind("application/x-www-form-urlencoded") && !kind("application/jsonx")
        );
        assert!(require_json(None, None).is_err());
        let json = HeaderValue::from_static("application/json");
        assert!(require_json(Some(&json), Some(&HeaderValue::from_static("gzip"))).is_err());
        assert!(require_json(Some(&json), Some(&HeaderValue::from_static("identity"))).is_ok());
    }
}
