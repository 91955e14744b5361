//! JSON that may hold a secret: an owned buffer that is wiped on drop, also where it had to grow.

use std::io;

use serde::Serialize;
use zeroize::{Zeroize, Zeroizing};

/// One finished JSON body. `AsRef<[u8]>` so that a server can send it without a copy (`Bytes::from_owner`), and it is
/// wiped when the last byte of it has left.
pub struct JsonBody(Zeroizing<Vec<u8>>);

impl JsonBody {
    /// Serialises a value. The types of this crate always succeed; a failure gives an empty body.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        Self::with_capacity(value, 512)
    }

    /// The same with room made beforehand, for an answer whose size is known (a batch).
    pub fn with_capacity<T: Serialize + ?Sized>(value: &T, capacity: usize) -> Self {
        let mut writer = WipingWriter(Zeroizing::new(Vec::with_capacity(capacity)));
        if serde_json::to_writer(&mut writer, value).is_err() {
            writer.0.zeroize();
        }
        Self(writer.0)
    }

    /// Takes over bytes that were written elsewhere.
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl AsRef<[u8]> for JsonBody {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for JsonBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} bytes of JSON]", self.0.len())
    }
}

/// A `Vec` that wipes its old block when it moves to a larger one.
struct WipingWriter(Zeroizing<Vec<u8>>);

impl io::Write for WipingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        append_wiping(&mut self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Appends, wiping the old block where the buffer has to move.
pub fn append_wiping(buffer: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    let needed = buffer.len().saturating_add(bytes.len());
    if needed > buffer.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(buffer.capacity().saturating_mul(2))));
        larger.extend_from_slice(buffer);
        // The old block is dropped here, and Zeroizing wipes its whole capacity.
        *buffer = larger;
    }
    buffer.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appending_keeps_every_byte_across_growth() {
        let mut buffer = Zeroizing::new(Vec::with_capacity(2));
        for byte in 0..=255u8 {
            append_wiping(&mut buffer, &[byte]);
        }
        assert_eq!(*buffer, (0..=255u8).collect::<Vec<_>>());
    }

    #[test]
    fn debug_shows_the_length_alone() {
        let body = JsonBody::of("hunter2");
        assert_eq!(body.as_ref(), b"\"hunter2\"");
        assert_eq!(format!("{body:?}"), "[9 bytes of JSON]");
    }
}
