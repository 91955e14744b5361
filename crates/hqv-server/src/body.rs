//! What goes out: a finished buffer, wiped once it has left, or a stream of events.
//!
//! hyper writes our buffer and the head in one vectored write, so a value is not copied on its way to TLS.

use bytes::Buf;
use hqv_api::JsonBody;
use hyper::body::{Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

use crate::guard::slow::InFlight;
use crate::guard::weight::Weight;

/// A run of bytes and how much of it has left.
#[derive(Debug)]
pub struct Chunk {
    held: Held,
    at: usize,
    weight: Option<Weight>,
}

#[derive(Debug)]
enum Held {
    Json(JsonBody),
    Text(String),
    Fixed(&'static [u8]),
}

impl Chunk {
    fn new(held: Held) -> Self {
        Self { held, at: 0, weight: None }
    }

    fn bytes(&self) -> &[u8] {
        match &self.held {
            Held::Json(body) => body.as_ref(),
            Held::Text(text) => text.as_bytes(),
            Held::Fixed(bytes) => bytes,
        }
    }
}

impl Buf for Chunk {
    fn remaining(&self) -> usize {
        self.bytes().len().saturating_sub(self.at)
    }

    fn chunk(&self) -> &[u8] {
        self.bytes().get(self.at..).unwrap_or_default()
    }

    fn advance(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.bytes().len());
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

/// An answer's body. It also marks its request as in flight until hyper has taken the last of it.
#[derive(Debug)]
pub struct Body {
    inner: Inner,
    flight: Option<InFlight>,
}

#[derive(Debug)]
enum Inner {
    Done,
    Whole(Chunk),
    Events(mpsc::Receiver<String>),
}

impl Body {
    /// No bytes.
    pub fn empty() -> Self {
        Self { inner: Inner::Done, flight: None }
    }

    /// Finished JSON.
    pub fn json(body: JsonBody) -> Self {
        Self::whole(Held::Json(body))
    }

    /// A text.
    pub fn text(text: String) -> Self {
        Self::whole(Held::Text(text))
    }

    /// Bytes that are part of the program.
    pub fn fixed(bytes: &'static [u8]) -> Self {
        Self::whole(Held::Fixed(bytes))
    }

    /// Events as they come; it ends when the sender is dropped.
    pub fn events(events: mpsc::Receiver<String>) -> Self {
        Self { inner: Inner::Events(events), flight: None }
    }

    /// Keeps `flight` until the body is gone.
    pub fn carrying(mut self, flight: InFlight) -> Self {
        self.flight = Some(flight);
        self
    }

    /// Keeps `weight` until its bytes have left.
    pub fn weighing(mut self, weight: Weight) -> Self {
        if let Inner::Whole(chunk) = &mut self.inner {
            chunk.weight = Some(weight);
        }
        self
    }

    /// What it weighs, where it was weighed.
    pub fn weight(&mut self) -> Option<&mut Weight> {
        match &mut self.inner {
            Inner::Whole(chunk) => chunk.weight.as_mut(),
            Inner::Done | Inner::Events(_) => None,
        }
    }

    /// Bytes that are known to come.
    pub fn len(&self) -> usize {
        match &self.inner {
            Inner::Whole(chunk) => chunk.remaining(),
            Inner::Done | Inner::Events(_) => 0,
        }
    }

    fn whole(held: Held) -> Self {
        Self { inner: Inner::Whole(Chunk::new(held)), flight: None }
    }

    #[cfg(test)]
    pub(crate) fn bytes_for_test(&self) -> &[u8] {
        match &self.inner {
            Inner::Whole(chunk) => chunk.chunk(),
            _ => b"",
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Chunk;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Chunk>, Infallible>>> {
        let this = self.get_mut();
        match std::mem::replace(&mut this.inner, Inner::Done) {
            Inner::Done => Poll::Ready(None),
            Inner::Whole(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
            Inner::Events(mut events) => {
                let polled = events.poll_recv(cx);
                if !matches!(polled, Poll::Ready(None)) {
                    this.inner = Inner::Events(events);
                }
                polled.map(|event| event.map(|text| Ok(Frame::data(Chunk::new(Held::Text(text))))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.inner, Inner::Done)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Done => SizeHint::with_exact(0),
            Inner::Whole(chunk) => SizeHint::with_exact(u64::try_from(chunk.remaining()).unwrap_or(u64::MAX)),
            Inner::Events(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_leaves_in_parts() {
        let mut chunk = Chunk::new(Held::Text("abcdef".into()));
        chunk.advance(2);
        assert_eq!((chunk.remaining(), chunk.chunk()), (4, &b"cdef"[..]));
        chunk.advance(100);
        assert_eq!((chunk.remaining(), chunk.chunk()), (0, &b""[..]));
    }

    #[test]
    fn the_length_is_known_before_and_nothing_is_left_after() {
        use hyper::body::Body as _;
        let mut body = Body::fixed(b"abc");
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(3), false));
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        assert!(matches!(Pin::new(&mut body).poll_frame(cx), Poll::Ready(Some(Ok(_)))));
        assert!(body.is_end_stream());
    }
}
