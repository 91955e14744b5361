//! From hyper's request to a handler and back: guards, route, credential, dispatch.
//!
//! Three kinds of answers. What is refused, and a read that the engine does inline, is ready when `call` returns: no
//! future is boxed, no task made. Everything else is one boxed future, polled where its connection is polled; only when it
//! has to wait (for a commit, a derivation, a body) does it move to a task of its own. From then on a client that hangs up
//! changes nothing about the work, only about who hears of it.

use hqv_engine::ops::token_self::TokenSelf;
use hqv_engine::{Caller, Credential, Engine};
use hqv_model::{Clock, Error, RequestId};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, Uri, Version};
use hyper::body::{Body as _, Incoming};
use hyper::service::Service;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::task::JoinHandle;

use crate::answer::X_REQUEST_ID;
use crate::ask::{Ask, Carried};
use crate::body::Body;
use crate::busy::Busy;
use crate::config::LogLine;
use crate::entry::Pages;
use crate::errors::{Answer, Refusal, unauthorized};
use crate::guard::bearer::Bearer;
use crate::guard::headers::Seen;
use crate::guard::host::Hosts;
use crate::guard::polls::Polls;
use crate::guard::rate::Tries;
use crate::guard::size::{self, Reader};
use crate::guard::slow::{InFlight, Pulse};
use crate::guard::weight::Scale;
use crate::ids::RequestIds;
use crate::listen::conn::Http;
use crate::router::{Call, Found, find};
use crate::server::Handle;
use crate::v1;
use crate::way::Way;

/// What all connections share.
pub struct Shared {
    /// The vault.
    pub engine: Engine,
    /// Both clocks.
    pub clock: Arc<dyn Clock>,
    /// The names we answer to.
    pub hosts: Hosts,
    /// Gives request ids.
    pub ids: RequestIds,
    /// Reads bodies.
    pub bodies: Reader,
    /// Tries of the passphrase at the socket.
    pub socket_tries: Tries,
    /// Tries of the passphrase over TCP.
    pub tcp_tries: Tries,
    /// Takes causes.
    pub log: LogLine,
    /// hyper's settings.
    pub http: Http,
    /// Work that goes on without its connection.
    pub busy: Arc<Busy>,
    /// What answers weigh that wait for their clients.
    pub scale: Arc<Scale>,
    /// Places for polls that wait: a part of the connections, so that they never keep out who has something to do.
    pub polls: Polls,
    /// The entry pages that are open.
    pub pages: Pages,
    /// How long a page answers after its entry is over.
    pub linger: Duration,
    /// The server as its handlers see it.
    pub house: Handle,
}

impl Shared {
    /// The limiter of this way in.
    pub fn tries(&self, way: &Way) -> &Tries {
        if way.is_socket() { &self.socket_tries } else { &self.tcp_tries }
    }
}

/// A handler at work.
pub type Work = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// How far a handler came at once.
pub enum Begun {
    /// To its end.
    Answered(Answer),
    /// It has to wait.
    Working(Work),
    /// It only waits for what the engine carries through by itself, so it may be dropped with its client.
    Queued(Work),
}

/// One connection's service.
pub struct Api {
    shared: Arc<Shared>,
    way: Arc<Way>,
    pulse: Arc<Pulse>,
    bearer: Bearer,
}

impl Api {
    /// For a connection that came this way.
    pub fn new(shared: Arc<Shared>, way: Arc<Way>, pulse: Arc<Pulse>) -> Self {
        Self { shared, way, pulse, bearer: Bearer::default() }
    }

    /// Everything before the handler. What is refused here has touched nothing.
    fn begin(&self, last: &mut Last, parts: &Parts, body: Incoming) -> Result<Begun, Refusal> {
        refuse_target(&parts.method, &parts.uri, parts.version)?;
        let seen = Seen::look(&parts.headers)?;
        if !self.way.is_socket() {
            seen.refuse_foreign_host(&parts.uri, parts.version, &self.shared.hosts)?;
        }
        seen.refuse_pages()?;
        let (call, tail) = match find(&parts.method, parts.uri.path()) {
            Found::Call(call, tail) => (call, tail),
            Found::Methods(allow) => return Err(Refusal::method(allow)),
            Found::Nothing => return Err(Error::not_found("there is nothing at this address").into()),
        };
        last.vouches = !call.is_open();
        let caller = self.caller(last.id, &seen, &parts.uri, call)?;
        let alone = call.needs_credential() || (call.is_asking() && !self.way.is_socket());
        if caller.credential.is_none() && alone {
            return Err(self.stranger(caller, &body));
        }
        if call.takes_body() {
            size::require_json(seen.content_type, seen.content_encoding)?;
            let (if_match, if_none_match) = (seen.if_match.cloned(), seen.if_none_match.cloned());
            return v1::with_body(
                call,
                tail,
                self.ask(caller, &parts.uri),
                Carried { body, if_match, if_none_match },
            );
        }
        size::refuse_body(&body)?;
        if call == Call::Get {
            return v1::get::get(&self.shared.engine, caller, tail, parts.uri.query());
        }
        v1::without_body(call, tail, self.ask(caller, &parts.uri))
    }

