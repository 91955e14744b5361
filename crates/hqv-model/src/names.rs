//! What tokens are called, and how one refers to them.

use crate::{Error, Result, TokenId};
use std::fmt;

/// The greatest depth of a token family, and so the most names in a reference.
pub const MAX_DEPTH: usize = 32;

const MAX_NAME_BYTES: usize = 128;

/// The name of a token: `[A-Za-z0-9._:@-]{1,128}`, and nothing that looks like an id or a credential
/// (`tok_`, `hqv_`, `hqs_`, in any case), a step in a URL (`.`, `..`) or what the record calls others than tokens
/// (`owner`, `peer`, `daemon`, `nobody`). ASCII alone, so that no two names look alike.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenName(Box<str>);

/// What stands in a record or beside a version for whoever is no token.
const LABELS: [&str; 4] = ["owner", "peer", "daemon", "nobody"];

impl TokenName {
    /// Reads a name. [`crate::Code::BadRequest`] with the reason where it is none; the name is not repeated, for
    /// it may be a token pasted into the wrong place.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::bad_request("the token name is empty"));
        }
        if text.len() > MAX_NAME_BYTES {
            return Err(Error::bad_request(format!("a token name has at most {MAX_NAME_BYTES} characters")));
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'@' | b'-');
        if !text.bytes().all(allowed) {
            return Err(Error::bad_request("a token name is made of letters, digits and . _ : @ -"));
        }
        if ["tok_", "hqv_", "hqs_"].iter().any(|taken| starts_with_ignore_case(text, taken)) {
            return Err(Error::bad_request("a token name does not start with tok_, hqv_ or hqs_"));
        }
        if matches!(text, "." | "..") {
            return Err(Error::bad_request("a token name is not made of dots alone"));
        }
        if LABELS.iter().any(|taken| text.eq_ignore_ascii_case(taken)) {
            let say = "a token is not named owner, peer, daemon or nobody: the record calls others so";
            return Err(Error::bad_request(say).hint("choose another name"));
        }
        Ok(TokenName(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// How a token is named by whoever asks about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenRef {
    /// By its id, unique for ever.
    Id(TokenId),
    /// By its name, or by the end of its ancestry: 1 to 32 names.
    Path(Vec<TokenName>),
}

impl TokenRef {
    /// Reads `tok_...`, `name` or `ancestor/name`.
    pub fn parse(text: &str) -> Result<Self> {
        if starts_with_ignore_case(text, "tok_") {
            return TokenId::parse(text).map(TokenRef::Id);
        }
        if text.split('/').count() > MAX_DEPTH {
            return Err(Error::bad_request(format!("a token's ancestry has at most {MAX_DEPTH} names")));
        }
        text.split('/').map(TokenName::parse).collect::<Result<_>>().map(TokenRef::Path)
    }
}

impl fmt::Display for TokenRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenRef::Id(id) => id.fmt(f),
            TokenRef::Path(names) => {
                for (index, name) in names.iter().enumerate() {
                    write!(f, "{}{name}", if index == 0 { "" } else { "/" })?;
                }
                Ok(())
            }
        }
    }
}

fn starts_with_ignore_case(text: &str, start: &str) -> bool {
    text.as_bytes().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tk6_names_are_short_ascii_and_no_id() {
        for good in
            ["a", "deploy-run-42", "ci:main@host.example_1", "...", "tok", "tok-1", "xtok_", &"n".repeat(128)]
        {
            assert_eq!(TokenName::parse(good).unwrap().as_str(), good);
        }
        let bad =
            ["", " ", "a b", "a/b", "a\n", "a\u{0}", "dеploy", "ａ", "é", "a\u{200b}", ".", "..", "a%2Fb"];
        let long = ["n".repeat(129), "n".repeat(10_000)];
        let ids = ["tok_x", "TOK_x", "hqv_", "hqV_a", "hqs_abc"];
        let labels = ["owner", "Owner", "peer", "daemon", "NOBODY"];
        for bad in bad.into_iter().chain(long.iter().map(String::as_str)).chain(ids).chain(labels) {
            let error = TokenName::parse(bad).expect_err(bad);
            assert_eq!(error.code(), crate::Code::BadRequest);
        }
    }

    #[test]
    fn tk6_a_credential_pasted_as_a_name_is_not_repeated() {
        let error = TokenName::parse("hqv_AQIDBAUGBwgJ").expect_err("a credential");
        assert!(!format!("{error:?}").contains("AQIDBAUGBwgJ"));
    }

    #[test]
    fn a_reference_is_an_id_or_names() {
        let id = TokenId::from_bytes([3; 16]);
        assert_eq!(TokenRef::parse(&id.to_string()).unwrap(), TokenRef::Id(id));
        assert_eq!(TokenRef::parse(&id.to_string().to_uppercase()).unwrap(), TokenRef::Id(id));
        let names = TokenRef::parse("orchestrator/worker-3").unwrap();
        assert_eq!(names.to_string(), "orchestrator/worker-3");
        assert!(matches!(names, TokenRef::Path(names) if names.len() == 2));
        for bad in
            ["", "/", "a/", "/a", "a//b", "tok_", "tok_short", "hqv_x", "a/tok_00000000000000000000000000"]
        {
            assert!(TokenRef::parse(bad).is_err(), "{bad}");
        }
        assert!(TokenRef::parse(&["n"; 32].join("/")).is_ok());
        assert!(TokenRef::parse(&["n"; 33].join("/")).is_err());
    }

    proptest! {
        #[test]
        fn tk6_what_parses_is_in_the_alphabet(text in "[A-Za-z0-9._:@-]{1,9}|.*") {
            let model = (1..=128).contains(&text.len())
                && text.chars().all(|c| c.is_ascii() && (c.is_alphanumeric() || "._:@-".contains(c)))
                && !["tok_", "hqv_", "hqs_"].iter().any(|t| text.to_lowercase().starts_with(t))
                && text != "." && text != "..";
            prop_assert_eq!(TokenName::parse(&text).is_ok(), model);
        }
    }
}
