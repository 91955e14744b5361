//! The served API, over real sockets: TLS and the Unix socket, a real engine on a shelf in memory.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod client;
mod entry_page;
mod entry_sites;
mod flow;
mod follow;
mod house;
mod ht10_meaning;
mod ht1_targets;
mod ht2_headers;
mod ht3_bodies;
mod ht4_framing;
mod ht5_slow;
mod ht6_http2;
mod ht7_sites;
mod ht8_tls;
mod ht9_callers;
mod life;
mod openapi;
mod page;
mod tickets;
mod unlock;
