//! `/v1/entries`: a one-time place for one value that a person enters and the asker never sees.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hqv_model::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::query::{Pairs, Writer};
use crate::secret::{Encoding, WireSecret};

/// The longest that one poll may wait, in seconds.
pub const MAX_WAIT: u64 = 60;

/// An entry asked for. The same caller asking for the same again joins the one that is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntryRequest {
    /// Where the value will stand.
    pub path: String,
    /// One of the seven types.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it is for; at most 1,024 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Replace what stands there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overwrite: bool,
    /// What the client says that it is; at most 256 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Where the client says that it runs; at most 256 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
}

/// An entry, new or joined.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntryAnswer {
    /// `ent_...`
    pub id: String,
    /// What a person types after `hq-vault answer`, such as `7F3K-9QXM`.
    pub code: String,
    /// When it ends (RFC 3339, UTC).
    pub expires_at: String,
    /// `waiting`, `stored`, `refused` or `expired`.
    pub state: String,
    /// Whether it was there before.
    pub joined: bool,
    /// What was stored; with `stored`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<EntryStored>,
    /// The page's address. It lets whoever holds it enter the value once; absent where only the owner's answer will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<WireSecret>,
    /// Goes with a value that the caller's own prompt takes; absent as `url` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submit: Option<WireSecret>,
}

/// What a person has stored; never the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntryStored {
    /// Where it stands.
    pub path: String,
    /// Length of the value in bytes.
    pub bytes: u64,
    /// One of the seven types.
    #[serde(rename = "type")]
    pub kind: String,
    /// The version that it became.
    pub version: u64,
    /// `ingest-tty`, `ingest-tmux`, `ingest-page` or `answer`.
    pub route: String,
}

/// How an entry stands: the answer to a poll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntryState {
    /// `ent_...`
    pub id: String,
    /// `waiting`, `stored`, `refused` or `expired`.
    pub state: String,
    /// With `stored`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<EntryStored>,
}

/// Who asks. What stands under `program` and `directory` is the asker's own word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Asker {
    /// The program, as it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Where it says that it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// The process id, as the kernel says; on the socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The token's path of names; absent: no token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Whether it is the owner, by a session.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owner: bool,
    /// `socket`, or the address that it asked from.
    pub source: String,
}

/// An entry as its prompt shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntryAbout {
    /// `ent_...`
    pub id: String,
    /// What a person types after `hq-vault answer`.
    pub code: String,
    /// Where the value will stand.
    pub path: String,
    /// One of the seven types, where one was given.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it may replace what stands there.
    pub overwrite: bool,
    /// Whether something stands there now; absent while the vault is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// Whether the vault is locked now: nothing can be stored until `hq-vault unlock`.
    #[serde(default)]
    pub locked: bool,
    /// Who asks.
    pub asker: Asker,
    /// The vault's directory, where it is not the one in the home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_dir: Option<String>,
    /// RFC 3339, UTC.
    pub expires_at: String,
    /// `waiting`, `stored`, `refused` or `expired`.
    pub state: String,
    /// `vlt_...`; the sealing of a value is bound to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<String>,
    /// The key that a page seals the value to: P-256, SEC 1 uncompressed, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

/// Entries that wait, the oldest first; the owner's alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntryList {
    /// The entries.
    pub entries: Vec<EntryAbout>,
}

/// A value for an entry: by its submit secret, or without one by the owner.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntryAnswerRequest {
    /// The value, 1 byte to 1 MiB.
    pub value: WireSecret,
    /// How `value` is written; absent: as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// From the answer that made the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submit: Option<WireSecret>,
    /// With `submit`: `ingest-tty` (the default) or `ingest-tmux`. Without: `answer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
}

impl EntryAnswerRequest {
    /// The owner's value.
    pub fn of(value: &[u8]) -> Self {
        let (value, encoding) = WireSecret::carry(value);
        Self { value, encoding, submit: None, route: None }
    }
}

/// Proves the right to see or refuse an entry; nothing where the owner does.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntryProof {
    /// From the answer that made the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submit: Option<WireSecret>,
}

/// What the page sends: the value, sealed to the entry's key (spec/entry.md).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntrySealed {
    /// The encapsulated key, base64url without padding.
    pub enc: String,
    /// The ciphertext with its tag, base64url without padding.
    pub ciphertext: String,
}

impl EntrySealed {
    /// The encapsulated key and the ciphertext.
    ///
    /// # Errors
    /// `BAD_REQUEST` where either is not base64url.
    pub fn into_bytes(self) -> Result<(Vec<u8>, Vec<u8>)> {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text);
        match (decode(&self.enc), decode(&self.ciphertext)) {
            (Ok(enc), Ok(ciphertext)) => Ok((enc, ciphertext)),
            _ => Err(Error::bad_request("the sealed value is not base64url without padding")),
        }
    }
}

/// Base64url without padding (RFC 4648 section 5), as an entry's address and its page write bytes.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The query of a poll.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WaitQuery {
    /// Answer when it is decided, or after so many seconds, 0 to 60; absent: at once.
    #[param(required = false, maximum = 60)]
    pub wait: Option<u64>,
}

impl WaitQuery {
    /// Reads a query string.
    ///
    /// # Errors
    /// `BAD_REQUEST` for an unknown or doubled name, for what is no number and for one above 60.
    pub fn parse(query: Option<&str>) -> Result<Self> {
        let mut pairs = Pairs::parse(query)?;
        let parsed = Self { wait: pairs.number("wait")? };
        pairs.finish()?;
        match parsed.wait {
            Some(wait) if wait > MAX_WAIT => {
                Err(Error::bad_request(format!("wait is a number of seconds, 0 to {MAX_WAIT}")))
            }
            _ => Ok(parsed),
        }
    }

    /// Writes the query string.
    pub fn to_query(self) -> String {
        let mut writer = Writer::new();
        writer.number("wait", self.wait);
        writer.finish()
    }
}
