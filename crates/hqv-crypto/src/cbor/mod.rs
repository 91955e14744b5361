//! Row bodies: CBOR maps with integer keys (RFC 8949), read and written in one way only.
//!
//! The subset: definite lengths; unsigned and negative integers, byte strings, text, arrays, maps,
//! booleans and null. Keys of the outer map ascend, so none stands twice. A key below 128 that the
//! reader does not know is refused, since ignoring it could mean ignoring a restriction; a key from 128
//! up is kept as it is and written back by [`FieldsWriter::keep`].
//!
//! [`Fields`] borrows what it reads; [`FieldsWriter`] writes into memory that is wiped, also when it grows.

mod items;
mod wiping;
mod writer;

use std::sync::Arc;

use minicbor::Decoder;
use minicbor::data::Type;
use zeroize::Zeroizing;

pub use items::Items;
pub use writer::{FieldsWriter, ItemsWriter};

/// Longest body that is read, in bytes: the longest value (1 MiB) and room for what stands around it.
pub const MAX_BODY: usize = 2 << 20;
/// Most fields in a body.
pub const MAX_FIELDS: u64 = 256;
/// Deepest nesting of arrays and maps inside a field.
pub const MAX_DEPTH: u8 = 8;
/// Keys below this one must be known to the reader.
pub const FIRST_KEPT_KEY: u64 = 128;

/// A body that is not of the expected form. The text names the fault, never data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CborError(&'static str);

impl std::fmt::Display for CborError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "malformed body: {}", self.0)
    }
}

impl std::error::Error for CborError {}

impl From<CborError> for hqv_model::Error {
    fn from(error: CborError) -> Self {
        hqv_model::Error::internal("stored data is damaged").cause(error)
    }
}

impl CborError {
    /// A fault in what a field means, found by the caller; `what` must not hold data.
    pub fn new(what: &'static str) -> Self {
        Self(what)
    }
}

/// Fields of a newer version, kept as raw bytes so that a rewrite does not lose them. Wiped on drop; a
/// clone shares the bytes and copies none.
#[derive(Default, Clone)]
pub struct Kept(Option<Arc<[RawField]>>);

/// A key and the bytes of its item.
type RawField = (u64, Zeroizing<Vec<u8>>);

impl Kept {
    /// True when there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn fields(&self) -> &[RawField] {
        self.0.as_deref().unwrap_or_default()
    }
}

/// A parsed body, borrowing the bytes that it was read from.
pub struct Fields<'a>(Vec<(u64, &'a [u8])>);

impl<'a> Fields<'a> {
    /// Reads a whole body. `known` lists every key below 128 that the caller understands.
    ///
    /// # Errors
    /// For anything outside the subset, trailing bytes, keys out of order, unknown keys below 128, or a
    /// body beyond [`MAX_BODY`], [`MAX_FIELDS`] or [`MAX_DEPTH`].
    pub fn parse(bytes: &'a [u8], known: &[u64]) -> Result<Self, CborError> {
        if bytes.len() > MAX_BODY {
            return Err(CborError("too long"));
        }
        let mut decoder = Decoder::new(bytes);
        let count = decoder.map().ok().flatten().ok_or(CborError("not a map of definite length"))?;
        if count > MAX_FIELDS {
            return Err(CborError("too many fields"));
        }
        let mut entries: Vec<(u64, &'a [u8])> = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let key = decoder.u64().map_err(|_| CborError("a key is not an unsigned integer"))?;
            if entries.last().is_some_and(|(last, _)| *last >= key) {
                return Err(CborError("keys do not ascend"));
            }
            if key < FIRST_KEPT_KEY && !known.contains(&key) {
                return Err(CborError("unknown field"));
            }
            let start = decoder.position();
            skip(&mut decoder, 0)?;
            let raw = bytes.get(start..decoder.position()).ok_or(CborError("cut short"))?;
            entries.push((key, raw));
        }
        if decoder.position() != bytes.len() {
            return Err(CborError("bytes after the map"));
        }
        Ok(Self(entries))
    }

    /// The fields from key 128 up, for [`FieldsWriter::keep`].
    pub fn kept(&self) -> Kept {
        let kept = self.0.iter().filter(|(key, _)| *key >= FIRST_KEPT_KEY);
        let fields: Vec<RawField> = kept.map(|(key, raw)| (*key, Zeroizing::new(raw.to_vec()))).collect();
        Kept((!fields.is_empty()).then(|| fields.into()))
    }

    /// Whether the field stands in the body.
    pub fn has(&self, key: u64) -> bool {
        self.raw(key).is_some()
    }

    /// An unsigned integer.
    pub fn u64(&self, key: u64) -> Result<u64, CborError> {
        self.required(key)?.u64().map_err(|_| CborError("a field is not an unsigned integer"))
    }

