//! Who holds a ticket.
//!
//! A token's tickets are that token's; everybody without one on the socket is one caller for each user id,
//! for nothing but the uid can be told apart there. While locked no credential can be judged, so its bearer
//! counts as the peer that it is anyway; the hash of what it brought still lets the same command, run again
//! after the unlock, find its ticket.

use hqv_crypto::wire;
use hqv_model::{SessionId, TokenId, escape_controls};

use crate::caller::{Caller, Principal, Transport};
use crate::rows::version::Writer;

/// The longest program or directory that is kept of a client's claim, in bytes.
const MOST_CLAIM: usize = 256;

/// Who asked, as the daemon knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A process on the socket, without a credential that could be judged.
    Peer {
        /// Its user id.
        uid: u32,
        /// Its process, where the system tells.
        pid: Option<u32>,
        /// Its program's name, unproven.
        program: Option<String>,
    },
    /// A token.
    Token {
        /// Its id.
        id: TokenId,
        /// The first of its ancestors, itself where it has none.
        root: TokenId,
        /// The path of names.
        ancestry: String,
    },
    /// The owner.
    Owner(SessionId),
}

impl Who {
    /// How records and sentences name it.
    pub fn label(&self) -> String {
        match self {
            Who::Peer { uid, pid, program } => {
                let program = program.as_deref().map_or("a program".into(), escape_controls);
                let pid = pid.map(|pid| format!(", pid {pid}")).unwrap_or_default();
                format!("{program} (no token, uid {uid}{pid})")
            }
            Who::Token { ancestry, .. } => format!("token {ancestry}"),
            Who::Owner(_) => "the owner".into(),
        }
    }

    /// As a version's row names who wrote it.
    pub fn writer(&self) -> Writer {
        match self.clone() {
            Who::Peer { uid, pid, program } => Writer::Peer { uid, pid, program },
            Who::Token { id, ancestry, .. } => Writer::Token(id, ancestry),
            Who::Owner(session) => Writer::Session(session),
        }
    }

    /// Whether both are one caller.
    fn is(&self, other: &Who) -> bool {
        match (self, other) {
            (Who::Peer { uid, .. }, Who::Peer { uid: other, .. }) => uid == other,
            (Who::Token { id, .. }, Who::Token { id: other, .. }) => id == other,
            (Who::Owner(_), Who::Owner(_)) => true,
            _ => false,
        }
    }

    /// Whether both belong to one family of tokens.
    fn is_family(&self, other: &Who) -> bool {
        matches!((self, other), (Who::Token { root, .. }, Who::Token { root: other, .. }) if root == other)
    }
}

/// What a client says of itself. Nobody can prove it; it is shown as a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// The program that asks.
    pub program: Option<String>,
    /// Where it works.
    pub directory: Option<String>,
}

impl Asker {
    /// Ready to be shown: escaped, and at most 256 bytes each, of which the end is kept.
    pub fn tamed(self) -> Self {
        let tame = |text: String| {
            let shown = escape_controls(&text);
            let over = shown.len().saturating_sub(MOST_CLAIM);
            if over == 0 {
                return shown.into_owned();
            }
            let mut from = over + '…'.len_utf8();
            while !shown.is_char_boundary(from) {
                from += 1;
            }
            format!("…{}", shown.get(from..).unwrap_or_default())
        };
        Asker { program: self.program.map(tame), directory: self.directory.map(tame) }
    }
}

/// Who asked, for a person to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedBy {
    /// As the daemon knows it.
    pub who: Who,
    /// `socket`, or the address.
    pub from: String,
    /// As the client says; already escaped.
    pub claims: Asker,
}

/// One caller's place at the tickets.
#[derive(Clone)]
pub struct Seat {
    /// Who it is.
    pub who: Who,
    /// The hash of the credential that it brought.
    credential: Option<[u8; 32]>,
    /// `socket`, or the address.
    pub from: String,
}

impl Seat {
    /// The seat of an authenticated caller; none for who is nobody, and for the page.
    pub fn of(principal: &Principal, caller: &Caller) -> Option<Self> {
        let who = match (principal, &caller.transport) {
            (Principal::Owner(session), _) => Who::Owner(*session),
            (Principal::Token(token), _) => Who::Token {
                id: token.facts.id,
                root: token.facts.ancestors.first().copied().unwrap_or(token.facts.id),
                ancestry: token.facts.ancestry.to_string(),
            },
            (Principal::Peer, Transport::Socket { uid, pid, program }) => {
                Who::Peer { uid: *uid, pid: *pid, program: program.clone() }
            }
            _ => return None,
        };
        let credential = caller.credential.as_ref().map(|c| wire::hash(c.kind, &c.secret));
        Some(Seat { who, credential, from: caller.transport.label().to_owned() })
    }

    /// Whether both are one caller.
    pub fn is(&self, other: &Seat) -> bool {
        self.who.is(&other.who) || (self.credential.is_some() && self.credential == other.credential)
    }

    /// Whether both are one caller, or of one family of tokens.
    pub fn is_family(&self, other: &Seat) -> bool {
        self.is(other) || self.who.is_family(&other.who)
    }

    /// What a person is shown.
    pub fn asked_by(&self, claims: Asker) -> AskedBy {
        AskedBy { who: self.who.clone(), from: self.from.clone(), claims }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn in6_what_a_client_claims_is_escaped_and_cut() {
        let long = format!("/{}é/end", "d".repeat(300));
        let tamed = Asker { program: Some("a\u{1b}[2Jb".into()), directory: Some(long) }.tamed();
        assert_eq!(tamed.program.unwrap(), "a\\u{1b}[2Jb");
        let directory = tamed.directory.unwrap();
        assert!(directory.len() <= MOST_CLAIM && directory.starts_with('…') && directory.ends_with("é/end"));
        let wide = Asker { program: Some("é".repeat(200)), directory: None }.tamed().program.unwrap();
        assert!(wide.len() <= MOST_CLAIM && wide.starts_with("…é"));
    }
}
