//! The decision: may this actor do this? Pure, so that it can be explained and tested without a vault.

use crate::{Capability, Prefix, Scope, SecretPath, escape_controls};
use std::fmt;

/// What an operation needs to be allowed.
#[derive(Clone, Copy, Debug)]
pub enum Need<'a> {
    /// This capability on this path.
    Path(Capability, &'a SecretPath),
    /// One of these capabilities on this path.
    AnyOf(&'a [Capability], &'a SecretPath),
    /// This capability on something below the prefix; the operation then filters path by path.
    Prefix(Capability, &'a Prefix),
    /// To create, list, show or revoke descendants.
    Delegate,
    /// To read records.
    Audit,
    /// To administer the vault.
    OwnerOnly,
    /// To see or end oneself.
    Myself,
}

/// Who asks, once authenticated.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    /// The owner, by a session.
    Owner,
    /// A live token with this scope.
    Token(&'a Scope),
    /// A caller without any credential.
    Nobody,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed, for a token by the rule with this index (none where no rule was needed).
    Allow {
        /// Index in [`Scope::rules`].
        rule: Option<usize>,
    },
    /// Refused.
    Deny(DenyReason),
}

/// Why not. `Display` is the sentence for whoever asked; it names only what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DenyReason {
    /// No rule allows any of these on that path.
    OutOfScope {
        /// What would have been enough.
        can: Vec<Capability>,
        /// The path, or the prefix as it is displayed.
        on: String,
    },
    /// No rule at all has this capability.
    Lacks(Capability),
    /// No token can be allowed this.
    OwnerOnly,
    /// Somebody must act.
    NoCredential,
}

impl fmt::Display for DenyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DenyReason::OutOfScope { can, on } => {
                f.write_str("out of scope: ")?;
                for (index, can) in can.iter().enumerate() {
                    write!(f, "{}{can}", if index == 0 { "" } else { " or " })?;
                }
                write!(f, " on {}", escape_controls(on))
            }
            DenyReason::Lacks(can) => write!(f, "the token may not {can}"),
            DenyReason::OwnerOnly => f.write_str("this is the owner's alone"),
            DenyReason::NoCredential => f.write_str("this needs a token or the owner's session"),
        }
    }
}

/// Decides. The owner may do everything, nobody nothing, a token what one of its rules allows.
///
/// A [`Need::Prefix`] is allowed when some rule with the capability can match something below it.
pub fn decide(actor: &Actor<'_>, need: &Need<'_>) -> Verdict {
    match actor {
        Actor::Owner => Verdict::Allow { rule: None },
        Actor::Nobody => Verdict::Deny(DenyReason::NoCredential),
        Actor::Token(scope) => decide_token(scope, need),
    }
}

fn decide_token(scope: &Scope, need: &Need<'_>) -> Verdict {
    match *need {
        Need::Myself => Verdict::Allow { rule: None },
        Need::OwnerOnly => Verdict::Deny(DenyReason::OwnerOnly),
        Need::Delegate => {
            verdict(first_with(scope, Capability::Delegate), || DenyReason::Lacks(Capability::Delegate))
        }
        Need::Audit => verdict(first_with(scope, Capability::Audit), || DenyReason::Lacks(Capability::Audit)),
        Need::Path(can, path) => verdict(scope.rule_for(can, path), || out_of_scope(&[can], path.as_str())),
        Need::AnyOf(cans, path) => {
            let rule = cans.iter().find_map(|can| scope.rule_for(*can, path));
            verdict(rule, || out_of_scope(cans, path.as_str()))
        }
        Need::Prefix(can, prefix) => {
            verdict(scope.rule_over(can, prefix), || out_of_scope(&[can], &prefix.to_string()))
        }
    }
}

fn verdict(rule: Option<usize>, otherwise: impl FnOnce() -> DenyReason) -> Verdict {
    match rule {
        Some(_) => Verdict::Allow { rule },
        None => Verdict::Deny(otherwise()),
    }
}

