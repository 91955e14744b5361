//! `PUT /v1/secrets/{path}`: store a value, or change what is said about it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::list::Metadata;
use crate::secret::{Encoding, WireSecret};
use crate::unique;

/// The body. What is absent keeps what the path had before; `null` for `expires` and `env` takes it away.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PutRequest {
    /// The value, 0 bytes to 1 MiB.
    pub value: WireSecret,
    /// How `value` is written; absent: as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// One of the seven types; `other` for a new path without one.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// At most 1,024 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// At most 32; replaces all tags.
    #[serde(default, with = "unique::optional", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = BTreeMap<String, String>, required = false)]
    pub tags: Option<BTreeMap<String, String>>,
    /// A moment: RFC 3339, a date, or a duration from now such as `90d`.
    #[serde(default, with = "unique::given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub expires: Option<Option<String>>,
    /// The name of the variable that `env-file` gives it.
    #[serde(default, with = "unique::given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub env: Option<Option<String>>,
    /// How the value came in: `tty`, `pipe`, `file`, `generated`, `import` or `api` (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
}

impl PutRequest {
    /// A request that says nothing but the value.
    pub fn of(value: &[u8]) -> Self {
        let (value, encoding) = WireSecret::carry(value);
        Self {
            value,
            encoding,
            kind: None,
            description: None,
            tags: None,
            expires: None,
            env: None,
            route: None,
        }
    }
}

/// What was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PutAnswer {
    /// Always true.
    pub ok: bool,
    /// The path in its canonical form (NFC).
    pub path: String,
    /// Length of the value in bytes.
    pub bytes: u64,
    /// The version that this value became.
    pub version: u64,
    /// Whether nothing live stood at the path before.
    #[serde(default)]
    pub created: bool,
    /// What is now said about it.
    pub metadata: Metadata,
}
