//! `POST /v1/clock:reset`: the way out for a vault whose clock once ran far ahead.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// All tokens ended and vault time was taken back to the wall clock's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClockReset {
    /// Always true.
    pub ok: bool,
    /// How many tokens ended with it.
    pub ended: u64,
    /// Vault time now (RFC 3339, UTC).
    pub now: String,
}
