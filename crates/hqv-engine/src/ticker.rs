//! What happens once a second, and once a minute.
//!
//! A second: counts of refusals are written, the record gets its signed checkpoint and is fsynced, uses of
//! unlimited tokens are stored, revocations and freezes that the store refused are retried, ends that time has
//! brought give their reserves back, idle vaults lock. A minute: vault time is stored even where nothing else was,
//! and what is due to go goes, a bounded number of rows at a time.

use hqv_model::{Error, OpKind, Outcome};
use std::time::Duration;

use crate::core::{Core, Phase};
use crate::engine::{Engine, Shared, TICK};
use crate::ops::delete::sweep;
use crate::vault_time::Moment;

/// Vault time is stored at least this often while unlocked.
const FLUSH: Duration = Duration::from_secs(60);

impl Engine {
    /// Starts the thread that ticks until the engine stops.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn spawn_ticker(&self) -> Result<(), Error> {
        let engine = self.clone();
        let started = std::thread::Builder::new().name("hqv-ticker".into()).spawn(move || {
            while !engine.shared.wait_stop(TICK) {
                engine.tick();
            }
        });
        started.map(drop).map_err(|e| Error::internal("no thread could be started").cause(e))
    }

    /// One tick. Tests call it by hand.
    pub fn tick(&self) {
        let (locked, flush, traffic) = {
            let mut core = self.shared.core();
            core.apply_record_rules();
            core.clock_jump();
            core.flush_refusals();
            core.end_tickets();
            let locked = core.lock_if_idle(self.shared.idle_minutes);
            (locked, core.flush_due(), core.has_traffic())
        };
        if locked {
            self.locked();
        }
        if traffic && let Err(error) = self.shared.sync_record(true) {
            self.shared.core().note(error.message().to_owned());
        }
        if flush {
            self.flush();
        }
        self.keep_ledger();
        if let Err(error) = self.keep_record() {
            self.shared.core().note(error.message().to_owned());
        }
    }

    /// Stores what is counted in memory, vault time and the record's head.
    pub(crate) fn flush(&self) {
        self.chore(|core| {
            let now = core.now();
            core.last_flush = core.time.boot();
            let Phase::Open(open) = &mut core.phase else {
                return;
            };
            open.tokens.stage_unflushed();
            open.tokens.settle_ends(now);
            let swept = sweep(open, now);
            let tokens = open.tokens.sweep_old(now, core.last_flush);
            open.touch_state();
            if tokens > 0 {
                let detail = format!("rows of {tokens} tokens that ended over 30 days ago were removed");
                if core.record_own(OpKind::TokenSweep, Outcome::Ok, Some(detail)).is_err() {
                    core.note("a removal of ended tokens could not be recorded".into());
                }
            }
            if swept > 0 {
                let detail = format!("versions of {swept} secrets deleted over 30 days ago were removed");
                if core.record_own(OpKind::Purge, Outcome::Ok, Some(detail)).is_err() {
                    core.note("a removal of old versions could not be recorded".into());
                }
            }
        });
    }
}

impl Shared {
    /// Sleeps, unless a stop comes first: then true.
    fn wait_stop(&self, time: Duration) -> bool {
        self.queue.wait_closed(time)
    }
}

impl Core {
    fn clock_jump(&mut self) {
        if let Some(ms) = self.time.take_jump() {
            let seconds = ms / 1000;
            let detail = format!("the wall clock moved by {seconds} s against the time that passed");
            self.note(detail.clone());
            if self.record_own(OpKind::ClockJump, Outcome::Ok, Some(detail)).is_err() {
                self.note("a jump of the clock could not be recorded".into());
            }
        }
    }

    /// One record for each source and reason. Counts that cannot be written are lost with a finding.
    pub(crate) fn flush_refusals(&mut self) {
        for (source, reason, count) in self.refusals.take() {
            let now = self.now();
            let detail = format!("{count} refused: {reason}");
            if self.record_refusals(now, source, detail).is_err() {
                self.note("refusals could not be recorded".into());
                return;
            }
        }
    }

    fn lock_if_idle(&mut self, over: Option<u64>) -> bool {
        let boot = self.time.boot();
        let Phase::Open(open) = &mut self.phase else {
            return false;
        };
        let idle = open.settings.session_idle();
        open.sessions.sweep(idle, boot);
        let minutes = over.unwrap_or(open.settings.idle_minutes);
        let limit = Duration::from_secs(minutes.saturating_mul(60));
        if minutes == 0 || boot.saturating_sub(open.last_activity) < limit {
            return false;
        }
        self.lock(None, Some("idle"));
        true
    }

    fn flush_due(&mut self) -> bool {
        let Moment { now, boot } = self.time.moment();
        let Phase::Open(open) = &self.phase else {
            return false;
        };
        open.in_doubt
            || open.tokens.ends_due(now)
            || !open.tokens.unflushed.is_empty()
            || !open.tokens.pending_revocations.is_empty()
            || !open.tokens.pending_freezes.is_empty()
            || boot.saturating_sub(self.last_flush) >= FLUSH
    }

    fn has_traffic(&self) -> bool {
        let newest = *self.appended.borrow();
        self.log.is_some() && self.synced_head.is_none_or(|(seq, _)| seq < newest)
    }
}
