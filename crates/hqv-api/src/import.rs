//! `POST /v1/secrets:import`: many values in one round trip, all of them or none.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::secret::{Encoding, WireSecret};

/// At most 10,000 secrets or 16 MiB of values, and no path twice. Each path must be one that may be written.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportRequest {
    /// What to store.
    pub secrets: Vec<ImportSecret>,
    /// Where a secret stands already: `fail` (the default; nothing is stored), `skip`, `overwrite` or `rename`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<String>,
}

/// One of them.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportSecret {
    /// Where.
    pub path: String,
    /// The value, 0 bytes to 1 MiB.
    pub value: WireSecret,
    /// How `value` is written; absent: as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// The name of the variable that `env-file` gives it; absent: the one that its path gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
}

impl ImportSecret {
    /// One with this value.
    pub fn of(path: String, value: &[u8], env: Option<String>) -> Self {
        let (value, encoding) = WireSecret::carry(value);
        Self { path, value, encoding, env }
    }
}

/// What was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportAnswer {
    /// Always true.
    pub ok: bool,
    /// In the order of the request.
    pub secrets: Vec<ImportedSecret>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportedSecret {
    /// Where it stands.
    pub path: String,
    /// Where it was to go, where it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// Length of the value that was brought.
    pub bytes: u64,
    /// The newest version there.
    pub version: u64,
    /// `created`, `overwritten`, `renamed` or `skipped`.
    pub became: String,
}
