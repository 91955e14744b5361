//! What a page's server answers: the page, what it is about, how it stands, and the one value.
//!
//! | call | brings | answer |
//! |---|---|---|
//! | `GET /ENTRY` | nothing | the static page |
//! | `POST /ENTRY/about` | the submit secret | what the prompt shows |
//! | `POST /ENTRY/state` | the submit secret | how the entry stands |
//! | `POST /ENTRY/store` | the submit secret and the sealed value | what was stored |
//! | `POST /ENTRY/refuse` | the submit secret | that it is refused |
//!
//! Everything else is one 404, whatever is wrong.
//!
//! A page whose answer was lost sends the same message again. Where it is the one that was stored it is told so again, and
//! nothing is stored twice: no page has to guess whether the value that stands there is its own.

use hqv_api::{Done, EntrySealed, EntryState as EntryStateAnswer};
use hqv_engine::ops::entry_store::{Brought, EntryStore};
use hqv_engine::tickets::{EntryState, EntryStored, EntryView, Proof};
use hqv_engine::{Caller, Transport};
use hqv_model::{EntryId, EntryRef, EntryRoute, Error, RequestId, SecretText};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::Service;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use crate::answer::{ok, typed};
use crate::body::Body;
use crate::entry::{document, guard};
use crate::errors::{Answer, Refusal};
use crate::guard::headers::Seen;
use crate::guard::size;
use crate::guard::slow::Pulse;
use crate::service::Shared;
use crate::v1::render;

/// A sealed value of 1 MiB in base64url, its key, and the JSON around them.
const SEALED: usize = (1024 * 1024 + 16_usize).div_ceil(3) * 4 + 1024;

/// The entry that a page is for.
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// The same as text.
    pub path: String,
    /// What its page has to bring.
    pub submit: SecretText,
    /// What was stored from here, and the hash of its message.
    stored: tokio::sync::Mutex<Option<([u8; 32], EntryStored)>>,
}

impl Entry {
    /// One that nothing was stored for yet.
    pub fn new(id: EntryId, submit: &SecretText) -> Self {
        let submit = SecretText::new(submit.reveal().to_owned());
        Self { id, path: id.to_string(), submit, stored: tokio::sync::Mutex::default() }
    }

    /// Whether it still waits for a value.
    pub fn waits(&self, shared: &Shared) -> bool {
        let view = shared.engine.entry_about(&caller(shared.ids.next(), None), &self.which(), &self.proof());
        view.is_ok_and(|view| view.state == EntryState::Waiting)
    }

    fn which(&self) -> EntryRef {
        EntryRef::Id(self.id)
    }

    fn proof(&self) -> Proof {
        Proof::Submit(SecretText::new(self.submit.reveal().to_owned()))
    }
}

/// The page's own way in: it has no credential but the secret that each request brings.
fn caller(request: RequestId, agent: Option<String>) -> Caller {
    Caller { credential: None, transport: Transport::Page, request, agent, claim: None, reason: None }
}

/// One connection's service.
pub struct Site {
    shared: Arc<Shared>,
    entry: Arc<Entry>,
    pulse: Arc<Pulse>,
}

/// A call that was let through.
enum Call {
    Page,
    About,
    State,
    Store,
    Refuse,
}

impl Site {
    /// For a connection to this entry's page.
    pub fn new(shared: Arc<Shared>, entry: Arc<Entry>, pulse: Arc<Pulse>) -> Self {
        Self { shared, entry, pulse }
    }

    /// Everything before a body is looked at.
    fn admit(&self, parts: &Parts) -> Result<Call, Refusal> {
        guard::refuse_other_sites(&parts.headers)?;
        let plain = parts.uri.scheme().is_none() && parts.uri.query().is_none();
        let tail = parts.uri.path().strip_prefix('/').and_then(|path| path.strip_prefix(&self.entry.path));
        let call = match (&parts.method, tail.filter(|_| plain)) {
            (&Method::GET, Some("")) => return Ok(Call::Page),
            (&Method::POST, Some("/about")) => Call::About,
            (&Method::POST, Some("/state")) => Call::State,
            (&Method::POST, Some("/store")) => Call::Store,
            (&Method::POST, Some("/refuse")) => Call::Refuse,
            _ => return Err(nothing()),
        };
        if guard::brings(&parts.headers, &self.entry.submit) { Ok(call) } else { Err(nothing()) }
    }
}

