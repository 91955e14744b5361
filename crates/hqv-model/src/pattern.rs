//! Which paths a rule is about.
//!
//! A pattern is kept as its text. `*` stands for one whole segment, so matching walks pattern and path
//! side by side once and never backtracks; the two common shapes (a path, a plain prefix) are one
//! comparison of bytes.

use crate::Result;
use crate::path::{Prefix, SecretPath, Stars, check, with_nfc};
use std::fmt;
use std::sync::Arc;

/// A path (`a/b`), a prefix ending in `/` (`a/`, and `/` for everything), either with `*` for one whole
/// segment (`a/*/key`). A star beside other
/// characters is an ordinary character; a segment of several stars is refused.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// Empty for everything, else as written.
    text: Arc<str>,
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Shape {
    Path,
    Prefix,
    WildPath,
    WildPrefix,
}

impl Pattern {
    /// Reads a pattern. [`crate::Code::BadRequest`] with the reason where it is none.
    pub fn parse(text: &str) -> Result<Self> {
        if text == "/" {
            return Ok(Pattern::everything());
        }
        let body = text.strip_suffix('/').unwrap_or(text);
        let is_prefix = body.len() != text.len();
        with_nfc(body, |nfc| {
            check(nfc, "pattern", Stars::Allowed)
                .map_err(|error| error.hint("`/` means every path, `a/` all below a, and `*` one segment"))?;
            let wild = nfc.split('/').any(|segment| segment == "*");
            let shape = match (wild, is_prefix) {
                (false, false) => Shape::Path,
                (false, true) => Shape::Prefix,
                (true, false) => Shape::WildPath,
                (true, true) => Shape::WildPrefix,
            };
            let text = if is_prefix { Arc::from(format!("{nfc}/")) } else { Arc::from(nfc) };
            Ok(Pattern { text, shape })
        })
    }

    /// The pattern of every path, written `/`.
    pub fn everything() -> Self {
        Pattern { text: Arc::from(""), shape: Shape::Prefix }
    }

    /// The pattern of one path.
    pub fn exactly(path: &SecretPath) -> Self {
        // A path has no segment `*`, so its text means itself.
        Pattern { text: Arc::from(path.as_str()), shape: Shape::Path }
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        if self.text.is_empty() { "/" } else { &self.text }
    }

    fn is_prefix(&self) -> bool {
        matches!(self.shape, Shape::Prefix | Shape::WildPrefix)
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.text.split_terminator('/')
    }

    /// Whether the pattern is about this path.
    pub fn matches(&self, path: &SecretPath) -> bool {
        match self.shape {
            Shape::Path => *self.text == *path.as_str(),
            Shape::Prefix => path.as_str().starts_with(&*self.text),
            Shape::WildPath | Shape::WildPrefix => {
                let mut theirs = path.segments();
                let begins =
                    self.segments().all(|mine| theirs.next().is_some_and(|s| mine == "*" || mine == s));
                begins && theirs.next().is_some() == self.is_prefix()
            }
        }
    }

    /// Whether every path that `child` is about, this pattern is about too.
    pub fn covers(&self, child: &Pattern) -> bool {
        let mut theirs = child.segments();
        let begins = self.segments().all(|mine| theirs.next().is_some_and(|s| mine == "*" || mine == s));
        // A prefix asks for at least one segment more; a child that is a prefix always brings one.
        let more = theirs.next().is_some();
        begins && if self.is_prefix() { more || child.is_prefix() } else { !more && !child.is_prefix() }
    }

