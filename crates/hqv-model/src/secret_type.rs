//! What kind of thing a secret is, and by which way its value came in.

use crate::{Error, Result};
use std::fmt;

/// The type of a secret. It changes nothing but how the secret is found and shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SecretType {
    /// `oauth-token`
    OauthToken,
    /// `api-key`
    ApiKey,
    /// `password`
    Password,
    /// `certificate`
    Certificate,
    /// `ssh-key`
    SshKey,
    /// `connection-string`
    ConnectionString,
    /// `other`, the default
    #[default]
    Other,
}

impl SecretType {
    /// Every type.
    pub const ALL: &[SecretType] = &[
        SecretType::OauthToken,
        SecretType::ApiKey,
        SecretType::Password,
        SecretType::Certificate,
        SecretType::SshKey,
        SecretType::ConnectionString,
        SecretType::Other,
    ];

    const fn facts(self) -> (u8, &'static str) {
        match self {
            SecretType::OauthToken => (1, "oauth-token"),
            SecretType::ApiKey => (2, "api-key"),
            SecretType::Password => (3, "password"),
            SecretType::Certificate => (4, "certificate"),
            SecretType::SshKey => (5, "ssh-key"),
            SecretType::ConnectionString => (6, "connection-string"),
            SecretType::Other => (7, "other"),
        }
    }

    /// The type as it is written.
    pub const fn as_str(self) -> &'static str {
        self.facts().1
    }

    /// The number it is stored as.
    pub const fn code(self) -> u8 {
        self.facts().0
    }

    /// The type stored as this number.
    pub fn from_code(code: u8) -> Option<Self> {
        SecretType::ALL.iter().copied().find(|kind| kind.code() == code)
    }

    /// Reads a type.
    pub fn parse(text: &str) -> Result<Self> {
        SecretType::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or_else(|| {
            Error::bad_request("an unknown type of secret").hint(
                "types are oauth-token, api-key, password, certificate, ssh-key, connection-string and other",
            )
        })
    }
}

impl fmt::Display for SecretType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// By which way a version's value reached the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryRoute {
    /// Typed by a person at a prompt.
    Tty,
    /// Piped into a command.
    Pipe,
    /// Read from a file.
    File,
    /// Made by the vault and seen by nobody.
    Generated,
    /// Sent by a client of the API.
    Api,
    /// Imported with others.
    Import,
    /// Copied from another secret.
    Copy,
    /// Typed at the prompt of an entry.
    IngestTty,
    /// Typed into an entry's tmux pop-up.
    IngestTmux,
    /// Typed into an entry's page.
    IngestPage,
    /// Typed by the owner, answering an entry.
    Answer,
}

impl EntryRoute {
    /// Every route.
    pub const ALL: &[EntryRoute] = &[
        EntryRoute::Tty,
        EntryRoute::Pipe,
        EntryRoute::File,
        EntryRoute::Generated,
        EntryRoute::Api,
        EntryRoute::Import,
        EntryRoute::Copy,
        EntryRoute::IngestTty,
        EntryRoute::IngestTmux,
        EntryRoute::IngestPage,
        EntryRoute::Answer,
    ];

    const fn facts(self) -> (u8, &'static str) {
        match self {
            EntryRoute::Tty => (1, "tty"),
            EntryRoute::Pipe => (2, "pipe"),
            EntryRoute::File => (3, "file"),
            EntryRoute::Generated => (4, "generated"),
            EntryRoute::Api => (5, "api"),
            EntryRoute::Import => (6, "import"),
            EntryRoute::Copy => (7, "copy"),
            EntryRoute::IngestTty => (8, "ingest-tty"),
            EntryRoute::IngestTmux => (9, "ingest-tmux"),
            EntryRoute::IngestPage => (10, "ingest-page"),
            EntryRoute::Answer => (11, "answer"),
        }
    }

    /// The route as it is written.
    pub const fn as_str(self) -> &'static str {
        self.facts().1
    }

    /// The number it is stored as.
    pub const fn code(self) -> u8 {
        self.facts().0
    }

    /// The route stored as this number.
    pub fn from_code(code: u8) -> Option<Self> {
        EntryRoute::ALL.iter().copied().find(|route| route.code() == code)
    }

    /// Reads a route.
    pub fn parse(text: &str) -> Result<Self> {
        let found = EntryRoute::ALL.iter().copied().find(|route| route.as_str() == text);
        found.ok_or_else(|| Error::bad_request("an unknown route of entry"))
    }
}

impl fmt::Display for EntryRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_and_route_reads_back_from_text_and_number() {
        for (at, kind) in SecretType::ALL.iter().enumerate() {
            assert_eq!(usize::from(kind.code()), at + 1);
            assert_eq!(SecretType::from_code(kind.code()), Some(*kind));
            assert_eq!(SecretType::parse(kind.as_str()).ok(), Some(*kind));
        }
        for (at, route) in EntryRoute::ALL.iter().enumerate() {
            assert_eq!(usize::from(route.code()), at + 1);
            assert_eq!(EntryRoute::from_code(route.code()), Some(*route));
            assert_eq!(EntryRoute::parse(route.as_str()).ok(), Some(*route));
        }
        assert_eq!((SecretType::from_code(0), SecretType::from_code(8)), (None, None));
        assert_eq!((EntryRoute::from_code(0), EntryRoute::from_code(12)), (None, None));
        assert!(SecretType::parse("API-KEY").is_err());
        assert_eq!(SecretType::default(), SecretType::Other);
    }
}
