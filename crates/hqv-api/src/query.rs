//! Query strings: every name once, every name known, one spelling for numbers and flags.

use std::collections::BTreeMap;

use hqv_model::{Error, Result, escape_controls};

use crate::percent;

/// The names and values of a query that nobody has asked for yet. What is left at the end is unknown.
pub struct Pairs(BTreeMap<String, String>);

impl Pairs {
    /// Splits and decodes. An absent or empty query has no pairs.
    ///
    /// # Errors
    /// `BAD_REQUEST` for a doubled name and for what does not decode.
    pub fn parse(query: Option<&str>) -> Result<Self> {
        let mut pairs = BTreeMap::new();
        for part in query.unwrap_or_default().split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decode(name)?;
            let shown = escape_controls(&name).into_owned();
            if pairs.insert(name, decode(value)?).is_some() {
                return Err(Error::bad_request(format!("{shown} stands twice in the query")));
            }
        }
        Ok(Self(pairs))
    }

    /// A text, where it is there.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// A whole number, digits only.
    ///
    /// # Errors
    /// `BAD_REQUEST` for anything else.
    pub fn number(&mut self, name: &str) -> Result<Option<u64>> {
        let Some(text) = self.0.remove(name) else {
            return Ok(None);
        };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten();
        number.map(Some).ok_or_else(|| Error::bad_request(format!("{name} must be a whole number")))
    }

    /// `true` or `false`; absent is false.
    ///
    /// # Errors
    /// `BAD_REQUEST` for anything else.
    pub fn flag(&mut self, name: &str) -> Result<bool> {
        match self.0.remove(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Error::bad_request(format!("{name} must be true or false"))),
        }
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// `BAD_REQUEST` naming the first unknown name.
    pub fn finish(self) -> Result<()> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => {
                let name: String = name.chars().take(64).collect();
                Err(Error::bad_request(format!("{} is not known in the query", escape_controls(&name))))
            }
        }
    }
}

/// Browsers' and Node's `URLSearchParams` write a blank as `+`.
fn decode(text: &str) -> Result<String> {
    if text.contains('+') { percent::decode(&text.replace('+', "%20")) } else { percent::decode(text) }
}

/// Writes a query string.
#[derive(Default)]
pub struct Writer(String);

impl Writer {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text, where there is one.
    pub fn text(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(name);
        self.0.push('=');
        self.0.push_str(&percent::encode_part(value));
    }

    /// Adds a number, where there is one.
    pub fn number(&mut self, name: &str, value: Option<u64>) {
        self.text(name, value.map(|number| number.to_string()).as_deref());
    }

    /// Adds a flag, where it is set.
    pub fn flag(&mut self, name: &str, value: bool) {
        self.text(name, value.then_some("true"));
    }

    /// The string with its `?`, or nothing.
    pub fn finish(self) -> String {
        self.0
    }
}