/// The one answer to whoever does not know this entry and its secret.
fn nothing() -> Refusal {
    Refusal::from(Error::not_found("there is nothing at this address")).closing()
}

impl Service<Request<Incoming>> for Site {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let flight = self.pulse.begin(false);
        let (parts, body) = request.into_parts();
        let id = self.shared.ids.next();
        let (shared, entry, admitted) =
            (Arc::clone(&self.shared), Arc::clone(&self.entry), self.admit(&parts));
        Box::pin(async move {
            let answer = match admitted {
                Ok(call) => {
                    answer(
                        call,
                        Visit { shared: Arc::clone(&shared), entry, id, headers: parts.headers },
                        body,
                    )
                    .await
                }
                Err(refusal) => Err(refusal),
            };
            let mut response = answer.unwrap_or_else(|refusal| refusal.into_response(id, &*shared.log));
            document::harden(response.headers_mut());
            Ok(response.map(|body| body.carrying(flight)))
        })
    }
}

/// One request that was let through.
struct Visit {
    shared: Arc<Shared>,
    entry: Arc<Entry>,
    id: RequestId,
    headers: HeaderMap,
}

impl Visit {
    fn caller(&self) -> Result<Caller, Refusal> {
        let [agent, _, _] = Seen::look(&self.headers)?.notes();
        Ok(caller(self.id, agent))
    }

    fn view(&self) -> Result<EntryView, Refusal> {
        let (which, proof) = (self.entry.which(), self.entry.proof());
        Ok(self.shared.engine.entry_about(&self.caller()?, &which, &proof)?)
    }
}

async fn answer(call: Call, visit: Visit, body: Incoming) -> Answer {
    if matches!(call, Call::Store) {
        return store(visit, body).await;
    }
    size::refuse_body(&body)?;
    match call {
        Call::Page => Ok(typed(StatusCode::OK, "text/html; charset=utf-8", Body::fixed(document::html()))),
        Call::About => Ok(ok(&render::entry_for_page(&visit.view()?, &visit.shared))),
        Call::State => {
            let view = visit.view()?;
            Ok(ok(&EntryStateAnswer {
                id: view.id.to_string(),
                state: render::entry_state(&view.state).to_owned(),
                stored: render::stored_of(&view.state),
            }))
        }
        Call::Store | Call::Refuse => {
            let (which, proof) = (visit.entry.which(), visit.entry.proof());
            visit.shared.engine.entry_refuse(&visit.caller()?, &which, &proof)?;
            Ok(ok(&Done::saying("The entry is refused.")))
        }
    }
}

/// Once the whole body is here, the value is stored whatever becomes of the connection.
async fn store(visit: Visit, body: Incoming) -> Answer {
    size::require_json(
        visit.headers.get(http::header::CONTENT_TYPE),
        visit.headers.get(http::header::CONTENT_ENCODING),
    )?;
    let bytes = visit.shared.pages.bodies().read(body, SEALED).await?;
    let (enc, ciphertext) = size::parse::<EntrySealed>(&bytes)?.into_bytes()?;
    drop(bytes);
    let length = u64::try_from(enc.len()).unwrap_or(u64::MAX).to_be_bytes();
    let message =
        Sha256::new().chain_update(length).chain_update(&enc).chain_update(&ciphertext).finalize().into();
    let caller = visit.caller()?;
    let store = EntryStore {
        entry: visit.entry.which(),
        proof: visit.entry.proof(),
        value: Brought::Sealed { enc, ciphertext },
        route: EntryRoute::IngestPage,
    };
    let mark = visit.shared.busy.mark();
    let work = tokio::spawn(async move {
        let _mark = mark;
        // Held until it is known what became of the message, so that a second copy of it hears the same.
        let mut stored = visit.entry.stored.lock().await;
        if let Some((_, answer)) = stored.as_ref().filter(|(hash, _)| *hash == message) {
            return Ok(answer.clone());
        }
        let answer = visit.shared.engine.entry_store(caller, store).await?;
        *stored = Some((message, answer.clone()));
        Ok::<_, Error>(answer)
    });
    let stored = work.await.map_err(|e| Error::internal("the value could not be stored").cause(e))??;
    Ok(ok(&render::entry_stored(&stored)))
}
