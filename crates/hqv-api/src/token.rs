//! `/v1/tokens`: make, list, show and end bearer tokens.

use hqv_model::Result;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::query::{Pairs, Writer};
use crate::secret::WireSecret;
use crate::session::SessionView;
use crate::unique;

/// A token asked for. What is absent takes the defaults of the vault, or of the parent for a delegated token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// `[A-Za-z0-9._:@-]{1,128}`, unique among its live siblings.
    pub name: String,
    /// How long it lives, such as `1h` or `7d`; 1 second to 90 days.
    #[serde(default, deserialize_with = "unique::duration", skip_serializing_if = "Option::is_none")]
    #[schema(example = "1h")]
    pub ttl: Option<String>,
    /// How many uses it has; `maxUses` is accepted too.
    #[serde(default, alias = "maxUses", skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub max_uses: Option<u64>,
    /// How many of these uses are set aside for it, out of what its ancestors have; needs `max_uses`, at most that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub reserve: Option<u64>,
    /// The latest end that a renewal may give it; `maxTtl` is accepted too.
    #[serde(
        default,
        alias = "maxTtl",
        deserialize_with = "unique::duration",
        skip_serializing_if = "Option::is_none"
    )]
    pub max_ttl: Option<String>,
    /// Patterns that `can` is granted on: a path, a prefix ending in `/`, `*` for one segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// Capabilities on `paths`; `read` and `list` where only paths are given. Alone they are for everything; beside
    /// `allow` and without `paths` they are `BAD_REQUEST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can: Option<Vec<String>>,
    /// Whole rules, such as `read,list on deploy/prod/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
}

/// A new token, or that of an approved ask. Its text is shown here once.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenAnswer {
    /// Always true.
    pub ok: bool,
    /// `hqv_` and 71 base64url characters.
    pub token: WireSecret,
    /// What it may.
    pub metadata: TokenMetadata,
    /// What was cut or supplied, and what to know.
    pub notes: Vec<String>,
}

/// What is known of a token; never its text. Null means "none".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenMetadata {
    /// `tok_...`, unique for ever.
    pub id: String,
    /// Its own name.
    pub name: String,
    /// The names from the top of its family to itself, with slashes.
    pub ancestry: String,
    /// The id of the token that made it.
    pub parent: Option<String>,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC; the earliest end among it and its ancestors.
    pub expires_at: String,
    /// RFC 3339, UTC.
    pub last_used_at: Option<String>,
    /// Uses spent by it and its descendants.
    pub use_count: u64,
    /// Its own limit.
    pub max_uses: Option<u64>,
    /// How many uses were set aside for it.
    pub reserve: Option<u64>,
    /// How many of those it has spent.
    pub reserve_used: u64,
    /// How many uses are set aside for those below it.
    pub set_aside: u64,
    /// Uses that are left to it: what its own limit, its reserve and its ancestors leave.
    pub left: Option<u64>,
    /// Its rules, each as `CAPABILITIES on PATTERN`.
    pub scope: Vec<String>,
    /// `live`, `expired`, `exhausted`, `frozen` or `revoked`.
    pub state: String,
}

/// Tokens that the caller may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenList {
    /// Families stand together, in the order of their ancestry.
    pub tokens: Vec<TokenMetadata>,
}

/// The query of a listing of tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TokenListQuery {
    /// Ended ones too.
    #[param(required = false)]
    pub all: bool,
}

impl TokenListQuery {
    /// Reads a query string.
    ///
    /// # Errors
    /// `BAD_REQUEST` for an unknown or doubled name or what is neither `true` nor `false`.
    pub fn parse(query: Option<&str>) -> Result<Self> {
        let mut pairs = Pairs::parse(query)?;
        let parsed = Self { all: pairs.flag("all")? };
        pairs.finish()?;
        Ok(parsed)
    }

    /// Writes the query string.
    pub fn to_query(&self) -> String {
        let mut writer = Writer::new();
        writer.flag("all", self.all);
        writer.finish()
    }
}

/// A token and its family have ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenRevoked {
    /// Always true.
    pub ok: bool,
    /// `tok_...`
    pub id: String,
    /// Its ancestry.
    pub ancestry: String,
    /// How many live descendants ended with it.
    pub descendants: u64,
    /// One sentence.
    pub message: String,
}

/// Rows of ended tokens were removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokensSwept {
    /// Always true.
    pub ok: bool,
    /// How many; at most 500 in one call.
    pub removed: u64,
    /// How many more could go: call again.
    pub left: u64,
    /// One sentence.
    pub message: String,
}

/// Who asks: `kind` is `token`, `owner` or `peer` (a socket caller with neither).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhoAmI {
    /// `token`, `owner` or `peer`.
    pub kind: String,
    /// With `token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenMetadata>,
    /// With `owner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionView>,
}
