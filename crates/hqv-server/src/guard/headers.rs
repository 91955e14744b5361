//! One walk over the headers, and what in them is refused before anything is done.
//!
//! A look-up by name hashes; a request has half a dozen headers and we ask for a dozen names, so walking them once
//! is both cheaper and the one place where doubled ones are seen.

use hqv_api::headers::{CLAIM, MAX_HEADER_TEXT, REASON};
use hqv_api::percent;
use hqv_model::{Code, Error};
use http::{HeaderMap, HeaderValue, Uri, Version};

use crate::errors::{Refusal, unauthorized};
use crate::guard::host::Hosts;

/// The headers that mean something here.
#[derive(Debug, Default)]
pub struct Seen<'a> {
    host: Option<&'a HeaderValue>,
    authorization: Option<&'a HeaderValue>,
    cookie: Option<&'a HeaderValue>,
    agent: Option<&'a HeaderValue>,
    claim: Option<&'a HeaderValue>,
    reason: Option<&'a HeaderValue>,
    /// `Content-Type`.
    pub content_type: Option<&'a HeaderValue>,
    /// `Content-Encoding`.
    pub content_encoding: Option<&'a HeaderValue>,
    /// `If-Match`.
    pub if_match: Option<&'a HeaderValue>,
    /// `If-None-Match`.
    pub if_none_match: Option<&'a HeaderValue>,
    from_page: bool,
}

impl<'a> Seen<'a> {
    /// Walks them.
    ///
    /// # Errors
    /// `BAD_REQUEST` where a header stands twice whose two values could mean two things.
    pub fn look(headers: &'a HeaderMap) -> Result<Self, Refusal> {
        let mut seen = Self::default();
        for (name, value) in headers {
            let slot = match name.as_str() {
                "host" => &mut seen.host,
                "authorization" => &mut seen.authorization,
                "user-agent" => {
                    seen.agent = Some(value);
                    continue;
                }
                CLAIM => &mut seen.claim,
                REASON => &mut seen.reason,
                "content-type" => &mut seen.content_type,
                "content-encoding" => &mut seen.content_encoding,
                "if-match" => &mut seen.if_match,
                "if-none-match" => &mut seen.if_none_match,
                "cookie" => {
                    seen.cookie = Some(value);
                    continue;
                }
                "origin" | "access-control-request-method" => {
                    seen.from_page = true;
                    continue;
                }
                "sec-fetch-site" => {
                    // `none` is a person who typed the address; every other value is some page's doing.
                    seen.from_page |= value != "none";
                    continue;
                }
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(Error::bad_request(format!("the header {name} stands twice")).into());
            }
        }
        Ok(seen)
    }

