//! `GET /v1/metadata/{path}`: all that is known of one secret, but its values.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::list::Metadata;

/// One version, without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionEntry {
    /// Its number, from 1.
    pub version: u64,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// Length of the value in bytes.
    pub bytes: u64,
    /// How it came in.
    pub route: String,
    /// Who wrote it.
    pub written_by: String,
}

/// The secret and its versions, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShowAnswer {
    /// The path.
    pub path: String,
    /// What is said about it.
    pub metadata: Metadata,
    /// The newest version.
    pub version: u64,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
    /// All that are kept.
    pub versions: Vec<VersionEntry>,
}
