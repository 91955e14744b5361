//! `token create`: by the owner, or by a token that may delegate, never wider than itself.

use hqv_crypto::wire::{self, CredentialKind};
use hqv_model::{
    Actor, Capability, Code, Error, MAX_DEPTH, MAX_TTL, Need, OpKind, Rule, Scope, SecretText, Timestamp,
    TokenId, TokenName, Ttl, UseLimit, Verdict, array, decide, format_duration,
};
use std::sync::Arc;
use std::time::Duration;

use crate::caller::Principal;
use crate::core::WHAT_IT_MAY;
use crate::family::{MAX_CHILDREN, State, TokenEntry, TokenFacts};
use crate::operation::{Operation, View};
use crate::views::TokenView;

/// See the module's comment.
pub struct TokenCreate {
    /// Unique among live siblings.
    pub name: TokenName,
    /// How long it lives; the vault's default, or the parent's rest.
    pub ttl: Option<Ttl>,
    /// How often it may be used; no limit of its own where none is named.
    pub max_uses: Option<UseLimit>,
    /// How many of them are set aside for it; needs `max_uses`, at most that.
    pub reserve: Option<UseLimit>,
    /// What it may; the vault's default, or the parent's less `delegate`.
    pub scope: Option<Scope>,
    /// `renew` will never go beyond this; 90 days, or the parent's.
    pub max_ttl: Option<Ttl>,
}

/// What `token create` answers.
pub struct TokenMade {
    /// The token: shown once, stored nowhere.
    pub token: SecretText,
    /// Its metadata.
    pub view: TokenView,
    /// What was cut to the parent's, and what a person should know.
    pub notes: Vec<String>,
}

impl Operation for TokenCreate {
    type Answer = TokenMade;
    const KIND: OpKind = OpKind::TokenCreate;
    const WRITES: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Delegate)
    }

    fn perform(self, view: &mut View<'_>) -> Result<TokenMade, Error> {
        let parent = match view.principal {
            Principal::Token(entry) => Some(entry.clone()),
            _ => None,
        };
        view.detail = Some(format!("name {}", self.name));
        let (id, creator) = (TokenId::from_bytes(array(view.rng)), view.principal.label());
        let made = self.mint(view, parent.as_deref(), id, creator)?;
        view.detail = Some(format!("{} {}", made.view.ancestry, id));
        Ok(made)
    }
}

impl TokenCreate {
    /// Checks and stages the token. Whether there may be one was decided.
    pub(crate) fn mint(
        self,
        view: &mut View<'_>,
        parent: Option<&TokenEntry>,
        id: TokenId,
        creator: String,
    ) -> Result<TokenMade, Error> {
        let secret = zeroize::Zeroizing::new(array::<32>(view.rng));
        let (mut entry, notes) = self.draft(view, parent, id, creator, &secret)?;
        view.open.tokens.kin.share(&mut entry);
        stage(view, &entry);
        let pin = view.pin_tokens.then(|| wire::pin_of(view.open.keys.ca().cert_der()));
        let token = wire::encode(CredentialKind::Token, &secret, pin.as_ref());
        let made = TokenView::of(&view.open.tokens, &entry, view.now, true);
        Ok(TokenMade { token, view: made, notes })
    }

    /// The token as it would be, with what was cut. Nothing is staged.
    pub(super) fn draft(
        &self,
        view: &mut View<'_>,
        parent: Option<&TokenEntry>,
        id: TokenId,
        creator: String,
        secret: &[u8; 32],
    ) -> Result<(TokenEntry, Vec<String>), Error> {
        let mut notes = Vec::new();
        let scope = self.scope(view, parent, &mut notes)?;
        let max = self.max(view, parent, &mut notes)?;
        let reserve = self.reserve(view, parent, max)?;
        let (end, latest_end) = self.ends(view, parent, &mut notes)?;
        self.check_family(view, parent)?;
        let limits = Limits { scope, max, reserve, latest_end };
        let facts = facts(&self.name, id, parent, creator, view.now, limits, secret);
        let entry = TokenEntry {
            facts: Arc::new(facts),
            end,
            state: State::Live,
            spent: 0,
            reserve_spent: 0,
            promised: 0,
            returned: false,
            last_used: None,
            sealed: None,
        };
        Ok((entry, notes))
    }
}

