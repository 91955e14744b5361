//! HTTPS and the Unix socket: thin handlers over the engine.
//!
//! Bare hyper on rustls. A request goes through guards (`guard`: host, page, size, rate, slowness), a router written by hand
//! (`router`), and one handler (`v1`) that turns it into an operation of the engine and the answer into JSON. What may be
//! done by whom is nowhere in this crate: the server tells the engine how a request came and with which credential, and
//! renders what it hears.
//!
//! `listen` accepts and bounds connections, `service` runs handlers, `tls` holds a leaf that can be changed while we serve,
//! `entry` is the one-time page on loopback ports of its own. `openapi` describes all of it from the handlers themselves.
#![forbid(unsafe_code)]

pub mod config;
pub mod openapi;
pub mod tls;

mod answer;
mod ask;
mod body;
mod busy;
mod entry;
mod errors;
mod guard;
mod ids;
mod listen;
mod router;
mod server;
mod service;
mod v1;
mod way;

pub use config::{About, Limits, LogLine, Peer, PeerOf, ServerConfig};
pub use server::{Handle, Server};
pub use tls::{Leaf, Tls};
