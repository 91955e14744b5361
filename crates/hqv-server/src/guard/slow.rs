//! Slow, stuck and idle connections, at no cost to the quick ones.
//!
//! A timer for each request would cost the hot path a lock of the timer wheel. Instead a connection notes, with
//! relaxed stores, since which tick it has been in its present state, and one sweep a tick (see
//! `listen::registry`) judges all of them. Ticks are coarse (250 ms); so are the limits.

use std::pin::Pin;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, atomic::Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The length of a tick.
pub const TICK: Duration = Duration::from_millis(250);

/// Never zero, so that zero can mean "not so" in the fields below.
#[derive(Debug)]
pub struct Ticks(AtomicU32);

impl Default for Ticks {
    fn default() -> Self {
        Self(AtomicU32::new(1))
    }
}

impl Ticks {
    /// The present tick.
    pub fn now(&self) -> u32 {
        self.0.load(Relaxed)
    }

    /// One tick later. At 250 ms it wraps after 34 years of running.
    pub fn advance(&self) -> u32 {
        self.0.fetch_add(1, Relaxed).wrapping_add(1)
    }
}

/// How long each state may last, in ticks.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the first byte of a request (or from accept) to the end of its head; also the TLS handshake.
    pub head: u32,
    /// With nothing asked.
    pub idle: u32,
    /// With an answer that the client does not take.
    pub stalled: u32,
    /// With a large answer not yet taken whole, once all of them weigh too much (`guard::weight`).
    pub heavy: u32,
}

/// `duration` in ticks, at least one.
pub fn ticks(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis() / TICK.as_millis()).unwrap_or(u32::MAX).max(1)
}

/// What the connection's task should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Go on.
    Run,
    /// Answer what is in flight, then close.
    Finish,
    /// Close now.
    Cut,
}

/// One connection's state, shared by its task, its requests and the sweep.
#[derive(Debug)]
pub struct Pulse {
    ticks: Arc<Ticks>,
    signal: AtomicU8,
    waker: Mutex<Option<Waker>>,
    in_flight: AtomicU32,
    head_since: AtomicU32,
    stalled_since: AtomicU32,
    heavy: AtomicU32,
    heavy_since: AtomicU32,
    idle_since: AtomicU32,
    multiplexed: AtomicBool,
    used: AtomicBool,
    known: AtomicBool,
}

impl Pulse {
    /// A connection just accepted: it owes us a handshake or a request.
    pub fn new(ticks: Arc<Ticks>) -> Self {
        let now = ticks.now();
        Self {
            ticks,
            signal: AtomicU8::new(0),
            waker: Mutex::new(None),
            in_flight: AtomicU32::new(0),
            head_since: AtomicU32::new(now),
            stalled_since: AtomicU32::new(0),
            heavy: AtomicU32::new(0),
            heavy_since: AtomicU32::new(0),
            idle_since: AtomicU32::new(now),
            multiplexed: AtomicBool::new(false),
            used: AtomicBool::new(false),
            known: AtomicBool::new(false),
        }
    }

    /// The handshake is done; `multiplexed` where HTTP/2 was agreed on.
    pub fn ready(&self, multiplexed: bool) {
        self.head_since.store(0, Relaxed);
        self.idle_since.store(self.ticks.now(), Relaxed);
        self.multiplexed.store(multiplexed, Relaxed);
    }

    /// A request's head is complete.
    pub fn begin(self: &Arc<Self>, multiplexed: bool) -> InFlight {
        self.in_flight.fetch_add(1, Relaxed);
        self.head_since.store(0, Relaxed);
        self.used.store(true, Relaxed);
        if multiplexed {
            self.multiplexed.store(true, Relaxed);
        }
        InFlight(Arc::clone(self))
    }

    /// The client has shown a credential that the engine took. Such connections are the last to make room.
    pub fn vouch(&self) {
        if !self.known.load(Relaxed) {
            self.known.store(true, Relaxed);
        }
    }

    /// A request has come over it, so its buffers may hold what that carried.
    pub fn is_used(&self) -> bool {
        self.used.load(Relaxed)
    }

    /// Nothing of ours is in flight, so closing loses no answer.
    pub fn is_idle(&self) -> bool {
        self.in_flight.load(Relaxed) == 0
    }

    /// Who makes room first: strangers before known clients, and then whoever has been idle longest.
    pub fn rank(&self) -> (bool, u32) {
        (self.known.load(Relaxed), self.idle_since.load(Relaxed))
    }

    /// Whether this connection has used up somebody's patience.
    pub fn overdue(&self, patience: &Patience) -> bool {
        let now = self.ticks.now();
        let older = |since: u32, limit: u32| since != 0 && now.saturating_sub(since) > limit;
        if older(self.stalled_since.load(Relaxed), patience.stalled) {
            return true;
        }
        if !self.is_idle() {
            return false;
        }
        // PING and SETTINGS are bytes too: over HTTP/2 only the idle limit holds.
        let head = !self.multiplexed.load(Relaxed) && older(self.head_since.load(Relaxed), patience.head);
        head || older(self.idle_since.load(Relaxed), patience.idle)
    }

    /// A large answer begins to leave.
    pub fn takes_up(&self) {
        if self.heavy.fetch_add(1, Relaxed) == 0 {
            self.heavy_since.store(self.ticks.now(), Relaxed);
        }
    }

    /// One has left, or its connection has ended.
    pub fn puts_down(&self) {
        if self.heavy.fetch_sub(1, Relaxed) == 1 {
            self.heavy_since.store(0, Relaxed);
        }
    }

    /// Whether it has held large answers for longer than a reader needs.
    pub fn is_burden(&self, patience: &Patience) -> bool {
        let since = self.heavy_since.load(Relaxed);
        since != 0 && self.ticks.now().wrapping_sub(since) > patience.heavy
    }

