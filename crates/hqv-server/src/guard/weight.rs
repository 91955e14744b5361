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
        Arc::new(Self {
            bytes: AtomicUsize::new(0),
            most,
        })
    }

    /// Nothing more fits.
    pub fn is_full(&self) -> bool {
        self.bytes.load(Relaxed) >= self.most
    }

    /// Before the work is done whose answer would be large.
    ///
    /// # Errors
    /// `UNAVAILABLE`, with `Retry-After`.
    pub fn has_room(&self) -> Result<(), Error> {
        if self.is_full() { Err(full()) } else { Ok(()) }
    }

    /// Weighs a finished answer for the connection of `pulse`; nothing where it is light. One that begins below the bound
    /// is let through whole.
    ///
    /// # Errors
    /// `UNAVAILABLE`, with `Retry-After`.
    pub fn put(self: &Arc<Self>, bytes: usize, pulse: &Arc<Pulse>) -> Result<Option<Weight>, Error> {
        if bytes <= LIGHT {
            return Ok(None);
        }
        self.has_room()?;
        self.bytes.fetch_add(bytes, Relaxed);
        pulse.takes_up();
        Ok(Some(Weight {
            scale: Arc::clone(self),
            pulse: Arc::clone(pulse),
            bytes,
        }))
    }
}

fn full() -> Error {
    Error::unavailable("too many large answers wait for clients that do not read them").retry_after(2)
}

/// One answer on the scale; off it when dropped.
#[derive(Debug)]
pub struct Weight {
    scale: Arc<Scale>,
    pulse: Arc<Pulse>,
    bytes: usize,
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.scale.bytes.fetch_sub(self.bytes, Relaxed);
        self.pulse.puts_down();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::guard::slow::Ticks;

    #[test]
    fn ht5_what_is_not_taken_is_bounded_and_what_was_taken_makes_room() {
        let pulse = Arc::new(Pulse::new(Arc::new(Ticks::default())));
        let scale = Scale::new(10 * LIGHT);
        assert!(scale.put(LIGHT, &pulse).unwrap().is_none(), "light");
        let first = scale.put(9 * LIGHT, &pulse).unwrap().unwrap();
        let second = scale.put(9 * LIGHT, &pulse).unwrap().unwrap();
        let error = scale.put(LIGHT + 1, &pulse).unwrap_err();
        assert_eq!(error.code(), hqv_model::Code::Unavailable);
        assert!(error.retry_after_secs().is_some());
        assert!(
            scale.put(LIGHT, &pulse).unwrap().is_none(),
            "light ones always pass"
        );
        drop(first);
        assert!(scale.put(LIGHT + 1, &pulse).unwrap().is_some());
        drop(second);
        assert!(!scale.is_full());
    }
}
