//! The entry page: a server of its own for each entry, on a free loopback port, for as long as the entry waits.
//!
//! Plain HTTP on 127.0.0.1, because browsers take that for a secure context and ask no question about a certificate; so
//! what crosses it is sealed in the page (spec/entry.md). Nothing of an entry is shown to who does not bring its submit
//! secret, and a wrong id, secret or address gets one answer. What came in stands in the vault's record, and nowhere else.

mod document;
mod guard;
mod pages;
mod site;

pub use pages::Pages;