fn first_with(scope: &Scope, can: Capability) -> Option<usize> {
    scope.rules().iter().position(|rule| rule.can.contains(can))
}

fn out_of_scope(can: &[Capability], on: &str) -> DenyReason {
    DenyReason::OutOfScope { can: can.to_vec(), on: on.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn scope(rules: &[&str]) -> Scope {
        Scope::parse_rules(&rules.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn path(text: &str) -> SecretPath {
        SecretPath::parse(text).unwrap()
    }

    #[test]
    fn the_owner_may_all_and_nobody_nothing() {
        let (path, prefix) = (path("a/b"), Prefix::everything());
        let needs = [
            Need::Path(Capability::Read, &path),
            Need::AnyOf(&[Capability::Ingest, Capability::Write], &path),
            Need::Prefix(Capability::List, &prefix),
            Need::Delegate,
            Need::Audit,
            Need::OwnerOnly,
            Need::Myself,
        ];
        for need in needs {
            assert_eq!(decide(&Actor::Owner, &need), Verdict::Allow { rule: None });
            assert_eq!(decide(&Actor::Nobody, &need), Verdict::Deny(DenyReason::NoCredential));
        }
    }

    #[test]
    fn a_token_may_what_a_rule_of_its_scope_allows() {
        let scope = scope(&["list on a/", "read,delegate on a/b"]);
        let token = Actor::Token(&scope);
        let (b, c) = (path("a/b"), path("a/c"));
        assert_eq!(decide(&token, &Need::Path(Capability::Read, &b)), Verdict::Allow { rule: Some(1) });
        let denied = decide(&token, &Need::Path(Capability::Read, &c));
        let Verdict::Deny(reason) = denied else { panic!("allowed") };
        assert_eq!(reason.to_string(), "out of scope: read on a/c");
        let either = [Capability::Ingest, Capability::Write];
        let Verdict::Deny(reason) = decide(&token, &Need::AnyOf(&either, &b)) else { panic!("allowed") };
        assert_eq!(reason.to_string(), "out of scope: ingest or write on a/b");
        assert_eq!(
            decide(&token, &Need::AnyOf(&[Capability::Write, Capability::List], &c)),
            Verdict::Allow { rule: Some(0) }
        );
        assert_eq!(decide(&token, &Need::Delegate), Verdict::Allow { rule: Some(1) });
        assert_eq!(decide(&token, &Need::Audit), Verdict::Deny(DenyReason::Lacks(Capability::Audit)));
        assert_eq!(decide(&token, &Need::OwnerOnly), Verdict::Deny(DenyReason::OwnerOnly));
        assert_eq!(decide(&token, &Need::Myself), Verdict::Allow { rule: None });
    }

    #[test]
    fn a_prefix_is_allowed_where_anything_below_can_be() {
        let scope = scope(&["list on */prod/", "read on deploy/key"]);
        let token = Actor::Token(&scope);
        let allowed = |can, text: &str| {
            let prefix = Prefix::parse(text).unwrap();
            matches!(decide(&token, &Need::Prefix(can, &prefix)), Verdict::Allow { .. })
        };
        assert!(allowed(Capability::List, "/"));
        assert!(allowed(Capability::List, "deploy"));
        assert!(allowed(Capability::List, "deploy/prod/db"));
        assert!(!allowed(Capability::List, "deploy/production"));
        assert!(allowed(Capability::Read, "deploy"));
        assert!(!allowed(Capability::Read, "deploy/key"));
        assert!(!allowed(Capability::Read, "dep"));
        assert!(!allowed(Capability::Write, "/"));
    }

    #[test]
    fn a_reason_shows_no_character_that_acts() {
        let odd = path("a\u{2028}b");
        let scope = scope(&["list on x"]);
        let Verdict::Deny(reason) = decide(&Actor::Token(&scope), &Need::Path(Capability::Read, &odd)) else {
            panic!("allowed")
        };
        assert_eq!(reason.to_string(), "out of scope: read on a\\u{2028}b");
    }
}
