//! `/v1/sessions`: the owner's sessions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::secret::WireSecret;

/// Asks for a session; the vault must be unlocked.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionRequest {
    /// The master passphrase.
    pub passphrase: WireSecret,
}

/// A new session.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionAnswer {
    /// Used as a bearer. Shown here once.
    pub session: WireSecret,
    /// When it ends if it stays idle (RFC 3339, UTC).
    pub expires_at: String,
}

/// What is known of a session; never its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// `ses_...`
    pub id: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// When it ends if it stays idle (RFC 3339, UTC).
    pub expires_at: String,
    /// RFC 3339, UTC; null before the first request.
    pub last_used_at: Option<String>,
    /// Where it was opened: `socket` or an address.
    #[serde(default)]
    pub source: String,
    /// Whether it is the session that asks.
    #[serde(default)]
    pub current: bool,
}

/// The live sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionList {
    /// The newest first.
    pub sessions: Vec<SessionView>,
}
