//! The vault's client: HTTP/1.1 over the Unix socket or over TLS, one kept connection, typed calls.
//!
//! It holds no policy. What it does decide is whom to trust before a credential leaves (`trust`):
//!
//! - the Unix socket: owner, mode and peer must be the caller's own uid (`unix`);
//! - TLS with a pin (from the token or a fingerprint): one certificate is the only root, and it has that hash;
//! - TLS without: a CA file, the vault's own `ca.pem` for a loopback address, the system's roots.
//!
//! There is no way to turn that off. The one connection that accepts any chain (`fetch`) asks for the CA
//! certificate, carries no credential, and what it brings counts only if its hash is the pin.
//!
//! Start-up is part of the product (`hq-vault get` runs in other people's loops): nothing of TLS is built, no root
//! is loaded and no thread is started unless the call needs it. Run it on a current-thread tokio runtime.
//! The one call that needs none (`direct`) is for a program that reads one value and ends.
#![forbid(unsafe_code)]

mod asks;
mod audit;
mod client;
mod connect;
mod direct;
mod entries;
mod error;
mod exposed;
mod fetch;
mod follow;
mod head;
mod proxy;
mod secrets;
mod sessions;
mod target;
mod tls;
mod tokens;
mod trust;
mod unix;
mod vault;
mod wire;

pub use client::{Client, Options};
pub use error::{CONNECTION_ERROR, ClientError, Result, TIMEOUT};
pub use follow::Follow;
pub use hqv_api as api;
pub use proxy::Proxy;
pub use secrets::{Condition, Secret};
pub use target::Target;
pub use trust::{Fingerprint, Pin, Trust};
pub use wire::{RawAnswer, RawCall};
