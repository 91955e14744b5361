//! A clock that stands still until it is told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hqv_model::{Clock, Timestamp};

/// A clock set by hand. Clones show the same time.
#[derive(Clone, Debug)]
pub struct TestClock(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    wall: Timestamp,
    boot: Duration,
}

impl TestClock {
    /// The wall clock at `wall`, the machine up for a day.
    pub fn at(wall: Timestamp) -> TestClock {
        TestClock(Arc::new(Mutex::new(Hands { wall, boot: Duration::from_secs(86_400) })))
    }

    /// As [`TestClock::at`], the moment in milliseconds since 1970.
    pub fn at_millis(wall: i64) -> TestClock {
        TestClock::at(Timestamp::from_millis(wall))
    }

    /// Time passes: both clocks move.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands();
        hands.wall = hands.wall.plus(by);
        hands.boot += by;
    }

    /// Somebody sets the wall clock; the boot clock does not notice.
    pub fn set_wall(&self, wall: Timestamp) {
        self.hands().wall = wall;
    }

    /// The machine starts again after `off`: the wall clock moves on, the boot clock begins at zero.
    pub fn reboot(&self, off: Duration) {
        let mut hands = self.hands();
        hands.wall = hands.wall.plus(off);
        hands.boot = Duration::ZERO;
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for TestClock {
    /// 2026-01-01T00:00:00Z.
    fn default() -> TestClock {
        TestClock::at_millis(1_767_225_600_000)
    }
}

impl Clock for TestClock {
    fn wall(&self) -> Timestamp {
        self.hands().wall
    }

    fn boot(&self) -> Duration {
        self.hands().boot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_show_the_same_time_and_the_clocks_are_two() {
        let clock = TestClock::default();
        assert_eq!(clock.wall().to_rfc3339(), "2026-01-01T00:00:00.000Z");
        let other = clock.clone();
        other.advance(Duration::from_secs(60));
        assert_eq!(clock.wall().to_rfc3339(), "2026-01-01T00:01:00.000Z");
        assert_eq!(clock.boot(), Duration::from_secs(86_460));
        clock.set_wall(Timestamp::from_millis(0));
        assert_eq!((other.wall().millis(), other.boot()), (0, Duration::from_secs(86_460)));
        clock.reboot(Duration::from_secs(1));
        assert_eq!((other.wall().millis(), other.boot()), (1000, Duration::ZERO));
    }
}