    /// Whether the pattern can be about a path below the prefix.
    pub fn overlaps_prefix(&self, prefix: &Prefix) -> bool {
        let mut mine = self.segments();
        for theirs in prefix.as_str().split_terminator('/') {
            match mine.next() {
                Some(segment) if segment == "*" || segment == theirs => {}
                Some(_) => return false,
                None => return self.is_prefix(),
            }
        }
        self.is_prefix() || mine.next().is_some()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    fn matches(on: &str, path: &str) -> bool {
        pattern(on).matches(&SecretPath::parse(path).unwrap())
    }

    #[test]
    fn a_path_a_prefix_and_a_star() {
        assert!(matches("a/b", "a/b") && !matches("a/b", "a/bc") && !matches("a/b", "a/b/c"));
        assert!(
            matches("a/", "a/b") && matches("a/", "a/b/c") && !matches("a/", "a") && !matches("a/", "ab/c")
        );
        assert!(matches("/", "a") && matches("/", "a/b"));
        assert!(matches("*", "a") && !matches("*", "a/b"));
        assert!(matches("*/", "a/b") && matches("*/", "a/b/c") && !matches("*/", "a"));
        assert!(matches("a/*/k", "a/x/k") && !matches("a/*/k", "a/k") && !matches("a/*/k", "a/x/y/k"));
        assert!(matches("a/*/", "a/x/k") && !matches("a/*/", "a/x"));
        assert!(matches("a/x*", "a/x*") && !matches("a/x*", "a/xy"));
    }

    #[test]
    fn bad_patterns_are_refused_and_good_ones_keep_their_spelling() {
        for bad in [
            "",
            "//",
            "/a",
            "a//",
            "a//b",
            "a/../b",
            ".",
            "a/**",
            "**/",
            "a\u{202e}",
            "a\nb",
            &"a".repeat(513),
        ] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
        for good in ["/", "a", "a/", "*", "*/", "a/*/b", "a b/c", &format!("{}/", "a".repeat(512))] {
            assert_eq!(pattern(good).as_str(), good);
            assert_eq!(pattern(good).to_string(), good);
        }
        assert_eq!(pattern("e\u{301}/"), pattern("\u{e9}/"));
    }

    #[test]
    fn tk4_covers_is_not_fooled_by_prefix_tricks_and_wildcards() {
        let covers = |parent: &str, child: &str| pattern(parent).covers(&pattern(child));
        assert!(!covers("a/b", "a/bc") && !covers("a/bc", "a/b") && !covers("a/b/", "a/bc/"));
        assert!(!covers("a/b", "a/b/") && !covers("a/b/", "a/b") && covers("a/b/", "a/b/c"));
        assert!(
            !covers("a/b", "a/*") && covers("a/*", "a/b") && !covers("a/*", "a/") && !covers("a/*", "a/*/")
        );
        assert!(
            covers("a/", "a/*") && covers("a/", "a/*/") && covers("a/*/", "a/b/") && !covers("a/*/", "a/")
        );
        assert!(
            covers("/", "/")
                && covers("/", "*")
                && covers("/", "a/*/b")
                && !covers("*", "/")
                && !covers("*/", "/")
        );
        assert!(covers("*/b", "a/b") && !covers("a/b", "*/b") && covers("*/", "a/b/"));
    }

    /// Patterns and paths over two letters and at most three segments: small enough to try them all.
    fn any_pattern() -> impl Strategy<Value = Pattern> {
        prop_oneof![
            1 => Just(Pattern::everything()),
            12 => "(a|b|\\*)(/(a|b|\\*)){0,2}/?".prop_map(|text| pattern(&text)),
        ]
    }

    /// Every path of up to five segments over three letters: the patterns use two of them, so the third stands for
    /// all other segments, and five is longer than any pattern.
    fn all_paths() -> Vec<SecretPath> {
        let mut all = vec![];
        let mut last = vec![String::new()];
        for _ in 0..5 {
            last = last.iter().flat_map(|p| ["a", "b", "c"].map(|s| format!("{p}/{s}"))).collect();
            all.extend(last.iter().map(|p| SecretPath::parse(&p[1..]).unwrap()));
        }
        all
    }

    /// The meaning of a pattern, written another way: from the text, with lists.
    fn model_matches(on: &Pattern, path: &SecretPath) -> bool {
        let text = on.as_str();
        if text == "/" {
            return true;
        }
        let wanted: Vec<&str> = text.trim_end_matches('/').split('/').collect();
        let have: Vec<&str> = path.as_str().split('/').collect();
        let long_enough =
            if text.ends_with('/') { have.len() > wanted.len() } else { have.len() == wanted.len() };
        long_enough && wanted.iter().zip(&have).all(|(w, h)| *w == "*" || w == h)
    }

    proptest! {
        #![proptest_config(crate::testing::cases(200, 5000))]

        #[test]
        fn matches_is_the_model(on in any_pattern()) {
            for path in all_paths() {
                prop_assert_eq!(on.matches(&path), model_matches(&on, &path), "{} {}", on, path);
            }
        }

        #[test]
        fn tk4_covers_is_exactly_the_subset(parent in any_pattern(), child in any_pattern()) {
            let subset = all_paths().iter().all(|path| !model_matches(&child, path) || model_matches(&parent, path));
            prop_assert_eq!(parent.covers(&child), subset, "{} {}", parent, child);
        }

        #[test]
        fn overlaps_prefix_is_exactly_a_common_path(on in any_pattern(), at in "|[ab](/[ab]){0,3}") {
            let prefix = Prefix::parse(&at).unwrap();
            let common = all_paths().iter().any(|path| prefix.contains(path) && model_matches(&on, path));
            prop_assert_eq!(on.overlaps_prefix(&prefix), common, "{} {}", on, prefix);
        }

        #[test]
        fn the_pattern_of_a_path_matches_it_alone_and_reads_back(a in "[ab*.]{1,3}(/[ab*.]{1,3}){0,2}", b in "[ab]{1,3}") {
            if let Ok(path) = SecretPath::parse(&a) {
                let exact = Pattern::exactly(&path);
                prop_assert!(exact.matches(&path));
                prop_assert_eq!(&pattern(exact.as_str()), &exact);
                let other = SecretPath::parse(&b).unwrap();
                prop_assert_eq!(exact.matches(&other), other == path);
            }
        }
    }
}