    /// Tells the connection's task. A stronger signal is never taken back.
    pub fn send(&self, signal: Signal) {
        self.signal.fetch_max(signal as u8, Ordering::AcqRel);
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The signal now. `mine` keeps the waker between polls, so that the lock is taken once a task, not once a poll.
    pub fn poll_signal(&self, cx: &Context<'_>, mine: &mut Option<Waker>) -> Signal {
        if !mine.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
            *mine = Some(cx.waker().clone());
            *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        }
        match self.signal.load(Ordering::Acquire) {
            0 => Signal::Run,
            1 => Signal::Finish,
            _ => Signal::Cut,
        }
    }

    fn bytes_came(&self) {
        if self.head_since.load(Relaxed) == 0 && self.is_idle() {
            self.head_since.store(self.ticks.now(), Relaxed);
        }
    }

    fn wrote(&self, pending: bool) {
        let stalled = self.stalled_since.load(Relaxed) != 0;
        if pending != stalled {
            self.stalled_since.store(if pending { self.ticks.now() } else { 0 }, Relaxed);
        }
    }
}

/// A request between the end of its head and the end of its answer.
#[derive(Debug)]
pub struct InFlight(Arc<Pulse>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.idle_since.store(self.0.ticks.now(), Relaxed);
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

/// A stream whose progress its connection's [`Pulse`] sees.
#[derive(Debug)]
pub struct Felt<S> {
    inner: S,
    pulse: Arc<Pulse>,
}

impl<S> Felt<S> {
    /// Wraps `inner`.
    pub fn new(inner: S, pulse: Arc<Pulse>) -> Self {
        Self { inner, pulse }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Felt<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(cx, buf);
        if buf.filled().len() > before {
            this.pulse.bytes_came();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Felt<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write(cx, buf);
        this.pulse.wrote(polled.is_pending());
        polled
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write_vectored(cx, bufs);
        this.pulse.wrote(polled.is_pending());
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_flush(cx);
        this.pulse.wrote(polled.is_pending());
        polled
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { head: 4, idle: 10, stalled: 6, heavy: 3 };

    fn pulse() -> (Arc<Ticks>, Arc<Pulse>) {
        let ticks = Arc::new(Ticks::default());
        let pulse = Arc::new(Pulse::new(Arc::clone(&ticks)));
        (ticks, pulse)
    }

    fn pass(ticks: &Ticks, n: u32) {
        for _ in 0..n {
            ticks.advance();
        }
    }

    #[test]
    fn ht5_a_handshake_or_head_that_does_not_end_is_overdue() {
        let (ticks, pulse) = pulse();
        pass(&ticks, 4);
        assert!(!pulse.overdue(&PATIENCE));
        pass(&ticks, 1);
        assert!(pulse.overdue(&PATIENCE));
        pulse.ready(false);
        assert!(!pulse.overdue(&PATIENCE), "the handshake ended");
        pulse.bytes_came();
        pass(&ticks, 3);
        pulse.bytes_came();
        pass(&ticks, 2);
        assert!(pulse.overdue(&PATIENCE), "a byte now and then does not renew the head's time");
    }

    #[test]
    fn ht5_a_request_in_flight_is_never_overdue_and_idleness_is() {
        let (ticks, pulse) = pulse();
        let flight = pulse.begin(false);
        pass(&ticks, 100);
        assert!(!pulse.overdue(&PATIENCE));
        drop(flight);
        pass(&ticks, 10);
        assert!(!pulse.overdue(&PATIENCE));
        pass(&ticks, 1);
        assert!(pulse.overdue(&PATIENCE));
    }

    #[test]
    fn ht5_an_answer_not_taken_is_overdue() {
        let (ticks, pulse) = pulse();
        let _flight = pulse.begin(false);
        pulse.wrote(true);
        pass(&ticks, 3);
        pulse.wrote(true);
        pass(&ticks, 4);
        assert!(pulse.overdue(&PATIENCE), "stalled since the first pending write");
        pulse.wrote(false);
        assert!(!pulse.overdue(&PATIENCE));
    }

    #[test]
    fn ht5_a_large_answer_held_for_long_is_a_burden_however_busy_its_reader_is() {
        let (ticks, pulse) = pulse();
        pulse.takes_up();
        pulse.takes_up();
        pass(&ticks, 3);
        pulse.wrote(false);
        assert!(!pulse.is_burden(&PATIENCE));
        pulse.puts_down();
        pass(&ticks, 1);
        assert!(pulse.is_burden(&PATIENCE), "one is still held");
        pulse.puts_down();
        assert!(!pulse.is_burden(&PATIENCE));
        pulse.takes_up();
        assert!(!pulse.is_burden(&PATIENCE), "its time begins anew");
    }

    #[test]
    fn ht6_pings_do_not_count_as_a_head_over_http2() {
        let (ticks, pulse) = pulse();
        pulse.ready(true);
        pulse.bytes_came();
        pass(&ticks, 8);
        assert!(!pulse.overdue(&PATIENCE));
        pass(&ticks, 3);
        assert!(pulse.overdue(&PATIENCE), "but they do not keep it open for ever");
    }

    #[test]
    fn a_stronger_signal_is_not_taken_back() {
        let (_ticks, pulse) = pulse();
        let cx = Context::from_waker(Waker::noop());
        let mut mine = None;
        assert_eq!(pulse.poll_signal(&cx, &mut mine), Signal::Run);
        pulse.send(Signal::Cut);
        pulse.send(Signal::Finish);
        assert_eq!(pulse.poll_signal(&cx, &mut mine), Signal::Cut);
    }
}
