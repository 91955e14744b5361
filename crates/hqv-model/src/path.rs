//! Where a secret stands: [`SecretPath`], and [`Prefix`] for everything below a place.
//!
//! Parsing is on the hot path of every read, so a path of plain ASCII is checked in one pass over its
//! bytes and allocates once; only other text is brought into NFC (Unicode Annex 15) first. The text is
//! shared, so that cloning a path costs no allocation.

use crate::{Error, Result, is_bidi_control};
use std::fmt;
use std::sync::Arc;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The longest path, in bytes after normalisation.
pub const MAX_PATH_BYTES: usize = 512;

/// No text longer than this can come out at [`MAX_PATH_BYTES`]: NFC shortens UTF-8 to a third at most.
const MAX_RAW_BYTES: usize = 4 * MAX_PATH_BYTES;

/// The path of a secret, such as `aws/prod/access-key`: 1 to 512 bytes in NFC, segments separated by `/`,
/// none of them empty, `.`, `..` or made of `*` alone, no control or bidirectional-control character.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretPath(Arc<str>);

impl SecretPath {
    /// Reads a path. [`crate::Code::BadRequest`] with the reason where it is none.
    pub fn parse(text: &str) -> Result<Self> {
        with_nfc(text, |nfc| {
            check(nfc, "path", Stars::Refused)?;
            Ok(SecretPath(Arc::from(nfc)))
        })
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text once more, without a copy.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The segments, from the outermost.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl fmt::Display for SecretPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SecretPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Whole segments from the start of a path, and all that is nested below: `deploy/prod/` holds
/// `deploy/prod/key` and `deploy/prod/db/url`, not `deploy/production/key` and not `deploy/prod` itself.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix(Arc<str>);

impl Prefix {
    /// Reads a prefix: nothing and `/` mean everything, `myapp` means `myapp/`.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() || text == "/" {
            return Ok(Prefix::everything());
        }
        with_nfc(text.strip_suffix('/').unwrap_or(text), |nfc| {
            check(nfc, "prefix", Stars::Refused)?;
            let mut whole = String::with_capacity(nfc.len() + 1);
            whole.push_str(nfc);
            whole.push('/');
            Ok(Prefix(Arc::from(whole)))
        })
    }

    /// The prefix of every path.
    pub fn everything() -> Self {
        Prefix(Arc::from(""))
    }

    /// The prefix as text: empty for everything, else it ends in `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the path stands below.
    pub fn contains(&self, path: &SecretPath) -> bool {
        path.as_str().starts_with(&*self.0)
    }

    /// What is left of a path that stands below. Never empty.
    pub fn strip<'p>(&self, path: &'p SecretPath) -> Option<&'p str> {
        path.as_str().strip_prefix(&*self.0)
    }
}

impl fmt::Display for Prefix {
    /// Writes `/` for everything, so that there is something to see.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Hands the text over in NFC. ASCII is in NFC already.
pub(crate) fn with_nfc<T>(text: &str, then: impl FnOnce(&str) -> Result<T>) -> Result<T> {
    if text.len() > MAX_RAW_BYTES {
        return Err(too_long("path"));
    }
    if text.is_ascii() || is_nfc(text) {
        return then(text);
    }
    then(&text.nfc().collect::<String>())
}

/// Whether a segment may be `*`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stars {
    Refused,
    Allowed,
}

/// Checks segments that are in NFC and carry no final `/`. `what` names the thing in the sentence.
pub(crate) fn check(text: &str, what: &str, stars: Stars) -> Result<()> {
    if text.len() > MAX_PATH_BYTES {
        return Err(too_long(what));
    }
    if is_plain(text.as_bytes()) {
        return Ok(());
    }
    if text.is_empty() {
        return Err(Error::bad_request(format!("the {what} is empty")));
    }
    let controls = if text.is_ascii() {
        text.bytes().any(|b| b.is_ascii_control())
    } else {
        text.chars().any(|c| c.is_control() || is_bidi_control(c))
    };
    if controls {
        let message = format!("the {what} holds a control or bidirectional-control character");
        return Err(Error::bad_request(message));
    }
    if text.starts_with('/') {
        return Err(Error::bad_request(format!("a {what} does not start with /")));
    }
    if what == "path" && text.ends_with('/') {
        return Err(Error::bad_request("a path does not end with /"));
    }
    text.split('/').try_for_each(|segment| check_segment(segment, what, stars))
}

