//! Who is connected: the bound on their number, the sweep of slow ones, and the way to end all of them.
//!
//! TCP and the socket have a registry each, so that a flood on one never fills the other.

use crate::guard::slow::{Patience, Pulse, Signal, TICK, Ticks};
use crate::guard::weight::Scale;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// All connections of one kind.
pub struct Registry {
    ticks: Arc<Ticks>,
    most: usize,
    patience: Patience,
    scale: Arc<Scale>,
    all: Mutex<(u64, HashMap<u64, Arc<Pulse>>)>,
    closing: AtomicBool,
    empty: Notify,
}

impl Registry {
    /// A registry for at most `most` connections (at least one).
    pub fn new(most: usize, patience: Patience, scale: Arc<Scale>) -> Arc<Self> {
        Arc::new(Self {
            ticks: Arc::new(Ticks::default()),
            most: most.max(1),
            patience,
            scale,
            all: Mutex::new((0, HashMap::new())),
            closing: AtomicBool::new(false),
            empty: Notify::new(),
        })
    }

    fn all(&self) -> MutexGuard<'_, (u64, HashMap<u64, Arc<Pulse>>)> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a new connection in, or `None` where every place is taken by a request in flight.
    ///
    /// A full house makes room by cutting a sixteenth of its places: strangers first, then whoever has been idle
    /// longest. Cutting many at once keeps a flood from making us search for one victim at each accept.
    pub fn admit(self: &Arc<Self>) -> Option<Seat> {
        if self.closing.load(Ordering::Acquire) {
            return None;
        }
        let mut all = self.all();
        if all.1.len() >= self.most && !make_room(&mut all.1, (self.most / 16).max(1)) {
            return None;
        }
        let pulse = Arc::new(Pulse::new(Arc::clone(&self.ticks)));
        all.0 += 1;
        let key = all.0;
        all.1.insert(key, Arc::clone(&pulse));
        Some(Seat { registry: Arc::clone(self), key, pulse })
    }

    /// How many are connected.
    pub fn len(&self) -> usize {
        self.all().1.len()
    }

    /// Every connection that was used answers what it has in flight and closes; new ones are welcome. After `lock`, so
    /// that no connection's buffers go on holding a value.
    pub fn recycle(&self) {
        for pulse in self.all().1.values().filter(|pulse| pulse.is_used()) {
            pulse.send(Signal::Finish);
        }
    }

    /// Closes for good: no new ones; those in flight have `grace`, then they are cut.
    pub async fn close(&self, grace: Duration) {
        self.closing.store(true, Ordering::Release);
        for pulse in self.all().1.values() {
            pulse.send(Signal::Finish);
        }
        let _ = tokio::time::timeout(grace, self.wait_empty()).await;
        for pulse in self.all().1.values() {
            pulse.send(Signal::Cut);
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), self.wait_empty()).await;
    }

    async fn wait_empty(&self) {
        loop {
            let emptied = self.empty.notified();
            if self.len() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// Judges all connections once.
    fn sweep(&self) {
        self.ticks.advance();
        let pressed = self.scale.is_full();
        for pulse in self.all().1.values() {
            if pulse.overdue(&self.patience) || (pressed && pulse.is_burden(&self.patience)) {
                pulse.send(Signal::Cut);
            }
        }
    }

    /// Sweeps once a tick until it is dropped.
    pub async fn keep_sweeping(self: Arc<Self>) {
        let mut timer = tokio::time::interval(TICK);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            timer.tick().await;
            self.sweep();
        }
    }
}

/// Cuts up to `count` idle connections. Their places are free at once; their tasks end on their own.
fn make_room(all: &mut HashMap<u64, Arc<Pulse>>, count: usize) -> bool {
    let mut idle: Vec<((bool, u32), u64)> =
        all.iter().filter(|(_, p)| p.is_idle()).map(|(key, p)| (p.rank(), *key)).collect();
    idle.sort_unstable();
    idle.truncate(count);
    for (_, key) in &idle {
        if let Some(pulse) = all.remove(key) {
            pulse.send(Signal::Cut);
        }
    }
    !idle.is_empty()
}

/// A connection's place; given back on drop.
pub struct Seat {
    registry: Arc<Registry>,
    key: u64,
    /// The connection's state.
    pub pulse: Arc<Pulse>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = self.registry.all();
        all.1.remove(&self.key);
        if all.1.is_empty() {
            self.registry.empty.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use std::task::{Context, Waker};

    const PATIENCE: Patience = Patience { head: 2, idle: 5, stalled: 3, heavy: 1 };

    fn signal(seat: &Seat) -> Signal {
        seat.pulse.poll_signal(&Context::from_waker(Waker::noop()), &mut None)
    }

    #[test]
    fn ht5_a_full_house_makes_room_for_the_next_and_spares_the_known() {
        let registry = Registry::new(2, PATIENCE, Scale::new(8192));
        let known = registry.admit().unwrap();
        known.pulse.vouch();
        registry.sweep();
        let stranger = registry.admit().unwrap();
        let third = registry.admit().unwrap();
        assert_eq!(signal(&stranger), Signal::Cut, "the stranger goes, although idle for less time");
        assert_eq!((signal(&known), signal(&third)), (Signal::Run, Signal::Run));
        let _busy = (known.pulse.begin(false), third.pulse.begin(false));
        assert!(registry.admit().is_none(), "no request in flight is sacrificed");
        drop(known);
        assert!(registry.admit().is_some());
    }

    #[test]
    fn ht5_the_sweep_cuts_what_is_overdue() {
        let registry = Registry::new(10, PATIENCE, Scale::new(8192));
        let seat = registry.admit().unwrap();
        for _ in 0..3 {
            assert_eq!(signal(&seat), Signal::Run);
            registry.sweep();
        }
        assert_eq!(signal(&seat), Signal::Cut);
    }

    #[test]
    fn ht5_under_pressure_the_sweep_cuts_who_holds_large_answers() {
        let scale = Scale::new(8192);
        let registry = Registry::new(10, PATIENCE, Arc::clone(&scale));
        let (holder, other) = (registry.admit().unwrap(), registry.admit().unwrap());
        let _flights = (holder.pulse.begin(false), other.pulse.begin(false));
        let mut first = scale.reserve(8191).unwrap();
        first.leaves_by(&holder.pulse);
        (0..5).for_each(|_| registry.sweep());
        assert_eq!(signal(&holder), Signal::Run, "there is room for it");
        let _second = scale.reserve(8191).unwrap();
        registry.sweep();
        assert_eq!((signal(&holder), signal(&other)), (Signal::Cut, Signal::Run));
        drop(first);
    }

    #[test]
    fn recycling_spares_who_has_only_just_come() {
        let registry = Registry::new(10, PATIENCE, Scale::new(8192));
        let (used, fresh) = (registry.admit().unwrap(), registry.admit().unwrap());
        drop(used.pulse.begin(false));
        registry.recycle();
        assert_eq!((signal(&used), signal(&fresh)), (Signal::Finish, Signal::Run));
    }

    #[tokio::test]
    async fn closing_waits_for_the_last_and_lets_nobody_in() {
        let registry = Registry::new(10, PATIENCE, Scale::new(8192));
        let seat = registry.admit().unwrap();
        let closing = tokio::spawn({
            let registry = Arc::clone(&registry);
            async move { registry.close(Duration::from_secs(5)).await }
        });
        while signal(&seat) != Signal::Finish {
            tokio::task::yield_now().await;
        }
        assert!(registry.admit().is_none());
        drop(seat);
        closing.await.unwrap();
        assert_eq!(registry.len(), 0);
    }
}
