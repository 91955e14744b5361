//! `POST /v1/vault:check`: every row of the store against the row state.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultChecked {
    /// Whether the store holds the very rows that were last written.
    pub ok: bool,
    /// Rows that were read.
    pub rows: u64,
    /// What is wrong, a sentence each.
    pub faults: Vec<String>,
}
