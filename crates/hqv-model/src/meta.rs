//! What is known about a secret besides its value.

use crate::{Error, Result, SecretType, Timestamp};
use std::collections::BTreeMap;
use std::fmt;

const MAX_DESCRIPTION_BYTES: usize = 1024;
const MAX_TAGS: usize = 32;
const MAX_TAG_KEY_BYTES: usize = 64;
const MAX_TAG_VALUE_BYTES: usize = 256;
const MAX_ENV_BYTES: usize = 512;

/// The metadata of a secret that its writer chooses. Text here may hold anything; whoever shows it
/// escapes it ([`crate::escape_controls`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretMeta {
    /// The type.
    pub kind: SecretType,
    /// What it is for: at most 1024 bytes.
    pub description: String,
    /// At most 32 tags, keys `[A-Za-z0-9._-]{1,64}`, values of at most 256 bytes.
    pub tags: BTreeMap<String, String>,
    /// When it ends, where it does.
    pub expires: Option<Timestamp>,
    /// The variable it is given to programs as, instead of the one made from its path.
    pub env: Option<EnvName>,
}

impl SecretMeta {
    /// Checks the limits named at the fields. [`crate::Code::BadRequest`] naming the one that is broken.
    pub fn validate(&self) -> Result<()> {
        if self.description.len() > MAX_DESCRIPTION_BYTES {
            let message = format!("the description is longer than {MAX_DESCRIPTION_BYTES} bytes");
            return Err(Error::bad_request(message));
        }
        if self.tags.len() > MAX_TAGS {
            return Err(Error::bad_request(format!("a secret has at most {MAX_TAGS} tags")));
        }
        self.tags.iter().try_for_each(|(key, value)| check_tag(key, value))
    }
}

fn check_tag(key: &str, value: &str) -> Result<()> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if key.is_empty() || key.len() > MAX_TAG_KEY_BYTES || !key.bytes().all(allowed) {
        return Err(Error::bad_request(format!(
            "a tag's key is 1 to {MAX_TAG_KEY_BYTES} letters, digits and . _ -"
        )));
    }
    if value.len() > MAX_TAG_VALUE_BYTES {
        return Err(Error::bad_request(format!("the tag {key} is longer than {MAX_TAG_VALUE_BYTES} bytes")));
    }
    Ok(())
}

/// The name of an environment variable: `[A-Za-z_][A-Za-z0-9_]*`, at most 512 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnvName(Box<str>);

impl EnvName {
    /// Reads a name. [`crate::Code::BadRequest`] where it is none.
    pub fn parse(text: &str) -> Result<Self> {
        let starts = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        if !starts || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(Error::bad_request(
                "a variable name is letters, digits and _, not starting with a digit",
            ));
        }
        if text.len() > MAX_ENV_BYTES {
            return Err(Error::bad_request(format!(
                "a variable name has at most {MAX_ENV_BYTES} characters"
            )));
        }
        Ok(EnvName(text.into()))
    }

    /// The name that the rest of a path below a prefix gives: upper-cased (ASCII alone, so that every language
    /// makes the same name), every character other than A-Z, 0-9 and `_` turned into `_`, and `_` put before a leading
    /// digit. Nothing gives `_`.
    pub fn from_rest(rest: &str) -> Self {
        let mut name = String::with_capacity(rest.len() + 1);
        if rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit()) {
            name.push('_');
        }
        name.extend(rest.chars().map(
            |c| {
                if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }
            },
        ));
        EnvName(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for EnvName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ou2_the_rest_of_a_path_gives_a_name() {
        let cases = [
            ("aws-key", "AWS_KEY"),
            ("db/url", "DB_URL"),
            ("2fa.seed", "_2FA_SEED"),
            ("clé", "CL_"),
            ("straße", "STRA_E"),
            ("ı", "_"),
            ("٣", "_"),
            ("a🔑b", "A_B"),
            ("_x_", "_X_"),
            ("", "_"),
        ];
        for (rest, name) in cases {
            assert_eq!(EnvName::from_rest(rest).as_str(), name, "{rest}");
        }
    }

    #[test]
    fn variable_names_are_ascii_words() {
        for good in ["A", "_", "aws_Key2", "__", &"A".repeat(512)] {
            assert_eq!(EnvName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "2A", "A-B", "A B", "É", "A=", "A\n", "A\u{0}", "$(x)", &"A".repeat(513)] {
            assert!(EnvName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn metadata_has_limits() {
        let mut meta = SecretMeta { description: "d".repeat(1024), ..SecretMeta::default() };
        meta.tags = (0..32).map(|n| (format!("k{n}"), "v".repeat(256))).collect();
        meta.tags.insert("k0".into(), String::new());
        assert!(meta.validate().is_ok());
        let message = |change: &dyn Fn(&mut SecretMeta)| {
            let mut changed = meta.clone();
            change(&mut changed);
            changed.validate().expect_err("accepted").message().to_owned()
        };
        assert_eq!(message(&|m| m.description.push('d')), "the description is longer than 1024 bytes");
        assert_eq!(
            message(&|m| drop(m.tags.insert("more".into(), String::new()))),
            "a secret has at most 32 tags"
        );
        assert_eq!(
            message(&|m| m.tags.get_mut("k1").unwrap().push('v')),
            "the tag k1 is longer than 256 bytes"
        );
        for key in ["", "a b", "é", "a\n", "a=b", &"k".repeat(65)] {
            let mut bad = SecretMeta::default();
            bad.tags.insert(key.to_owned(), String::new());
            assert_eq!(
                bad.validate().expect_err(key).message(),
                "a tag's key is 1 to 64 letters, digits and . _ -"
            );
        }
    }

    proptest! {
        #[test]
        fn ou2_every_path_gives_a_name_that_parses(rest in "[a-z0-9/._ -]{0,20}|.{0,40}") {
            let name = EnvName::from_rest(&rest);
            prop_assert!(EnvName::parse(name.as_str()).is_ok());
            prop_assert!(!name.as_str().bytes().any(|b| b.is_ascii_lowercase()));
            prop_assert_eq!(EnvName::from_rest(name.as_str()), name);
        }
    }
}
