//! `POST /v1/secrets:move` and `:copy`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::list::Metadata;

/// From where to where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransferRequest {
    /// A path that exists.
    pub from: String,
    /// A path where nothing live stands.
    pub to: String,
}

/// What stands at the new path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransferAnswer {
    /// Always true.
    pub ok: bool,
    /// The old path.
    pub from: String,
    /// The new path.
    pub path: String,
    /// What is said about it.
    pub metadata: Metadata,
    /// Its newest version; a copy starts at 1.
    pub version: u64,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
}
