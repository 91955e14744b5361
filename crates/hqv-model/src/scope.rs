//! What a token may do: capabilities on patterns of paths.
//!
//! A scope is a list of rules, and a thing is allowed when one rule allows it; there is no rule that
//! takes away. That makes "no wider than the parent" a subset test, rule by rule ([`Scope::covers`]).

use crate::{Capability, CapabilitySet, Error, Pattern, Prefix, Result, SecretPath};
use std::fmt;

/// The most rules in one scope.
pub const MAX_RULES: usize = 64;

/// One rule, written `read,list on deploy/prod/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// What is allowed.
    pub can: CapabilitySet,
    /// Where.
    pub on: Pattern,
}

impl Rule {
    /// Reads a rule. What follows the first ` on ` is the pattern, to the last character.
    pub fn parse(text: &str) -> Result<Self> {
        let (can, on) = text.split_once(" on ").ok_or_else(|| {
            Error::bad_request("a rule is written CAPABILITIES on PATTERN")
                .hint("for example: read,list on deploy/prod/")
        })?;
        Ok(Rule { can: CapabilitySet::parse(can)?, on: Pattern::parse(on)? })
    }

    fn allows(&self, can: Capability, path: &SecretPath) -> bool {
        self.can.contains(can) && self.on.matches(path)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.can, self.on)
    }
}

/// What a child asked for beyond its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wider {
    /// The capability.
    pub can: Capability,
    /// The pattern that no rule of the parent with this capability covers.
    pub on: Pattern,
}

impl fmt::Display for Wider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wider than the parent: {} on {}", self.can, crate::escape_controls(self.on.as_str()))
    }
}

/// 1 to 64 rules, each with at least one capability.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope(Vec<Rule>);

impl Scope {
    /// A scope of these rules. [`crate::Code::BadRequest`] for none, for more than 64, or for a rule that allows nothing.
    pub fn new(rules: Vec<Rule>) -> Result<Self> {
        if rules.is_empty() {
            return Err(Error::bad_request("a scope needs at least one rule"));
        }
        if rules.len() > MAX_RULES {
            return Err(Error::bad_request(format!("a scope has at most {MAX_RULES} rules")));
        }
        if rules.iter().any(|rule| rule.can.is_empty()) {
            return Err(Error::bad_request("a rule needs at least one capability"));
        }
        Ok(Scope(rules))
    }

    /// The rules, in the order given.
    pub fn rules(&self) -> &[Rule] {
        &self.0
    }

    /// Reads rules such as `read,list on deploy/prod/`.
    pub fn parse_rules(rules: &[String]) -> Result<Self> {
        Scope::new(rules.iter().map(|text| Rule::parse(text)).collect::<Result<_>>()?)
    }

    /// The same capabilities on each of these patterns.
    pub fn from_paths(paths: &[Pattern], can: CapabilitySet) -> Result<Self> {
        Scope::new(paths.iter().map(|on| Rule { can, on: on.clone() }).collect())
    }

    /// `read,list` on everything: what a token gets that was given no scope.
    pub fn default_scope() -> Self {
        let can = [Capability::Read, Capability::List].into_iter().collect();
        Scope(vec![Rule { can, on: Pattern::everything() }])
    }

    /// The scope less one capability; `None` where nothing is left.
    pub fn without(&self, can: Capability) -> Option<Scope> {
        let rules: Vec<Rule> = self
            .0
            .iter()
            .cloned()
            .map(|mut rule| {
                rule.can.remove(can);
                rule
            })
            .filter(|rule| !rule.can.is_empty())
            .collect();
        (!rules.is_empty()).then_some(Scope(rules))
    }

    /// The first rule that allows this on this path.
    pub fn rule_for(&self, can: Capability, path: &SecretPath) -> Option<usize> {
        self.0.iter().position(|rule| rule.allows(can, path))
    }

    /// Whether any rule has the capability.
    pub fn has(&self, can: Capability) -> bool {
        self.0.iter().any(|rule| rule.can.contains(can))
    }

    /// Whether a rule with the capability can match something below the prefix.
    pub fn may_overlap(&self, can: Capability, prefix: &Prefix) -> bool {
        self.rule_over(can, prefix).is_some()
    }

    pub(crate) fn rule_over(&self, can: Capability, prefix: &Prefix) -> Option<usize> {
        self.0.iter().position(|rule| rule.can.contains(can) && rule.on.overlaps_prefix(prefix))
    }

