//! What happens to a token between its making and its end: freeze, thaw, renew, and the question what it may.

use hqv_model::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::query::{Pairs, Writer};
use crate::token::TokenMetadata;
use crate::unique;

/// A token and its family are frozen, or go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenSuspended {
    /// Always true.
    pub ok: bool,
    /// `tok_...`
    pub id: String,
    /// Its ancestry.
    pub ancestry: String,
    /// How many descendants that have not ended it concerns.
    pub descendants: u64,
    /// One sentence.
    pub message: String,
}

/// A token as it would be. None was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenPlanned {
    /// Always true.
    pub ok: bool,
    /// Its name.
    pub name: String,
    /// The names from the top of its family to itself, with slashes.
    pub ancestry: String,
    /// RFC 3339, UTC; the earliest end among it and its ancestors.
    pub expires_at: String,
    /// Its own limit.
    pub max_uses: Option<u64>,
    /// How many uses would be set aside for it.
    pub reserve: Option<u64>,
    /// Its rules, each as `CAPABILITIES on PATTERN`.
    pub scope: Vec<String>,
    /// What would be cut or supplied, and what to know.
    pub notes: Vec<String>,
}

/// A later end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRenewRequest {
    /// How long it lives from now on, such as `1h`; the vault's default, or the parent's rest.
    #[serde(default, deserialize_with = "unique::duration", skip_serializing_if = "Option::is_none")]
    #[schema(example = "1h")]
    pub ttl: Option<String>,
}

/// The token with its new end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenRenewed {
    /// Always true.
    pub ok: bool,
    /// The token as it is now.
    pub metadata: TokenMetadata,
    /// What was cut.
    pub notes: Vec<String>,
}

/// The query of an explanation.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExplainQuery {
    /// The path that it is about.
    pub path: String,
    /// One capability; `read` where none is named.
    #[param(required = false)]
    pub can: Option<String>,
}

impl ExplainQuery {
    /// Reads a query string.
    ///
    /// # Errors
    /// `BAD_REQUEST` for an unknown or doubled name, and without a path.
    pub fn parse(query: Option<&str>) -> Result<Self> {
        let mut pairs = Pairs::parse(query)?;
        let (path, can) = (pairs.take("path"), pairs.take("can"));
        pairs.finish()?;
        let path = path.ok_or_else(|| Error::bad_request("path is missing in the query"))?;
        Ok(Self { path, can })
    }

    /// Writes the query string.
    pub fn to_query(&self) -> String {
        let mut writer = Writer::new();
        writer.text("path", Some(&self.path));
        writer.text("can", self.can.as_deref());
        writer.finish()
    }
}

/// Whether a token may do something somewhere, and who decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenExplained {
    /// `tok_...`
    pub id: String,
    /// Its ancestry.
    pub ancestry: String,
    /// The capability asked about.
    pub can: String,
    /// The path asked about.
    pub path: String,
    /// Yes or no, at this moment.
    pub allowed: bool,
    /// The ancestry of who decides: the token itself, or one above it that has ended, is frozen or may not.
    pub decided_by: String,
    /// The rule that allows it.
    pub rule: Option<String>,
    /// One sentence.
    pub because: String,
    /// From the oldest token that the caller may see to the token itself.
    pub family: Vec<ExplainLink>,
}

/// One token of the line of descent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainLink {
    /// `tok_...`
    pub id: String,
    /// Its ancestry.
    pub ancestry: String,
    /// The first of its rules that allows it; null where none does.
    pub rule: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ht1_an_explanation_needs_a_path_and_knows_two_names() {
        let query = ExplainQuery { path: "a b/c&d".to_owned(), can: Some("write".to_owned()) };
        let text = query.to_query();
        assert_eq!(ExplainQuery::parse(text.strip_prefix('?')).ok(), Some(query));
        for bad in [None, Some("can=read"), Some("path=a&path=b"), Some("path=a&who=b")] {
            assert!(ExplainQuery::parse(bad).is_err(), "{bad:?}");
        }
    }
}
