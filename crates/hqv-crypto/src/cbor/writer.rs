//! Writing a body. Fields may be given in any order; they are written in ascending order of keys.

use std::convert::Infallible;
use std::ops::Range;

use minicbor::Encoder;
use minicbor::encode::Error;
use zeroize::Zeroizing;

use super::Kept;
use super::wiping::WipingBuf;

/// Collects fields and writes the map when it is finished.
#[derive(Default)]
pub struct FieldsWriter {
    buf: WipingBuf,
    entries: Vec<(u64, Range<usize>)>,
}

impl FieldsWriter {
    /// An empty body.
    pub fn new() -> Self {
        Self::with_capacity(256)
    }

    /// An empty body with room for about `bytes` bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { buf: WipingBuf::with_capacity(bytes), entries: Vec::with_capacity(16) }
    }

    /// An unsigned integer.
    pub fn u64(&mut self, key: u64, value: u64) -> &mut Self {
        self.field(key, |buf| sure(Encoder::new(buf).u64(value)))
    }

    /// A signed integer.
    pub fn i64(&mut self, key: u64, value: i64) -> &mut Self {
        self.field(key, |buf| sure(Encoder::new(buf).i64(value)))
    }

    /// A truth value.
    pub fn bool(&mut self, key: u64, value: bool) -> &mut Self {
        self.field(key, |buf| sure(Encoder::new(buf).bool(value)))
    }

    /// A byte string.
    pub fn bytes(&mut self, key: u64, value: &[u8]) -> &mut Self {
        self.field(key, |buf| sure(Encoder::new(buf).bytes(value)))
    }

    /// A text.
    pub fn text(&mut self, key: u64, value: &str) -> &mut Self {
        self.field(key, |buf| sure(Encoder::new(buf).str(value)))
    }

    /// An array of whatever `fill` puts into it.
    pub fn items(&mut self, key: u64, fill: impl FnOnce(&mut ItemsWriter)) -> &mut Self {
        let mut list = ItemsWriter::default();
        fill(&mut list);
        self.field(key, |buf| list.write(buf))
    }

    /// Puts back what an older reader did not understand.
    pub fn keep(&mut self, kept: &Kept) -> &mut Self {
        for (key, raw) in kept.fields() {
            self.field(*key, |buf| buf.push(raw));
        }
        self
    }

    /// The body. Of a key that was given twice the later value stands.
    pub fn finish(mut self) -> Zeroizing<Vec<u8>> {
        self.entries.reverse();
        self.entries.sort_by_key(|(key, _)| *key);
        self.entries.dedup_by_key(|(key, _)| *key);
        let mut out = WipingBuf::with_capacity(self.buf.bytes().len() + 9 * (self.entries.len() + 1));
        sure(Encoder::new(&mut out).map(self.entries.len() as u64));
        for (key, range) in &self.entries {
            sure(Encoder::new(&mut out).u64(*key));
            out.push(self.buf.bytes().get(range.clone()).unwrap_or_default());
        }
        out.into_inner()
    }

    fn field(&mut self, key: u64, write: impl FnOnce(&mut WipingBuf)) -> &mut Self {
        let start = self.buf.bytes().len();
        write(&mut self.buf);
        self.entries.push((key, start..self.buf.bytes().len()));
        self
    }
}

/// Collects the items of an array.
#[derive(Default)]
pub struct ItemsWriter {
    buf: WipingBuf,
    count: u64,
}

impl ItemsWriter {
    /// An unsigned integer.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.item(|buf| sure(Encoder::new(buf).u64(value)))
    }

    /// A signed integer.
    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.item(|buf| sure(Encoder::new(buf).i64(value)))
    }

    /// A truth value.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.item(|buf| sure(Encoder::new(buf).bool(value)))
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.item(|buf| sure(Encoder::new(buf).bytes(value)))
    }

    /// A text.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.item(|buf| sure(Encoder::new(buf).str(value)))
    }

    /// An array inside the array.
    pub fn items(&mut self, fill: impl FnOnce(&mut ItemsWriter)) -> &mut Self {
        let mut list = ItemsWriter::default();
        fill(&mut list);
        self.item(|buf| list.write(buf))
    }

    fn item(&mut self, write: impl FnOnce(&mut WipingBuf)) -> &mut Self {
        write(&mut self.buf);
        self.count += 1;
        self
    }

    fn write(self, buf: &mut WipingBuf) {
        sure(Encoder::new(&mut *buf).array(self.count));
        buf.push(self.buf.bytes());
    }
}

/// Writing into memory cannot fail, and the type says so.
fn sure<T>(written: Result<T, Error<Infallible>>) {
    debug_assert!(written.is_ok(), "an encoder that writes into memory refused");
}
