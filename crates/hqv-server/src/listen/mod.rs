//! The ways in: TLS over TCP and the Unix socket. Both end in [`conn::serve`].

pub mod conn;
pub mod registry;
pub mod tcp;
pub mod unix;