    /// Nobody's request is looked at no further, whatever else is wrong with it. The engine says what to answer (a locked
    /// vault has its own word at the socket) and counts it.
    fn stranger(&self, caller: Caller, body: &Incoming) -> Refusal {
        let refused = self.shared.engine.begin(caller, TokenSelf).err();
        let refusal = Refusal::from(
            refused.unwrap_or_else(|| unauthorized("this needs a token or the owner's session")),
        );
        if body.is_end_stream() { refusal } else { refusal.closing() }
    }

    fn later(&self, step: Step, last: Last) -> Answering {
        let (shared, pulse) = (Arc::clone(&self.shared), Arc::clone(&self.pulse));
        Answering::Later(Box::new(Later { step, last: Some(last), shared, pulse }))
    }

    fn ask(&self, caller: Caller, uri: &Uri) -> Ask {
        let query = uri.query().map(str::to_owned);
        Ask { shared: Arc::clone(&self.shared), way: Arc::clone(&self.way), caller, query }
    }

    fn caller(&self, request: RequestId, seen: &Seen<'_>, uri: &Uri, call: Call) -> Result<Caller, Refusal> {
        let credential = if call.is_open() { None } else { self.credential(seen, uri)? };
        let [agent, claim, reason] = seen.notes();
        Ok(Caller { credential, transport: self.way.transport().clone(), request, agent, claim, reason })
    }

    fn credential(&self, seen: &Seen<'_>, uri: &Uri) -> Result<Option<Credential>, Refusal> {
        let found = seen.bearer(uri).and_then(|text| match text {
            Some(text) => self.bearer.read(text).map(Some).map_err(|e| unauthorized(e.to_string()).into()),
            None => Ok(None),
        });
        if let Err(refusal) = &found {
            self.shared.engine.refused(self.way.transport().label(), refusal.error().code());
        }
        found
    }
}

/// Targets that mean nothing here: absolute-form over HTTP/1.1 (we are no proxy), `*`, and CONNECT's authority-form.
fn refuse_target(method: &Method, uri: &Uri, version: Version) -> Result<(), Refusal> {
    let absolute = version != Version::HTTP_2 && uri.scheme().is_some();
    if absolute || method == Method::CONNECT || !uri.path().starts_with('/') {
        return Err(Refusal::from(Error::bad_request("the request's target is not a path")).closing());
    }
    Ok(())
}

impl Service<Request<Incoming>> for Api {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let (parts, body) = request.into_parts();
        let mut last = Last {
            id: self.shared.ids.next(),
            flight: self.pulse.begin(parts.version == Version::HTTP_2),
            silent: parts.method == Method::HEAD,
            http2: parts.version == Version::HTTP_2,
            vouches: false,
        };
        match self.begin(&mut last, &parts, body) {
            Ok(Begun::Working(work)) => self.later(Step::Here(work), last),
            Ok(Begun::Queued(work)) => self.later(Step::Queued(work), last),
            Ok(Begun::Answered(answer)) => {
                Answering::Now(Some(last.finish(answer, &self.shared, &self.pulse)))
            }
            Err(refusal) => Answering::Now(Some(last.finish(Err(refusal), &self.shared, &self.pulse))),
        }
    }
}

/// What the end of a request needs from its beginning.
struct Last {
    id: RequestId,
    flight: InFlight,
    silent: bool,
    http2: bool,
    /// A success shows that the engine knows this client.
    vouches: bool,
}