/// True of what needs no second look: ASCII without controls, in segments that hold a letter or digit at
/// least. Nearly every path is such, and one pass over its bytes finds out.
fn is_plain(text: &[u8]) -> bool {
    let mut word = false;
    for byte in text {
        match byte {
            b'/' if !word => return false,
            b'/' => word = false,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => word = true,
            b' '..=b'~' => {}
            _ => return false,
        }
    }
    word
}

fn check_segment(segment: &str, what: &str, stars: Stars) -> Result<()> {
    match segment {
        "" => Err(Error::bad_request(format!("the {what} has an empty segment (//)"))),
        "." | ".." => Err(Error::bad_request(format!("the {what} has the segment {segment}"))),
        "*" if stars == Stars::Allowed => Ok(()),
        _ if segment.bytes().all(|b| b == b'*') => Err(Error::bad_request(match stars {
            Stars::Refused => {
                format!("the {what} has the segment {segment}, which is kept for scope patterns")
            }
            Stars::Allowed => format!("in a {what} * stands for one segment, and {segment} for nothing"),
        })),
        _ => Ok(()),
    }
}

fn too_long(what: &str) -> Error {
    Error::bad_request(format!("the {what} is longer than {MAX_PATH_BYTES} bytes"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::Code;
    use proptest::prelude::*;

    fn refusal(text: &str) -> String {
        let error = SecretPath::parse(text).expect_err(text);
        assert_eq!(error.code(), Code::BadRequest);
        error.message().to_owned()
    }

    #[test]
    fn in1_each_bad_path_is_refused_with_its_reason() {
        assert_eq!(refusal(""), "the path is empty");
        assert_eq!(refusal("/"), "a path does not start with /");
        assert_eq!(refusal("/a"), "a path does not start with /");
        assert_eq!(refusal("a/"), "a path does not end with /");
        assert_eq!(refusal("a//b"), "the path has an empty segment (//)");
        assert_eq!(refusal("a/./b"), "the path has the segment .");
        assert_eq!(refusal("../b"), "the path has the segment ..");
        assert_eq!(refusal("a/.."), "the path has the segment ..");
        assert_eq!(refusal("a/*/b"), "the path has the segment *, which is kept for scope patterns");
        assert_eq!(refusal("a/**"), "the path has the segment **, which is kept for scope patterns");
    }

    #[test]
    fn in1_controls_and_bidi_controls_are_refused() {
        let bidi = [0x61c_u32, 0x200e, 0x200f].into_iter().chain(0x202a..=0x202e).chain(0x2066..=0x2069);
        for point in (0..=0x1f).chain(0x7f..=0x9f).chain(bidi) {
            let c = char::from_u32(point).unwrap();
            for text in [format!("a{c}b"), format!("{c}"), format!("a/b{c}"), format!("é{c}")] {
                assert_eq!(refusal(&text), "the path holds a control or bidirectional-control character");
            }
        }
    }

    #[test]
    fn in1_512_bytes_fit_and_513_do_not_counted_after_nfc() {
        assert!(SecretPath::parse(&"a".repeat(512)).is_ok());
        assert_eq!(refusal(&"a".repeat(513)), "the path is longer than 512 bytes");
        // Three bytes each before NFC, two after.
        assert_eq!(SecretPath::parse(&"e\u{301}".repeat(256)).unwrap().as_str().len(), 512);
        assert_eq!(refusal(&"e\u{301}".repeat(257)), "the path is longer than 512 bytes");
        // The strongest shortening there is: three Hangul letters (9 bytes) to one syllable (3 bytes).
        assert_eq!(SecretPath::parse(&"\u{1100}\u{1161}\u{11a8}".repeat(170)).unwrap().as_str().len(), 510);
        assert_eq!(refusal(&"a".repeat(1_000_000)), "the path is longer than 512 bytes");
    }

    #[test]
    fn in1_nfd_and_nfc_are_one_path() {
        let (nfc, nfd) =
            (SecretPath::parse("clé/\u{c5}").unwrap(), SecretPath::parse("cle\u{301}/A\u{30a}").unwrap());
        assert_eq!(nfc, nfd);
        assert_eq!(nfc.as_str(), nfd.as_str());
        // The Angstrom sign is Å to NFC; look-alikes of other scripts stay themselves.
        assert_eq!(SecretPath::parse("clé/\u{212b}").unwrap(), nfc);
        assert_ne!(SecretPath::parse("а/b").unwrap(), SecretPath::parse("a/b").unwrap());
    }

    #[test]
    fn ordinary_paths_are_kept_as_they_are() {
        for text in
            ["a", "aws/prod/access-key", "...", "a/.b/..c", "with blank/x", "*a/b*", "100%", "鍵/🔑", "a\\b"]
        {
            let path = SecretPath::parse(text).unwrap();
            assert_eq!(path.as_str(), text);
            assert_eq!(path.segments().collect::<Vec<_>>(), text.split('/').collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_prefix_is_whole_segments() {
        let prefix = |text: &str| Prefix::parse(text).unwrap();
        let path = |text: &str| SecretPath::parse(text).unwrap();
        assert_eq!(prefix("deploy/prod"), prefix("deploy/prod/"));
        assert_eq!(prefix(""), prefix("/"));
        assert_eq!(prefix("/").as_str(), "");
        assert_eq!(prefix("").to_string(), "/");
        let prod = prefix("deploy/prod");
        assert_eq!(prod.strip(&path("deploy/prod/db/url")), Some("db/url"));
        assert_eq!(prod.strip(&path("deploy/production/key")), None);
        assert!(!prod.contains(&path("deploy/prod")));
        assert!(prefix("/").contains(&path("x")));
        for bad in ["//", "/a", "a//", "a//b", "./", "..", "a/\u{202e}", "*", "a/*/"] {
            assert!(Prefix::parse(bad).is_err(), "{bad}");
        }
        assert!(Prefix::parse(&format!("{}/", "a".repeat(512))).is_ok());
        assert!(Prefix::parse(&"a".repeat(513)).is_err());
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[ab./*\u{1}\u{7f}]{0,12}",
            "[a/e\u{301}\u{212b}\u{344}\u{1100}\u{1161}\u{11a8}\u{f900}\u{37e}\u{1fef}\u{202e}.*]{0,16}",
            any::<String>(),
        ]
    }

    proptest! {
        #[test]
        fn in1_what_parses_obeys_every_rule_and_parses_to_itself(text in any_text()) {
            if let Ok(path) = SecretPath::parse(&text) {
                let kept = path.as_str();
                prop_assert!((1..=MAX_PATH_BYTES).contains(&kept.len()));
                prop_assert!(is_nfc(kept));
                prop_assert!(!kept.chars().any(|c| c.is_control() || is_bidi_control(c)));
                prop_assert!(kept.split('/').all(|s| !matches!(s, "" | "." | ".." | "*" | "**")));
                prop_assert_eq!(SecretPath::parse(kept).unwrap(), path);
            }
        }

        #[test]
        fn in1_normal_forms_of_one_text_are_one_path_or_none(text in any_text()) {
            let nfd: String = text.nfd().collect();
            let nfc: String = text.nfc().collect();
            match (SecretPath::parse(&text), SecretPath::parse(&nfd), SecretPath::parse(&nfc)) {
                (Ok(a), Ok(b), Ok(c)) => prop_assert!(a == b && b == c),
                (Err(_), Err(_), Err(_)) => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }

        #[test]
        fn a_prefix_contains_what_has_its_segments_and_more(a in "[ab]{1,2}(/[ab]{1,2}){0,3}", b in "[ab]{1,2}(/[ab]{1,2}){0,4}") {
            let (prefix, path) = (Prefix::parse(&a).unwrap(), SecretPath::parse(&b).unwrap());
            let (a, b): (Vec<_>, Vec<_>) = (a.split('/').collect(), b.split('/').collect());
            let expected = b.len() > a.len() && b[..a.len()] == a[..];
            prop_assert_eq!(prefix.contains(&path), expected);
            let rest = expected.then(|| b[a.len()..].join("/"));
            prop_assert_eq!(prefix.strip(&path), rest.as_deref());
        }
    }
}
