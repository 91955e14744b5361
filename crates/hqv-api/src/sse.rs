//! The stream of `GET /v1/audit?follow=true`: server-sent events (WHATWG HTML section 9.2).
//!
//! `record` events carry one [`crate::AuditRecord`] with its sequence number as the event's id. An `end` event carries
//! an [`crate::ErrorBody`] (`VAULT_LOCKED` when the vault was locked) and is the last.
//! A body that ends in good order without one means that the server stopped.

/// Name of the events that carry a record.
pub const RECORD: &str = "record";
/// Name of the last event.
pub const END: &str = "end";
/// What is sent where nothing else has been for a while, so that a dead peer is noticed.
pub const KEEP_ALIVE: &str = ":\n\n";

/// Tells how far a stream has come without an event (an id without data, which `EventSource` keeps as its last).
pub fn position(id: u64) -> String {
    format!("id: {id}\n\n")
}

/// One event. `data` is one line of JSON, so it needs no splitting.
pub fn event(name: &str, id: Option<u64>, data: &str) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("{id}event: {name}\ndata: {data}\n\n")
}
