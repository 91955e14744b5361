//! How much memory finished answers may hold while their clients do not read them.
//!
//! A batch is up to 16 MiB, and a client that asks for a thousand of them and reads none costs it nothing. So all
//! larger answers are weighed from the moment they are finished until their last byte has left. At the bound new ones
//! are refused, and the sweep (`listen::registry`) cuts whoever has held one for longest than a reader needs; slow readers
//! too, which a limit on stalling alone would never reach.

use crate::guard::slow::Pulse;
use hqv_model::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Answers up to this many bytes are not weighed.
const LIGHT: usize = 4 * 1024;

/// All weighed answers of a server.
#[derive(Debug)]
pub struct Scale {
    bytes: AtomicUsize,
    most: usize,
}

impl Scale {
    /// Bears `most` bytes.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { bytes: AtomicUsize::new(0), most })
    }

    /// Nothing more fits.
    pub fn is_full(&self) -> bool {
        self.bytes.load(Relaxed) >= self.most
    }

    /// Sets room aside before the work is done whose answer will be large; [`Weight::settle`] says how large it became.
    /// What begins below the bound is let through whole.
    ///
    /// # Errors
    /// `UNAVAILABLE`, with `Retry-After`.
    pub fn reserve(self: &Arc<Self>, bytes: usize) -> Result<Weight, Error> {
        if self.is_full() {
            return Err(full());
        }
        self.bytes.fetch_add(bytes, Relaxed);
        Ok(Weight { scale: Arc::clone(self), bytes, pulse: None })
    }

    /// Weighs a finished answer; nothing where it is light.
    ///
    /// # Errors
    /// As [`Scale::reserve`].
    pub fn put(self: &Arc<Self>, bytes: usize) -> Result<Option<Weight>, Error> {
        (bytes > LIGHT).then(|| self.reserve(bytes)).transpose()
    }
}

fn full() -> Error {
    Error::unavailable("too many large answers wait for clients that do not read them").retry_after(2)
}

/// One answer on the scale; off it when dropped.
#[derive(Debug)]
pub struct Weight {
    scale: Arc<Scale>,
    bytes: usize,
    pulse: Option<Arc<Pulse>>,
}

impl Weight {
    /// It weighs so much.
    pub fn settle(&mut self, bytes: usize) {
        self.scale.bytes.fetch_add(bytes, Relaxed);
        self.scale.bytes.fetch_sub(self.bytes, Relaxed);
        self.bytes = bytes;
    }

    /// It begins to leave over this connection.
    pub fn leaves_by(&mut self, pulse: &Arc<Pulse>) {
        pulse.takes_up();
        if let Some(before) = self.pulse.replace(Arc::clone(pulse)) {
            before.puts_down();
        }
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.scale.bytes.fetch_sub(self.bytes, Relaxed);
        if let Some(pulse) = &self.pulse {
            pulse.puts_down();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ht5_what_is_not_taken_is_bounded_and_what_was_taken_makes_room() {
        let scale = Scale::new(10 * LIGHT);
        assert!(scale.put(LIGHT).unwrap().is_none(), "light");
        let first = scale.put(9 * LIGHT).unwrap().unwrap();
        let mut second = scale.reserve(9 * LIGHT).unwrap();
        let error = scale.put(LIGHT + 1).unwrap_err();
        assert_eq!(error.code(), hqv_model::Code::Unavailable);
        assert!(error.retry_after_secs().is_some());
        assert!(scale.put(LIGHT).unwrap().is_none(), "light ones always pass");
        second.settle(LIGHT);
        assert!(scale.is_full(), "ten in all");
        drop(first);
        assert!(scale.put(LIGHT + 1).unwrap().is_some());
        drop(second);
        assert_eq!(scale.bytes.load(Relaxed), 0);
    }
}
