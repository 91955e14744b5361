//! Work that outlives its connection, counted so that a stop can wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// The count.
#[derive(Debug, Default)]
pub struct Busy {
    count: AtomicUsize,
    idle: Notify,
}

/// One piece of work; over when dropped.
#[derive(Debug)]
pub struct Mark(Arc<Busy>);

impl Busy {
    /// One more.
    pub fn mark(self: &Arc<Self>) -> Mark {
        self.count.fetch_add(1, Ordering::AcqRel);
        Mark(Arc::clone(self))
    }

    /// Returns when nothing is under way.
    pub async fn idle(&self) {
        loop {
            let notified = self.idle.notified();
            if self.count.load(Ordering::Acquire) == 0 {
                return;
            }
            notified.await;
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_stop_waits_for_the_last() {
        let busy = Arc::new(Busy::default());
        busy.idle().await;
        let (a, b) = (busy.mark(), busy.mark());
        let waiting = tokio::spawn({
            let busy = Arc::clone(&busy);
            async move { busy.idle().await }
        });
        drop(a);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(b);
        waiting.await.unwrap();
    }
}
