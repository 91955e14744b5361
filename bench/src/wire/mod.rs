//! The load: keep-alive connections driven by one thread.
//!
//! It shares two cores with the server, so it has to be cheaper than any server: requests are made beforehand, answers
//! are framed by `content-length` alone, there is no HTTP client and no runtime, and one `poll(2)` serves all connections.

pub mod drive;
pub mod http;
pub mod link;
