//! `GET /v1/status`: how the vault stands. What only the owner may know is absent for anybody else.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of vault and daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusAnswer {
    /// Whether a vault has been made.
    pub initialized: bool,
    /// Whether its keys are out of memory.
    pub locked: bool,
    /// The owner's alone; absent while locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_count: Option<u64>,
    /// The vault directory.
    pub vault_path: String,
    /// True in every answer of a server; `false` is what the command line says without one.
    pub server_running: bool,
    /// The TCP port; null where only the socket listens.
    pub port: Option<u16>,
    /// Idle milliseconds until the vault locks itself; 0 never.
    pub idle_timeout_ms: u64,
    /// The last authorised use of a secret (RFC 3339, UTC); null before the first.
    pub last_activity: Option<String>,
    /// The server's version.
    pub version: String,

    /// The daemon's process id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Milliseconds since the daemon started.
    #[serde(default)]
    pub uptime_ms: u64,
    /// Milliseconds until the idle lock; absent where locked or never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locks_in_ms: Option<u64>,
    /// Addresses that TLS listens on, such as `127.0.0.1:13100`.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The Unix socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<String>,
    /// `sha256:<hex>` of the CA certificate, for `HQ_VAULT_FINGERPRINT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The vault's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<String>,
    /// First segments of paths in use; the owner's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_count: Option<u64>,
    /// Secrets whose `expires` is past or within seven days; the owner's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_count: Option<u64>,
    /// Secrets whose newest version is known to a family that was burnt; the owner's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed_count: Option<u64>,
    /// The owner's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenStatus>,
    /// Entries and asks that wait for a person; the owner's alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<WaitingStatus>,
    /// The audit record; the owner's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordStatus>,
    /// Settings and flags that make the vault weaker than its defaults, one sentence each.
    #[serde(default)]
    pub weakened: Vec<String>,
    /// What a person should look at, one sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// One that waits for a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingStatus {
    /// For `answer`, `approve` and `deny`.
    pub code: String,
    /// `entry` or `ask`.
    pub kind: String,
    /// The path of an entry, the rules of an ask.
    pub what: String,
}

/// The tokens in a nutshell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenStatus {
    /// How many are live.
    pub live: u64,
    /// The nearest end among them (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_end: Option<String>,
}

/// The record in a nutshell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordStatus {
    /// Sequence number of the newest record.
    pub entries: u64,
    /// Up to which record a fsynced, signed checkpoint stands.
    pub checkpointed: u64,
    /// When the last checkpoint was made (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_at: Option<String>,
    /// Up to which record the last verification went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<u64>,
    /// Records of segments that nobody certified.
    #[serde(default)]
    pub unproven: u64,
}