    /// No web page speaks to this API, whatever its origin; so no answer ever carries a CORS header.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn refuse_pages(&self) -> Result<(), Refusal> {
        if self.from_page {
            return Err(Error::forbidden("web pages may not use this API").into());
        }
        Ok(())
    }

    /// The request must name us: `Host`, or `:authority` over HTTP/2, and both the same where both are there
    /// (RFC 9113 section 8.3.1).
    ///
    /// # Errors
    /// `BAD_REQUEST` without a name or with two, `FORBIDDEN` for a foreign one.
    pub fn refuse_foreign_host(&self, uri: &Uri, version: Version, hosts: &Hosts) -> Result<(), Refusal> {
        let header = match self.host {
            Some(value) => {
                Some(value.to_str().map_err(|_| Error::bad_request("the Host header is not a name"))?)
            }
            None => None,
        };
        let authority = if version == Version::HTTP_2 { uri.authority().map(|a| a.as_str()) } else { None };
        let name = match (authority, header) {
            (Some(a), Some(h)) if !a.eq_ignore_ascii_case(h) => {
                return Err(Error::bad_request("the request names two hosts").into());
            }
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) => return Err(Error::bad_request("the request names no host").into()),
        };
        if !hosts.allow(name) {
            let error = Error::forbidden("this server does not answer to that host name")
                .hint("the owner may add it: hq-vault config set hostnames NAME");
            return Err(error.into());
        }
        Ok(())
    }

    /// The bearer credential's text (RFC 6750 section 2.1), where there is one. A credential anywhere else is refused with
    /// the reason, since a client that sends it there believes that it works.
    ///
    /// # Errors
    /// `UNAUTHORIZED`.
    pub fn bearer(&self, uri: &Uri) -> Result<Option<&'a str>, Refusal> {
        if let Some(query) = uri.query() {
            refuse_credential_in(query)?;
        }
        let Some(value) = self.authorization else {
            return match self.cookie {
                Some(cookie) if holds_credential(cookie.as_bytes()) => {
                    Err(unauthorized("a token is not read from a cookie").into())
                }
                _ => Ok(None),
            };
        };
        let text = value.to_str().map_err(|_| unauthorized("the Authorization header is not ASCII"))?;
        let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
        if scheme.eq_ignore_ascii_case("bearer") {
            return Ok(Some(rest.trim_matches(' ')));
        }
        if scheme.eq_ignore_ascii_case("basic") {
            return Err(unauthorized("Basic authentication is not taken; a token is sent as Bearer").into());
        }
        Err(unauthorized("the Authorization header is not of the form \"Bearer TOKEN\"").into())
    }

    /// What the client says of itself: agent, claim, reason.
    /// Claim and reason are percent-encoded, since a header cannot hold every text; a client that does not know that is
    /// taken by its letters.
    pub fn notes(&self) -> [Option<String>; 3] {
        let decoded = |value| note(value).map(|text| bounded(percent::decode(&text).unwrap_or(text)));
        [note(self.agent), decoded(self.claim), decoded(self.reason)]
    }
}

/// Text for the record: valid UTF-8, bounded. Control characters cannot stand in a header; the record escapes what is left.
fn note(value: Option<&HeaderValue>) -> Option<String> {
    let bytes = value?.as_bytes();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => std::borrow::Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    };
    Some(bounded(text.into_owned())).filter(|t| !t.is_empty())
}

fn bounded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_HEADER_TEXT));
    text
}

/// `hqv_` and `hqs_` begin a token and a session.
fn holds_credential(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|w| w == b"hqv_" || w == b"hqs_")
}

