//! `/v1/asks`: a token asked for, and a person who decides on the exact grant.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::entry::Asker;
use crate::secret::WireSecret;
use crate::unique;

/// A grant asked for. `paths` with `can`, and whole rules, together make one scope; at least one is needed. The same
/// caller asking for the same again joins the one that is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskRequest {
    /// Patterns that `can` is granted on: a path, a prefix ending in `/`, `*` for one segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// Capabilities on `paths`; `read` and `list` where only paths are given. `BAD_REQUEST` without `paths`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can: Option<Vec<String>>,
    /// Whole rules, such as `read,list on deploy/prod/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
    /// How long the token shall live, such as `1h`; absent: the vault's default.
    #[serde(default, deserialize_with = "unique::duration", skip_serializing_if = "Option::is_none")]
    #[schema(example = "1h")]
    pub ttl: Option<String>,
    /// How many uses it shall have; `maxUses` is accepted too.
    #[serde(default, alias = "maxUses", skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub max_uses: Option<u64>,
    /// Why; at most 1,000 bytes.
    #[serde(default)]
    pub reason: String,
    /// The token's name; absent: `ask-` and the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the client says that it is; at most 256 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Where the client says that it runs; at most 256 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
}

/// An ask, new or joined.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AskAnswer {
    /// `ask_...`
    pub id: String,
    /// What a person types after `hq-vault approve`, such as `7F3K-9QXM`.
    pub code: String,
    /// Collects the token, once. Another one for whoever joins, and that makes this one worthless.
    pub claim: WireSecret,
    /// When it ends (RFC 3339, UTC).
    pub expires_at: String,
    /// `waiting`, `approved` or `denied`.
    pub state: String,
    /// Whether it was there before.
    pub joined: bool,
}

/// How an ask stands: the answer to a poll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AskState {
    /// `ask_...`
    pub id: String,
    /// `waiting`, `approved`, `denied`, `collected` or `expired`.
    pub state: String,
}

/// Collects an approved token.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskCollectRequest {
    /// From the answer that made or joined the ask.
    pub claim: WireSecret,
}

/// One rule of a grant, and what it comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AskRule {
    /// `CAPABILITIES on PATTERN`.
    pub rule: String,
    /// How many secrets its pattern covers now; absent where counting would take too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<u64>,
}

/// The exact grant that waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AskView {
    /// `ask_...`
    pub id: String,
    /// What a person types after `hq-vault approve`.
    pub code: String,
    /// The scope.
    pub rules: Vec<AskRule>,
    /// How long the token will live from its delivery, such as `1h`.
    pub ttl: String,
    /// How many uses it will have; absent: unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u64>,
    /// The token's name.
    pub name: String,
    /// Why, in the asker's words.
    pub reason: String,
    /// Who asks.
    pub asker: Asker,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub expires_at: String,
    /// `waiting` or `approved`.
    pub state: String,
    /// SHA-256 over all of this but the counts, in hex: what an approval is bound to.
    pub fingerprint: String,
}

/// Asks that wait, the oldest first; the owner's alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AskList {
    /// The asks.
    pub asks: Vec<AskView>,
}

/// Approves an ask as it was shown; it may only be narrowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskApproveRequest {
    /// From the view that the owner saw.
    pub fingerprint: String,
    /// A shorter life.
    #[serde(default, deserialize_with = "unique::duration", skip_serializing_if = "Option::is_none")]
    #[schema(example = "30m")]
    pub ttl: Option<String>,
    /// Fewer uses; `maxUses` is accepted too.
    #[serde(default, alias = "maxUses", skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub max_uses: Option<u64>,
    /// Narrower patterns, with the capabilities that were asked for on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
}
