//! `POST /v1/init`: a new vault. On the socket only.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::secret::WireSecret;

/// The passphrase of the vault to make.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InitRequest {
    /// 12 characters or more, unless `weak` insists.
    pub passphrase: WireSecret,
    /// Accept a passphrase below 12 characters.
    #[serde(default)]
    pub weak: bool,
}

/// The new vault, unlocked, and the owner's first session.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitAnswer {
    /// Always true.
    pub ok: bool,
    /// One sentence.
    pub message: String,
    /// Opens the vault where the passphrase is lost. Shown here once, and for a person's eyes alone.
    pub recovery_key: WireSecret,
    /// A session, used as a bearer.
    pub session: WireSecret,
    /// When the session ends if it stays idle (RFC 3339, UTC).
    pub expires_at: String,
    /// The vault's id.
    #[serde(default)]
    pub vault: String,
}
