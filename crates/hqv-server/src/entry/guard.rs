//! Who may speak to a page's server: the page itself, in a browser on this machine or at the end of a tunnel.
//!
//! Other sites are told apart by what browsers say of themselves and scripts cannot change: `Host` (DNS rebinding),
//! `Origin` and `Sec-Fetch-Site` (Fetch standard, sections 3.1 and 2.2 of Fetch Metadata). A program that is no browser can
//! say what it likes; what it cannot do is name the submit secret.

use hqv_model::{Error, SecretText};
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName};
use subtle::ConstantTimeEq;

use crate::errors::Refusal;
use crate::guard::host;

/// Carries the submit secret. A header of our own, so that no form and no simple request of another site can bear it, and so
/// that a stranger's body is never read.
pub const SUBMIT: HeaderName = HeaderName::from_static("x-hqv-submit");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Lets through what comes from this page, or from a person who opened its address.
///
/// # Errors
/// `FORBIDDEN` for every other site; `BAD_REQUEST` without one clear `Host`.
pub fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Refusal> {
    let host = one(headers, &HOST)?.ok_or_else(|| Error::bad_request("the request names no host"))?;
    if !host::is_loopback(host) {
        let error = Error::forbidden("this page answers to 127.0.0.1 and localhost only");
        return Err(error.into());
    }
    let foreign = || {
        Refusal::from(Error::forbidden(
            "this page opens by its own address only: copy it into the address bar",
        ))
    };
    if let Some(origin) = one(headers, &ORIGIN)? {
        let ours = origin.strip_prefix("http://").is_some_and(|rest| rest.eq_ignore_ascii_case(host));
        if !ours {
            return Err(foreign());
        }
    }
    match one(headers, &SEC_FETCH_SITE)? {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err(foreign()),
    }
}

/// Whether the request brings this submit secret. Takes as long for a wrong one as for the right one.
pub fn brings(headers: &HeaderMap, submit: &SecretText) -> bool {
    let brought = one(headers, &SUBMIT).ok().flatten().unwrap_or_default();
    bool::from(brought.as_bytes().ct_eq(submit.reveal().as_bytes()))
}

/// A header that stands once, as text.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Error::bad_request(format!("the header {name} stands twice")).into());
    }
    match first.map(|value| value.to_str()) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(Error::bad_request(format!("the header {name} is not ASCII")).into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::HeaderValue;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn en2_ht7_only_the_page_itself_and_a_typed_address_pass() {
        for good in [
            map(&[("host", "127.0.0.1:4711")]),
            map(&[("host", "localhost:80")]),
            map(&[("host", "[::1]:9"), ("sec-fetch-site", "none")]),
            map(&[
                ("host", "127.0.0.1:1"),
                ("origin", "http://127.0.0.1:1"),
                ("sec-fetch-site", "same-origin"),
            ]),
            map(&[("host", "LOCALHOST:1"), ("origin", "http://localhost:1")]),
        ] {
            assert!(refuse_other_sites(&good).is_ok(), "{good:?}");
        }
        for bad in [
            map(&[]),
            map(&[("host", "evil.example")]),
            map(&[("host", "host.docker.internal:1")]),
            map(&[("host", "127.0.0.1.nip.io:1")]),
            map(&[("host", "127.0.0.1:1"), ("host", "127.0.0.1:1")]),
            map(&[("host", "127.0.0.1:1"), ("origin", "null")]),
            map(&[("host", "127.0.0.1:1"), ("origin", "http://127.0.0.1:2")]),
            map(&[("host", "127.0.0.1:1"), ("origin", "http://localhost:1")]),
            map(&[("host", "127.0.0.1:1"), ("origin", "https://127.0.0.1:1")]),
            map(&[("host", "127.0.0.1:1"), ("origin", "http://127.0.0.1:1"), ("origin", "null")]),
            map(&[("host", "127.0.0.1:1"), ("sec-fetch-site", "cross-site")]),
            map(&[("host", "127.0.0.1:1"), ("sec-fetch-site", "same-site")]),
            map(&[("host", "127.0.0.1:1"), ("sec-fetch-site", "")]),
        ] {
            assert!(refuse_other_sites(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn en1_only_the_whole_secret_is_the_secret() {
        let submit = SecretText::new("abcd".into());
        assert!(brings(&map(&[("x-hqv-submit", "abcd")]), &submit));
        for wrong in ["", "abc", "abcde", "abcD"] {
            assert!(!brings(&map(&[("x-hqv-submit", wrong)]), &submit), "{wrong}");
        }
        assert!(!brings(&map(&[]), &submit));
        assert!(!brings(&map(&[("x-hqv-submit", "abcd"), ("x-hqv-submit", "abcd")]), &submit));
    }
}
