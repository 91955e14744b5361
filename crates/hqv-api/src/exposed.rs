//! `GET /v1/exposed` and `POST /v1/tokens/{token}:burn`: who had what, and what is to be rotated.

use hqv_model::Result;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::query::{Pairs, Writer};

/// The filters of `exposed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExposedQuery {
    /// A token's id, name or ancestry; its descendants count too, and so do tokens that are long gone.
    #[param(required = false)]
    pub token: Option<String>,
    /// A path or prefix.
    #[param(required = false)]
    pub path: Option<String>,
    /// Only what was accessed at or after this moment: RFC 3339, a date, or `2h` for two hours ago.
    #[param(required = false)]
    pub since: Option<String>,
    /// Lines a page, 1 to 10,000.
    #[param(required = false, minimum = 1, maximum = 10000)]
    pub limit: Option<u64>,
    /// `next` of the page before.
    #[param(required = false)]
    pub cursor: Option<String>,
}

impl ExposedQuery {
    /// Reads a query string.
    ///
    /// # Errors
    /// `BAD_REQUEST` for an unknown or doubled name and for what is not a number where one is meant.
    pub fn parse(query: Option<&str>) -> Result<Self> {
        let mut pairs = Pairs::parse(query)?;
        let parsed = Self {
            token: pairs.take("token"),
            path: pairs.take("path"),
            since: pairs.take("since"),
            limit: pairs.number("limit")?,
            cursor: pairs.take("cursor"),
        };
        pairs.finish()?;
        Ok(parsed)
    }

    /// Writes the query string, with its `?`; empty where nothing is asked.
    pub fn to_query(&self) -> String {
        let mut writer = Writer::new();
        writer.text("token", self.token.as_deref());
        writer.text("path", self.path.as_deref());
        writer.text("since", self.since.as_deref());
        writer.number("limit", self.limit);
        writer.text("cursor", self.cursor.as_deref());
        writer.finish()
    }
}

/// One identity's dealings with one version of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Exposure {
    /// The path now, or the last one known.
    pub path: String,
    /// `sec_...`
    pub secret: String,
    /// The version.
    pub version: u64,
    /// `current`, `replaced` or `deleted`.
    pub state: String,
    /// Since when the secret is marked as exposed, where this is its newest version (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed_since: Option<String>,
    /// Who.
    pub identity: ExposedTo,
    /// `exposed`, `used` or `written`.
    pub access: String,
    /// Whether the value was had in plain. What was used was not; what was written was, unless a person typed it.
    pub seen: bool,
    /// The ways, as the server knows them: `get`, `batch`, `put` and so on.
    pub channels: Vec<String>,
    /// What clients said they were doing: their own word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<String>,
    /// The first time (RFC 3339, UTC).
    pub first_at: String,
    /// The last time (RFC 3339, UTC).
    pub last_at: String,
}

/// Who had it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExposedTo {
    /// `token`, `session`, `peer` or `nobody`.
    pub kind: String,
    /// `tok_...` or `ses_...`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A token's path of names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A page of the ledger, in order of path and version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExposedPage {
    /// The lines.
    pub exposures: Vec<Exposure>,
    /// Give this as `cursor` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The query of a burn.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BurnQuery {
    /// Only say what would be done.
    #[param(rename = "dryRun", required = false)]
    pub dry_run: bool,
}

impl BurnQuery {
    /// Reads a query string.
    ///
    /// # Errors
    /// `BAD_REQUEST` for an unknown or doubled name and for what is neither true nor false.
    pub fn parse(query: Option<&str>) -> Result<Self> {
        let mut pairs = Pairs::parse(query)?;
        let dry_run = pairs.flag("dryRun")?;
        pairs.finish()?;
        Ok(Self { dry_run })
    }

    /// Writes the query string.
    pub fn to_query(&self) -> String {
        if self.dry_run { "?dryRun=true".to_owned() } else { String::new() }
    }
}

/// What a family had, and that it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenBurnt {
    /// Always true.
    pub ok: bool,
    /// Nothing was changed: this is what would be done.
    pub dry_run: bool,
    /// `tok_...`
    pub id: String,
    /// Its ancestry.
    pub ancestry: String,
    /// How many tokens of the family were live until now, itself included.
    pub ended: u64,
    /// How many secrets are marked as exposed now.
    pub marked: u64,
    /// Versions to be rotated: the family had them in plain, and no newer one was written.
    pub rotate: Vec<BurntVersion>,
    /// Versions that it had in plain and that were replaced already.
    pub replaced: Vec<BurntVersion>,
    /// One sentence.
    pub message: String,
}

/// A version that a family had in plain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BurntVersion {
    /// The path now, or the last one known.
    pub path: String,
    /// `sec_...`
    pub secret: String,
    /// The version.
    pub version: u64,
    /// `current`, `replaced` or `deleted`.
    pub state: String,
    /// Who of the family, by ancestry.
    pub by: Vec<String>,
    /// The ways.
    pub channels: Vec<String>,
    /// The first time (RFC 3339, UTC).
    pub first_at: String,
    /// The last time (RFC 3339, UTC).
    pub last_at: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_query_reads_back_and_knows_its_names() {
        let query = ExposedQuery {
            token: Some("a/b".into()),
            path: Some("x y/".into()),
            since: Some("7d".into()),
            limit: Some(5),
            cursor: Some("1f".into()),
        };
        let text = query.to_query();
        assert_eq!(ExposedQuery::parse(text.strip_prefix('?')).unwrap(), query);
        assert!(ExposedQuery::parse(Some("who=me")).is_err());
        assert_eq!(BurnQuery::parse(Some("dryRun=true")).unwrap().to_query(), "?dryRun=true");
        assert!(BurnQuery::parse(Some("dryRun=perhaps")).is_err());
    }
}
