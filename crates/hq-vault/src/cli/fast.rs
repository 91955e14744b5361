//! The short way of `get PATH`: recognised from the words alone.

use std::ffi::OsString;

use hqv_model::SecretPath;

/// The path, where the words are exactly `get PATH` and PATH is no option.
/// Anything else, a bad path too, takes the long way and its sentences.
pub fn plain_get(words: &[OsString]) -> Option<SecretPath> {
    let [_, verb, path] = words else { return None };
    if verb != "get" {
        return None;
    }
    let path = path.to_str().filter(|p| !p.starts_with('-'))?;
    SecretPath::parse(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &[&str]) -> Vec<OsString> {
        text.iter().map(OsString::from).collect()
    }

    #[test]
    fn only_the_plain_form_is_short() {
        assert!(plain_get(&words(&["hq-vault", "get", "a/b"])).is_some());
        for long in [
            &["hq-vault", "get"][..],
            &["hq-vault", "get", "--help"],
            &["hq-vault", "get", "a//b"],
            &["hq-vault", "get", "a", "-o"],
            &["hq-vault", "list", "a"],
        ] {
            assert!(plain_get(&words(long)).is_none(), "{long:?}");
        }
    }
}