/// The new token, and what is set aside for it.
fn stage(view: &mut View<'_>, entry: &TokenEntry) {
    let tokens = &mut view.open.tokens;
    tokens.stage_new(entry.clone());
    if let Some(reserve) = entry.facts.reserve {
        if let Some(parent) = entry.facts.parent {
            tokens.set_aside(parent, reserve);
        }
        let end = tokens.effective_end(entry, true);
        tokens.watch_end(end, entry.facts.id);
    }
}

/// What a new token may, how often and how long.
struct Limits {
    scope: Scope,
    max: Option<u64>,
    reserve: Option<u64>,
    latest_end: Timestamp,
}

fn facts(
    name: &TokenName,
    id: TokenId,
    parent: Option<&TokenEntry>,
    creator: String,
    created: Timestamp,
    limits: Limits,
    secret: &[u8; 32],
) -> TokenFacts {
    let Limits { scope, max, reserve, latest_end } = limits;
    let above = parent.map(|p| &p.facts);
    let ancestors = above.map(|f| f.ancestors.iter().copied().chain([f.id]).collect()).unwrap_or_default();
    let ancestry = match above {
        Some(f) => format!("{}/{name}", f.ancestry).into(),
        None => name.as_str().into(),
    };
    TokenFacts {
        id,
        parent: above.map(|f| f.id),
        ancestors,
        name: name.clone(),
        ancestry,
        hash: wire::hash(CredentialKind::Token, secret),
        creator: creator.into(),
        created,
        latest_end,
        max,
        reserve,
        limited: max.is_some() || above.is_some_and(|f| f.limited),
        scope: scope.into(),
        kept: Default::default(),
    }
}

impl TokenCreate {
    fn scope(
        &self,
        view: &View<'_>,
        parent: Option<&TokenEntry>,
        notes: &mut Vec<String>,
    ) -> Result<Scope, Error> {
        match (parent, &self.scope) {
            (None, Some(scope)) => Ok(scope.clone()),
            (None, None) => {
                let scope = view.open.settings(view.staged).token_scope.clone();
                notes.push(format!("no scope was given: it may {scope}; narrow it with --path or --allow"));
                Ok(scope)
            }
            (Some(parent), Some(scope)) => match parent.facts.scope.covers(scope) {
                Ok(()) => Ok(scope.clone()),
                Err(wider) => Err(Error::forbidden(format!(
                    "a child may not be wider than its parent: {} on {} is beyond {}",
                    wider.can,
                    hqv_model::escape_controls(wider.on.as_str()),
                    parent.facts.ancestry
                ))
                .hint(WHAT_IT_MAY)),
            },
            (Some(parent), None) => parent
                .facts
                .scope
                .without(Capability::Delegate)
                .ok_or_else(|| Error::forbidden("nothing is left of the parent's scope without delegate")),
        }
    }

    /// More uses than are available are cut to that; a child that would get none is refused.
    fn max(
        &self,
        view: &mut View<'_>,
        parent: Option<&TokenEntry>,
        notes: &mut Vec<String>,
    ) -> Result<Option<u64>, Error> {
        let want = self.max_uses.map(UseLimit::get);
        let now = view.now;
        view.open.tokens.settle_ends(now);
        // Settling may have staged a newer entry of the parent: one that has what an ended child left over.
        let parent = parent.and_then(|p| view.open.tokens.by_id.get(&p.facts.id, view.staged)).cloned();
        let Some(available) = parent.and_then(|p| view.open.tokens.available(&p, view.staged)) else {
            return Ok(want);
        };
        if available == 0 {
            return Err(Error::new(Code::TokenExhausted, "no uses are left to give to a child"));
        }
        match want {
            Some(want) if want > available => {
                notes.push(format!("cut to the {available} uses that are left of the parent's"));
                Ok(Some(available))
            }
            other => Ok(other),
        }
    }

