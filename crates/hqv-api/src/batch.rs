//! `POST /v1/secrets:batch`: many values in one round trip, as one use.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::get::GetAnswer;

/// `paths`, `prefix` or both. At most 1,000 secrets or 16 MiB.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchRequest {
    /// These; one that is missing or out of reach refuses the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// What is readable below; may be nothing, and then no use is spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// With `prefix`: only what is at most so many segments below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 256)]
    pub depth: Option<u16>,
}

/// The values, in the order asked for or in the order of the paths.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchAnswer {
    /// Each as a read of one gives it.
    pub secrets: Vec<GetAnswer>,
}
