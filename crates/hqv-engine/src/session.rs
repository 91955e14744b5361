//! The owner's sessions: in memory only, ended by idleness, `lock`, `session end` or the daemon's end.

use hqv_model::{SessionId, Timestamp};
use std::collections::HashMap;
use std::time::Duration;

/// At most this many sessions live at once; the one idle longest makes room.
pub const MOST: usize = 256;

/// One session.
#[derive(Clone)]
pub struct Session {
    /// Its id, as records name it.
    pub id: SessionId,
    /// When it was opened.
    pub created: Timestamp,
    /// Where from: `socket` or an address, with the peer's program where known.
    pub from: String,
    used: Duration,
}

/// What `session list` shows.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// The id.
    pub id: SessionId,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends if it stays idle.
    pub expires_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Timestamp,
    /// Where it was opened from.
    pub from: String,
    /// True for the session that asks.
    pub current: bool,
}

/// All live sessions, by the hash of their secret.
#[derive(Default)]
pub struct Sessions(HashMap<[u8; 32], Session>);

impl Sessions {
    /// How many there are, those included that idled away since the last sweep.
    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Opens one.
    pub fn open(&mut self, hash: [u8; 32], id: SessionId, from: String, now: Timestamp, boot: Duration) {
        if self.0.len() >= MOST
            && let Some(oldest) = self.0.iter().min_by_key(|(_, s)| s.used).map(|(h, _)| *h)
        {
            self.0.remove(&oldest);
        }
        self.0.insert(hash, Session { id, created: now, from, used: boot });
    }

    /// The live session with this hash. `touch` makes it count as used now.
    pub fn find(
        &mut self,
        hash: &[u8; 32],
        idle: Duration,
        boot: Duration,
        touch: bool,
    ) -> Option<SessionId> {
        let session = self.0.get_mut(hash)?;
        if boot.saturating_sub(session.used) > idle {
            self.0.remove(hash);
            return None;
        }
        if touch {
            session.used = boot;
        }
        Some(session.id)
    }

    /// Whether this session lives. It does not count as used.
    pub fn lives(&self, id: SessionId, idle: Duration, boot: Duration) -> bool {
        self.0.values().any(|s| s.id == id && boot.saturating_sub(s.used) <= idle)
    }

    /// Drops the sessions that idled too long.
    pub fn sweep(&mut self, idle: Duration, boot: Duration) {
        self.0.retain(|_, s| boot.saturating_sub(s.used) <= idle);
    }

    /// Ends one; false where it was not there.
    pub fn end(&mut self, id: SessionId) -> bool {
        let before = self.0.len();
        self.0.retain(|_, s| s.id != id);
        self.0.len() < before
    }

    /// Ends all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The live sessions, oldest first.
    pub fn list(
        &self,
        idle: Duration,
        now: Timestamp,
        boot: Duration,
        me: Option<SessionId>,
    ) -> Vec<SessionView> {
        let mut all: Vec<SessionView> = self
            .0
            .values()
            .filter(|s| boot.saturating_sub(s.used) <= idle)
            .map(|s| SessionView {
                id: s.id,
                created_at: s.created,
                expires_at: now.plus(idle.saturating_sub(boot.saturating_sub(s.used))),
                last_used_at: now.minus(boot.saturating_sub(s.used)),
                from: s.from.clone(),
                current: me == Some(s.id),
            })
            .collect();
        all.sort_by_key(|s| s.created_at);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_by_idleness_and_lives_by_use() {
        let (idle, t) = (Duration::from_secs(900), Timestamp::from_millis(0));
        let mut s = Sessions::default();
        let id = SessionId::from_bytes([1; 16]);
        s.open([7; 32], id, "socket".into(), t, Duration::ZERO);
        assert_eq!(s.find(&[7; 32], idle, Duration::from_secs(900), true), Some(id));
        assert_eq!(s.find(&[7; 32], idle, Duration::from_secs(1800), false), Some(id));
        assert_eq!(s.find(&[7; 32], idle, Duration::from_secs(1801), true), None);
        assert!(!s.end(id));
    }
}
