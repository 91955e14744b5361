//! Whether a value looks like what it is meant to be.
//!
//! Nothing here refuses: it finds a name for what was typed, and reasons to ask "keep it anyway?". The
//! well-known kinds stand in `shapes.toml`; what makes one expect a kind are words of the path and the
//! description, and the type. No sentence made here holds a part of the value.

use std::collections::BTreeMap;

use hqv_model::SecretType;
use serde::Deserialize;

const DATA: &str = include_str!("shapes.toml");

/// What is known of the secret before its value is.
#[derive(Clone, Copy, Debug)]
pub struct Meant<'a> {
    /// Where it will stand.
    pub path: &'a str,
    /// What it is for.
    pub description: &'a str,
    /// What it is.
    pub kind: SecretType,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// `a Stripe live key`, where the value looks like one.
    pub label: Option<String>,
    /// Reasons to ask again, each a sentence without its subject: `ends with a blank`.
    pub doubts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shapes {
    families: BTreeMap<String, Family>,
    shape: Vec<Shape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    name: String,
    words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    label: String,
    family: String,
    #[serde(default)]
    prefixes: Vec<String>,
    charset: Charset,
    length: [usize; 2],
    #[serde(default)]
    contains: Option<String>,
    #[serde(default)]
    against: Vec<String>,
    #[serde(default)]
    newline: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Charset {
    Alnum,
    Token,
    Base64,
    Hex,
    Upper,
    Visible,
    Text,
}

impl Charset {
    fn holds(self, text: &str) -> bool {
        text.chars().all(|c| match self {
            Charset::Alnum => c.is_ascii_alphanumeric(),
            Charset::Token => c.is_ascii_alphanumeric() || matches!(c, '_' | '-'),
            Charset::Base64 => c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='),
            Charset::Hex => c.is_ascii_hexdigit(),
            Charset::Upper => c.is_ascii_uppercase() || c.is_ascii_digit(),
            Charset::Visible => c.is_ascii_graphic(),
            Charset::Text => true,
        })
    }
}

impl Shape {
    /// What stands after a prefix of this shape.
    fn rest<'v>(&self, value: &'v str) -> Option<&'v str> {
        self.prefixes.iter().find_map(|prefix| value.strip_prefix(prefix.as_str()))
    }

    fn fits(&self, value: &str, expected: bool) -> bool {
        let rest = match self.prefixes.is_empty() {
            true if expected => value,
            true => return false,
            false => match self.rest(value) {
                Some(rest) => rest,
                None => return false,
            },
        };
        let whole = || self.contains.as_deref().is_none_or(|part| value.contains(part));
        self.length_fits(value) && self.charset.holds(rest) && whole()
    }

    fn length_fits(&self, value: &str) -> bool {
        (self.length[0]..=self.length[1]).contains(&value.chars().count())
    }

    /// It begins like this shape and is not one.
    fn near(&self, value: &str) -> Option<String> {
        let rest = self.rest(value).filter(|_| self.charset.holds("") && self.prefix_tells())?;
        let label = &self.label;
        if !self.length_fits(value) {
            let (count, [least, most]) = (value.chars().count(), self.length);
            let usual = if least == most { least.to_string() } else { format!("{least} to {most}") };
            return Some(format!("begins like {label} and has {count} characters, where {usual} are usual"));
        }
        if !self.charset.holds(rest) {
            return Some(format!("begins like {label} and holds characters that such a one never has"));
        }
        Some(format!("begins like {label} and is not complete"))
    }

    /// Two letters begin many things.
    fn prefix_tells(&self) -> bool {
        self.prefixes.iter().all(|prefix| prefix.len() > 2)
    }
}

/// Looks at a value.
pub fn look(value: &[u8], meant: &Meant<'_>) -> Look {
    let Ok(text) = std::str::from_utf8(value) else {
        return Look {
            label: None,
            doubts: vec!["is not text; paste a file through hq-vault store".to_owned()],
        };
    };
    let mut look = Look { label: None, doubts: super::slips::of(text, meant.kind) };
    let bare = super::slips::bare(text);
    if let Ok(shapes) = toml::from_str::<Shapes>(DATA) {
        shapes.judge(text, bare, meant, &mut look);
    }
    of_its_type(bare, meant.kind, &mut look);
    look
}

