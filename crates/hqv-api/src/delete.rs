//! `DELETE /v1/secrets/{path}`.

use hqv_model::Result;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::query::{Pairs, Writer};

/// The query of a delete.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeleteQuery {
    /// Remove the versions too; the owner's alone.
    #[param(required = false)]
    pub purge: bool,
}

impl DeleteQuery {
    /// Reads a query string.
    ///
    /// # Errors
    /// `BAD_REQUEST` for an unknown or doubled name or what is neither `true` nor `false`.
    pub fn parse(query: Option<&str>) -> Result<Self> {
        let mut pairs = Pairs::parse(query)?;
        let parsed = Self { purge: pairs.flag("purge")? };
        pairs.finish()?;
        Ok(parsed)
    }

    /// Writes the query string.
    pub fn to_query(&self) -> String {
        let mut writer = Writer::new();
        writer.flag("purge", self.purge);
        writer.finish()
    }
}

/// What was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeleteAnswer {
    /// Always true.
    pub ok: bool,
    /// The path.
    pub path: String,
    /// One sentence: what is kept, and until when.
    pub message: String,
    /// How many versions are kept.
    #[serde(default)]
    pub versions_kept: u64,
    /// Until when they are kept (RFC 3339, UTC); absent after a purge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}
