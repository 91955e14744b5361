//! A record as a reader sees it. The names in [`RecordView::to_json`] are stable (`spec/audit.md`).
//!
//! Words are kept as text, so that a record of a newer version, with an operation that this program does
//! not know, can still be read.

use hqv_model::Timestamp;
use serde::{Deserialize, Deserializer, de::Error};

use crate::{AuditError, json::Json};

/// One record, opened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RecordView {
    /// Its line in the record (of several linked lines, the last).
    #[serde(skip)]
    pub sequence: u64,
    /// Whether it was written while nobody could certify the daemon that wrote it.
    #[serde(skip)]
    pub unproven: bool,
    /// The highest state sequence that was then fsynced in the database.
    pub state: u64,
    /// When it was decided.
    #[serde(deserialize_with = "time")]
    pub time: Timestamp,
    /// The operation.
    pub operation: String,
    /// `ok`, `denied` or `failed`.
    pub outcome: String,
    /// The error code that was answered.
    pub code: Option<String>,
    /// Who acted.
    pub identity: IdentityView,
    /// Where the request came from.
    pub source: String,
    /// The request's id.
    pub request: Option<String>,
    /// The user agent.
    pub agent: Option<String>,
    /// What the client says it does.
    pub claim: Option<String>,
    /// The caller's reason.
    pub reason: Option<String>,
    /// What else there is to know.
    pub detail: Option<String>,
    /// The secrets that were touched or named.
    #[serde(default)]
    pub items: Vec<ItemView>,
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IdentityView {
    /// `nobody`, `daemon`, `peer`, `session` or `token`.
    pub kind: String,
    /// The id of a session or token.
    pub id: Option<String>,
    /// A token's ancestry, names joined by `/`.
    pub name: Option<String>,
    /// The ids of a token's ancestors.
    #[serde(default)]
    pub ancestors: Vec<String>,
    /// A peer's user.
    pub uid: Option<u32>,
    /// A peer's process.
    pub pid: Option<u32>,
    /// A peer's program.
    pub program: Option<String>,
}

/// One secret in a record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ItemView {
    /// The secret's id.
    pub secret: Option<String>,
    /// The version.
    pub version: Option<u64>,
    /// The path.
    pub path: String,
    /// `exposed`, `used`, `written`, `deleted`, `listed` or `named`.
    pub kind: String,
    /// The way it went.
    pub channel: String,
}

fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
    Timestamp::parse_rfc3339(&text).map_err(|_| D::Error::custom("not a time"))
}

impl RecordView {
    /// Reads the JSON of an opened record.
    pub(crate) fn parse(json: &[u8], sequence: u64, unproven: bool) -> Result<Self, AuditError> {
        let view: RecordView = serde_json::from_slice(json).map_err(|_| AuditError::Unreadable)?;
        Ok(RecordView { sequence, unproven, ..view })
    }

    /// One JSON object without a newline in it. Control and bidirectional-control characters are escaped.
    pub fn to_json(&self) -> String {
        let mut json = Json::default();
        json.clear();
        json.open();
        json.number("sequence", self.sequence);
        json.text("time", &self.time.to_rfc3339());
        json.text("operation", &self.operation);
        json.text("outcome", &self.outcome);
        json.maybe("code", self.code.as_deref());
        self.identity.write(&mut json);
        json.text("source", &self.source);
        json.maybe("request", self.request.as_deref());
        json.maybe("agent", self.agent.as_deref());
        json.maybe("claim", self.claim.as_deref());
        json.maybe("reason", self.reason.as_deref());
        json.maybe("detail", self.detail.as_deref());
        json.array("items", &self.items, |json, item| item.write(json));
        json.number("state", self.state);
        json.boolean("unproven", self.unproven);
        json.close();
        String::from_utf8_lossy(json.bytes()).into_owned()
    }
}

impl IdentityView {
    fn write(&self, json: &mut Json) {
        json.name("identity");
        json.open();
        json.text("kind", &self.kind);
        json.maybe("id", self.id.as_deref());
        json.maybe("name", self.name.as_deref());
        if !self.ancestors.is_empty() {
            json.array("ancestors", &self.ancestors, |json, id| json.string(id));
        }
        for (name, number) in [("uid", self.uid), ("pid", self.pid)] {
            if let Some(number) = number {
                json.number(name, u64::from(number));
            }
        }
        json.maybe("program", self.program.as_deref());
        json.close();
    }
}

impl ItemView {
    fn write(&self, json: &mut Json) {
        json.open();
        json.maybe("secret", self.secret.as_deref());
        if let Some(version) = self.version {
            json.number("version", version);
        }
        json.text("path", &self.path);
        json.text("kind", &self.kind);
        json.text("channel", &self.channel);
        json.close();
    }
}
