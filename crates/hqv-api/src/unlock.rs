//! `POST /v1/unlock`, and the plain answer of `/v1/lock` and `/v1/shutdown`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::secret::WireSecret;

/// Exactly one of the two.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnlockRequest {
    /// The master passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<WireSecret>,
    /// The recovery key that `init` showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_key: Option<WireSecret>,
}

/// The vault is open, and this session is the owner's.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnlockAnswer {
    /// Always true.
    pub ok: bool,
    /// One sentence.
    pub message: String,
    /// A session, used as a bearer.
    pub session: WireSecret,
    /// When the session ends if it stays idle (RFC 3339, UTC).
    pub expires_at: String,
    /// What was found on the way in and a person should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// It was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    /// Always true.
    pub ok: bool,
    /// One sentence.
    pub message: String,
}

impl Done {
    /// Says what was done.
    pub fn saying(message: impl Into<String>) -> Self {
        Self { ok: true, message: message.into() }
    }
}
