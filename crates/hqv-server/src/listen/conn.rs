//! One connection from its first byte to its last, the same for both ways in.

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::guard::slow::{Felt, Signal};
use crate::listen::registry::Seat;
use crate::service::{Api, Shared};
use crate::way::Way;

/// hyper's settings, once for each way of finding out the protocol.
pub struct Http {
    either: auto::Builder<TokioExecutor>,
    http1: auto::Builder<TokioExecutor>,
    http2: auto::Builder<TokioExecutor>,
}

/// How it is known what the client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// By its first bytes (the socket).
    Either,
    /// HTTP/1.1, by ALPN or for want of it.
    Http1,
    /// HTTP/2, by ALPN.
    Http2,
}

impl Http {
    /// The settings.
    pub fn new() -> Self {
        Self { either: builder(), http1: builder().http1_only(), http2: builder().http2_only() }
    }

    fn of(&self, speaks: Speaks) -> &auto::Builder<TokioExecutor> {
        match speaks {
            Speaks::Either => &self.either,
            Speaks::Http1 => &self.http1,
            Speaks::Http2 => &self.http2,
        }
    }
}

/// The limits of both protocols. Header timers are ours (`guard::slow`), so hyper needs no clock.
fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(32 * 1024).header_read_timeout(None).half_close(true).pipeline_flush(false);
    builder
        .http2()
        // Clients open 100 before they have read our settings (RFC 9113 section 6.5.2 asks for no less).
        .max_concurrent_streams(128)
        .max_pending_accept_reset_streams(16)
        .max_local_error_reset_streams(64)
        .max_header_list_size(32 * 1024)
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .max_send_buf_size(256 * 1024);
    builder
}

/// Serves until the client closes, the connection is told to end, or it breaks. Errors are the client's; nobody waits for
/// them.
pub async fn serve<S>(stream: S, seat: Seat, way: Arc<Way>, speaks: Speaks, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let pulse = Arc::clone(&seat.pulse);
    let io = TokioIo::new(Felt::new(stream, Arc::clone(&pulse)));
    let api = Api::new(Arc::clone(&shared), way, Arc::clone(&pulse));
    let mut connection = pin!(shared.http.of(speaks).serve_connection(io, api));
    let (mut waker, mut told) = (None, false);
    poll_fn(|cx| {
        match pulse.poll_signal(cx, &mut waker) {
            Signal::Run => {}
            Signal::Cut => return Poll::Ready(()),
            Signal::Finish if told => {}
            Signal::Finish => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
        connection.as_mut().poll(cx).map(drop)
    })
    .await;
}

/// Drives `work` (a handshake) under the same signals. `None` where it was told to end.
pub async fn under_signal<F: Future>(seat: &Seat, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut waker = None;
    poll_fn(|cx| match seat.pulse.poll_signal(cx, &mut waker) {
        Signal::Run => work.as_mut().poll(cx).map(Some),
        Signal::Finish | Signal::Cut => Poll::Ready(None),
    })
    .await
}
