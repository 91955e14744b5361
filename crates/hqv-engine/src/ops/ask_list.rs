//! `pending`, the asks: the exact grants that wait for a decision. The owner's.

use hqv_model::{AskId, AskRef, Error, OpKind, Pattern, SecretPath, TokenId};
use std::collections::BTreeMap;
use std::ops::Bound;

use super::ask_collect::no_ask;
use crate::caller::Caller;
use crate::core::{Core, Phase};
use crate::engine::Engine;
use crate::tickets::{AskRule, AskState, AskView, Called};

/// Paths that are looked at to count for one list: what a hostile ask could cost is bounded by it.
const MOST_LOOKED_AT: u64 = 200_000;

impl Engine {
    /// The asks that wait for a decision, and those whose token was not collected yet; oldest first.
    ///
    /// # Errors
    /// `VAULT_LOCKED`, `UNAUTHORIZED`, `FORBIDDEN` to a token.
    pub fn ask_list(&self, caller: &Caller) -> Result<Vec<AskView>, Error> {
        let mut core = self.shared.core();
        let called = core.called(caller, OpKind::AskList)?;
        core.decides(&called, None)?;
        let waits = |state| matches!(state, AskState::Waiting | AskState::Approved);
        let ids: Vec<AskId> =
            core.tickets.asks.iter().filter(|a| waits(a.body.state)).map(|a| a.id).collect();
        let mut budget = MOST_LOOKED_AT;
        let views = ids
            .into_iter()
            .map(|id| core.ask_view(&called, id, &mut budget))
            .collect::<Result<Vec<_>, _>>()?;
        core.ticket_done(&called, format!("{} asks", views.len()), Vec::new())?;
        Ok(views)
    }
}

impl Core {
    /// Deciding is the owner's, of an unlocked vault. The refusal is on record, in full where it is about an
    /// ask.
    pub(crate) fn decides(&mut self, called: &Called<'_>, which: Option<&AskRef>) -> Result<(), Error> {
        let locked = matches!(self.phase, Phase::Locked);
        let Err(error) = (if locked { Err(Error::locked()) } else { called.owner_only() }) else {
            return Ok(());
        };
        let full = which.and_then(|which| self.tickets.ask(which)).is_some_and(|ask| ask.complain());
        Err(self.ticket_refused(called, error, Vec::new(), full))
    }

    /// What is said to the owner where no such ask is there: an entry's code is a slip that can be named.
    pub(crate) fn missing_ask(&self, which: &AskRef) -> Error {
        match which {
            AskRef::Code(code) if self.tickets.entries.iter().any(|entry| entry.code == *code) => {
                Error::not_found(format!("{which} waits for a value"))
                    .hint(format!("hq-vault answer {which} takes it; Ctrl-D there refuses"))
            }
            _ => no_ask(),
        }
    }

    /// The exact grant that one ask wants.
    pub(crate) fn ask_view(
        &mut self,
        called: &Called<'_>,
        id: AskId,
        budget: &mut u64,
    ) -> Result<AskView, Error> {
        let Phase::Open(open) = &self.phase else {
            return Err(Error::locked());
        };
        let ask = self.tickets.ask(&AskRef::Id(id)).ok_or_else(no_ask)?;
        let default = open.settings.token_ttl;
        let rules = ask.body.rules.rules().iter();
        let rules = rules
            .map(|rule| AskRule { covers: count(&open.secrets.paths, &rule.on, budget), rule: rule.clone() });
        Ok(AskView {
            id,
            code: ask.code,
            rules: rules.collect(),
            ttl: ask.body.ttl.unwrap_or(default),
            max_uses: ask.body.max_uses,
            name: ask.name()?,
            reason: ask.body.reason.clone(),
            by: ask.by.clone(),
            opened: ask.opened,
            expires: ask.expires(called.now, called.boot),
            state: ask.body.state,
            fingerprint: ask.fingerprint(default)?,
        })
    }

    /// Whether a token still stands.
    pub(crate) fn token_stands(&mut self, id: &TokenId) -> bool {
        let now = self.now();
        let Phase::Open(open) = &self.phase else {
            return false;
        };
        let token = open.tokens.by_id.get(id, false);
        token.is_some_and(|token| open.tokens.ended(token, now, false).is_none())
    }
}

/// How many live paths the pattern is about; none where that would take too long to count.
fn count(paths: &BTreeMap<Box<str>, [u8; 32]>, on: &Pattern, budget: &mut u64) -> Option<u64> {
    let text = if on.as_str() == "/" { "" } else { on.as_str() };
    // What stands before the first star is the same in every path that it is about.
    let fixed = text.split_inclusive('/').take_while(|segment| segment.trim_end_matches('/') != "*");
    let fixed: String = fixed.collect();
    let mut found = 0;
    let from = paths.range::<str, _>((Bound::Included(fixed.as_str()), Bound::Unbounded));
    for (path, _) in from.take_while(|(path, _)| path.starts_with(&fixed)) {
        *budget = budget.checked_sub(1)?;
        found += u64::from(SecretPath::parse(path).is_ok_and(|path| on.matches(&path)));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn counts_are_exact_or_not_there() {
        let all = ["a", "a/b", "a/b/c", "a/x/c", "ab/c", "b/y/c", "b/z/d"];
        let paths: BTreeMap<Box<str>, [u8; 32]> = all.iter().map(|p| (Box::from(*p), [0; 32])).collect();
        let counted = |on: &str, mut budget: u64| count(&paths, &Pattern::parse(on).unwrap(), &mut budget);
        for on in ["/", "a/", "a", "a/b", "a/b/", "a/*/c", "*/*/c", "*/", "*", "b/*/", "nothing/", "a/*"] {
            let pattern = Pattern::parse(on).unwrap();
            let model = all.iter().filter(|p| pattern.matches(&SecretPath::parse(p).unwrap())).count() as u64;
            assert_eq!(counted(on, 7), Some(model), "{on}");
        }
        assert_eq!(counted("/", 6), None);
    }
}
