//! Names of the headers that are ours.

/// On every answer: the request's id (`req_...`), which its audit record bears too.
pub const REQUEST_ID: &str = "x-request-id";
/// What the client says of itself, such as `env-file`; recorded as a claim, trusted for nothing.
/// Written with [`crate::percent::encode_header`], read with [`crate::percent::decode`]; at most 1,024 bytes
/// on the wire.
pub const CLAIM: &str = "x-hqv-claim";
/// Why the caller asks, for the record. Written, read and bounded like [`CLAIM`].
pub const REASON: &str = "x-hqv-reason";
/// The longest value of [`CLAIM`] and [`REASON`] in bytes.
pub const MAX_HEADER_TEXT: usize = 1024;
