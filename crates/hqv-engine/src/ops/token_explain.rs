//! `token explain`: may this token do that there, and who decides: the token itself or one above it.

use hqv_model::{
    Actor, Capability, Code, Error, Need, OpKind, SecretPath, TokenId, TokenRef, Verdict, decide,
    escape_controls,
};

use crate::caller::Principal;
use crate::family::TokenEntry;
use crate::operation::{Operation, View};
use crate::reference;

/// See the module's comment.
pub struct TokenExplain {
    /// Which; the caller itself or below it.
    pub who: TokenRef,
    /// What it would do.
    pub can: Capability,
    /// Where.
    pub path: SecretPath,
}

/// What `token explain` answers.
pub struct Explained {
    /// The token's id.
    pub id: TokenId,
    /// Its path of names.
    pub ancestry: String,
    /// Yes or no.
    pub allowed: bool,
    /// The path of names of who decides.
    pub decided_by: String,
    /// The rule that allows it.
    pub rule: Option<String>,
    /// A sentence.
    pub because: String,
    /// From the oldest that the caller may see to the token itself.
    pub family: Vec<Link>,
}

/// One token of the line of descent, and its rule about the path.
pub struct Link {
    /// Its id.
    pub id: TokenId,
    /// Its path of names.
    pub ancestry: String,
    /// The first of its rules that allows it; none where none does.
    pub rule: Option<String>,
}

impl Operation for TokenExplain {
    type Answer = Explained;
    const KIND: OpKind = OpKind::TokenExplain;
    const ACTIVITY: bool = false;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        // Every token may ask about itself; what else it sees is limited by the look-up in its family.
        decide(actor, &Need::Myself)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Explained, Error> {
        let entry = reference::find(view, &self.who)?;
        reference::may_manage(view, &entry)?;
        let asked = format!("{} on {}", self.can, escape_controls(self.path.as_str()));
        view.detail = Some(format!("{} {}: {asked}", entry.facts.ancestry, entry.facts.id));
        let family = self.family(view, &entry);
        let (allowed, decided_by, because) = self
            .ended(view, &entry)
            .or_else(|| spent(view, &entry, self.can))
            .unwrap_or_else(|| by_scope(&family, &asked));
        let rule = family.last().filter(|_| allowed).and_then(|link| link.rule.clone());
        Ok(Explained {
            id: entry.facts.id,
            ancestry: entry.facts.ancestry.to_string(),
            allowed,
            decided_by,
            rule,
            because,
            family,
        })
    }
}

impl TokenExplain {
    /// The token and its ancestors, the oldest first. A token does not see the rules of those above itself; its own
    /// are no wider.
    fn family(&self, view: &View<'_>, entry: &TokenEntry) -> Vec<Link> {
        let me = match view.principal {
            Principal::Token(me) => Some(me.facts.id),
            _ => None,
        };
        let chain: Vec<&TokenEntry> = view.open.tokens.chain(entry, view.staged).flatten().collect();
        let from = me
            .and_then(|me| chain.iter().position(|link| link.facts.id == me))
            .map_or(chain.len(), |at| at + 1);
        let link = |link: &&TokenEntry| Link {
            id: link.facts.id,
            ancestry: link.facts.ancestry.to_string(),
            rule: self.rule(link),
        };
        chain.iter().take(from).rev().map(link).collect()
    }

    fn rule(&self, entry: &TokenEntry) -> Option<String> {
        let scope = &entry.facts.scope;
        match decide(&Actor::Token(scope), &Need::Path(self.can, &self.path)) {
            Verdict::Allow { rule: Some(at) } => scope.rules().get(at).map(ToString::to_string),
            _ => None,
        }
    }

    /// Whoever ended, or is frozen, decides before any scope.
    fn ended(&self, view: &View<'_>, entry: &TokenEntry) -> Option<(bool, String, String)> {
        let tokens = &view.open.tokens;
        let code = tokens.ended(entry, view.now, view.staged)?;
        let what = match code {
            Code::TokenExpired => "has expired",
            _ if !tokens.gone(entry, view.now, view.staged) => "is frozen",
            _ => "was revoked",
        };
        let ends = |link: &&TokenEntry| {
            let up = link.facts.parent.and_then(|id| tokens.by_id.get(&id, view.staged));
            up.is_none_or(|up| tokens.ended(up, view.now, view.staged) != Some(code))
        };
        // The highest that is ended so: those below it are so by descent.
        let by = tokens.chain(entry, view.staged).flatten().find(ends).unwrap_or(entry);
        let by = by.facts.ancestry.to_string();
        Some((false, by.clone(), format!("{by} {what}")))
    }
}

/// Reading costs a use, and none may be left.
fn spent(view: &View<'_>, entry: &TokenEntry, can: Capability) -> Option<(bool, String, String)> {
    let none = can == Capability::Read && view.open.tokens.available(entry, view.staged) == Some(0);
    let name = entry.facts.ancestry.to_string();
    none.then(|| (false, name.clone(), format!("{name} has no uses left")))
}

/// The highest that may not decides a no; the token's own rule a yes.
fn by_scope(family: &[Link], asked: &str) -> (bool, String, String) {
    let refusing = family.iter().find(|link| link.rule.is_none());
    match (refusing, family.last()) {
        (Some(link), _) => {
            (false, link.ancestry.clone(), format!("no rule of {} allows {asked}", link.ancestry))
        }
        (None, Some(last)) => {
            let rule = last.rule.as_deref().unwrap_or_default();
            (true, last.ancestry.clone(), format!("{} may {rule}", last.ancestry))
        }
        (None, None) => (false, String::new(), "nobody asks".into()),
    }
}
