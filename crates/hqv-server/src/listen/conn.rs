//! One connection from its first byte to its last, the same for both ways in.

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulConnection;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::body::Body;
use crate::guard::slow::{Felt, Pulse, Signal};
use crate::listen::registry::Seat;
use crate::service::{Api, Shared};
use crate::way::Way;

/// hyper's settings, once for each way of finding out the protocol.
pub struct Http {
    either: auto::Builder<TokioExecutor>,
    http1: http1::Builder,
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
        let mut either = auto::Builder::new(TokioExecutor::new());
        limit_http1!(either.http1());
        limit_http2(&mut either);
        let mut http1 = http1::Builder::new();
        limit_http1!(&mut http1);
        Self { http2: either.clone().http2_only(), either, http1 }
    }
}

/// The limits of HTTP/1.1. Header timers are ours (`guard::slow`), so hyper needs no clock. A macro, because the two builders
/// that take them are two types with the same methods.
macro_rules! limit_http1 {
    ($builder:expr) => {
        $builder.max_buf_size(32 * 1024).header_read_timeout(None).half_close(true).pipeline_flush(false)
    };
}
use limit_http1;

/// The limits of HTTP/2.
fn limit_http2(builder: &mut auto::Builder<TokioExecutor>) {
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
}

/// Serves until the client closes, the connection is told to end, or it breaks. Errors are the client's; nobody waits for
/// them.
pub async fn serve<S>(stream: S, seat: Seat, way: Arc<Way>, speaks: Speaks, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let pulse = &seat.pulse;
    let api = Api::new(Arc::clone(&shared), way, Arc::clone(pulse));
    let io = TokioIo::new(Felt::new(stream, Arc::clone(pulse)));
    match speaks {
        // hyper's own connection, without the layer that finds out the protocol: nearly all requests come this way.
        Speaks::Http1 => drive(shared.http.http1.serve_connection(io, api), pulse).await,
        Speaks::Http2 => drive(shared.http.http2.serve_connection(io, api), pulse).await,
        Speaks::Either => drive(shared.http.either.serve_connection(io, api), pulse).await,
    }
}

/// The same for a service of another kind, over HTTP/1.1.
pub async fn serve_http1<S, A>(stream: S, seat: Seat, service: A, shared: &Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    A::Future: Send + 'static,
{
    let io = TokioIo::new(Felt::new(stream, Arc::clone(&seat.pulse)));
    drive(shared.http.http1.serve_connection(io, service), &seat.pulse).await;
}

/// Drives a connection under the signals of its pulse.
async fn drive<C: GracefulConnection>(connection: C, pulse: &Pulse) {
    let mut connection = pin!(connection);
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
