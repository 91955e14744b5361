//! A growing buffer that leaves no copy behind when it moves.

use std::convert::Infallible;

use zeroize::Zeroizing;

/// Bytes that are wiped on drop and whenever they move to a larger block.
#[derive(Default)]
pub(super) struct WipingBuf(Zeroizing<Vec<u8>>);

impl WipingBuf {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Vec::with_capacity(needed.max(self.0.capacity() * 2).max(64));
            larger.extend_from_slice(&self.0);
            self.0 = Zeroizing::new(larger);
        }
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl minicbor::encode::Write for &mut WipingBuf {
    type Error = Infallible;

    fn write_all(&mut self, buf: &[u8]) -> Result<(), Infallible> {
        self.push(buf);
        Ok(())
    }
}
