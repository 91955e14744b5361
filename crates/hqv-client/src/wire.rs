//! One request and its answer on a connection: sizes bounded, bodies wiped.

use bytes::Bytes;
use hqv_api::JsonBody;
use hqv_api::body::append_wiping;
use http::{HeaderMap, Method, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use zeroize::Zeroizing;

use crate::error::{ClientError, Result};

/// The half of a connection that requests go into.
pub(crate) type Sender = SendRequest<Full<Bytes>>;

/// A call, before it has a connection.
pub struct RawCall {
    /// The method.
    pub method: Method,
    /// Path and query, already encoded.
    pub target: String,
    /// Beside those that the client sets itself.
    pub headers: HeaderMap,
    /// Sent as `application/json`.
    pub body: Option<JsonBody>,
    /// The most that is read of the answer, in bytes.
    pub limit: usize,
    /// From the first byte to the last; absent: the client's own.
    pub deadline: Option<Duration>,
}

/// The most that is read of an answer unless a call says otherwise: a value of 1 MiB whose every byte is escaped
/// as six.
pub(crate) const LIMIT: usize = 8 << 20;

impl RawCall {
    /// A call without a body.
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        Self {
            method,
            target: target.into(),
            headers: HeaderMap::new(),
            body: None,
            limit: LIMIT,
            deadline: None,
        }
    }

    /// The same with a body.
    #[must_use]
    pub fn with_body(mut self, body: JsonBody) -> Self {
        self.body = Some(body);
        self
    }

    /// The same with room for a longer answer.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The same with more time.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }
}

/// An answer as it came.
pub struct RawAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, wiped on drop.
    pub body: Zeroizing<Vec<u8>>,
}

/// Starts HTTP/1.1 on a connected stream. `buffer` bounds what is held of a head.
pub(crate) async fn open<S>(stream: S, buffer: usize) -> Result<Sender>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(buffer)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| ClientError::connection("the connection was closed at once"))?;
    // Ends with the connection, which ends when the sender is dropped.
    tokio::spawn(connection);
    Ok(sender)
}

/// Reads an answer to its end, or refuses it where it is longer than `limit`.
pub(crate) async fn read(answer: Response<Incoming>, limit: usize) -> Result<RawAnswer> {
    let (head, mut body) = answer.into_parts();
    let announced =
        head.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_long(limit));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(0)));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ClientError::connection("the answer broke off").after_sending())?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len().saturating_add(data.len()) > limit {
            return Err(too_long(limit));
        }
        append_wiping(&mut bytes, &data);
    }
    Ok(RawAnswer { status: head.status.as_u16(), headers: head.headers, body: bytes })
}

pub(crate) fn too_long(limit: usize) -> ClientError {
    ClientError::connection(format!("the answer is longer than {limit} bytes")).after_sending()
}
