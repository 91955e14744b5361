//! Reading an array, item by item and to its end.

use minicbor::Decoder;

use super::CborError;

/// An array whose items are taken in order. Its bytes were found well-formed by `Fields::parse`.
pub struct Items<'a> {
    decoder: Decoder<'a>,
    left: u64,
}

impl<'a> Items<'a> {
    pub(super) fn open(mut decoder: Decoder<'a>) -> Result<Self, CborError> {
        let left = decoder.array().ok().flatten().ok_or(CborError("a field is not an array"))?;
        Ok(Self { decoder, left })
    }

    /// Items not yet taken.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// True when every item was taken.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// The next item, an unsigned integer.
    pub fn u64(&mut self) -> Result<u64, CborError> {
        self.next()?.u64().map_err(|_| CborError("an item is not an unsigned integer"))
    }

    /// The next item, a signed integer.
    pub fn i64(&mut self) -> Result<i64, CborError> {
        self.next()?.i64().map_err(|_| CborError("an item is not an integer of 64 bits"))
    }

    /// The next item, a truth value.
    pub fn bool(&mut self) -> Result<bool, CborError> {
        self.next()?.bool().map_err(|_| CborError("an item is not a truth value"))
    }

    /// The next item, a byte string.
    pub fn bytes(&mut self) -> Result<&'a [u8], CborError> {
        self.next()?.bytes().map_err(|_| CborError("an item is not a byte string"))
    }

    /// The next item, a byte string of exactly `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], CborError> {
        self.bytes()?.try_into().map_err(|_| CborError("a byte string has the wrong length"))
    }

    /// The next item, a text.
    pub fn text(&mut self) -> Result<&'a str, CborError> {
        self.next()?.str().map_err(|_| CborError("an item is not a text"))
    }

    /// The next item, an array of its own. The reader has gone past it when this returns.
    pub fn items(&mut self) -> Result<Items<'a>, CborError> {
        let decoder = self.next()?;
        let inner = decoder.clone();
        decoder.skip().map_err(|_| CborError("cut short"))?;
        Items::open(inner)
    }

    /// Says that nothing more is expected.
    ///
    /// # Errors
    /// When items are left.
    pub fn end(self) -> Result<(), CborError> {
        if self.left == 0 { Ok(()) } else { Err(CborError("an array is too long")) }
    }

    fn next(&mut self) -> Result<&mut Decoder<'a>, CborError> {
        self.left = self.left.checked_sub(1).ok_or(CborError("an array is too short"))?;
        Ok(&mut self.decoder)
    }
}
