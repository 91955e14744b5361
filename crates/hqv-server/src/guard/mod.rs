//! What is refused before a request means anything: foreign names, web pages, sizes, rates, slow clients.
//!
//! No guard knows a path, a token or a scope: what a caller may do is the engine's to say.

pub mod bearer;
pub mod headers;
pub mod host;
pub mod polls;
pub mod rate;
pub mod size;
pub mod slow;
pub mod weight;
