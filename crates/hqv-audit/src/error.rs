//! What can go wrong with the record. No text here holds a path of a secret, a name or a key.

use std::{fmt, io};

/// Why a line could not be written or read.
#[derive(Debug)]
#[non_exhaustive]
pub enum AuditError {
    /// The file system refused. The record is as it was before the call.
    Io(io::Error),
    /// The log is not a regular file of this user, or a line is longer than any that we write.
    NotALog(String),
    /// The keys of the unlocked vault are not those that the locked daemon was told to seal for.
    WrongIdentity,
    /// A line does not have the form that `spec/audit.md` gives it.
    Malformed(&'static str),
    /// A signature or a certificate does not hold.
    Signature(&'static str),
    /// A record or a record key does not open.
    Unreadable,
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuditError::Io(e) => write!(f, "the audit record cannot be written or read: {e}"),
            AuditError::NotALog(why) => write!(f, "the audit record cannot be used: {why}"),
            AuditError::WrongIdentity => {
                f.write_str("the audit key in the clear settings is not the one sealed in the vault")
            }
            AuditError::Malformed(why) => write!(f, "not a line of the record: {why}"),
            AuditError::Signature(why) => write!(f, "a signature does not hold: {why}"),
            AuditError::Unreadable => f.write_str("a line of the record does not open"),
        }
    }
}

impl std::error::Error for AuditError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            AuditError::Io(e) => Some(e),
            _ => None,
        }
    }
}

impl From<io::Error> for AuditError {
    fn from(e: io::Error) -> Self {
        AuditError::Io(e)
    }
}

impl From<AuditError> for hqv_model::Error {
    fn from(e: AuditError) -> Self {
        let shown = match e {
            AuditError::Io(_) | AuditError::NotALog(_) => {
                hqv_model::Error::unavailable("the audit record cannot be written or read")
            }
            AuditError::WrongIdentity => {
                hqv_model::Error::internal("the vault's clear settings were changed")
            }
            _ => hqv_model::Error::internal("the audit record is damaged"),
        };
        shown.cause(e)
    }
}