fn refuse_credential_in(query: &str) -> Result<(), Refusal> {
    const NAMES: [&str; 6] = ["access_token", "api_key", "apikey", "authorization", "bearer", "session"];
    let named = query.split('&').filter_map(|pair| pair.split('=').next());
    if holds_credential(query.as_bytes())
        || named.into_iter().any(|n| NAMES.contains(&n.to_ascii_lowercase().as_str()))
    {
        let error = Error::new(
            Code::Unauthorized,
            "a token is not read from the address, where logs and histories keep it",
        )
        .hint("send \"Authorization: Bearer TOKEN\", and revoke a token that stood in an address");
        return Err(error.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    fn code<T>(result: Result<T, Refusal>) -> Option<Code> {
        result.err().map(|r| r.error().code())
    }

    #[test]
    fn ht2_doubled_headers_are_refused_and_the_scheme_has_no_case() {
        let doubled = map(&[("authorization", "Bearer a"), ("authorization", "Bearer a")]);
        assert_eq!(code(Seen::look(&doubled)), Some(Code::BadRequest));
        let uri = Uri::from_static("/v1/status");
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", HeaderValue::try_from(format!("{scheme} abc")).unwrap());
            assert_eq!(Seen::look(&headers).unwrap().bearer(&uri).unwrap(), Some("abc"));
        }
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_bytes(b"Bearer \xff").unwrap());
        assert_eq!(code(Seen::look(&headers).unwrap().bearer(&uri)), Some(Code::Unauthorized));
    }

    #[test]
    fn tk7_a_credential_elsewhere_is_refused_with_the_reason() {
        type Case = (&'static [(&'static str, &'static str)], &'static str, &'static str);
        let cases: [Case; 6] = [
            (&[("cookie", "session=hqs_abc")], "/v1/status", "cookie"),
            (&[("authorization", "Basic aHF2OmFi")], "/v1/status", "Basic"),
            (&[("authorization", "hqv_abc")], "/v1/status", "Bearer TOKEN"),
            (&[], "/v1/status?token=hqv_abc", "address"),
            (&[("authorization", "Bearer hqv_abc")], "/v1/secrets?access_token=x", "address"),
            (&[], "/v1/secrets?x=1&Session=y", "address"),
        ];
        for (headers, uri, word) in cases {
            let headers = map(headers);
            let refusal = Seen::look(&headers).unwrap().bearer(&Uri::from_static(uri)).expect_err(uri);
            assert_eq!(refusal.error().code(), Code::Unauthorized);
            assert!(refusal.error().message().contains(word), "{}", refusal.error().message());
        }
        // A name is a filter of `audit`, not a credential.
        let none = HeaderMap::new();
        let uri = Uri::from_static("/v1/audit?token=deploy-run-42");
        assert_eq!(Seen::look(&none).unwrap().bearer(&uri).unwrap(), None);
    }

    #[test]
    fn ht7_pages_are_refused_whatever_their_origin() {
        for headers in [
            map(&[("origin", "https://evil.example")]),
            map(&[("origin", "null")]),
            map(&[("origin", "https://localhost:13100")]),
            map(&[("sec-fetch-site", "cross-site")]),
            map(&[("sec-fetch-site", "same-site")]),
            map(&[("sec-fetch-site", "same-origin")]),
            map(&[("access-control-request-method", "GET")]),
        ] {
            assert_eq!(
                code(Seen::look(&headers).unwrap().refuse_pages()),
                Some(Code::Forbidden),
                "{headers:?}"
            );
        }
        // Node's own fetch says how it fetches, and is no page.
        let node = map(&[("sec-fetch-mode", "cors"), ("accept-language", "*")]);
        assert!(Seen::look(&node).unwrap().refuse_pages().is_ok());
        assert!(Seen::look(&map(&[("sec-fetch-site", "none")])).unwrap().refuse_pages().is_ok());
    }

    #[test]
    fn ht7_the_host_must_be_ours_and_one() {
        let hosts = Hosts::new(&[]);
        let check = |headers: &HeaderMap, uri: &'static str, version| {
            code(Seen::look(headers).unwrap().refuse_foreign_host(&Uri::from_static(uri), version, &hosts))
        };
        let none = HeaderMap::new();
        let ours = map(&[("host", "localhost:13100")]);
        let foreign = map(&[("host", "rebound.example:13100")]);
        assert_eq!(check(&ours, "/v1/health", Version::HTTP_11), None);
        assert_eq!(check(&foreign, "/v1/health", Version::HTTP_11), Some(Code::Forbidden));
        assert_eq!(check(&none, "/v1/health", Version::HTTP_11), Some(Code::BadRequest));
        assert_eq!(check(&none, "https://localhost:13100/v1/health", Version::HTTP_2), None);
        assert_eq!(check(&ours, "https://127.0.0.1/v1/health", Version::HTTP_2), Some(Code::BadRequest));
        assert_eq!(check(&none, "https://rebound.example/v1/health", Version::HTTP_2), Some(Code::Forbidden));
        // Over HTTP/1.1 an authority in the target proves nothing; the router refuses that form anyway.
        assert_eq!(check(&foreign, "https://localhost/v1/health", Version::HTTP_11), Some(Code::Forbidden));
    }

    #[test]
    fn in6_notes_are_bounded_text() {
        let mut headers = HeaderMap::new();
        headers.insert("user-agent", HeaderValue::from_bytes("ä".repeat(600).as_bytes()).unwrap());
        headers.insert("x-hqv-reason", HeaderValue::from_bytes(b"\xffx").unwrap());
        headers.insert("x-hqv-claim", HeaderValue::from_static("run%20%C3%A4"));
        let [agent, claim, reason] = Seen::look(&headers).unwrap().notes();
        assert_eq!(agent.map(|a| a.len()), Some(MAX_HEADER_TEXT));
        assert_eq!((claim, reason), (Some("run ä".into()), Some("\u{fffd}x".into())));
        let headers = map(&[("x-hqv-reason", "100%")]);
        assert_eq!(Seen::look(&headers).unwrap().notes()[2].as_deref(), Some("100%"));
    }
}
