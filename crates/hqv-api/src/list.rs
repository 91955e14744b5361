//! `GET /v1/secrets?prefix=...`, and the metadata that all answers about secrets share.

use std::collections::BTreeMap;

use hqv_model::Result;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::query::{Pairs, Writer};

/// What is said about a secret; never its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The secret's own id, which stays when it moves.
    pub id: String,
    /// One of the seven types.
    #[serde(rename = "type")]
    pub kind: String,
    /// Empty where none was given.
    pub description: String,
    /// Keys and values, sorted by key.
    pub tags: BTreeMap<String, String>,
    /// When it should have been replaced (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Its own variable name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// How the newest value came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Who wrote the newest value: an ancestry of token names, `owner`, or a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_by: Option<String>,
    /// Since when its newest version counts as known to a family that was burnt (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed_since: Option<String>,
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The path.
    pub path: String,
    /// What is said about it.
    pub metadata: Metadata,
    /// The newest version.
    pub version: u64,
    /// When the path was first stored (RFC 3339, UTC).
    pub created_at: String,
    /// When its newest version was stored (RFC 3339, UTC).
    pub updated_at: String,
}

/// One page of a listing, in order of the paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListAnswer {
    /// The secrets that the caller may list.
    pub entries: Vec<Entry>,
    /// Give this as `cursor` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The query of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Whole segments; `myapp` means `myapp/`, absent means everything.
    #[param(required = false)]
    pub prefix: Option<String>,
    /// Only this type.
    #[param(rename = "type", required = false)]
    pub kind: Option<String>,
    /// Only those with this tag, `key=value`.
    #[param(required = false)]
    pub tag: Option<String>,
    /// Entries a page, 1 to 1,000.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub limit: Option<u64>,
    /// `next` of the page before.
    #[param(required = false)]
    pub cursor: Option<String>,
}

impl ListQuery {
    /// Reads a query string.
    ///
    /// # Errors
    /// `BAD_REQUEST` for an unknown or doubled name and for what is not a number where one is meant.
    pub fn parse(query: Option<&str>) -> Result<Self> {
        let mut pairs = Pairs::parse(query)?;
        let parsed = Self {
            prefix: pairs.take("prefix"),
            kind: pairs.take("type"),
            tag: pairs.take("tag"),
            limit: pairs.number("limit")?,
            cursor: pairs.take("cursor"),
        };
        pairs.finish()?;
        Ok(parsed)
    }

    /// Writes the query string, with its `?`; empty where nothing is asked.
    pub fn to_query(&self) -> String {
        let mut writer = Writer::new();
        writer.text("prefix", self.prefix.as_deref());
        writer.text("type", self.kind.as_deref());
        writer.text("tag", self.tag.as_deref());
        writer.number("limit", self.limit);
        writer.text("cursor", self.cursor.as_deref());
        writer.finish()
    }
}
