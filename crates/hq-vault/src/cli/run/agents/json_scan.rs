//! Where the parts of a JSON document stand in its text.
//!
//! Only for text that `serde_json` has taken already, so that nothing here has to say what is wrong with it.
//! Positions are what an edit needs that leaves every other byte alone; a parsed document could not be
//! written back as it was.

use std::ops::Range;

/// A value and where it stands.
#[derive(Debug)]
pub struct Value {
    /// Its place in the text.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What a value is, as far as it matters here.
#[derive(Debug)]
pub enum Kind {
    /// Its members in order.
    Object(Vec<Member>),
    /// Its elements in order.
    Array(Vec<Value>),
    /// The text that it means.
    Text(String),
    /// A number, `true`, `false`, `null`.
    Other,
}

/// A name and its value.
#[derive(Debug)]
pub struct Member {
    /// The name as it is meant.
    pub name: String,
    /// Where the name begins.
    pub start: usize,
    /// The value.
    pub value: Value,
}

impl Value {
    /// The members, of an object.
    pub fn members(&self) -> Option<&[Member]> {
        match &self.kind {
            Kind::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The elements, of an array.
    pub fn elements(&self) -> Option<&[Value]> {
        match &self.kind {
            Kind::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The text, of a string.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The document's one value. `None` where `text` is no JSON after all, or nested very deep.
pub fn scan(text: &str) -> Option<Value> {
    let mut scanner = Scanner { text, at: 0 };
    let value = scanner.value(DEEPEST)?;
    scanner.blanks();
    (scanner.at == text.len()).then_some(value)
}

/// As deep as `serde_json` goes.
const DEEPEST: usize = 128;

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.blanks();
        let start = self.at;
        let kind = match self.peek()? {
            b'{' => Kind::Object(self.list(b'}', |s| s.member(depth.checked_sub(1)?))?),
            b'[' => Kind::Array(self.list(b']', |s| s.value(depth.checked_sub(1)?))?),
            b'"' => Kind::Text(self.string()?),
            _ => self.word()?,
        };
        Some(Value { span: start..self.at, kind })
    }

    /// What stands between a bracket and its `end`, with commas between.
    fn list<T>(&mut self, end: u8, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut all = Vec::new();
        self.at += 1;
        self.blanks();
        while self.take(end).is_none() {
            if !all.is_empty() {
                self.take(b',')?;
            }
            all.push(one(self)?);
            self.blanks();
        }
        Some(all)
    }

    fn member(&mut self, depth: usize) -> Option<Member> {
        self.blanks();
        let start = self.at;
        let name = self.string()?;
        self.blanks();
        self.take(b':')?;
        Some(Member { name, start, value: self.value(depth)? })
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.take(b'"')?;
        while self.peek()? != b'"' {
            self.at += if self.peek()? == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }

    fn word(&mut self) -> Option<Kind> {
        let start = self.at;
        while matches!(self.peek(), Some(b'+' | b'-' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')) {
            self.at += 1;
        }
        (self.at > start).then_some(Kind::Other)
    }
}
