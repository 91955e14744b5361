//! What can go wrong on a shelf: one variant, one sentence, one way out for each.
//!
//! The sentences name `vault.db` and never a path of the machine; what the operating system or the library said
//! goes into the cause, which only the log sees.

use hqv_model::{Code, Error};
use std::fmt;

/// A failure of the store. `Display` is safe to show to anyone who may call the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// There is no store where one was expected.
    Missing,
    /// The file is there and has no bytes. Ours never has none: it appears whole or not at all.
    Empty,
    /// The file is not a vault (not even a database).
    NotAVault,
    /// The file is the database of another application, with this application id.
    OtherApplication {
        /// The id in the file's header; 0 where the application set none.
        id: u32,
    },
    /// What stands under the name is no regular file.
    NotAFile {
        /// "a directory", "a symbolic link", ...
        what: &'static str,
    },
    /// Others may read or write the file.
    Exposed {
        /// Its permission bits.
        mode: u32,
    },
    /// The file belongs to another user.
    NotOurs {
        /// That user's id.
        uid: u32,
    },
    /// Written by a newer release, with a schema this one does not know.
    Newer {
        /// The schema version in the file.
        found: u32,
        /// The newest schema version known here.
        known: u32,
    },
    /// Another process holds the store.
    Locked {
        /// That process, where the system tells.
        pid: Option<u32>,
    },
    /// There is already a vault, so none can be made.
    Exists,
    /// No space left on the disk, or none left in the quota.
    Full,
    /// The disk, or the file, can only be read.
    ReadOnly,
    /// The system failed to do something.
    Io {
        /// What was being done, as in "cannot {doing}".
        doing: &'static str,
        /// The system's words, for the log.
        cause: String,
    },
    /// The store contradicts itself.
    Damaged {
        /// What was found, for the log.
        what: String,
    },
}

impl StoreError {
    /// A damaged store, in the finder's words (for the log only).
    pub fn damaged(what: impl Into<String>) -> Self {
        StoreError::Damaged { what: what.into() }
    }

    /// A failure of the system while `doing`.
    pub fn io(doing: &'static str, cause: impl fmt::Display) -> Self {
        StoreError::Io { doing, cause: cause.to_string() }
    }

    /// Whether trying again later can help without anybody repairing the file.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Full | Self::ReadOnly | Self::Io { .. })
    }

    /// The same failure as the vault's own error: stable code, sentence, hint, and the cause for the log.
    pub fn to_error(&self) -> Error {
        let code = match self {
            Self::Exists => Code::AlreadyExists,
            Self::Damaged { .. } => Code::Internal,
            _ => Code::Unavailable,
        };
        let error = Error::new(code, self.to_string());
        let error = match self.hint() {
            Some(hint) => error.hint(hint),
            None => error,
        };
        match self {
            Self::Io { cause, .. } => error.cause(cause),
            Self::Damaged { what } => error.cause(what),
            _ => error,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Missing => "make one with hq-vault init, or set HQ_VAULT_DIR to where it is",
            Self::Empty => "put vault.db back from a copy; if no vault was ever here, remove the empty file",
            Self::NotAVault | Self::OtherApplication { .. } | Self::NotAFile { .. } => {
                "move it away, or set HQ_VAULT_DIR to another directory"
            }
            Self::Exposed { .. } => "hq-vault doctor --fix repairs the mode",
            Self::NotOurs { .. } => "run hq-vault as the user who owns the vault",
            Self::Newer { .. } => "use the newer hq-vault that wrote it",
            Self::Locked { .. } => "end that process, then try again",
            Self::Full => "free some space; nothing was changed",
            Self::ReadOnly => "make the vault's directory writable",
            Self::Damaged { .. } => "hq-vault doctor says more; keep the file and put a copy in its place",
            Self::Exists | Self::Io { .. } => return None,
        })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no vault here (no vault.db)"),
            Self::Empty => f.write_str("vault.db is empty (0 bytes)"),
            Self::NotAVault => f.write_str("vault.db is not a vault"),
            Self::OtherApplication { .. } => f.write_str("vault.db is the database of another application"),
            Self::NotAFile { what } => write!(f, "vault.db is {what}, not a file"),
            Self::Exposed { mode } => write!(f, "vault.db is open to other users (mode {mode:04o})"),
            Self::NotOurs { uid } => write!(f, "vault.db belongs to another user (uid {uid})"),
            Self::Newer { found, known } => {
                write!(f, "vault.db was written by a newer hq-vault (schema {found}; known here: {known})")
            }
            Self::Locked { pid: Some(pid) } => write!(f, "vault.db is locked by another process (pid {pid})"),
            Self::Locked { pid: None } => f.write_str("vault.db is locked by another process"),
            Self::Exists => f.write_str("there is already a vault here"),
            Self::Full => f.write_str("the disk of the vault is full"),
            Self::ReadOnly => f.write_str("vault.db cannot be written (read-only)"),
            Self::Io { doing, .. } => write!(f, "cannot {doing} vault.db"),
            Self::Damaged { .. } => f.write_str("vault.db is damaged"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        error.to_error()
    }
}
