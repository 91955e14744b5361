//! Vault time: the wall clock that never runs backwards.
//!
//! `max(wall clock, last vault time + boot clock elapsed since)`: setting the clock back cannot revive a
//! token, and the boot clock counts suspended time. The floor is stored with every commit, so a restart
//! with a clock set back starts from the highest time on record.

use hqv_model::{Clock, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// A wall clock that moved against the boot clock by more than this is recorded and shown.
pub const JUMP: Duration = Duration::from_secs(300);

/// Both clocks at one moment: an operation reads them once.
#[derive(Clone, Copy)]
pub struct Moment {
    /// Vault time.
    pub now: Timestamp,
    /// Time since the system started.
    pub boot: Duration,
}

/// See the module's comment.
pub struct VaultTime {
    clock: Arc<dyn Clock>,
    vault: Timestamp,
    at_boot: Duration,
    seen: (Timestamp, Duration),
}

impl VaultTime {
    /// Starts at the wall clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (wall, boot) = (clock.wall(), clock.boot());
        VaultTime { clock, vault: wall, at_boot: boot, seen: (wall, boot) }
    }

    /// Now; never less than any earlier answer.
    pub fn now(&mut self) -> Timestamp {
        self.moment().now
    }

    /// Vault time and boot clock, read together.
    pub fn moment(&mut self) -> Moment {
        let boot = self.clock.boot();
        let elapsed = boot.saturating_sub(self.at_boot);
        self.vault = self.clock.wall().max(self.vault.plus(elapsed));
        self.at_boot = boot;
        Moment { now: self.vault, boot }
    }

    /// Time since the system started, suspended time included: what idle limits count by.
    pub fn boot(&self) -> Duration {
        self.clock.boot()
    }

    /// Raises the floor to a stored vault time.
    pub fn raise(&mut self, floor: Timestamp) {
        self.vault = self.vault.max(floor);
    }

    /// Drops the floor to the wall clock: the owner's repair of a clock that once ran far ahead.
    pub fn reset(&mut self) {
        *self = VaultTime::new(self.clock.clone());
    }

    /// How far vault time stands above the wall clock.
    pub fn ahead_of_wall(&self) -> Duration {
        self.vault.since(self.clock.wall())
    }

    /// The wall clock's jump against the boot clock since this was last asked, in milliseconds, where it
    /// is above [`JUMP`].
    pub fn take_jump(&mut self) -> Option<i64> {
        let (wall, boot) = (self.clock.wall(), self.clock.boot());
        let (seen_wall, seen_boot) = std::mem::replace(&mut self.seen, (wall, boot));
        let ran = boot.saturating_sub(seen_boot).as_millis();
        let moved = i128::from(wall.millis()) - i128::from(seen_wall.millis()) - ran as i128;
        (moved.unsigned_abs() > JUMP.as_millis())
            .then(|| moved.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }
}