    /// Whether the child is no wider: each capability of each of its rules lies within one rule of this
    /// scope. A child that only several rules together would cover is refused; that errs on the safe side.
    pub fn covers(&self, child: &Scope) -> std::result::Result<(), Wider> {
        for rule in &child.0 {
            for can in rule.can.iter() {
                if !self.0.iter().any(|mine| mine.can.contains(can) && mine.on.covers(&rule.on)) {
                    return Err(Wider { can, on: rule.on.clone() });
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Scope {
    /// The rules, separated by `; `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rule) in self.0.iter().enumerate() {
            write!(f, "{}{rule}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn scope(rules: &[&str]) -> Scope {
        Scope::parse_rules(&rules.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn rules_read_back_as_written() {
        for text in
            ["read,list on deploy/prod/", "audit on /", "write on a on b", "read on  x", "delegate on */k"]
        {
            assert_eq!(Rule::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Rule::parse("list, read on a").unwrap().to_string(), "read,list on a");
        for bad in ["", "read", "read on", "read on ", "on a", " on a", "read, on a", "Read on a", "fly on a"]
        {
            assert!(Rule::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(scope(&["read on a", "list on b/"]).to_string(), "read on a; list on b/");
    }

    #[test]
    fn a_scope_has_1_to_64_rules_that_allow_something() {
        let rule = Rule::parse("read on a").unwrap();
        assert!(Scope::new(vec![]).is_err());
        assert!(Scope::new(vec![rule.clone(); 64]).is_ok());
        assert!(Scope::new(vec![rule.clone(); 65]).is_err());
        assert!(Scope::new(vec![Rule { can: CapabilitySet::EMPTY, on: rule.on.clone() }]).is_err());
        assert!(Scope::from_paths(&[], rule.can).is_err());
        assert_eq!(
            Scope::from_paths(std::slice::from_ref(&rule.on), rule.can).unwrap(),
            scope(&["read on a"])
        );
        assert_eq!(Scope::default_scope().to_string(), "read,list on /");
    }

    #[test]
    fn taking_a_capability_away_drops_rules_that_had_nothing_else() {
        let parent = scope(&["read,delegate on a/", "delegate on b/"]);
        assert_eq!(parent.without(Capability::Delegate), Some(scope(&["read on a/"])));
        assert_eq!(scope(&["delegate on a/"]).without(Capability::Delegate), None);
        assert!(parent.has(Capability::Delegate) && !parent.has(Capability::Audit));
    }

    #[test]
    fn tk4_a_wider_child_is_refused_naming_the_dimension() {
        let parent = scope(&["read,list on deploy/prod/", "write on deploy/*/key"]);
        let wider =
            |rule: &str| parent.covers(&scope(&[rule])).map_err(|wider| (wider.can, wider.on.to_string()));
        assert_eq!(wider("read,list on deploy/prod/db/"), Ok(()));
        assert_eq!(wider("read on deploy/prod/*"), Ok(()));
        assert_eq!(wider("write on deploy/prod/key"), Ok(()));
        assert_eq!(wider("read on deploy/production/"), Err((Capability::Read, "deploy/production/".into())));
        assert_eq!(wider("read on deploy/"), Err((Capability::Read, "deploy/".into())));
        assert_eq!(wider("read on */prod/"), Err((Capability::Read, "*/prod/".into())));
        assert_eq!(wider("read on deploy/prod"), Err((Capability::Read, "deploy/prod".into())));
        assert_eq!(wider("read,delete on deploy/prod/x"), Err((Capability::Delete, "deploy/prod/x".into())));
        assert_eq!(wider("write on deploy/prod/"), Err((Capability::Write, "deploy/prod/".into())));
        assert_eq!(wider("read on /"), Err((Capability::Read, "/".into())));
        let sentence = parent.covers(&scope(&["delegate on /"])).expect_err("wider").to_string();
        assert_eq!(sentence, "wider than the parent: delegate on /");
    }

    fn any_scope() -> impl Strategy<Value = Scope> {
        let pattern = prop_oneof![1 => Just("/".to_owned()), 9 => "(a|b|\\*)(/(a|b|\\*)){0,2}/?"];
        let rule = (1_u16..8, pattern).prop_map(|(bits, on)| Rule {
            can: CapabilitySet::from_bits(bits).unwrap(),
            on: Pattern::parse(&on).unwrap(),
        });
        prop::collection::vec(rule, 1..4).prop_map(|rules| Scope::new(rules).unwrap())
    }

    fn any_path() -> impl Strategy<Value = SecretPath> {
        "[abc](/[abc]){0,4}".prop_map(|text| SecretPath::parse(&text).unwrap())
    }

    /// A rule's text matched against a path's text, with lists, so that it shares no code with `Pattern::matches`.
    fn model_allows(scope: &Scope, can: Capability, path: &SecretPath) -> bool {
        scope.rules().iter().any(|rule| {
            let on = rule.on.to_string();
            let wanted: Vec<&str> = on.split('/').filter(|s| !s.is_empty()).collect();
            let have: Vec<&str> = path.as_str().split('/').collect();
            let fits = if on.ends_with('/') { have.len() > wanted.len() } else { have.len() == wanted.len() };
            rule.can.contains(can) && fits && wanted.iter().zip(&have).all(|(w, h)| *w == "*" || w == h)
        })
    }

    proptest! {
        #![proptest_config(crate::testing::cases(600, 20_000))]

        #[test]
        fn tk4_a_covered_child_allows_nothing_that_its_parent_does_not(
            parent in any_scope(), child in any_scope(), paths in prop::collection::vec(any_path(), 40)
        ) {
            match parent.covers(&child) {
                Ok(()) => for path in &paths {
                    for can in Capability::ALL {
                        prop_assert!(!model_allows(&child, *can, path) || model_allows(&parent, *can, path));
                    }
                },
                Err(wider) => prop_assert!(child.rules().iter().any(|r| r.can.contains(wider.can) && r.on == wider.on)),
            }
        }

        #[test]
        fn tk4_a_scope_covers_itself_and_less_and_nothing_with_more(parent in any_scope(), path in any_path()) {
            prop_assert_eq!(parent.covers(&parent), Ok(()));
            for can in Capability::ALL {
                if let Some(less) = parent.without(*can) {
                    prop_assert_eq!(parent.covers(&less), Ok(()));
                    prop_assert!(!less.has(*can));
                    prop_assert_eq!(less.covers(&parent).is_ok(), !parent.has(*can));
                } else {
                    prop_assert!(parent.has(*can));
                }
                prop_assert_eq!(parent.rule_for(*can, &path).is_some(), model_allows(&parent, *can, &path));
            }
        }

        #[test]
        fn tk4_covering_is_transitive(a in any_scope(), b in any_scope(), c in any_scope()) {
            if a.covers(&b).is_ok() && b.covers(&c).is_ok() {
                prop_assert_eq!(a.covers(&c), Ok(()));
            }
        }
    }
}
