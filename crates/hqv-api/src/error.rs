//! The error body: a sentence for a person, a stable code for a program.

use hqv_model::{Code, Error};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What every answer of status 400 and above carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// One sentence that is safe to show: no value, passphrase or token.
    pub error: String,
    /// One of the stable codes, such as `NOT_FOUND`.
    #[schema(example = "NOT_FOUND")]
    pub code: String,
    /// What to do next; names only commands that exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Who was refused, where the caller is known: `owner`, or a token's path of names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The request's id, which its audit record bears too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl ErrorBody {
    /// The body of an error. Its cause stays behind: that is for the log.
    pub fn new(error: &Error, request_id: Option<String>) -> Self {
        Self {
            error: error.message().to_owned(),
            code: error.code().as_str().to_owned(),
            hint: error.hint_text().map(str::to_owned),
            actor: error.actor_name().map(str::to_owned),
            request_id,
        }
    }

    /// The code, where this version knows it.
    pub fn known_code(&self) -> Option<Code> {
        Code::parse(&self.code)
    }
}
