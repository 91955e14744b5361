//! The operations that stand in the record, by name.

use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// What was done, or tried. The spelling of each is part of the record and never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum OpKind {
            $($(#[$doc])* $name,)*
        }

        impl OpKind {
            /// Every operation.
            pub const ALL: &[OpKind] = &[$(OpKind::$name,)*];

            /// The operation as it is written, such as `token-create`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(OpKind::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// A vault was made.
    Init => "init",
    /// The vault was unlocked.
    Unlock => "unlock",
    /// The vault was locked.
    Lock => "lock",
    /// Its state was asked for.
    Status => "status",
    /// The daemon was told to stop.
    Shutdown => "shutdown",
    /// A value was stored.
    Put => "put",
    /// A value was handed out.
    Get => "get",
    /// Paths and metadata were listed.
    List => "list",
    /// One secret's metadata and versions were shown.
    Show => "show",
    /// A secret was marked deleted.
    Delete => "delete",
    /// Versions were removed for good.
    Purge => "purge",
    /// A secret got another path.
    Move => "move",
    /// A secret's newest version was copied.
    Copy => "copy",
    /// Several values were handed out at once.
    Batch => "batch",
    /// Several values were stored at once.
    Import => "import",
    /// A token was created.
    TokenCreate => "token-create",
    /// What a token would be was asked for; none was created.
    TokenPlan => "token-plan",
    /// Tokens were listed.
    TokenList => "token-list",
    /// A token was shown.
    TokenShow => "token-show",
    /// A caller asked who it is.
    TokenSelf => "token-self",
    /// A token and its family were ended.
    TokenRevoke => "token-revoke",
    /// A token and its family were suspended.
    TokenFreeze => "token-freeze",
    /// A frozen token was let go on.
    TokenThaw => "token-thaw",
    /// A token's end was moved.
    TokenRenew => "token-renew",
    /// What a token may on a path was asked for.
    TokenExplain => "token-explain",
    /// A token and its descendants were shown.
    TokenTree => "token-tree",
    /// Rows of ended tokens were removed.
    TokenSweep => "token-sweep",
    /// The exposure ledger was read.
    Exposed => "exposed",
    /// A token's family was ended and what it had received was named, or marked as exposed.
    Burn => "burn",
    /// Settings were read.
    SettingsRead => "settings-read",
    /// A setting was changed.
    SettingsChange => "settings-change",
    /// Records were read.
    AuditRead => "audit-read",
    /// The record was verified.
    AuditVerify => "audit-verify",
    /// A checkpoint was asked for.
    AuditCheckpoint => "audit-checkpoint",
    /// The public key of the record was asked for.
    AuditKey => "audit-key",
    /// Files of the record went by the owner's rule; a signed line stands for them.
    AuditRetire => "audit-retire",
    /// Counters were read.
    Metrics => "metrics",
    /// A session of the owner was opened.
    SessionCreate => "session-create",
    /// Sessions were listed.
    SessionList => "session-list",
    /// A session was ended.
    SessionEnd => "session-end",
    /// A person was asked to type a value.
    EntryCreate => "entry-create",
    /// Entries were listed, or one was shown to the owner.
    EntryList => "entry-list",
    /// A value came in through an entry.
    EntryStore => "entry-store",
    /// A person refused to type a value.
    EntryRefuse => "entry-refuse",
    /// An entry came to its end unanswered.
    EntryEnd => "entry-end",
    /// A token was asked for.
    AskCreate => "ask-create",
    /// Asks were listed.
    AskList => "ask-list",
    /// The owner granted an ask.
    AskApprove => "ask-approve",
    /// The owner refused an ask.
    AskDeny => "ask-deny",
    /// The token that was granted was handed to who asked.
    AskCollect => "ask-collect",
    /// An ask came to its end unanswered, or its grant was not collected.
    AskEnd => "ask-end",
    /// Health was asked for.
    Health => "health",
    /// The daemon started.
    Start => "start",
    /// The daemon stopped cleanly.
    Stop => "stop",
    /// The wall clock jumped against the boot clock.
    ClockJump => "clock-jump",
    /// The owner ended all tokens and set vault time back to the wall clock.
    ClockReset => "clock-reset",
    /// The owner had the rows compared with the row state.
    VaultCheck => "vault-check",
    /// The run before did not end cleanly.
    UncleanEnd => "unclean-end",
    /// The database was found older than the record.
    RolledBack => "rolled-back",
    /// Failures without a valid credential, counted.
    Refused => "refused",
    /// Something took effect while it could not be recorded.
    UndoGap => "undo-gap",
}

impl OpKind {
    /// The operation that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        OpKind::ALL.iter().copied().find(|op| op.as_str() == text)
    }
}

impl fmt::Display for OpKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Done.
    Ok,
    /// Not allowed.
    Denied,
    /// Allowed, and failed.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: &[Outcome] = &[Outcome::Ok, Outcome::Denied, Outcome::Failed];

    /// The outcome as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Denied => "denied",
            Outcome::Failed => "failed",
        }
    }

    /// The outcome that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Outcome::ALL.iter().copied().find(|outcome| outcome.as_str() == text)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab_case_distinct_and_read_back() {
        for (at, op) in OpKind::ALL.iter().enumerate() {
            assert!(op.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            assert!(!OpKind::ALL[..at].iter().any(|other| other.as_str() == op.as_str()));
            assert_eq!(OpKind::parse(op.as_str()), Some(*op));
        }
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(*outcome));
        }
        assert_eq!((OpKind::parse("TokenCreate"), Outcome::parse("OK")), (None, None));
    }
}