    /// An unsigned integer that may be absent.
    pub fn opt_u64(&self, key: u64) -> Result<Option<u64>, CborError> {
        self.has(key).then(|| self.u64(key)).transpose()
    }

    /// An unsigned integer of at most 32 bits.
    pub fn u32(&self, key: u64) -> Result<u32, CborError> {
        u32::try_from(self.u64(key)?).map_err(|_| CborError("a number is too large"))
    }

    /// A signed integer.
    pub fn i64(&self, key: u64) -> Result<i64, CborError> {
        self.required(key)?.i64().map_err(|_| CborError("a field is not an integer of 64 bits"))
    }

    /// A signed integer that may be absent.
    pub fn opt_i64(&self, key: u64) -> Result<Option<i64>, CborError> {
        self.has(key).then(|| self.i64(key)).transpose()
    }

    /// A truth value.
    pub fn bool(&self, key: u64) -> Result<bool, CborError> {
        self.required(key)?.bool().map_err(|_| CborError("a field is not a truth value"))
    }

    /// A truth value that may be absent.
    pub fn opt_bool(&self, key: u64) -> Result<Option<bool>, CborError> {
        self.has(key).then(|| self.bool(key)).transpose()
    }

    /// A byte string.
    pub fn bytes(&self, key: u64) -> Result<&'a [u8], CborError> {
        self.required(key)?.bytes().map_err(|_| CborError("a field is not a byte string"))
    }

    /// A byte string that may be absent.
    pub fn opt_bytes(&self, key: u64) -> Result<Option<&'a [u8]>, CborError> {
        self.has(key).then(|| self.bytes(key)).transpose()
    }

    /// A byte string of exactly `N` bytes.
    pub fn array<const N: usize>(&self, key: u64) -> Result<&'a [u8; N], CborError> {
        self.bytes(key)?.try_into().map_err(|_| CborError("a byte string has the wrong length"))
    }

    /// A byte string of exactly `N` bytes that may be absent.
    pub fn opt_array<const N: usize>(&self, key: u64) -> Result<Option<&'a [u8; N]>, CborError> {
        self.has(key).then(|| self.array(key)).transpose()
    }

    /// A text.
    pub fn text(&self, key: u64) -> Result<&'a str, CborError> {
        self.required(key)?.str().map_err(|_| CborError("a field is not a text"))
    }

    /// A text that may be absent.
    pub fn opt_text(&self, key: u64) -> Result<Option<&'a str>, CborError> {
        self.has(key).then(|| self.text(key)).transpose()
    }

    /// An array.
    pub fn items(&self, key: u64) -> Result<Items<'a>, CborError> {
        Items::open(self.required(key)?)
    }

    /// An array that may be absent.
    pub fn opt_items(&self, key: u64) -> Result<Option<Items<'a>>, CborError> {
        self.has(key).then(|| self.items(key)).transpose()
    }

    fn required(&self, key: u64) -> Result<Decoder<'a>, CborError> {
        self.raw(key).map(Decoder::new).ok_or(CborError("a field is missing"))
    }

    fn raw(&self, key: u64) -> Option<&'a [u8]> {
        self.0.iter().find(|(at, _)| *at == key).map(|(_, raw)| *raw)
    }
}

/// For floats, tags, indefinite lengths and whatever else is outside the subset.
const FOREIGN: CborError = CborError("a kind of item that bodies do not hold");

/// Steps over one item, refusing whatever is outside the subset.
fn skip(decoder: &mut Decoder<'_>, depth: u8) -> Result<(), CborError> {
    let cut = |_| CborError("cut short, or not well-formed");
    match decoder.datatype().map_err(cut)? {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => decoder.u64().map(drop).map_err(cut),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => decoder.int().map(drop).map_err(cut),
        Type::Bytes => decoder.bytes().map(drop).map_err(cut),
        Type::String => decoder.str().map(drop).map_err(cut),
        Type::Bool => decoder.bool().map(drop).map_err(cut),
        Type::Null => decoder.null().map_err(cut),
        Type::Array | Type::Map if depth == MAX_DEPTH => Err(CborError("nested too deeply")),
        Type::Array => {
            let count = decoder.array().map_err(cut)?.ok_or(FOREIGN)?;
            skip_many(decoder, count, depth)
        }
        Type::Map => {
            let count = decoder.map().map_err(cut)?.ok_or(FOREIGN)?;
            skip_many(decoder, count.saturating_mul(2), depth)
        }
        _ => Err(FOREIGN),
    }
}

/// A count that lies ends at the first missing item, so it costs no more than the body is long.
fn skip_many(decoder: &mut Decoder<'_>, count: u64, depth: u8) -> Result<(), CborError> {
    for _ in 0..count {
        skip(decoder, depth + 1)?;
    }
    Ok(())
}
