//! JSON for programs: one document, pretty enough to read, one way to make it.

use serde::Serialize;

use super::error::Failure;

/// The document on several lines, as `gh` and `jq` print it.
pub fn text(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map_err(|_| Failure::internal("the answer does not fit JSON"))
}

/// The document on one line, for streams.
pub fn line(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|_| Failure::internal("the answer does not fit JSON"))
}
