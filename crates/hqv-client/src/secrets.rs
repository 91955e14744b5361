//! Calls about secrets: put, get, list, show, delete, move, copy, batch, import.

use hqv_api::percent::encode_path;
use hqv_api::{
    BatchAnswer, BatchRequest, DeleteAnswer, DeleteQuery, GetAnswer, GetQuery, ImportAnswer, ImportRequest,
    JsonBody, ListAnswer, ListQuery, Metadata, PutAnswer, PutRequest, ShowAnswer, TransferAnswer,
    TransferRequest,
};
use hqv_model::SecretBytes;
use http::{HeaderValue, Method, header};

use crate::client::Client;
use crate::error::{ClientError, Result};
use crate::wire::RawCall;

/// Where many are read at once.
pub(crate) const BATCH: &str = "/v1/secrets:batch";
/// A batch holds at most 16 MiB of values, whose every byte may be escaped as six.
pub(crate) const BATCH_LIMIT: usize = 128 << 20;

/// What must hold at the path for a put to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing: what stands there gets a new version.
    Any,
    /// Nothing live stands there.
    Absent,
    /// The newest version is this one.
    Version(u64),
}

/// A secret read, its value decoded.
pub struct Secret {
    /// The path in its canonical form.
    pub path: String,
    /// The bytes.
    pub value: SecretBytes,
    /// What is said about it.
    pub metadata: Metadata,
    /// The version that the value is.
    pub version: u64,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
}

impl Secret {
    pub(crate) fn from_answer(answer: GetAnswer) -> Result<Self> {
        let value = answer.value.into_bytes(answer.encoding).map_err(|_| {
            ClientError::connection("the value does not come in the encoding that the answer names")
                .after_sending()
        })?;
        Ok(Self {
            path: answer.path,
            value,
            metadata: answer.metadata,
            version: answer.version,
            created_at: answer.created_at,
            updated_at: answer.updated_at,
        })
    }
}

impl Client {
    /// Stores a value.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn put(&mut self, path: &str, request: &PutRequest, condition: Condition) -> Result<PutAnswer> {
        let room = request.value.reveal().len() + request.value.reveal().len() / 8 + 1024;
        let mut call =
            at(Method::PUT, "/v1/secrets/", path).with_body(JsonBody::with_capacity(request, room));
        match condition {
            Condition::Any => {}
            Condition::Absent => {
                call.headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("*"));
            }
            Condition::Version(version) => {
                let value = HeaderValue::try_from(format!("\"{version}\""))
                    .map_err(|_| ClientError::usage("this version cannot stand in a header"))?;
                call.headers.insert(header::IF_MATCH, value);
            }
        }
        self.call(call).await
    }

    /// Reads a value; a use.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn get(&mut self, path: &str, version: Option<u64>) -> Result<Secret> {
        let mut call = at(Method::GET, "/v1/secrets/", path);
        call.target.push_str(&GetQuery { version }.to_query());
        Secret::from_answer(self.call(call).await?)
    }

    /// Lists one page.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn list(&mut self, query: &ListQuery) -> Result<ListAnswer> {
        self.call(RawCall::new(Method::GET, format!("/v1/secrets{}", query.to_query()))).await
    }

    /// Lists all pages.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn list_all(&mut self, query: &ListQuery) -> Result<ListAnswer> {
        let mut query = ListQuery { limit: Some(query.limit.unwrap_or(1000)), ..query.clone() };
        let mut whole = ListAnswer { entries: Vec::new(), next: None };
        loop {
            let page = self.list(&query).await?;
            whole.entries.extend(page.entries);
            if page.next.is_none() || page.next == query.cursor {
                return Ok(whole);
            }
            query.cursor = page.next;
        }
    }

    /// Shows what is known of a secret, but its value.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn show(&mut self, path: &str) -> Result<ShowAnswer> {
        self.call(at(Method::GET, "/v1/metadata/", path)).await
    }

    /// Deletes; with `purge` the versions too.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn delete(&mut self, path: &str, purge: bool) -> Result<DeleteAnswer> {
        let mut call = at(Method::DELETE, "/v1/secrets/", path);
        call.target.push_str(&DeleteQuery { purge }.to_query());
        self.call(call).await
    }

    /// Moves a secret with its versions.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn move_secret(&mut self, from: &str, to: &str) -> Result<TransferAnswer> {
        self.transfer("/v1/secrets:move", from, to).await
    }

    /// Copies a secret's newest version; a use.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn copy_secret(&mut self, from: &str, to: &str) -> Result<TransferAnswer> {
        self.transfer("/v1/secrets:copy", from, to).await
    }

    /// Reads many values in one round trip, as one use.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn batch(&mut self, request: &BatchRequest) -> Result<Vec<Secret>> {
        let call = RawCall::new(Method::POST, BATCH).with_body(JsonBody::of(request));
        let answer: BatchAnswer = self.call(call.with_limit(BATCH_LIMIT)).await?;
        answer.secrets.into_iter().map(Secret::from_answer).collect()
    }

    /// Stores many values in one round trip: all of them, or none.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn import(&mut self, request: &ImportRequest) -> Result<ImportAnswer> {
        let text = |secret: &hqv_api::ImportSecret| secret.value.reveal().len();
        let room: usize = request.secrets.iter().map(|s| text(s) + text(s) / 8 + s.path.len() + 128).sum();
        let body = JsonBody::with_capacity(request, room + 64);
        self.call(RawCall::new(Method::POST, "/v1/secrets:import").with_body(body)).await
    }

    async fn transfer(&mut self, target: &str, from: &str, to: &str) -> Result<TransferAnswer> {
        let request = TransferRequest { from: from.to_owned(), to: to.to_owned() };
        self.call(RawCall::new(Method::POST, target).with_body(JsonBody::of(&request))).await
    }
}

fn at(method: Method, prefix: &str, path: &str) -> RawCall {
    RawCall::new(method, format!("{prefix}{}", encode_path(path)))
}
