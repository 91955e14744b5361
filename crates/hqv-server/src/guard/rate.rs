//! How often a passphrase may be tried: per way in, counting failures only, and one derivation at a time.
//!
//! The socket and each remote address have a bucket of their own, so that a stranger's guesses over TCP never cost
//! the owner at the socket a try. A success gives its try back. Tokens have no bucket at all: they cannot be
//! guessed, and a limit on them is a way to lock the right one out.

use hqv_model::{Error, Result};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Wrong passphrases in a row before the wait begins.
const BURST: u32 = 10;
/// One more try comes back after this long.
const REFILL: Duration = Duration::from_secs(5);
/// How many may wait for the derivation of one before them.
const WAITING: usize = 4;
/// At most this many addresses are told apart; beyond that the fullest buckets are forgotten.
const SOURCES: usize = 256;

/// The limiter of one way in.
pub struct Tries {
    buckets: Mutex<HashMap<Option<IpAddr>, Bucket>>,
    turn: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

#[derive(Clone, Copy)]
struct Bucket {
    left: u32,
    since: Duration,
}

impl Default for Tries {
    fn default() -> Self {
        Self {
            buckets: Mutex::new(HashMap::new()),
            turn: Arc::new(Semaphore::new(1)),
            queue: Arc::new(Semaphore::new(WAITING + 1)),
        }
    }
}

/// One try, in its turn. Dropping it ends the turn; [`Try::succeeded`] also gives the try back.
pub struct Try<'a> {
    tries: &'a Tries,
    source: Option<IpAddr>,
    _turn: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Tries {
    /// Waits for a turn. `boot` is the boot clock. `RATE_LIMITED` when the bucket is empty or too many wait.
    pub async fn take(&self, source: Option<IpAddr>, boot: Duration) -> Result<Try<'_>> {
        let place = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| limited(1))?;
        self.spend(source, boot)?;
        let turn = match Arc::clone(&self.turn).acquire_owned().await {
            Ok(turn) => turn,
            Err(_) => return Err(limited(1)),
        };
        Ok(Try { tries: self, source, _turn: turn, _place: place })
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<Option<IpAddr>, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spend(&self, source: Option<IpAddr>, boot: Duration) -> Result<()> {
        let mut buckets = self.buckets();
        if buckets.len() >= SOURCES && !buckets.contains_key(&source) {
            forget_fullest(&mut buckets);
        }
        let bucket = buckets.entry(source).or_insert(Bucket { left: BURST, since: boot });
        bucket.refill(boot);
        if bucket.left == 0 {
            let wait = REFILL.saturating_sub(boot.saturating_sub(bucket.since));
            return Err(limited(wait.as_secs().max(1)));
        }
        bucket.left -= 1;
        Ok(())
    }
}

impl Bucket {
    fn refill(&mut self, boot: Duration) {
        let passed = boot.saturating_sub(self.since).as_millis() / REFILL.as_millis();
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        if self.left.saturating_add(passed) >= BURST {
            *self = Bucket { left: BURST, since: boot };
        } else {
            self.left += passed;
            self.since += REFILL * passed;
        }
    }
}

/// The bucket with the most left has the least to remember.
fn forget_fullest(buckets: &mut HashMap<Option<IpAddr>, Bucket>) {
    if let Some(source) = buckets.iter().max_by_key(|(_, b)| b.left).map(|(s, _)| *s) {
        buckets.remove(&source);
    }
}

impl Try<'_> {
    /// The passphrase was right.
    pub fn succeeded(self) {
        if let Some(bucket) = self.tries.buckets().get_mut(&self.source) {
            bucket.left = (bucket.left + 1).min(BURST);
        }
    }
}

fn limited(secs: u64) -> Error {
    Error::new(hqv_model::Code::RateLimited, "too many attempts to unlock")
        .hint(format!("wait {secs} s, then try again"))
        .retry_after(secs)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use hqv_model::Code;

    const T0: Duration = Duration::from_secs(1_000);

    async fn fail(tries: &Tries, source: Option<IpAddr>, at: Duration) -> Result<()> {
        tries.take(source, at).await.map(drop)
    }

    #[tokio::test]
    async fn cr6_ten_wrong_ones_then_one_every_five_seconds() {
        let tries = Tries::default();
        for _ in 0..BURST {
            fail(&tries, None, T0).await.unwrap();
        }
        let error = fail(&tries, None, T0 + Duration::from_secs(2)).await.unwrap_err();
        assert_eq!((error.code(), error.retry_after_secs()), (Code::RateLimited, Some(3)));
        fail(&tries, None, T0 + REFILL).await.unwrap();
        assert!(fail(&tries, None, T0 + REFILL).await.is_err());
    }

    #[tokio::test]
    async fn cr6_a_right_one_costs_nothing_and_sources_are_apart() {
        let tries = Tries::default();
        for _ in 0..50 {
            tries.take(None, T0).await.unwrap().succeeded();
        }
        let stranger: Option<IpAddr> = Some([10, 0, 0, 1].into());
        for _ in 0..BURST {
            fail(&tries, stranger, T0).await.unwrap();
        }
        assert!(fail(&tries, stranger, T0).await.is_err());
        assert!(fail(&tries, None, T0).await.is_ok());
    }

    #[tokio::test]
    async fn cr6_only_a_few_wait_and_one_derives() {
        let tries = Tries::default();
        let first = tries.take(None, T0).await.unwrap();
        let waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(tries.take(None, T0))).collect();
        let mut waiting = waiting;
        for w in &mut waiting {
            let polled =
                std::future::poll_fn(|cx| std::task::Poll::Ready(w.as_mut().poll(cx).is_ready())).await;
            assert!(!polled, "the first has the turn");
        }
        assert_eq!(tries.take(None, T0).await.err().map(|e| e.code()), Some(Code::RateLimited));
        first.succeeded();
        assert!(waiting.remove(0).await.is_ok());
    }

    #[tokio::test]
    async fn cr6_many_addresses_are_bounded() {
        let tries = Tries::default();
        for n in 0..(SOURCES as u32 * 2) {
            fail(&tries, Some(IpAddr::from(n.to_be_bytes())), T0).await.unwrap();
        }
        assert!(tries.buckets().len() <= SOURCES);
    }
}