impl Last {
    fn finish(self, answer: Answer, shared: &Shared, pulse: &Arc<Pulse>) -> Response<Body> {
        let mut response = match weighed(answer, shared, pulse) {
            Ok(response) => {
                if self.vouches {
                    pulse.vouch();
                }
                response
            }
            Err(refusal) => refusal.into_response(self.id, &*shared.log),
        };
        if let Ok(id) = HeaderValue::from_bytes(&self.id.text()) {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        if self.http2 {
            // A connection header has no place in HTTP/2 (RFC 9113 section 8.2.2); there the stream alone ends.
            response.headers_mut().remove(http::header::CONNECTION);
        }
        if self.silent {
            *response.body_mut() = Body::empty();
        }
        response.map(|body| body.carrying(self.flight))
    }
}

/// What its client does not take in time must not fill the memory, even where a use was spent on it.
fn weighed(answer: Answer, shared: &Shared, pulse: &Arc<Pulse>) -> Answer {
    let mut response = answer?;
    if response.body_mut().weight().is_none()
        && let Some(weight) = shared.scale.put(response.body().len())?
    {
        response = response.map(|body| body.weighing(weight));
    }
    if let Some(weight) = response.body_mut().weight() {
        weight.leaves_by(pulse);
    }
    Ok(response)
}

/// An answer, or the way to it.
pub enum Answering {
    /// It was ready at once.
    Now(Option<Response<Body>>),
    /// It is being worked on.
    Later(Box<Later>),
}

impl Future for Answering {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Answering::Now(response) => Poll::Ready(Ok(response.take().unwrap_or_default())),
            Answering::Later(later) => later.poll(cx).map(Ok),
        }
    }
}

/// See [`Answering::Later`].
pub struct Later {
    step: Step,
    last: Option<Last>,
    shared: Arc<Shared>,
    pulse: Arc<Pulse>,
}

enum Step {
    /// Polled with its connection, until it has to wait.
    Here(Work),
    /// Polled with its connection to the end.
    Queued(Work),
    /// On a task of its own.
    Away(JoinHandle<Answer>),
}

impl Later {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Response<Body>> {
        let answer = ready!(self.poll_answer(cx));
        Poll::Ready(match self.last.take() {
            Some(last) => last.finish(answer, &self.shared, &self.pulse),
            None => Response::default(),
        })
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
        if let Step::Here(work) = &mut self.step {
            if let Poll::Ready(answer) = work.as_mut().poll(cx) {
                return Poll::Ready(answer);
            }
            // A future without size: nothing is allocated for it.
            let work = std::mem::replace(work, Box::pin(std::future::pending()));
            self.step = Step::Away(detach(work, &self.shared.busy));
        }
        match &mut self.step {
            Step::Here(work) | Step::Queued(work) => work.as_mut().poll(cx),
            Step::Away(task) => Pin::new(task).poll(cx).map(|joined| {
                joined.unwrap_or_else(|e| {
                    Err(Error::internal("the request could not be finished").cause(e).into())
                })
            }),
        }
    }
}

/// Lets `work` go on whatever becomes of its connection. A stop waits for it.
fn detach(work: Work, busy: &Arc<Busy>) -> JoinHandle<Answer> {
    let mark = busy.mark();
    tokio::spawn(async move {
        let _mark = mark;
        work.await
    })
}

impl Call {
    /// Open to everybody: a credential is not even looked at.
    pub const fn is_open(self) -> bool {
        matches!(self, Call::Health | Call::Ca | Call::OpenApi)
    }

    /// The engine refuses it to everybody without a token or session, on both ways in.
    pub const fn needs_credential(self) -> bool {
        use Call::*;
        !self.is_open()
            && !self.is_asking()
            && !matches!(self, Status | Init | Unlock | Shutdown | SessionCreate)
    }

    /// Asking: open to every process of the owner on the socket, and over TCP to who has a credential.
    pub const fn is_asking(self) -> bool {
        use Call::*;
        matches!(
            self,
            EntryCreate
                | EntryState
                | EntryAbout
                | EntryAnswer
                | EntryRefuse
                | AskCreate
                | AskState
                | AskCollect
        )
    }

    /// Takes a JSON body.
    pub const fn takes_body(self) -> bool {
        use Call::*;
        matches!(
            self,
            Init | Unlock
                | Put
                | Batch
                | Import
                | Move
                | Copy
                | TokenCreate
                | TokenPlan
                | TokenRenew
                | SessionCreate
                | SettingsChange
                | EntryCreate
                | EntryAbout
                | EntryAnswer
                | EntryRefuse
                | AskCreate
                | AskCollect
                | AskApprove
        )
    }
}
