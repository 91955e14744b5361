//! The client: one kept connection, opened when first needed, opened again where it was closed in between.
//!
//! A request is sent again only while it has certainly not been sent: hyper hands it back where the old connection
//! turned out to be closed before a byte of it was written. Anything later is the caller's to decide
//! ([`crate::ClientError::sent`]), since a use may have been spent.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hqv_api::ErrorBody;
use hqv_model::SecretText;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use rustls::ClientConfig;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::{ClientError, Result};
use crate::head;
use crate::proxy::Proxy;
use crate::target::Target;
use crate::trust::Trust;
use crate::unix::PeerUid;
use crate::wire::{self, RawAnswer, RawCall, Sender};

/// Whom to ask, as whom, and how long to wait.
pub struct Options {
    /// The server.
    pub target: Target,
    /// A token or session, sent as a bearer.
    pub credential: Option<SecretText>,
    /// What vouches for a TLS server.
    pub trust: Trust,
    /// The environment's proxies.
    pub proxy: Proxy,
    /// The caller's own uid.
    pub own_uid: u32,
    /// Asks the kernel who listens on a socket.
    pub peer_uid: PeerUid,
    /// `User-Agent`, visible ASCII.
    pub agent: String,
    /// What the caller does, for the record, such as `env-file`.
    pub claim: Option<String>,
    /// Why, for the record.
    pub reason: Option<String>,
    /// How long connecting may take, TLS included.
    pub connect_within: Duration,
    /// How long a request may take from its first byte to its answer's last.
    pub answer_within: Duration,
}

impl Options {
    /// The usual: no credential, nothing but the target, 5 seconds to connect, 60 to answer.
    pub fn new(target: Target, own_uid: u32, peer_uid: PeerUid) -> Self {
        Self {
            target,
            credential: None,
            trust: Trust::default(),
            proxy: Proxy::default(),
            own_uid,
            peer_uid,
            agent: concat!("hq-vault/", env!("CARGO_PKG_VERSION")).to_owned(),
            claim: None,
            reason: None,
            connect_within: Duration::from_secs(5),
            answer_within: Duration::from_secs(60),
        }
    }
}

/// One caller's line to one vault. Calls are made one after the other; for parallel ones make several clients.
pub struct Client {
    pub(crate) options: Options,
    pub(crate) standing: HeaderMap,
    sender: Option<Sender>,
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

impl Client {
    /// Prepares; connects to nothing yet.
    ///
    /// # Errors
    /// `BAD_REQUEST` where credential or agent cannot stand in a header.
    pub fn new(options: Options) -> Result<Self> {
        let standing = head::standing(&options)?;
        Ok(Self { options, standing, sender: None, tls: None })
    }

    /// Whom this client asks.
    pub fn target(&self) -> &Target {
        &self.options.target
    }

    /// Sends a call and reads the answer, whatever its status.
    ///
    /// # Errors
    /// `CONNECTION_ERROR`, `TIMEOUT`, and `BAD_REQUEST` for a call that cannot be written as HTTP.
    pub async fn send_raw(&mut self, call: RawCall) -> Result<RawAnswer> {
        let deadline = call.deadline.unwrap_or(self.options.answer_within);
        let limit = call.limit;
        let work = async {
            let answer = self.send(call).await?;
            wire::read(answer, limit).await
        };
        let result = match tokio::time::timeout(deadline, work).await {
            Ok(result) => result,
            Err(_) => Err(late(&self.options.target, deadline)),
        };
        if result.is_err() {
            // Whatever else comes on that connection belongs to nobody.
            self.sender = None;
        }
        result
    }

    /// Sends a call and reads an answer of JSON; an answer of 300 or above becomes the error that it says.
    ///
    /// # Errors
    /// The server's, and those of [`Client::send_raw`].
    pub async fn call<T: DeserializeOwned>(&mut self, call: RawCall) -> Result<T> {
        let answer = self.send_raw(call).await?;
        parse(&success(answer)?)
    }

    /// A connection of its own for a stream, with the answer's head read.
    pub(crate) async fn stream(&mut self, call: RawCall) -> Result<(Sender, Response<Incoming>)> {
        let limit = self.options.answer_within;
        let request = self.request(call)?;
        let mut sender = self.connect().await?;
        let sent = tokio::time::timeout(limit, sender.send_request(request)).await;
        match sent {
            Ok(Ok(answer)) => Ok((sender, answer)),
            Ok(Err(_)) => Err(closed(&self.options.target).after_sending()),
            Err(_) => Err(ClientError::timeout(format!("{} did not answer in time", self.options.target))),
        }
    }

    async fn send(&mut self, call: RawCall) -> Result<Response<Incoming>> {
        let mut request = self.request(call)?;
        let kept = self.sender.take().filter(|sender| !sender.is_closed());
        if let Some(mut sender) = kept
            && sender.ready().await.is_ok()
        {
            match sender.try_send_request(request).await {
                Ok(answer) => return Ok(self.keep(sender, answer)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(closed(&self.options.target).after_sending()),
                },
            }
        }
        let mut sender = self.connect().await?;
        match sender.try_send_request(request).await {
            Ok(answer) => Ok(self.keep(sender, answer)),
            Err(error) if error.message().is_some() => Err(closed(&self.options.target)),
            Err(_) => Err(closed(&self.options.target).after_sending()),
        }
    }

    fn keep(&mut self, sender: Sender, answer: Response<Incoming>) -> Response<Incoming> {
        self.sender = Some(sender);
        answer
    }

    fn request(&self, call: RawCall) -> Result<Request<Full<Bytes>>> {
        let unwritable = |_| ClientError::usage("this request cannot be written as HTTP");
        let has_body = call.body.is_some();
        let body = call.body.map(Bytes::from_owner).unwrap_or_default();
        let mut request = Request::builder()
            .method(call.method)
            .uri(call.target)
            .body(Full::new(body))
            .map_err(unwritable)?;
        let target = request.headers_mut();
        *target = self.standing.clone();
        if has_body {
            target.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        target.extend(call.headers);
        Ok(request)
    }
}

/// The body of a good answer, or the error that the answer is.
pub(crate) fn success(answer: RawAnswer) -> Result<Zeroizing<Vec<u8>>> {
    match answer.status {
        200..=299 => Ok(answer.body),
        300..=399 => Err(stranger(&answer, "a redirect, which is never followed")),
        _ => match serde_json::from_slice::<ErrorBody>(&answer.body) {
            Ok(body) => Err(ClientError::answered(answer.status, body, retry_after(&answer.headers))),
            Err(_) => Err(stranger(&answer, "an error that no vault sends")),
        },
    }
}

pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    // serde's own words could quote the body, which may hold a value.
    serde_json::from_slice(body).map_err(|_| {
        ClientError::connection("the answer is not one that this version understands")
            .after_sending()
            .hint("hq-vault version")
    })
}

fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()
}

fn stranger(answer: &RawAnswer, what: &str) -> ClientError {
    let message = format!("what answered is not an HQ Vault: {what} (status {})", answer.status);
    ClientError { status: Some(answer.status), ..ClientError::connection(message).after_sending() }
}

pub(crate) fn late(target: &Target, limit: Duration) -> ClientError {
    ClientError::timeout(format!("{target} did not answer in {} s", limit.as_secs_f32()))
}

pub(crate) fn closed(target: &Target) -> ClientError {
    ClientError::connection(format!("{target} closed the connection"))
}