    /// A reserve is whole or refused: a child that counts on its share must not find less.
    fn reserve(
        &self,
        view: &mut View<'_>,
        parent: Option<&TokenEntry>,
        max: Option<u64>,
    ) -> Result<Option<u64>, Error> {
        let (Some(reserve), Some(asked)) = (self.reserve.map(UseLimit::get), self.max_uses) else {
            return match self.reserve {
                Some(_) => Err(Error::bad_request("a reserve needs max_uses, and is at most that")),
                None => Ok(None),
            };
        };
        if reserve > asked.get() {
            return Err(Error::bad_request(format!(
                "a reserve of {reserve} is more than max_uses, {}",
                asked.get()
            )));
        }
        let now = view.now;
        let most = parent.and_then(|parent| view.open.tokens.reservable(parent, now)).or(max);
        match most {
            Some(most) if most < reserve => {
                let hint = "take less, or revoke a child that does not need its share";
                Err(Error::conflict(format!("only {most} uses can be set aside, not {reserve}")).hint(hint))
            }
            _ => Ok(Some(reserve)),
        }
    }

    fn ends(
        &self,
        view: &View<'_>,
        parent: Option<&TokenEntry>,
        notes: &mut Vec<String>,
    ) -> Result<(Timestamp, Timestamp), Error> {
        let limit = parent.map(|p| view.open.tokens.effective_end(p, view.staged));
        let ttl = match (self.ttl, parent) {
            (Some(ttl), _) => Some(ttl),
            (None, None) => Some(view.open.settings(view.staged).token_ttl),
            (None, Some(_)) => None,
        };
        let ms = |ttl: Ttl| Duration::from_millis(ttl.as_millis());
        let latest = parent.map_or(view.now.plus(MAX_TTL), |p| p.facts.latest_end);
        let latest = self.max_ttl.map_or(latest, |ttl| latest.min(view.now.plus(ms(ttl))));
        let default_end = view.now.plus(ms(view.open.settings(view.staged).token_ttl));
        let mut end = ttl.map_or(limit.unwrap_or(default_end), |ttl| view.now.plus(ms(ttl)));
        if end > latest {
            end = latest;
            notes.push("cut to its latest end".into());
        }
        if let Some(limit) = limit
            && end > limit
        {
            end = limit;
            let rest = u64::try_from(limit.since(view.now).as_millis()).unwrap_or(u64::MAX);
            notes.push(format!("cut to the {} that are left of the parent's", format_duration(rest)));
        }
        Ok((end, latest))
    }

    /// Depth, number of siblings, and a name that no live sibling has.
    fn check_family(&self, view: &mut View<'_>, parent: Option<&TokenEntry>) -> Result<(), Error> {
        if parent.is_some_and(|p| p.facts.ancestors.len() + 1 >= MAX_DEPTH) {
            return Err(Error::forbidden(format!("a family is at most {MAX_DEPTH} deep")));
        }
        let parent_id = parent.map(|p| p.facts.id);
        if !view.open.tokens.has_room(parent_id, view.now, view.staged) {
            let whose = parent.map_or("the owner", |parent| &*parent.facts.ancestry);
            return Err(Error::conflict(format!(
                "{whose} has {MAX_CHILDREN} live children already, the most that one may have"
            ))
            .hint("revoke some, or spread them over several parents"));
        }
        let tokens = &view.open.tokens;
        let sibling = tokens.sibling(parent_id, &self.name, view.staged);
        match sibling {
            Some(other) if !tokens.gone(other, view.now, view.staged) => {
                Err(Error::new(Code::AlreadyExists, format!("a live token is called {} already", self.name))
                    .hint(format!("hq-vault token revoke {}, or take another name", other.facts.id)))
            }
            _ => Ok(()),
        }
    }
}

/// One rule over several patterns, as `--path` and `--can` give it.
pub fn rules(can: hqv_model::CapabilitySet, on: Vec<hqv_model::Pattern>) -> Vec<Rule> {
    on.into_iter().map(|on| Rule { can, on }).collect()
}
