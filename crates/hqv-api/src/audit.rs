//! `/v1/audit`: read, verify and prove the record.

use hqv_model::Result;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::query::{Pairs, Writer};

/// One record. Its schema is stable, and its names are those of the sealed record (spec/audit.md): `audit --json`
/// prints it a line each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditRecord {
    /// Its number in the chain.
    pub sequence: u64,
    /// RFC 3339, UTC.
    pub time: String,
    /// Such as `get` or `token-create`.
    pub operation: String,
    /// `ok`, `denied` or `failed`.
    pub outcome: String,
    /// The code that was answered, where it was an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Who acted.
    pub identity: AuditIdentity,
    /// `socket` or an address.
    pub source: String,
    /// `req_...`
    #[serde(default, rename = "request", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// As the client sent it.
    #[serde(default, rename = "agent", skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// What the client said of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Why it was refused, or why it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Every secret that it touched.
    #[serde(default)]
    pub items: Vec<AuditItem>,
    /// The highest state of the database that was then safe on the disk.
    #[serde(default)]
    pub state: u64,
    /// Whether its segment is one that nobody certified.
    #[serde(default)]
    pub unproven: bool,
}

/// Who acted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditIdentity {
    /// `token`, `session`, `peer`, `daemon` or `nobody`.
    pub kind: String,
    /// `tok_...` or `ses_...`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A token's path of names.
    #[serde(default, rename = "name", skip_serializing_if = "Option::is_none")]
    pub ancestry: Option<String>,
    /// The ids of a token's ancestors, the first of them first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ancestors: Vec<String>,
    /// A peer's user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// A peer's process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// A peer's program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
}

/// One secret touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditItem {
    /// The path as it was then.
    pub path: String,
    /// `sec_...`
    #[serde(default, rename = "secret", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// `exposed`, `used`, `written` or `listed`.
    pub kind: String,
    /// By what the value left, as the server knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

/// A page of records, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditPage {
    /// The records.
    pub records: Vec<AuditRecord>,
    /// Give this as `before` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// The filters of `audit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// A path or prefix.
    #[param(required = false)]
    pub path: Option<String>,
    /// A token's id, name or ancestry; its descendants count too.
    #[param(required = false)]
    pub token: Option<String>,
    /// An operation.
    #[param(required = false)]
    pub operation: Option<String>,
    /// `ok`, `denied` or `failed`.
    #[param(required = false)]
    pub outcome: Option<String>,
    /// RFC 3339, a date, or a duration ago.
    #[param(required = false)]
    pub since: Option<String>,
    /// RFC 3339, a date, or a duration ago.
    #[param(required = false)]
    pub until: Option<String>,
    /// Records a page, 1 to 1,000; 50 where absent.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub limit: Option<u64>,
    /// Only records with a lower number.
    #[param(required = false)]
    pub before: Option<u64>,
    /// With `follow`: begin behind this number, so that a stream that was cut goes on where it stopped.
    #[param(required = false)]
    pub after: Option<u64>,
    /// Stream what comes, as server-sent events.
    #[param(required = false)]
    pub follow: bool,
}

impl AuditQuery {
    /// Reads a query string.
    ///
    /// # Errors
    /// `BAD_REQUEST` for an unknown or doubled name and for what is not a number or flag where one is meant.
    pub fn parse(query: Option<&str>) -> Result<Self> {
        let mut pairs = Pairs::parse(query)?;
        let parsed = Self {
            path: pairs.take("path"),
            token: pairs.take("token"),
            operation: pairs.take("operation"),
            outcome: pairs.take("outcome"),
            since: pairs.take("since"),
            until: pairs.take("until"),
            limit: pairs.number("limit")?,
            before: pairs.number("before")?,
            after: pairs.number("after")?,
            follow: pairs.flag("follow")?,
        };
        pairs.finish()?;
        Ok(parsed)
    }

    /// Writes the query string.
    pub fn to_query(&self) -> String {
        let mut writer = Writer::new();
        writer.text("path", self.path.as_deref());
        writer.text("token", self.token.as_deref());
        writer.text("operation", self.operation.as_deref());
        writer.text("outcome", self.outcome.as_deref());
        writer.text("since", self.since.as_deref());
        writer.text("until", self.until.as_deref());
        writer.number("limit", self.limit);
        writer.number("before", self.before);
        writer.number("after", self.after);
        writer.flag("follow", self.follow);
        writer.finish()
    }
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// How far it reached: `chain`, `signatures` or `everything`.
    pub level: String,
    /// Records read.
    pub records: u64,
    /// Checkpoints whose signature holds.
    pub checkpoints: u64,
    /// Segments read.
    pub segments: u64,
    /// Records of segments that nobody certified.
    pub unproven: u64,
    /// Segments without a signed close.
    pub unclean_ends: u64,
    /// Number of the first record that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_bad: Option<u64>,
    /// One for each thing that a person should know.
    pub findings: Vec<AuditFinding>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditFinding {
    /// Whether it makes the record not `ok`.
    pub bad: bool,
    /// Where, if at a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// One sentence.
    pub message: String,
}

/// A checkpoint to keep elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditCheckpoint {
    /// Always true.
    pub ok: bool,
    /// Records up to and including this one stand under it.
    pub sequence: u64,
    /// RFC 3339, UTC.
    pub time: String,
    /// The signed line itself, which `audit verify --against` takes.
    pub checkpoint: String,
}

/// The key that proves checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditKey {
    /// Ed25519, as `audit verify --public-key` takes it.
    pub public_key: String,
    /// The vault's id.
    #[serde(default)]
    pub vault: String,
}