impl Shapes {
    fn judge(&self, text: &str, bare: &str, meant: &Meant<'_>, look: &mut Look) {
        let words = words_of(meant);
        let expected = self.expected(meant, &words);
        let wanted = |shape: &Shape| expected.iter().any(|(key, _)| **key == shape.family);
        // Of the expected ones first: some have no prefix of their own.
        let by_word = self.shape.iter().find(|shape| wanted(shape) && shape.fits(bare, true));
        let found = by_word.or_else(|| self.shape.iter().find(|shape| shape.fits(bare, false)));
        let Some(shape) = found else {
            if let Some(doubt) = self.stranger(bare, &expected) {
                look.doubts.push(doubt);
            }
            return;
        };
        look.label = Some(shape.label.clone());
        if !expected.is_empty() && !wanted(shape) {
            look.doubts.push(format!("looks like {}, not like {}", shape.label, names(&expected)));
        } else if let Some(word) = shape.against.iter().find(|word| words.contains(word)) {
            look.doubts.push(format!("looks like {}, and the request says \"{word}\"", shape.label));
        }
        if shape.newline && !text.ends_with('\n') {
            look.doubts.push("has no newline after its last line; ssh refuses such a key".to_owned());
        }
    }

    /// The families that the words speak of. None where they ask for something beside the secret itself.
    fn expected<'s>(&'s self, meant: &Meant<'_>, words: &[String]) -> Vec<(&'s String, &'s Family)> {
        let last = meant.path.rsplit('/').next().unwrap_or_default();
        let beside = words_in(last).any(|word| BESIDE.contains(&word.as_str()));
        if beside || meant.kind == SecretType::Password {
            return Vec::new();
        }
        let spoken = |family: &Family| family.words.iter().any(|word| words.contains(word));
        self.families.iter().filter(|(_, family)| spoken(family)).collect()
    }

    fn stranger(&self, bare: &str, expected: &[(&String, &Family)]) -> Option<String> {
        let near = self.shape.iter().find_map(|shape| shape.near(bare));
        let unlike = || (!expected.is_empty()).then(|| format!("does not look like {}", names(expected)));
        near.or_else(unlike)
    }
}

/// Last words of a path that name no credential.
const BESIDE: [&str; 18] = [
    "url",
    "uri",
    "host",
    "hostname",
    "port",
    "region",
    "name",
    "username",
    "user",
    "email",
    "account",
    "project",
    "org",
    "domain",
    "endpoint",
    "version",
    "password",
    "passphrase",
];

fn names(expected: &[(&String, &Family)]) -> String {
    expected.iter().map(|(_, family)| family.name.as_str()).collect::<Vec<_>>().join(" or ")
}

fn words_of(meant: &Meant<'_>) -> Vec<String> {
    words_in(meant.path).chain(words_in(meant.description)).collect()
}

fn words_in(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// What the type alone makes one expect.
fn of_its_type(bare: &str, kind: SecretType, look: &mut Look) {
    let block = bare.starts_with("-----BEGIN ");
    let missing = match kind {
        SecretType::Certificate if !block => "a certificate (PEM)",
        SecretType::SshKey if !block && !bare.starts_with("ssh-") && !bare.starts_with("ecdsa-") => {
            "an SSH key"
        }
        SecretType::ConnectionString if !bare.contains("://") && !bare.contains('=') => "a connection string",
        _ => return,
    };
    let doubt = format!("does not look like {missing}");
    if look
        .doubts
        .iter()
        .all(|said| !said.starts_with("does not look like") && !said.starts_with("looks like"))
    {
        look.doubts.push(doubt);
    }
}

#[cfg(test)]
#[path = "shapes_tests.rs"]
mod tests;
